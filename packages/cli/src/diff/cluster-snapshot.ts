// Everything that is compared of one cluster, read by lists (never one object at a time), a page at a time.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeList, KubeObject } from "@gatehouse/apimachinery/meta";
import { apiVersionOf, resourcePath, type ResourceType } from "@gatehouse/apimachinery/resource-type";
import { hasReason, StatusError } from "@gatehouse/apimachinery/status-error";
import { type Service, services } from "@gatehouse/apimachinery/types/core-v1";
import { type EndpointSlice, endpointSlices } from "@gatehouse/apimachinery/types/discovery-v1";
import { type Gateway, gateways } from "@gatehouse/gateway-api/gateway";
import type { HTTPRoute } from "@gatehouse/gateway-api/http-route";
import type { ClientContext } from "../client-context.ts";
import type { MappedResource } from "../resource-mapper.ts";
import { customResourceDefinitions } from "../well-known-types.ts";

export interface ClusterSnapshot {
  context: string;
  /** `v1.34.0`. */
  kubernetes: string;
  /** Null when no definitions are installed, or they may not be read. */
  gatewayApi: { version: string; channel: string } | null;
  /** Kinds of the Gateway API by the versions in which they are served, the preferred one first. */
  kinds: Map<string, string[]>;
  /** The Gateway API objects that are compared. */
  objects: KubeObject[];
  /** All Gateways, those of other namespaces included: routes refer to them. */
  gateways: Gateway[];
  services: Service[];
  slices: EndpointSlice[];
}

const groupName = "gateway.networking.k8s.io";
const pageSize = 500;

/**
 * Reads one namespace, or all of them when it is undefined. Throws the connection's errors, StatusError, and an AbortError
 * when one request takes longer than `timeoutMs`.
 */
export async function readSnapshot(
  context: ClientContext,
  namespace: string | undefined,
  timeoutMs: number,
): Promise<ClusterSnapshot> {
  const client = withTimeout(context.client, timeoutMs);
  // First and alone: whether anything answers at all.
  const kubernetes = await client.json<{ gitVersion: string }>({ method: "GET", path: "/version" });
  const resources = preferred((await context.mapper()).resources);
  const [gatewayApi, lists, allGateways, serviceList, slices] = await Promise.all([
    installedDefinitions(client),
    Promise.all(resources.map((resource) => listObjects(client, resource, namespace))),
    gatewaysOf(client, resources, namespace),
    // Routes of one namespace may refer to Services of another, by a ReferenceGrant.
    listEverywhere(client, services, namespace),
    listEverywhere(client, endpointSlices, namespace),
  ]);
  const objects = lists.flat();
  return {
    context: context.context,
    kubernetes: kubernetes.gitVersion,
    gatewayApi,
    kinds: new Map(resources.map(({ kind, versions }) => [kind, versions])),
    objects: namespace === undefined ? objects : [...objects, ...parentsElsewhere(objects, allGateways, namespace)],
    gateways: allGateways,
    services: serviceList,
    slices,
  };
}

export const routesOf = ({ objects }: ClusterSnapshot): HTTPRoute[] =>
  objects.filter(({ kind }) => kind === "HTTPRoute") as unknown as HTTPRoute[];

type ServedResource = MappedResource & { versions: string[] };

/** Each listable kind of the Gateway API once, in the version that the server prefers. */
function preferred(resources: readonly MappedResource[]): ServedResource[] {
  const byKind = new Map<string, ServedResource>();
  for (const resource of resources) {
    if (resource.group !== groupName || !resource.verbs.includes("list")) continue;
    const known = byKind.get(resource.kind);
    if (known) known.versions.push(resource.version);
    else byKind.set(resource.kind, { ...resource, versions: [resource.version] });
  }
  return [...byKind.values()];
}

/** Every object of the type; those of lists do not say what they are, these do. */
async function listObjects<T extends KubeObject>(
  client: Reader,
  type: ResourceType<T>,
  namespace: string | undefined,
): Promise<T[]> {
  const items: T[] = [];
  let next = "";
  do {
    const query = new URLSearchParams({ limit: String(pageSize), ...(next ? { continue: next } : {}) });
    const path = `${resourcePath(type, namespace)}?${query.toString()}`;
    const list = await client.json<KubeList<T>>({ method: "GET", path });
    // One at a time: a page of a thousand objects with their fields is too many for one call's arguments.
    for (const item of list.items) items.push({ ...item, apiVersion: apiVersionOf(type), kind: type.kind });
    next = list.metadata.continue ?? "";
  } while (next !== "");
  return items;
}

/** All namespaces; the one alone for somebody who may not look into others. */
async function listEverywhere<T extends KubeObject>(
  client: Reader,
  type: ResourceType<T>,
  namespace: string | undefined,
): Promise<T[]> {
  try {
    return await listObjects(client, type, undefined);
  } catch (error) {
    if (namespace === undefined || !hasReason(error, "Forbidden")) throw error;
    return listObjects(client, type, namespace);
  }
}

async function gatewaysOf(
  client: Reader,
  resources: readonly ServedResource[],
  namespace: string | undefined,
): Promise<Gateway[]> {
  const served = resources.find(({ kind }) => kind === gateways.kind);
  return served ? listEverywhere(client, served as ResourceType as ResourceType<Gateway>, namespace) : [];
}

/** The Gateways of other namespaces to which objects of this one attach. */
function parentsElsewhere(objects: readonly KubeObject[], all: readonly Gateway[], namespace: string): KubeObject[] {
  const wanted = new Set(
    objects.flatMap(({ spec }) => {
      const { parentRefs = [] } = (spec ?? {}) as { parentRefs?: { namespace?: string; name: string }[] };
      return parentRefs.map((reference) => `${reference.namespace ?? namespace}/${reference.name}`);
    }),
  );
  return (all as unknown as KubeObject[]).filter(
    ({ metadata }) => metadata.namespace !== namespace && wanted.has(`${metadata.namespace}/${metadata.name}`),
  );
}

async function installedDefinitions(client: Reader): Promise<ClusterSnapshot["gatewayApi"]> {
  try {
    const path = resourcePath(customResourceDefinitions, undefined, `${gateways.plural}.${groupName}`);
    const { metadata } = await client.json<KubeObject>({ method: "GET", path });
    const word = (name: string): string => metadata.annotations?.[`${groupName}/${name}`] ?? "unknown";
    return { version: word("bundle-version"), channel: word("channel") };
  } catch (error) {
    if (error instanceof StatusError && (error.code === 404 || error.code === 403)) return null;
    throw error;
  }
}

type Reader = Pick<ApiClient, "json">;

const withTimeout = (client: Reader, timeoutMs: number): Reader => ({
  json: (request) => client.json({ ...request, signal: AbortSignal.timeout(timeoutMs) }),
});
