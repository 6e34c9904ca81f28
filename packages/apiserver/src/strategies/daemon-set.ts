// Write rules of DaemonSets.

import type { DaemonSet } from "@gatehouse/apimachinery/types/apps-v1";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue } from "../schema/field-cause.ts";
import { amountOf, defaultTemplate, rollingUpdateCauses, validateWorkload } from "./workload.ts";

export const daemonSetStrategy: WriteStrategy = {
  complete: (object) => complete(object as DaemonSet),
  prepareForCreate: (object) => {
    object.status = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };
  },
  validate: (object, old) => {
    const causes = validateWorkload(object, old);
    const { updateStrategy } = (object as Partial<DaemonSet>).spec ?? {};
    const settings = updateStrategy?.type === "RollingUpdate" ? updateStrategy.rollingUpdate : undefined;
    if (!settings) return causes;
    const field = "spec.updateStrategy.rollingUpdate";
    causes.push(...rollingUpdateCauses(settings, field, "cannot be 0 when maxSurge is 0"));
    if (amountOf(settings.maxSurge ?? 0) && amountOf(settings.maxUnavailable ?? 0)) {
      causes.push(
        invalidValue(`${field}.maxSurge`, settings.maxSurge, "may not be set when maxUnavailable is non-zero"),
      );
    }
    return causes;
  },
};

function complete(daemonSet: DaemonSet): void {
  const { updateStrategy } = (daemonSet as Partial<DaemonSet>).spec ?? {};
  if (updateStrategy?.type === "RollingUpdate") {
    updateStrategy.rollingUpdate = { maxSurge: 0, maxUnavailable: 1, ...updateStrategy.rollingUpdate };
  }
  defaultTemplate(daemonSet);
}
