// Write rules of StatefulSets (pkg/apis/apps/validation, pkg/registry/apps/statefulset).

import { isDeepStrictEqual } from "node:util";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { StatefulSet } from "@gatehouse/apimachinery/types/apps-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { forbiddenField, invalidValue, nonNegative, notSupported } from "../schema/field-cause.ts";
import { labelFaults, nameCauses } from "./names.ts";
import { amountOf, amountRule, defaultTemplate, validateWorkload } from "./workload.ts";

export const statefulSetStrategy: WriteStrategy = {
  complete: (object) => complete(object as StatefulSet),
  prepareForCreate: (object) => {
    object.status = { replicas: 0, availableReplicas: 0 };
  },
  validate: (object, old) => {
    const set = object as StatefulSet;
    const causes = validateWorkload(set, old);
    if (!(set as Partial<StatefulSet>).spec) return causes;
    causes.push(
      ...policyCauses(set),
      ...claimCauses(set),
      ...nonNegative("spec.ordinals.start", set.spec.ordinals?.start),
    );
    if (old && !isDeepStrictEqual(fixedPart(set), fixedPart(old as StatefulSet)))
      causes.push(forbiddenField("spec", rule));
    return causes;
  },
};

const rule =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
  "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

function fixedPart({ spec }: StatefulSet): unknown {
  const { selector, serviceName, podManagementPolicy, revisionHistoryLimit, volumeClaimTemplates } = spec;
  return { selector, serviceName, podManagementPolicy, revisionHistoryLimit, volumeClaimTemplates };
}

function complete(set: StatefulSet): void {
  const { spec } = set as Partial<StatefulSet>;
  if (!spec) return;
  const { updateStrategy } = spec;
  const retention = { whenDeleted: "Retain", whenScaled: "Retain" };
  spec.persistentVolumeClaimRetentionPolicy = { ...retention, ...spec.persistentVolumeClaimRetentionPolicy };
  if (updateStrategy?.type === "RollingUpdate")
    updateStrategy.rollingUpdate = { partition: 0, ...updateStrategy.rollingUpdate };
  defaultTemplate(set);
}

function policyCauses({ spec }: StatefulSet): StatusCause[] {
  const causes: StatusCause[] = [];
  const { podManagementPolicy = "", updateStrategy = {}, serviceName, persistentVolumeClaimRetentionPolicy } = spec;
  if (serviceName) causes.push(...nameCauses("spec.serviceName", serviceName, labelFaults));
  for (const [name, policy] of Object.entries(persistentVolumeClaimRetentionPolicy ?? {})) {
    if (policy === "Retain" || policy === "Delete") continue;
    const at = `spec.persistentVolumeClaimRetentionPolicy.${name}`;
    causes.push(notSupported(at, policy, ["Retain", "Delete"]));
  }
  if (!["OrderedReady", "Parallel"].includes(podManagementPolicy)) {
    const detail = "must be 'OrderedReady' or 'Parallel'";
    causes.push(invalidValue("spec.podManagementPolicy", podManagementPolicy, detail));
  }
  const { type, rollingUpdate } = updateStrategy;
  const field = "spec.updateStrategy.rollingUpdate";
  if (type === "OnDelete" && rollingUpdate) {
    causes.push(invalidValue(field, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"));
  }
  causes.push(...nonNegative(`${field}.partition`, rollingUpdate?.partition));
  const { maxUnavailable } = rollingUpdate ?? {};
  if (maxUnavailable === undefined) return causes;
  const amount = amountOf(maxUnavailable);
  if (amount === undefined) causes.push(invalidValue(`${field}.maxUnavailable`, maxUnavailable, amountRule));
  else if (amount === 0) causes.push(invalidValue(`${field}.maxUnavailable`, maxUnavailable, "cannot be 0"));
  return causes;
}

function claimCauses({ spec }: StatefulSet): StatusCause[] {
  if (!spec.volumeClaimTemplates?.length) return [];
  const detail =
    "this cluster has no persistent volumes: use an emptyDir volume in spec.template, or a cluster that has storage";
  return [forbiddenField("spec.volumeClaimTemplates", detail)];
}
