// Checks of what a Pod says about where it runs: affinity, tolerations, how its like are spread (pkg/apis/core/validation).

import type { LabelSelector } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { invalidValue, notSupported, required } from "../schema/field-cause.ts";
import { labelValueFaults, nameCauses, qualifiedNameFaults } from "./names.ts";
import { selectorCauses } from "./selector.ts";

interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
  tolerationSeconds?: number;
}

interface NodeRequirement {
  key?: string;
  operator?: string;
  values?: string[];
}

interface NodeTerm {
  matchExpressions?: NodeRequirement[];
  matchFields?: NodeRequirement[];
}

interface PodTerm {
  topologyKey?: string;
  labelSelector?: LabelSelector;
  namespaceSelector?: LabelSelector;
}

interface PodAffinity {
  requiredDuringSchedulingIgnoredDuringExecution?: PodTerm[];
  preferredDuringSchedulingIgnoredDuringExecution?: { weight: number; podAffinityTerm: PodTerm }[];
}

interface Affinity {
  nodeAffinity?: {
    requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: NodeTerm[] };
    preferredDuringSchedulingIgnoredDuringExecution?: { weight: number; preference: NodeTerm }[];
  };
  podAffinity?: PodAffinity;
  podAntiAffinity?: PodAffinity;
}

interface SpreadConstraint {
  maxSkew: number;
  topologyKey?: string;
  whenUnsatisfiable?: string;
  minDomains?: number;
  labelSelector?: LabelSelector;
}

/** What of a pod's spec is checked here. */
export interface Scheduling {
  affinity?: Affinity;
  tolerations?: unknown[];
  topologySpreadConstraints?: unknown[];
}

const hard = "requiredDuringSchedulingIgnoredDuringExecution";
const soft = "preferredDuringSchedulingIgnoredDuringExecution";

/** Causes under `path`, e.g. `spec`. */
export function schedulingCauses(
  { affinity, tolerations = [], topologySpreadConstraints = [] }: Scheduling,
  path: string,
): StatusCause[] {
  return [
    ...(affinity ? affinityCauses(affinity, `${path}.affinity`) : []),
    ...(tolerations as Toleration[]).flatMap((each, index) => tolerationCauses(each, `${path}.tolerations[${index}]`)),
    ...(topologySpreadConstraints as SpreadConstraint[]).flatMap((each, index) =>
      spreadCauses(each, `${path}.topologySpreadConstraints[${index}]`),
    ),
  ];
}

function tolerationCauses({ key, operator, value, effect, tolerationSeconds }: Toleration, field: string) {
  const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
  const causes: StatusCause[] = [];
  if (key) causes.push(...nameCauses(`${field}.key`, key, qualifiedNameFaults));
  if (!key && operator !== "Exists") {
    const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    causes.push(invalidValue(`${field}.operator`, operator ?? "", detail));
  }
  if (tolerationSeconds !== undefined && effect !== "NoExecute") {
    causes.push(
      invalidValue(`${field}.effect`, effect ?? "", "effect must be 'NoExecute' when `tolerationSeconds` is set"),
    );
  }
  if (operator && operator !== "Exists" && operator !== "Equal") {
    causes.push(notSupported(`${field}.operator`, operator, ["Equal", "Exists"]));
  } else if (operator === "Exists") {
    if (value) causes.push(invalidValue(`${field}.operator`, value, "value must be empty when `operator` is 'Exists'"));
  } else if (value) causes.push(...nameCauses(`${field}.operator`, value, labelValueFaults));
  if (effect && !effects.includes(effect)) causes.push(notSupported(`${field}.effect`, effect, effects));
  return causes;
}

