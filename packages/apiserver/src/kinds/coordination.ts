// The kind of coordination.k8s.io/v1.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceDefinition } from "../resource-definition.ts";
import { leaseStrategy } from "../strategies/lease.ts";
import { ageColumn, column, nameColumn } from "./columns.ts";
import { builtIn } from "./definition-helpers.ts";
import { int32, microTime, str, struct } from "./schema-helpers.ts";

interface Lease extends KubeObject {
  spec?: { holderIdentity?: string };
}

const leaseSpec = struct("coordination.v1.LeaseSpec", "Who holds a lease, and until when.", {
  holderIdentity: str("Who holds it."),
  leaseDurationSeconds: int32("Seconds after renewTime at which it may be taken."),
  acquireTime: microTime("When the holder took it."),
  renewTime: microTime("When the holder last renewed it."),
  leaseTransitions: int32("How often it changed hands."),
  strategy: str("How the next holder is chosen."),
  preferredHolder: str("Who should take it next."),
});

const leases = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
  namespaced: true,
};

export function coordinationDefinitions(): ResourceDefinition[] {
  return [
    builtIn(leases, {
      package: "coordination.v1",
      description: "A promise that one of several candidates is at work.",
      fields: { spec: leaseSpec },
      columns: [
        nameColumn,
        column<Lease>("Holder", "Who holds it.", ({ spec }) => spec?.holderIdentity ?? ""),
        ageColumn,
      ],
      strategy: leaseStrategy,
    }),
  ];
}
