// Write rules of Nodes (pkg/apis/core/validation ValidateNode): taints, and a Pod range that, once given, stays.

import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { Node } from "@gatehouse/apimachinery/types/core-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { duplicate, forbiddenField, notSupported, required } from "../schema/field-cause.ts";
import { labelValueFaults, nameCauses, qualifiedNameFaults, rangeFaults } from "./names.ts";

export const nodeStrategy: WriteStrategy = {
  keepsStatus: true,
  complete: (object) => {
    const { spec } = object as Node;
    if (!spec) return;
    // The older field speaks for the list.
    if (spec.podCIDR && spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
    else if (spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
  },
  validate: (object, old) => {
    const spec = (object as Node).spec ?? {};
    const causes = [
      ...taintCauses(spec.taints ?? []),
      ...(spec.podCIDRs ?? []).flatMap((range, index) => nameCauses(`spec.podCIDRs[${index}]`, range, rangeFaults)),
    ];
    const before = old && (old as Node).spec?.podCIDR;
    if (before && before !== spec.podCIDR) {
      causes.push(forbiddenField("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'));
    }
    return causes;
  },
};

/** The field's name is Kubernetes' own. */
function taintCauses(taints: NonNullable<NonNullable<Node["spec"]>["taints"]>): StatusCause[] {
  const seen = new Set<string>();
  return taints.flatMap((taint, index) => {
    const { key, value = "", effect } = taint;
    const field = `metadata.taints[${index}]`;
    const causes = nameCauses(`${field}.key`, key, qualifiedNameFaults);
    causes.push(...nameCauses(`${field}.value`, value, labelValueFaults));
    const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    if (effect === "") causes.push(required(`${field}.effect`));
    else if (!effects.includes(effect)) causes.push(notSupported(`${field}.effect`, effect, effects));
    const both = `${key}:${effect}`;
    if (seen.has(both)) {
      const { message, ...cause } = duplicate(field, taint);
      causes.push({ ...cause, message: `${message}: taints must be unique by key and effect pair` });
    }
    seen.add(both);
    return causes;
  });
}
