// Write rules of ReplicaSets.

import type { ReplicaSet } from "@gatehouse/apimachinery/types/apps-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { required } from "../schema/field-cause.ts";
import { defaultTemplate, validateWorkload } from "./workload.ts";

export const replicaSetStrategy: WriteStrategy = {
  prepareForCreate: (object) => {
    prepare(object as ReplicaSet);
    object.status = { replicas: 0 };
  },
  prepareForUpdate: (object) => prepare(object as ReplicaSet),
  validate: (object, old) => {
    if (!(object as Partial<ReplicaSet>).spec?.template) return [required("spec.template")];
    return validateWorkload(object, old);
  },
};

/** The schema lets a ReplicaSet be without a template; `validate` does not. */
function prepare(replicaSet: ReplicaSet): void {
  if ((replicaSet as Partial<ReplicaSet>).spec?.template) defaultTemplate(replicaSet);
}
