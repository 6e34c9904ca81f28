// Write rules of HorizontalPodAutoscalers, which are only kept (pkg/apis/autoscaling/validation): nothing here measures pods.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { WriteStrategy } from "../resource-definition.ts";
import { forbiddenField, invalidValue, nonNegative, notSupported, required } from "../schema/field-cause.ts";
import { nameCauses, pathSegmentFaults } from "./names.ts";

interface MetricTarget {
  type: string;
  averageUtilization?: number;
  averageValue?: string;
  value?: string;
}

interface MetricSource {
  name?: string;
  metric?: { name: string };
  container?: string;
  target?: MetricTarget;
}

interface ScalingRules {
  policies?: { type: string; value: number; periodSeconds: number }[];
  selectPolicy?: string;
  stabilizationWindowSeconds?: number;
}

interface Metric {
  type: string;
  resource?: MetricSource;
  containerResource?: MetricSource;
  pods?: MetricSource;
  object?: MetricSource;
  external?: MetricSource;
}

export interface HorizontalPodAutoscaler extends KubeObject {
  spec: {
    scaleTargetRef: { kind: string; name: string; apiVersion?: string };
    minReplicas?: number;
    maxReplicas: number;
    metrics?: Metric[];
    behavior?: { scaleUp?: ScalingRules; scaleDown?: ScalingRules };
  };
  status?: { currentReplicas?: number };
}

export const autoscalerStrategy: WriteStrategy = {
  complete: (object) => {
    const { spec } = object as Partial<HorizontalPodAutoscaler>;
    if (!spec) return;
    spec.metrics ??= [
      { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } } },
    ];
    if (!spec.behavior) return;
    spec.behavior.scaleUp = { ...structuredClone(usualScaleUp), ...spec.behavior.scaleUp };
    spec.behavior.scaleDown = { ...structuredClone(usualScaleDown), ...spec.behavior.scaleDown };
  },
  prepareForCreate: (object) => {
    object.status = { desiredReplicas: 0 };
  },
  validate: (object) => {
    const { spec } = object as Partial<HorizontalPodAutoscaler>;
    if (!spec) return [required("spec.scaleTargetRef"), required("spec.maxReplicas")];
    const { minReplicas = 1, maxReplicas, scaleTargetRef, metrics = [], behavior = {} } = spec;
    const causes = targetReferenceCauses(scaleTargetRef, "spec.scaleTargetRef");
    if (minReplicas < 1)
      causes.push(invalidValue("spec.minReplicas", minReplicas, "must be greater than or equal to 1"));
    if (maxReplicas < 1) causes.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than 0"));
    if (maxReplicas < minReplicas) {
      causes.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
    }
    metrics.forEach((metric, index) => causes.push(...metricCauses(metric, `spec.metrics[${index}]`)));
    for (const [direction, rules] of Object.entries(behavior)) {
      if (rules) causes.push(...rulesCauses(rules, `spec.behavior.${direction}`));
    }
    return causes;
  },
  warnings: () => [
    "HorizontalPodAutoscalers are stored but have no effect here: this cluster measures no pods; use kubectl scale",
  ],
};

function targetReferenceCauses(
  { kind, name, apiVersion = "" }: HorizontalPodAutoscaler["spec"]["scaleTargetRef"],
  path: string,
): StatusCause[] {
  const causes: StatusCause[] = [];
  for (const [field, value] of Object.entries({ kind, name })) {
    if (!value) causes.push(required(`${path}.${field}`));
    else causes.push(...nameCauses(`${path}.${field}`, value, pathSegmentFaults));
  }
  // What is scaled through the core group are ReplicationControllers, which are named by `v1`.
  if (!/^[^/]+\/[^/]+$/.test(apiVersion) && !(apiVersion === "v1" && kind === "ReplicationController")) {
    causes.push(invalidValue(`${path}.apiVersion`, apiVersion, "apiVersion must specify API group"));
  }
  return causes;
}

