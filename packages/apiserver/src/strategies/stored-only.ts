// Write rules of the kinds that are only kept: what Kubernetes checks, and the Warning that nothing here acts on them.

import { isDeepStrictEqual } from "node:util";
import { isIPv4, isIPv6 } from "node:net";
import type { KubeObject, LabelSelector } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { WriteStrategy } from "../resource-definition.ts";
import { forbiddenField, invalidValue, nonNegative, notSupported, required } from "../schema/field-cause.ts";
import { amountOf, amountRule, selectorCauses } from "./workload.ts";

interface MetricSource {
  name?: string;
  metric?: { name: string };
  target?: { type: string; averageUtilization?: number; averageValue?: string; value?: string };
}

export interface HorizontalPodAutoscaler extends KubeObject {
  spec: {
    scaleTargetRef: { kind: string; name: string };
    minReplicas?: number;
    maxReplicas: number;
    metrics?: {
      type: string;
      resource?: MetricSource;
      containerResource?: MetricSource;
      pods?: MetricSource;
      object?: MetricSource;
      external?: MetricSource;
    }[];
  };
  status?: { currentReplicas?: number };
}

export const autoscalerStrategy: WriteStrategy = {
  prepareForCreate: (object) => {
    const { spec } = object as Partial<HorizontalPodAutoscaler>;
    if (spec && !spec.metrics) {
      spec.metrics = [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
      ];
    }
    object.status = { desiredReplicas: 0 };
  },
  validate: (object) => {
    const { spec } = object as Partial<HorizontalPodAutoscaler>;
    if (!spec) return [required("spec.scaleTargetRef"), required("spec.maxReplicas")];
    const { minReplicas = 1, maxReplicas, scaleTargetRef } = spec;
    const causes: StatusCause[] = [];
    if (!scaleTargetRef.kind) causes.push(required("spec.scaleTargetRef.kind"));
    if (!scaleTargetRef.name) causes.push(required("spec.scaleTargetRef.name"));
    if (minReplicas < 1)
      causes.push(invalidValue("spec.minReplicas", minReplicas, "must be greater than or equal to 1"));
    if (maxReplicas < 1) causes.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than 0"));
    if (maxReplicas < minReplicas) {
      causes.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
    }
    return causes;
  },
  warnings: () => [
    "HorizontalPodAutoscalers are stored but have no effect here: this cluster measures no pods; use kubectl scale",
  ],
};

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

interface Peer {
  podSelector?: LabelSelector;
  namespaceSelector?: LabelSelector;
  ipBlock?: { cidr: string };
}

interface NetworkPolicy extends KubeObject {
  spec?: {
    podSelector?: LabelSelector;
    policyTypes?: string[];
    ingress?: { from?: Peer[] }[];
    egress?: { to?: Peer[] }[];
  };
}

export const networkPolicyStrategy: WriteStrategy = {
  prepareForCreate: (object) => {
    const { spec } = object as NetworkPolicy;
    if (spec) spec.policyTypes ??= spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"];
  },
  validate: (object) => {
    const { podSelector, policyTypes = [], ingress = [], egress = [] } = (object as NetworkPolicy).spec ?? {};
    const causes = podSelector ? selectorCauses(podSelector, "spec.podSelector") : [];
    ingress.forEach(({ from = [] }, index) => causes.push(...peerCauses(from, `spec.ingress[${index}].from`)));
    egress.forEach(({ to = [] }, index) => causes.push(...peerCauses(to, `spec.egress[${index}].to`)));
    for (const [index, type] of policyTypes.entries()) {
      if (type === "Ingress" || type === "Egress") continue;
      causes.push(notSupported(`spec.policyTypes[${index}]`, type, ["Egress", "Ingress"]));
    }
    return causes;
  },
  warnings: () => [
    "NetworkPolicies are stored but not enforced here: the pods of this cluster share the host's network",
  ],
};

function peerCauses(peers: Peer[], path: string): StatusCause[] {
  return peers.flatMap((peer, index) => {
    const field = `${path}[${index}]`;
    const { podSelector, namespaceSelector, ipBlock } = peer;
    if (!podSelector && !namespaceSelector && !ipBlock) return [required(field, "must specify a peer")];
    if (!ipBlock) return [];
    if (podSelector || namespaceSelector) {
      return [forbiddenField(field, "may not specify both ipBlock and another peer")];
    }
    return isRange(ipBlock.cidr)
      ? []
      : [
          invalidValue(
            `${field}.ipBlock.cidr`,
            ipBlock.cidr,
            "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
          ),
        ];
  });
}

function isRange(text: string): boolean {
  const [, address = "", bits] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  return (isIPv4(address) && Number(bits) <= 32) || (isIPv6(address) && Number(bits) <= 128);
}

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
    if (!policies.includes(String(preemptionPolicy))) {
      causes.push(notSupported("preemptionPolicy", preemptionPolicy, policies));
    }
    return causes;
  },
  warnings: () => ["PriorityClasses are stored but have no effect here: no pod of this cluster makes way for another"],
};
