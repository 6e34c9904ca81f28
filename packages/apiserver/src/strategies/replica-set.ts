// Write rules of ReplicaSets.

import type { ReplicaSet } from "@gatehouse/apimachinery/types/apps-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { required } from "../schema/field-cause.ts";
import { defaultTemplate, validateWorkload } from "./workload.ts";

export const replicaSetStrategy: WriteStrategy = {
  complete: (object) => complete(object as ReplicaSet),
  prepareForCreate: (object) => {
    object.status = { replicas: 0 };
  },
  validate: (object, old) => {
    if (!(object as Partial<ReplicaSet>).spec?.template) return [required("spec.template")];
    return validateWorkload(object, old);
  },
};

/** The schema lets a ReplicaSet be without a template; `validate` does not. */
function complete(replicaSet: ReplicaSet): void {
  if ((replicaSet as Partial<ReplicaSet>).spec?.template) defaultTemplate(replicaSet);
}
