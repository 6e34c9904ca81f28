// Write rules of the kinds that are only kept: what Kubernetes checks, and the Warning that nothing here acts on them.

import { isDeepStrictEqual } from "node:util";
import type { KubeObject, LabelSelector } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { WriteStrategy } from "../resource-definition.ts";
import { forbiddenField, invalidValue, nonNegative, notSupported, required } from "../schema/field-cause.ts";
import { selectorCauses } from "./selector.ts";
import { amountOf, amountRule } from "./workload.ts";

export interface PodDisruptionBudget extends KubeObject {
  spec?: {
    minAvailable?: number | string;
    maxUnavailable?: number | string;
    selector?: LabelSelector;
    unhealthyPodEvictionPolicy?: string;
  };
  status?: { disruptionsAllowed?: number };
}

export const disruptionBudgetStrategy: WriteStrategy = {
  prepareForCreate: (object) => {
    object.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  },
  validate: (object) => {
    const {
      minAvailable,
      maxUnavailable,
      selector,
      unhealthyPodEvictionPolicy: policy,
    } = (object as PodDisruptionBudget).spec ?? {};
    const causes: StatusCause[] = [];
    if (minAvailable !== undefined && maxUnavailable !== undefined) {
      const detail = "minAvailable and maxUnavailable cannot be both set";
      causes.push(invalidValue("spec", object.spec, detail));
    }
    for (const [name, value] of Object.entries({ minAvailable, maxUnavailable })) {
      if (typeof value === "number") causes.push(...nonNegative(`spec.${name}`, value));
      else if (value !== undefined && amountOf(value) === undefined) {
        causes.push(invalidValue(`spec.${name}`, value, amountRule));
      }
    }
    if (selector) causes.push(...selectorCauses(selector, "spec.selector"));
    const policies = ["AlwaysAllow", "IfHealthyBudget"];
    if (policy !== undefined && !policies.includes(policy)) {
      causes.push(notSupported("spec.unhealthyPodEvictionPolicy", policy, policies));
    }
    return causes;
  },
  warnings: () => [
    "PodDisruptionBudgets are stored but have no effect here: evictions in this cluster do not ask them",
  ],
};

const maxUserPriority = 1_000_000_000;
const systemPriorities: Readonly<Record<string, number>> = {
  "system-cluster-critical": 2_000_000_000,
  "system-node-critical": 2_000_001_000,
};

export const priorityClassStrategy: WriteStrategy = {
  validate: ({ metadata, value, preemptionPolicy }, old) => {
    const causes: StatusCause[] = [];
    const { name } = metadata;
    if (name.startsWith("system-") && systemPriorities[name] !== value) {
      const detail = "priority class names with 'system-' prefix are reserved for system use only. error: ";
      causes.push(forbiddenField("metadata.name", `${detail}${name} is not a known system priority class`));
    } else if (Number(value) > maxUserPriority && !(name in systemPriorities)) {
      const detail = `maximum allowed value of a user defined priority is ${maxUserPriority}`;
      causes.push(forbiddenField("value", detail));
    }
    if (old && !isDeepStrictEqual(value, old.value)) {
      causes.push(forbiddenField("value", "may not be changed in an update."));
    }
    const policies = ["PreemptLowerPriority", "Never"];
    if (preemptionPolicy === "") causes.push(required("preemptionPolicy"));
    else if (!policies.includes(String(preemptionPolicy))) {
      causes.push(notSupported("preemptionPolicy", preemptionPolicy, policies));
    }
    return causes;
  },
  warnings: () => ["PriorityClasses are stored but have no effect here: no pod of this cluster makes way for another"],
};
