// Write rules of Deployments.

import type { Deployment } from "@gatehouse/apimachinery/types/apps-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { forbiddenField, invalidValue } from "../schema/field-cause.ts";
import { defaultTemplate, rollingUpdateCauses, validateWorkload } from "./workload.ts";

export const deploymentStrategy: WriteStrategy = {
  complete: (object) => complete(object as Deployment),
  prepareForCreate: (object) => {
    object.status = {};
  },
  validate: (object, old) => {
    const { strategy, minReadySeconds = 0, progressDeadlineSeconds } = (object as Partial<Deployment>).spec ?? {};
    const causes = validateWorkload(object, old);
    if (strategy?.type === "Recreate" && strategy.rollingUpdate) {
      causes.push(
        forbiddenField("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'"),
      );
    }
    if (strategy?.type === "RollingUpdate" && strategy.rollingUpdate) {
      const bothZero = "may not be 0 when `maxSurge` is 0";
      causes.push(...rollingUpdateCauses(strategy.rollingUpdate, "spec.strategy.rollingUpdate", bothZero));
    }
    if (progressDeadlineSeconds !== undefined && progressDeadlineSeconds <= minReadySeconds) {
      causes.push(
        invalidValue("spec.progressDeadlineSeconds", progressDeadlineSeconds, "must be greater than minReadySeconds"),
      );
    }
    return causes;
  },
};

function complete(deployment: Deployment): void {
  const { strategy } = (deployment as Partial<Deployment>).spec ?? {};
  if (strategy?.type === "RollingUpdate")
    strategy.rollingUpdate = { maxSurge: "25%", maxUnavailable: "25%", ...strategy.rollingUpdate };
  defaultTemplate(deployment);
}
