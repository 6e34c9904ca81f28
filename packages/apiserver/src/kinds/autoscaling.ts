// autoscaling/v1 Scale: the body of every scale subresource. It is no resource of its own.

import type { Schema } from "@gatehouse/apimachinery/schema";
import { rootSchema } from "./definition-helpers.ts";
import { int32, str, struct } from "./schema-helpers.ts";

const scaleKind = { group: "autoscaling", version: "v1", kind: "Scale" };

/** The schema of Scale, for validation and OpenAPI; one object, made once. */
export const scaleSchema: Schema = rootSchema(
  scaleKind,
  "autoscaling.v1",
  "How many pods a workload has and should have.",
  {
    spec: struct("autoscaling.v1.ScaleSpec", "How many pods there should be.", {
      replicas: int32("The number.", { default: 0, minimum: 0 }),
    }),
    status: struct("autoscaling.v1.ScaleStatus", "How many pods there are.", {
      "replicas!": int32("The number.", { default: 0 }),
      selector: str("Which pods, in the text form of a label selector."),
    }),
  },
);
