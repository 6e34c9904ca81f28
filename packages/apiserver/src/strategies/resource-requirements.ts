// Checks of requests and limits (pkg/apis/core/validation ValidateContainerResourceRequirements).

import { parseQuantity } from "@gatehouse/apimachinery/quantity";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { Container } from "@gatehouse/apimachinery/types/core-v1";
import { invalidValue, required } from "../schema/field-cause.ts";

const quantityRule = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/** Causes for requirements that may be absent. */
export function resourceCauses(resources: Container["resources"], path: string): StatusCause[] {
  const { limits = {}, requests = {} } = resources ?? {};
  const causes = [...amountCauses(limits, `${path}.limits`), ...amountCauses(requests, `${path}.requests`)];
  if (causes.length > 0) return causes;
  for (const [name, text] of Object.entries(requests)) {
    const limit = Object.hasOwn(limits, name) ? limits[name] : undefined;
    if (limit === undefined) {
      if (!isOvercommittable(name))
        causes.push(required(`${path}.limits`, `Limit must be set for non overcommitable resources`));
      continue;
    }
    const [asked = 0, allowed = 0] = [parseQuantity(text), parseQuantity(limit)];
    if (!isOvercommittable(name) && asked !== allowed) {
      causes.push(invalidValue(`${path}.requests`, text, `must be equal to ${name} limit of ${limit}`));
    } else if (asked > allowed) {
      causes.push(invalidValue(`${path}.requests`, text, `must be less than or equal to ${name} limit of ${limit}`));
    }
  }
  return causes;
}

/** Of extended resources and huge pages no more can be promised than there is. */
const isOvercommittable = (name: string): boolean => !name.includes("/") && !name.startsWith("hugepages-");

function amountCauses(amounts: Record<string, string>, path: string): StatusCause[] {
  return Object.entries(amounts).flatMap(([name, text]) => {
    const field = `${path}[${name}]`;
    const amount = parseQuantity(text);
    if (!name.includes("/") && !/^(cpu|memory|ephemeral-storage|hugepages-.+)$/.test(name)) {
      return [invalidValue(field, name, "must be a standard resource for containers")];
    }
    if (amount === undefined) return [invalidValue(field, text, quantityRule)];
    return amount < 0 ? [invalidValue(field, text, "must be greater than or equal to 0")] : [];
  });
}
