// Write rules of StatefulSets (pkg/apis/apps/validation, pkg/registry/apps/statefulset).

import { isDeepStrictEqual } from "node:util";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { StatefulSet } from "@gatehouse/apimachinery/types/apps-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { forbiddenField, invalidValue, nonNegative } from "../schema/field-cause.ts";
import { amountOf, amountRule, defaultTemplate, validateWorkload } from "./workload.ts";

export const statefulSetStrategy: WriteStrategy = {
  prepareForCreate: (object) => {
    prepare(object as StatefulSet);
    object.status = { replicas: 0, availableReplicas: 0 };
  },
  prepareForUpdate: (object) => prepare(object as StatefulSet),
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

function prepare(set: StatefulSet): void {
  const { updateStrategy } = (set as Partial<StatefulSet>).spec ?? {};
  if (updateStrategy?.type === "RollingUpdate")
    updateStrategy.rollingUpdate = { partition: 0, ...updateStrategy.rollingUpdate };
  defaultTemplate(set);
}

function policyCauses({ spec }: StatefulSet): StatusCause[] {
  const causes: StatusCause[] = [];
  const { podManagementPolicy = "", updateStrategy = {} } = spec;
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
