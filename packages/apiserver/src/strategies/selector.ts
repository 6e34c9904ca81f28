// Checks of label selectors, wherever a kind has one (apimachinery validation ValidateLabelSelector).

import type { LabelSelector } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { labelCauses } from "../metadata-rules.ts";
import { forbiddenField, invalidValue, required } from "../schema/field-cause.ts";
import { labelValueFaults, nameCauses, qualifiedNameFaults } from "./names.ts";

/** Causes for the labels and operators of a selector at `path`; an empty selector has none. */
export function selectorCauses(selector: LabelSelector, path: string): StatusCause[] {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const causes = labelCauses(matchLabels, `${path}.matchLabels`);
  for (const [index, { key, operator, values = [] }] of matchExpressions.entries()) {
    const field = `${path}.matchExpressions[${index}]`;
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0)
        causes.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0)
        causes.push(
          forbiddenField(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
    } else causes.push(invalidValue(`${field}.operator`, operator, "not a valid selector operator"));
    causes.push(...nameCauses(`${field}.key`, key, qualifiedNameFaults));
    values.forEach((value, at) => causes.push(...nameCauses(`${field}.values[${at}]`, value, labelValueFaults)));
  }
  return causes;
}
