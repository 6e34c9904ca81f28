// HorizontalPodAutoscalers (autoscaling/v2).

import { labelSelector } from "./meta.ts";
import { anyObject, field, int32, int64, listBy, listOf, quantity, str, struct, time } from "../schema-helpers.ts";

const target = struct("autoscaling.v2.MetricTarget", "What a metric should be.", {
  averageUtilization: int32("Average over the pods, in percent of what they request."),
  averageValue: quantity("Average over the pods."),
  "type!": str("Utilization, Value or AverageValue."),
  value: quantity("The metric itself."),
});

const metricIdentifier = struct("autoscaling.v2.MetricIdentifier", "A metric.", {
  "name!": str("Its name."),
  selector: field(labelSelector, "Its labels."),
});

const scaleTarget = struct("autoscaling.v2.CrossVersionObjectReference", "An object, by kind and name.", {
  apiVersion: str("Its API version."),
  "kind!": str("Its kind."),
  "name!": str("Its name."),
});

const resource = struct("autoscaling.v2.ResourceMetricSource", "A resource of the pods, such as cpu.", {
  "name!": str("The resource."),
  "target!": target,
});

const containerResource = struct("autoscaling.v2.ContainerResourceMetricSource", "A resource of one container.", {
  "container!": str("The container."),
  "name!": str("The resource."),
  "target!": target,
});

const pods = struct("autoscaling.v2.PodsMetricSource", "A metric of each pod.", {
  "metric!": metricIdentifier,
  "target!": target,
});

const object = struct("autoscaling.v2.ObjectMetricSource", "A metric of another object.", {
  "describedObject!": scaleTarget,
  "metric!": metricIdentifier,
  "target!": target,
});

const external = struct("autoscaling.v2.ExternalMetricSource", "A metric from outside the cluster.", {
  "metric!": metricIdentifier,
  "target!": target,
});

const metric = struct("autoscaling.v2.MetricSpec", "What is measured, and what it should be.", {
  containerResource,
  external,
  object,
  pods,
  resource,
  "type!": str("Which of the others is given: Resource, ContainerResource, Pods, Object or External."),
});

const scalingPolicy = struct("autoscaling.v2.HPAScalingPolicy", "How fast the number may change.", {
  "periodSeconds!": int32("Within how many seconds."),
  "type!": str("Pods or Percent."),
  "value!": int32("By how much."),
});

const scalingRules = struct("autoscaling.v2.HPAScalingRules", "How the number changes in one direction.", {
  policies: listOf(scalingPolicy),
  selectPolicy: str("Max, Min or Disabled."),
  stabilizationWindowSeconds: int32("Seconds over which wishes are compared."),
  tolerance: quantity("Differences this small change nothing."),
});

const behavior = struct("autoscaling.v2.HorizontalPodAutoscalerBehavior", "How the number changes.", {
  scaleDown: scalingRules,
  scaleUp: scalingRules,
});

const condition = struct("autoscaling.v2.HorizontalPodAutoscalerCondition", "One aspect of its state.", {
  lastTransitionTime: time(),
  message: str(),
  reason: str(),
  "status!": str(),
  "type!": str(),
});

export const autoscalerSpec = struct(
  "autoscaling.v2.HorizontalPodAutoscalerSpec",
  "Which workload, within which limits.",
  {
    behavior: field(behavior, "How the number changes."),
    "maxReplicas!": int32("The most pods."),
    metrics: listOf(metric, "What is measured."),
    minReplicas: int32("The fewest pods.", { default: 1 }),
    "scaleTargetRef!": field(scaleTarget, "The workload."),
  },
);

export const autoscalerStatus = struct("autoscaling.v2.HorizontalPodAutoscalerStatus", "What it has done.", {
  conditions: listBy(["type"], condition, undefined, { repeats: true }),
  currentMetrics: listOf(anyObject()),
  currentReplicas: int32(),
  "desiredReplicas!": int32(undefined, { default: 0 }),
  lastScaleTime: time(),
  observedGeneration: int64(),
});
