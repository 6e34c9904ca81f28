// StatefulSets (apps/v1).

import { labelSelector } from "./meta.ts";
import { podTemplateSpec } from "./pod-spec.ts";
import { persistentVolumeClaim } from "./volume.ts";
import { field, int32, int64, intOrString, listBy, listOf, oneOf, str, struct, time } from "../schema-helpers.ts";

const rollingUpdate = struct(
  "apps.v1.RollingUpdateStatefulSetStrategy",
  "Which pods are replaced, and how many at once.",
  {
    maxUnavailable: intOrString("Pods that may be missing during the update: a count or a percentage."),
    partition: int32("Pods with a lower ordinal keep their template."),
  },
);

const updateStrategy = struct("apps.v1.StatefulSetUpdateStrategy", "How old pods are replaced by new ones.", {
  rollingUpdate: field(rollingUpdate, "Settings of RollingUpdate."),
  type: oneOf(["RollingUpdate", "OnDelete"], "RollingUpdate or OnDelete.", { default: "RollingUpdate" }),
});

const claimRetention = struct(
  "apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy",
  "What becomes of claims whose pods are gone.",
  { whenDeleted: str("Retain or Delete."), whenScaled: str("Retain or Delete.") },
);

const ordinals = struct("apps.v1.StatefulSetOrdinals", "How pods are numbered.", {
  "start!": int32("Number of the first pod.", { default: 0 }),
});

export const statefulSetSpec = struct("apps.v1.StatefulSetSpec", "What a StatefulSet keeps running.", {
  minReadySeconds: int32("Seconds a new pod must be ready to count as available."),
  ordinals: field(ordinals, "How pods are numbered; from zero when absent."),
  persistentVolumeClaimRetentionPolicy: field(claimRetention, "What becomes of claims whose pods are gone."),
  podManagementPolicy: str("OrderedReady: one pod after the other. Parallel: all at once.", {
    default: "OrderedReady",
  }),
  replicas: int32("How many pods.", { default: 1 }),
  revisionHistoryLimit: int32("Old revisions to keep for a rollback.", { default: 10 }),
  "selector!": field(labelSelector, "Which pods belong to it; cannot be changed."),
  serviceName: str("The headless Service that gives the pods their names."),
  "template!": field(podTemplateSpec, "The pods to make; each is named after the set and its number."),
  updateStrategy: field(updateStrategy, "How old pods are replaced by new ones.", { default: {} }),
  volumeClaimTemplates: listOf(persistentVolumeClaim, "Not supported here: there are no volumes to claim."),
});

const condition = struct("apps.v1.StatefulSetCondition", "One aspect of a StatefulSet's state.", {
  lastTransitionTime: time(),
  message: str(),
  reason: str(),
  "status!": str(),
  "type!": str(),
});

export const statefulSetStatus = struct("apps.v1.StatefulSetStatus", "What a StatefulSet has running.", {
  availableReplicas: int32("Pods ready for minReadySeconds.", { default: 0 }),
  collisionCount: int32(),
  conditions: listBy(["type"], condition, "Aspects of its state."),
  currentReplicas: int32("Pods of the current revision."),
  currentRevision: str("The revision that pods below the partition have."),
  observedGeneration: int64("The generation this is about."),
  readyReplicas: int32("Pods that are ready."),
  "replicas!": int32("Pods there are.", { default: 0 }),
  updateRevision: str("The revision of the present template."),
  updatedReplicas: int32("Pods of that revision."),
});
