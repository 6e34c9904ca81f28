// Write rules of Leases (pkg/apis/coordination/validation).

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { WriteStrategy } from "../resource-definition.ts";
import { invalidValue, nonNegative } from "../schema/field-cause.ts";

interface Lease extends KubeObject {
  spec?: { leaseDurationSeconds?: number; leaseTransitions?: number };
}

export const leaseStrategy: WriteStrategy = {
  validate: (object) => {
    const { leaseDurationSeconds, leaseTransitions } = (object as Lease).spec ?? {};
    const causes = nonNegative("spec.leaseTransitions", leaseTransitions);
    if (leaseDurationSeconds === undefined || leaseDurationSeconds > 0) return causes;
    return [...causes, invalidValue("spec.leaseDurationSeconds", leaseDurationSeconds, "must be greater than 0")];
  },
};