function affinityCauses({ nodeAffinity, podAffinity, podAntiAffinity }: Affinity, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  const needed = nodeAffinity?.[hard];
  if (needed) causes.push(...nodeSelectorCauses(needed.nodeSelectorTerms ?? [], `${path}.nodeAffinity.${hard}`));
  for (const [index, { weight, preference }] of (nodeAffinity?.[soft] ?? []).entries()) {
    const field = `${path}.nodeAffinity.${soft}[${index}]`;
    causes.push(...weightCauses(weight, field), ...nodeTermCauses(preference, `${field}.preference`));
  }
  for (const [name, terms] of Object.entries({ podAffinity, podAntiAffinity })) {
    const field = `${path}.${name}`;
    for (const [index, term] of (terms?.[hard] ?? []).entries()) {
      causes.push(...podTermCauses(term, `${field}.${hard}[${index}]`));
    }
    for (const [index, { weight, podAffinityTerm }] of (terms?.[soft] ?? []).entries()) {
      const at = `${field}.${soft}[${index}]`;
      causes.push(...weightCauses(weight, at), ...podTermCauses(podAffinityTerm, `${at}.podAffinityTerm`));
    }
  }
  return causes;
}

function weightCauses(weight: number, field: string): StatusCause[] {
  return weight >= 1 && weight <= 100 ? [] : [invalidValue(`${field}.weight`, weight, "must be in the range 1-100")];
}

function nodeSelectorCauses(terms: NodeTerm[], field: string): StatusCause[] {
  const at = `${field}.nodeSelectorTerms`;
  if (terms.length === 0) return [required(at, "must have at least one node selector term")];
  return terms.flatMap((term, index) => nodeTermCauses(term, `${at}[${index}]`));
}

function nodeTermCauses({ matchExpressions = [], matchFields = [] }: NodeTerm, field: string): StatusCause[] {
  return [
    ...matchExpressions.flatMap((each, index) => nodeRequirementCauses(each, `${field}.matchExpressions[${index}]`)),
    ...matchFields.flatMap(({ key = "" }, index) =>
      key === "metadata.name"
        ? []
        : [invalidValue(`${field}.matchFields[${index}].key`, key, "not a valid field selector key")],
    ),
  ];
}

function nodeRequirementCauses(
  { key = "", operator = "", values = [] }: NodeRequirement,
  field: string,
): StatusCause[] {
  const at = `${field}.values`;
  const causes: StatusCause[] = [];
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) causes.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) {
      const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      causes.push({ reason: "FieldValueForbidden", message: `Forbidden: ${detail}`, field: at });
    }
  } else if (operator === "Gt" || operator === "Lt") {
    if (values.length !== 1)
      causes.push(required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
  } else causes.push(invalidValue(`${field}.operator`, operator, "not a valid selector operator"));
  causes.push(...nameCauses(`${field}.key`, key, qualifiedNameFaults));
  values.forEach((value, index) => causes.push(...nameCauses(`${at}[${index}]`, value, labelValueFaults)));
  return causes;
}

function podTermCauses({ topologyKey = "", labelSelector, namespaceSelector }: PodTerm, field: string): StatusCause[] {
  const causes = labelSelector ? selectorCauses(labelSelector, `${field}.labelSelector`) : [];
  if (namespaceSelector) causes.push(...selectorCauses(namespaceSelector, `${field}.namespaceSelector`));
  return [...causes, ...topologyKeyCauses(topologyKey, field)];
}

function topologyKeyCauses(key: string, field: string): StatusCause[] {
  const at = `${field}.topologyKey`;
  const causes = key === "" ? [required(at, "can not be empty")] : [];
  return [...causes, ...nameCauses(at, key, qualifiedNameFaults)];
}

function spreadCauses(constraint: SpreadConstraint, field: string): StatusCause[] {
  const { maxSkew, topologyKey = "", whenUnsatisfiable, minDomains, labelSelector } = constraint;
  const causes: StatusCause[] = [];
  if (maxSkew <= 0) causes.push(invalidValue(`${field}.maxSkew`, maxSkew, "must be greater than zero"));
  if (topologyKey === "") causes.push(required(`${field}.topologyKey`, "can not be empty"));
  if (minDomains !== undefined && minDomains <= 0) {
    causes.push(invalidValue(`${field}.minDomains`, minDomains, "must be greater than zero"));
  } else if (minDomains !== undefined && whenUnsatisfiable !== "DoNotSchedule") {
    const detail = "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway";
    causes.push(invalidValue(`${field}.minDomains`, minDomains, detail));
  }
  if (labelSelector) causes.push(...selectorCauses(labelSelector, `${field}.labelSelector`));
  return causes;
}
