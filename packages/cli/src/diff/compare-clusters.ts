// From two snapshots to the findings about their objects, definitions included. Pure.

import type { StatusOptions } from "./compare-status.ts";
import { compareBackends, referencedServices } from "./compare-backends.ts";
import { compareObjects } from "./compare-objects.ts";
import type { ClusterSnapshot } from "./cluster-snapshot.ts";
import { noFindings, type ObjectFindings } from "./report.ts";

export function compareClusters(
  a: ClusterSnapshot,
  b: ClusterSnapshot,
  { messages, all }: Omit<StatusOptions, "kindsInUse">,
): ObjectFindings[] {
  const options = { messages, all, kindsInUse: new Set([...a.objects, ...b.objects].map(({ kind }) => kind)) };
  const routes = [...a.objects, ...b.objects].filter(({ kind }) => kind.endsWith("Route"));
  return [
    compareDefinitions(a, b),
    ...compareObjects(a.objects, b.objects, options),
    ...compareBackends(referencedServices(routes), a, b),
  ];
}

/** Other definitions alone do no harm: what they change shows in the objects. So these are notes. */
function compareDefinitions(a: ClusterSnapshot, b: ClusterSnapshot): ObjectFindings {
  const found = { object: "Gateway API definitions", ...noFindings() };
  for (const field of ["version", "channel"] as const) {
    const [one, other] = [a.gatewayApi?.[field] ?? null, b.gatewayApi?.[field] ?? null];
    if (one !== other) found.notes.push({ field, a: one, b: other });
  }
  for (const kind of [...new Set([...a.kinds.keys(), ...b.kinds.keys()])].sort()) {
    const [one, other] = [a.kinds.get(kind)?.join(", ") ?? null, b.kinds.get(kind)?.join(", ") ?? null];
    if (one !== other) found.notes.push({ field: `${kind} served in`, a: one, b: other });
  }
  return found;
}