const sourceFields: Readonly<Record<string, Exclude<keyof Metric, "type">>> = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
};

function metricCauses(metric: Metric, path: string): StatusCause[] {
  const { type } = metric;
  const causes = type ? [] : [required(`${path}.type`, "must specify a metric source type")];
  const field = Object.hasOwn(sourceFields, type) ? sourceFields[type] : undefined;
  if (!field) return [...causes, notSupported(`${path}.type`, type, Object.keys(sourceFields))];
  const source = metric[field];
  if (!source) return [required(`${path}.${field}`, "must populate information for the given metric source")];
  for (const other of Object.values(sourceFields)) {
    if (other === field || !metric[other]) continue;
    const detail = "must populate the given metric source only";
    causes.push(forbiddenField(`${path}.${other}`, detail));
  }
  return [...causes, ...sourceCauses(source, field, `${path}.${field}`)];
}

function sourceCauses(source: MetricSource, kind: string, path: string): StatusCause[] {
  const ofResource = kind === "resource" || kind === "containerResource";
  const causes: StatusCause[] = [];
  if (ofResource && !source.name) causes.push(required(`${path}.name`, "must specify a resource name"));
  if (kind === "containerResource" && !source.container)
    causes.push(required(`${path}.container`, "must specify a container"));
  if (!ofResource && !source.metric?.name) causes.push(required(`${path}.metric.name`, "must specify a metric name"));
  const { type, averageUtilization: utilization, averageValue, value } = source.target ?? { type: "" };
  const field = `${path}.target`;
  if (!type) causes.push(required(`${field}.type`, "must specify a metric target type"));
  if (!["Utilization", "Value", "AverageValue"].includes(type)) {
    causes.push(invalidValue(`${field}.type`, type, "must be either Utilization, Value, or AverageValue"));
  }
  if (utilization !== undefined && utilization < 1) {
    causes.push(invalidValue(`${field}.averageUtilization`, utilization, "must be greater than 0"));
  }
  if (ofResource && utilization === undefined && averageValue === undefined) {
    const detail = "must set either a target raw value or a target utilization";
    causes.push(required(`${field}.averageUtilization`, detail));
  } else if (!ofResource && value === undefined && averageValue === undefined) {
    causes.push(required(`${field}.averageValue`, "must specify a positive target averageValue"));
  }
  return causes;
}

const usualScaleUp: ScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ],
};
const usualScaleDown: ScalingRules = {
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
};

function rulesCauses({ policies = [], selectPolicy, stabilizationWindowSeconds: window }: ScalingRules, path: string) {
  const causes: StatusCause[] = [];
  const at = `${path}.stabilizationWindowSeconds`;
  causes.push(...nonNegative(at, window));
  if (window !== undefined && window > 3600)
    causes.push(invalidValue(at, window, "must be less than or equal to 3600"));
  const choices = ["Disabled", "Max", "Min"];
  if (selectPolicy !== undefined && !choices.includes(selectPolicy)) {
    causes.push(notSupported(`${path}.selectPolicy`, selectPolicy, choices));
  }
  if (policies.length === 0) causes.push(required(`${path}.policies`, "must specify at least one Policy"));
  for (const [index, { type, value, periodSeconds }] of policies.entries()) {
    const field = `${path}.policies[${index}]`;
    if (type !== "Pods" && type !== "Percent") {
      causes.push(notSupported(`${field}.type`, type, ["Percent", "Pods"]));
    }
    if (value <= 0) causes.push(invalidValue(`${field}.value`, value, "must be greater than zero"));
    if (periodSeconds <= 0) {
      causes.push(invalidValue(`${field}.periodSeconds`, periodSeconds, "must be greater than zero"));
    } else if (periodSeconds > 1800) {
      causes.push(invalidValue(`${field}.periodSeconds`, periodSeconds, "must be less than or equal to 1800"));
    }
  }
  return causes;
}
