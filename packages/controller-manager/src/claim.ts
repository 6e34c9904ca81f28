// Which objects belong to a controller: those it owns and selects, after adopting orphans it selects and releasing
// what it owns but no longer selects (client-go's ControllerRefManager).

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { controllerOf, controllerReference, type KubeObject, type LabelSelector } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { matchesLabels, requirementsOf } from "@gatehouse/apimachinery/selectors";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import type { ObjectView } from "./object-view.ts";

export interface Claim<T> {
  owned: T[];
  adopt: T[];
  release: T[];
}

/** Sorts `candidates` (of the owner's namespace) without changing anything. What is being deleted is left as it is. */
export function claimOf<T extends KubeObject>(owner: KubeObject, selector: LabelSelector, candidates: T[]): Claim<T> {
  const requirements = requirementsOf(selector);
  const claim: Claim<T> = { owned: [], adopt: [], release: [] };
  const ownerTerminating = owner.metadata.deletionTimestamp !== undefined;
  for (const candidate of candidates) {
    const selected = matchesLabels(requirements, candidate.metadata.labels);
    const controller = controllerOf(candidate);
    const terminating = candidate.metadata.deletionTimestamp !== undefined;
    if (controller) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (selected || ownerTerminating) claim.owned.push(candidate);
      else if (!terminating) claim.release.push(candidate);
    } else if (selected && !terminating && !ownerTerminating) claim.adopt.push(candidate);
  }
  return claim;
}

/** Carries out a claim; returns everything owned afterwards. An owner that was deleted meanwhile adopts nothing. */
export async function settleClaim<T extends KubeObject>(
  client: ApiClient,
  view: ObjectView<T>,
  owner: KubeObject,
  ownerType: ResourceType,
  claim: Claim<T>,
): Promise<T[]> {
  const { uid } = owner.metadata;
  const released = claim.release.map((object) =>
    setOwners(
      client,
      view,
      object,
      (object.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== uid),
    ),
  );
  await Promise.all(released);
  if (claim.adopt.length === 0 || !(await isStillThere(client, owner, ownerType))) return claim.owned;
  const adopted = claim.adopt.map((object) =>
    setOwners(client, view, object, [...(object.metadata.ownerReferences ?? []), controllerReference(owner)]),
  );
  return [...claim.owned, ...(await Promise.all(adopted)).filter((object) => object !== undefined)];
}

/** Undefined when the object is gone. */
async function setOwners<T extends KubeObject>(
  client: ApiClient,
  view: ObjectView<T>,
  object: T,
  ownerReferences: KubeObject["metadata"]["ownerReferences"],
): Promise<T | undefined> {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  try {
    const patch = { metadata: { uid, resourceVersion, ownerReferences } };
    return view.wrote(await client.patch<T>(view.type, { name, ...(namespace ? { namespace } : {}) }, "merge", patch));
  } catch (error) {
    if (hasReason(error, "NotFound")) return undefined;
    throw error;
  }
}

/** Asked live: adopting for an owner that was just deleted would bring its dependents back to it. */
async function isStillThere(client: ApiClient, owner: KubeObject, type: ResourceType): Promise<boolean> {
  try {
    const { metadata } = await client.get(type, owner.metadata.name, owner.metadata.namespace);
    return metadata.uid === owner.metadata.uid && metadata.deletionTimestamp === undefined;
  } catch (error) {
    if (hasReason(error, "NotFound")) return false;
    throw error;
  }
}
