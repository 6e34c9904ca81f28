// Taking away from somebody's cluster what `up` installed on it: by name and label, and nothing else.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject, OwnerReference } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { namespaces } from "@gatehouse/apimachinery/types/core-v1";
import { carries } from "../../apply-objects.ts";
import { installedMark } from "../../installed-mark.ts";
import { discover, type MappedResource } from "../../resource-mapper.ts";
import { demoNamespaces, demoType, loadApplications, loadRoutes } from "../../steps/demo-manifests.ts";
import { UserError } from "../../user-error.ts";
import { untilGone } from "../../wait-for-deletion.ts";
import { loadBalancer } from "./load-balancer.ts";

const goneWithinMs = 120_000;

/** Deletes the demo's objects and waits until they are gone; returns how many there were. Routes before their Gateway. */
export async function deleteDemo(client: ApiClient): Promise<number> {
  const applications = (await loadApplications()).filter(({ kind }) => kind !== "Namespace");
  const objects = [...(await loadRoutes(true)).toReversed(), ...applications, loadBalancer];
  let deleted = 0;
  for (const { apiVersion, kind, metadata } of objects) {
    const type = demoType(apiVersion, kind);
    const live = await ours(client, type, metadata.name, metadata.namespace);
    if (!live) continue;
    await deleteObject(client, type, live);
    await untilAllGone(client, type, [live]);
    deleted++;
  }
  return deleted;
}

/** Deletes the namespaces that `up` made and that hold nothing of anybody else's; returns what keeps the others. */
export async function deleteNamespaces(client: ApiClient): Promise<{ deleted: string[]; kept: string[] }> {
  const result: { deleted: string[]; kept: string[] } = { deleted: [], kept: [] };
  const emptied: KubeObject[] = [];
  for (const name of demoNamespaces) {
    const namespace = await ours(client, namespaces, name);
    if (!namespace) continue;
    const others = await remainingObjects(client, name);
    if (others.length > 0) result.kept.push(`${name} (${others.slice(0, 3).join(", ")})`);
    else emptied.push(namespace);
  }
  for (const namespace of emptied) {
    await deleteObject(client, namespaces, namespace);
    result.deleted.push(namespace.metadata.name);
  }
  await untilAllGone(client, namespaces, emptied);
  return result;
}

/** The live object, when it is there and marked as ours. Not being allowed to see it is an error, not an absence. */
async function ours<T extends KubeObject>(
  client: ApiClient,
  type: ResourceType<T>,
  name: string,
  namespace?: string,
): Promise<T | undefined> {
  try {
    const live = await client.get(type, name, namespace);
    return carries(live, installedMark) ? live : undefined;
  } catch (error) {
    // The object, or its whole kind.
    if (error instanceof StatusError && error.code === 404) return undefined;
    throw error;
  }
}

/** What Kubernetes itself puts into every namespace. */
const ownedByCluster = new Set(["ServiceAccount/default", "ConfigMap/kube-root-ca.crt"]);
const byTheWay = new Set(["Event", "Endpoints", "EndpointSlice", "Lease", "PodMetrics", "ControllerRevision"]);

/** What somebody put into the namespace, as `Kind/name`; what this user may not list counts as that. */
async function remainingObjects(client: ApiClient, namespace: string): Promise<string[]> {
  const { resources } = await discover(client);
  const listed = resources.filter(
    ({ namespaced, verbs, kind }) =>
      namespaced && verbs.includes("list") && verbs.includes("create") && !byTheWay.has(kind),
  );
  const found = await Promise.all(listed.map((type) => remainingOf(client, type, namespace, resources)));
  return [...new Set(found.flat())].filter((name) => !ownedByCluster.has(name));
}

async function remainingOf(
  client: ApiClient,
  type: ResourceType,
  namespace: string,
  resources: readonly MappedResource[],
): Promise<string[]> {
  try {
    const { items } = await client.list(type, { namespace });
    return items
      .filter(({ metadata }) => !metadata.deletionTimestamp && !isCollected(metadata.ownerReferences ?? [], resources))
      .map(({ metadata }) => `${type.kind}/${metadata.name}`);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return [404, 405].includes(error.code) ? [] : [`${type.plural} that could not be listed: ${error.reason}`];
  }
}

/** Objects of an owner in the namespace go with it; an owner outside of it may live on. */
function isCollected(owners: OwnerReference[], resources: readonly MappedResource[]): boolean {
  return owners.some(({ apiVersion, kind }) =>
    resources.some(
      (each) =>
        each.namespaced &&
        each.kind === kind &&
        apiVersion === (each.group ? `${each.group}/${each.version}` : each.version),
    ),
  );
}

async function deleteObject(client: ApiClient, type: ResourceType, { metadata }: KubeObject): Promise<void> {
  const preconditions = metadata.uid ? { preconditions: { uid: metadata.uid } } : {};
  const options = { propagationPolicy: "Background" as const, ...preconditions };
  try {
    await client.delete(type, metadata.name, metadata.namespace, options);
  } catch (error) {
    if (!(error instanceof StatusError && error.code === 404)) throw error;
  }
}

/** Throws a UserError that names what is still there after two minutes. */
async function untilAllGone(client: ApiClient, type: ResourceType, objects: KubeObject[]): Promise<void> {
  const signal = AbortSignal.timeout(goneWithinMs);
  const gone = await Promise.all(
    objects.map(({ metadata: { name, namespace, uid } }) =>
      untilGone(client, { type, name, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}) }, signal),
    ),
  );
  const stuck = objects.filter((_, index) => !gone[index]).map(({ metadata }) => metadata.name);
  if (stuck.length === 0) return;
  throw new UserError(
    `${type.plural} ${stuck.join(", ")} did not go within ${goneWithinMs / 1000} s (finalizers? kubectl get ${type.plural} -A -o yaml shows them): mend it and run it again`,
  );
}
