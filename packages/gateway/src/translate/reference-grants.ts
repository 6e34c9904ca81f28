// ReferenceGrants: whether one namespace lets another refer to an object in it.

import { gatewayGroup } from "../gateway-resources.ts";
import type { ObjectIndex } from "./gateway-objects.ts";

export interface CrossReference {
  /** `group` defaults to gateway.networking.k8s.io. */
  from: { group?: string; kind: string; namespace: string };
  /** `group` defaults to the core group. */
  to: { group?: string; kind: string; namespace: string; name: string };
}

/** True within a namespace, or when a grant in the referent's namespace lists both sides. */
export function isReferencePermitted(reference: CrossReference, index: ObjectIndex): boolean {
  const { from, to } = reference;
  if (from.namespace === to.namespace) return true;
  const { group: fromGroup = gatewayGroup } = from;
  const { group: toGroup = "" } = to;
  return index
    .referenceGrants(to.namespace)
    .some(
      ({ spec }) =>
        spec !== undefined &&
        spec.from.some(
          (source) => source.group === fromGroup && source.kind === from.kind && source.namespace === from.namespace,
        ) &&
        spec.to.some(
          (target) => target.group === toGroup && target.kind === to.kind && (!target.name || target.name === to.name),
        ),
    );
}

/** The remedy, as an object to create. */
export function grantToCreate({ from, to }: CrossReference): string {
  const { group: fromGroup = gatewayGroup } = from;
  return (
    `create a ReferenceGrant in namespace "${to.namespace}" with ` +
    `from: [{group: ${fromGroup}, kind: ${from.kind}, namespace: ${from.namespace}}], ` +
    `to: [{group: ${JSON.stringify(to.group ?? "")}, kind: ${to.kind}, name: ${to.name}}]`
  );
}
