// Whether a policy, or its binding, is about a write (apiserver admission/plugin/policy/matching).

import { matchesLabels, requirementsOf } from "@gatehouse/apimachinery/selectors";
import type { LabelSelector } from "@gatehouse/apimachinery/meta";
import type { Registry } from "../registry.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import type { Store } from "../storage/store.ts";
import type { AdmissionAttributes } from "./admission-attributes.ts";
import type { MatchResources, ResourceRule } from "./policy-types.ts";

/** The definition under which the write matches: that of the request, or of another version of the resource. Undefined: no match. */
export function matchResources(
  match: MatchResources | undefined,
  write: AdmissionAttributes,
  { registry, store }: { registry: Registry; store: Store },
): ResourceDefinition | undefined {
  const { excludeResourceRules = [], matchPolicy, namespaceSelector, objectSelector, resourceRules = [] } = match ?? {};
  if (!inNamespaces(namespaceSelector, write, store) || !onObjects(objectSelector, write)) return undefined;
  const versions = matchPolicy === "Exact" ? [] : otherVersions(write.definition, registry);
  if (matchRules(excludeResourceRules, write, versions)) return undefined;
  return resourceRules.length === 0 ? write.definition : matchRules(resourceRules, write, versions);
}

function otherVersions(definition: ResourceDefinition, registry: Registry): ResourceDefinition[] {
  const { group, plural } = definition.type;
  return registry
    .definitions()
    .filter((other) => other !== definition && other.type.group === group && other.type.plural === plural);
}

function matchRules(
  rules: ResourceRule[],
  write: AdmissionAttributes,
  versions: ResourceDefinition[],
): ResourceDefinition | undefined {
  return [write.definition, ...versions].find((definition) =>
    rules.some((rule) => matchesRule(rule, write, definition)),
  );
}

function matchesRule(rule: ResourceRule, write: AdmissionAttributes, { type }: ResourceDefinition): boolean {
  const { name, operation, subresource } = write;
  return (
    inScope(rule, write) &&
    includes(rule.operations, operation) &&
    includes(rule.apiGroups, type.group) &&
    includes(rule.apiVersions, type.version) &&
    (rule.resources ?? []).some((resource) => coversResource(resource, type.plural, subresource)) &&
    (!rule.resourceNames?.length || rule.resourceNames.includes(name))
  );
}

const includes = (list: string[] | undefined, wanted: string): boolean =>
  list?.includes("*") === true || list?.includes(wanted) === true;

/** `pods` is the objects alone, `pods/*` all their subresources too, `*` all objects, and `*` + `/*` everything. */
function coversResource(resource: string, plural: string, subresource: string): boolean {
  const [name = "", sub = ""] = resource.split("/", 2);
  return (name === "*" || name === plural) && (sub === "*" || sub === subresource);
}

function inScope({ scope = "*" }: ResourceRule, { definition }: AdmissionAttributes): boolean {
  return scope === "*" || (scope === "Namespaced") === definition.type.namespaced;
}

const isEmpty = (selector: LabelSelector | undefined): boolean => !selector || requirementsOf(selector).length === 0;

/** Objects outside namespaces are never left out by labels of namespaces. */
function inNamespaces(selector: LabelSelector | undefined, write: AdmissionAttributes, store: Store): boolean {
  if (!selector || isEmpty(selector) || write.namespace === undefined) return true;
  const isNamespace = !write.definition.type.namespaced;
  const namespace =
    isNamespace && write.subresource === "" && write.object ? write.object : store.get("/namespaces", write.namespace);
  return matchesLabels(requirementsOf(selector), namespace?.metadata.labels);
}

function onObjects(selector: LabelSelector | undefined, { object, old }: AdmissionAttributes): boolean {
  if (!selector || isEmpty(selector)) return true;
  const requirements = requirementsOf(selector);
  return [object, old].some((each) => each !== undefined && matchesLabels(requirements, each.metadata.labels));
}
