// Whether the rules by which policies choose requests make sense (kubernetes pkg/apis/admissionregistration/validation).

import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { duplicate, invalidValue, notSupported, required } from "../schema/field-cause.ts";
import { selectorCauses } from "../strategies/selector.ts";
import type { MatchResources, ResourceRule } from "./policy-types.ts";

const operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

/** The causes for which `match`, found at `path`, cannot be used. */
export function validateMatch(match: MatchResources, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  for (const name of ["namespaceSelector", "objectSelector"] as const) {
    const selector = match[name];
    if (selector) causes.push(...selectorCauses(selector, `${path}.${name}`));
  }
  for (const name of ["resourceRules", "excludeResourceRules"] as const) {
    for (const [index, rule] of (match[name] ?? []).entries()) {
      causes.push(...validateRule(rule, `${path}.${name}[${index}]`));
    }
  }
  return causes;
}

function validateRule(rule: ResourceRule, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  const { apiGroups = [], apiVersions = [], resourceNames = [], resources = [] } = rule;
  for (const [index, name] of resourceNames.entries()) {
    if (resourceNames.indexOf(name) < index) causes.push(duplicate(`${path}.resourceNames[${index}]`, name));
  }
  const wanted = rule.operations ?? [];
  if (wanted.length === 0) causes.push(required(`${path}.operations`));
  causes.push(...alone(wanted, `${path}.operations`));
  for (const [index, operation] of wanted.entries()) {
    if (operations.includes(operation)) continue;
    causes.push(notSupported(`${path}.operations[${index}]`, operation, operations));
  }
  if (apiGroups.length === 0) causes.push(required(`${path}.apiGroups`));
  causes.push(...alone(apiGroups, `${path}.apiGroups`));
  if (apiVersions.length === 0) causes.push(required(`${path}.apiVersions`));
  causes.push(...alone(apiVersions, `${path}.apiVersions`));
  for (const [index, version] of apiVersions.entries()) {
    if (version === "") causes.push(required(`${path}.apiVersions[${index}]`));
  }
  if (resources.length === 0) causes.push(required(`${path}.resources`));
  for (const [index, resource] of resources.entries()) {
    if (resource === "") causes.push(required(`${path}.resources[${index}]`));
  }
  return causes;
}

function alone(list: string[], path: string): StatusCause[] {
  if (list.length < 2 || !list.includes("*")) return [];
  return [invalidValue(path, list, "if '*' is present, must not specify other values")];
}
