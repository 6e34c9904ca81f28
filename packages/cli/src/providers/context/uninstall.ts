// Taking away from somebody's cluster what `up` installed on it, known by its label, and nothing else.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { deployments } from "@gatehouse/apimachinery/types/apps-v1";
import { namespaces, services } from "@gatehouse/apimachinery/types/core-v1";
import { gateways } from "@gatehouse/gateway-api/gateway";
import { httpRoutes } from "@gatehouse/gateway-api/http-route";
import { installedSelector } from "../../installed-mark.ts";
import { discover } from "../../resource-mapper.ts";
import { UserError } from "../../user-error.ts";
import { untilGone } from "../../wait-for-deletion.ts";

/** Routes before their Gateway, workloads after: nothing refers to what is gone. */
const order: ResourceType[] = [httpRoutes, gateways, services, deployments];

const goneWithinMs = 120_000;

/** Deletes the demo's objects and waits until they are gone; returns how many there were. */
export async function deleteDemo(client: ApiClient): Promise<number> {
  let deleted = 0;
  for (const type of order) {
    const found = await marked(client, type);
    for (const object of found) await deleteObject(client, type, object);
    await untilAllGone(client, type, found);
    deleted += found.length;
  }
  return deleted;
}

/** Deletes the namespaces that `up` made and that hold nothing of anybody else's; returns what keeps the others. */
export async function deleteNamespaces(client: ApiClient): Promise<{ deleted: string[]; kept: string[] }> {
  const result: { deleted: string[]; kept: string[] } = { deleted: [], kept: [] };
  const emptied: KubeObject[] = [];
  for (const namespace of await marked(client, namespaces)) {
    const others = await remainingObjects(client, namespace.metadata.name);
    if (others.length > 0) result.kept.push(`${namespace.metadata.name} (${others.slice(0, 3).join(", ")})`);
    else emptied.push(namespace);
  }
  for (const namespace of emptied) {
    await deleteObject(client, namespaces, namespace);
    result.deleted.push(namespace.metadata.name);
  }
  await untilAllGone(client, namespaces, emptied);
  return result;
}

/** What Kubernetes itself puts into every namespace. */
const ownedByCluster = new Set(["ServiceAccount/default", "ConfigMap/kube-root-ca.crt"]);
const byTheWay = new Set(["Event", "Endpoints", "EndpointSlice", "Lease", "PodMetrics", "ControllerRevision"]);

/** Objects of the namespace that somebody made, as `Kind/name`: not owned by another object, not the cluster's own. */
async function remainingObjects(client: ApiClient, namespace: string): Promise<string[]> {
  const { resources } = await discover(client);
  const listed = resources.filter(
    ({ namespaced, verbs, kind }) =>
      namespaced && verbs.includes("list") && verbs.includes("create") && !byTheWay.has(kind),
  );
  const found = await Promise.all(
    listed.map(async (type) => namesOf(type, await listAllowed(client, type, { namespace }))),
  );
  return [...new Set(found.flat())].filter((name) => !ownedByCluster.has(name));
}

function namesOf({ kind }: ResourceType, objects: KubeObject[]): string[] {
  return objects
    .filter(({ metadata }) => !metadata.ownerReferences?.length && !metadata.deletionTimestamp)
    .map(({ metadata }) => `${kind}/${metadata.name}`);
}

async function deleteObject(client: ApiClient, type: ResourceType, { metadata }: KubeObject): Promise<void> {
  const preconditions = metadata.uid ? { preconditions: { uid: metadata.uid } } : {};
  const options = { propagationPolicy: "Background" as const, ...preconditions };
  try {
    await client.delete(type, metadata.name, metadata.namespace, options);
  } catch (error) {
    if (!isAbsent(error)) throw error;
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

const marked = (client: ApiClient, type: ResourceType): Promise<KubeObject[]> =>
  listAllowed(client, type, { labelSelector: installedSelector });

/** A kind that is not served, or that this user may not list, holds nothing of ours. */
async function listAllowed(
  client: ApiClient,
  type: ResourceType,
  scope: { namespace?: string; labelSelector?: string },
): Promise<KubeObject[]> {
  try {
    return (await client.list(type, scope)).items;
  } catch (error) {
    if (error instanceof StatusError && [403, 404, 405].includes(error.code)) return [];
    throw error;
  }
}

/** The object, or its whole kind. */
const isAbsent = (error: unknown): boolean => error instanceof StatusError && error.code === 404;
