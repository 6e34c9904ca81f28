// Where HTTP enters a cluster, as seen from this machine: asked of our own cluster state and of the cluster itself, and
// tried by connecting.

import { existsSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { type Node, nodes, type Pod, pods, type Service, services } from "@gatehouse/apimachinery/types/core-v1";
import { type Gateway, gateways } from "@gatehouse/gateway-api/gateway";
import { type ClusterState, readClusterRuntime, readClusterState } from "./cluster-state.ts";
import {
  type EntryCandidate,
  entryCandidates,
  type FrontService,
  hostAndPort,
  hostPortsOf,
} from "./entry-candidates.ts";
import { gatehouseHome } from "./home.ts";

export interface FindEntryOptions {
  /** The kubeconfig context: a cluster of ours with it is asked first. */
  context?: string;
  /** Default: http. */
  scheme?: "http" | "https";
  /** The Gateway that must be behind it; default: any. */
  gateway?: { namespace: string; name: string };
  /** The listener's port that must be behind it; default: that of any listener of the scheme. */
  listenerPort?: number;
  /** For one connection. Default: 2,000. */
  timeoutMs?: number;
  environment?: NodeJS.ProcessEnv;
}

export type FoundEntry = EntryCandidate | { tried: string[] };

/** What a cluster says of the ways into it. Read once, it answers for any number of listeners. */
export interface EntryWorld {
  gateways: readonly Gateway[];
  fronts: readonly FrontService[];
  nodes: readonly Node[];
  /** What could not be read. */
  notes: string[];
}

/**
 * The best address that takes a TCP connection from here: the port mapping of a cluster of ours, else a Gateway's or load
 * balancer's address, a node port, a host port. When none does, one line per thing that was tried. What the user may not
 * read is left out and said; other failures of the API throw.
 */
export async function findEntry(client: ApiClient, options: FindEntryOptions = {}): Promise<FoundEntry> {
  return entryIn(await readEntryWorld(client, options.gateway?.namespace), options);
}

/** What `entryIn` needs. Gateways are those of one namespace, or all. */
export async function readEntryWorld(client: ApiClient, gatewayNamespace?: string): Promise<EntryWorld> {
  const notes: string[] = [];
  const [gatewayList, serviceList, nodeList] = await Promise.all([
    listAllowed(client, gateways, gatewayNamespace === undefined ? {} : { namespace: gatewayNamespace }, notes),
    listAllowed(client, services, {}, notes),
    // One node that answers is enough, and a large cluster has thousands.
    listAllowed(client, nodes, { limit: 5 }, notes),
  ]);
  const fronts = await frontServices(client, serviceList, gatewayList, notes);
  return { gateways: gatewayList, fronts, nodes: nodeList, notes };
}

/** As `findEntry`, from what was read before. */
export async function entryIn(world: EntryWorld, options: FindEntryOptions): Promise<FoundEntry> {
  const { scheme = "http", listenerPort, gateway, timeoutMs = 2_000 } = options;
  const chosen = world.gateways.filter(
    ({ metadata }) => !gateway || (metadata.name === gateway.name && metadata.namespace === gateway.namespace),
  );
  const fronts = world.fronts.filter(({ service }) => {
    const owner = ownerOf(service);
    return owner === undefined || chosen.some(({ metadata }) => metadata.name === owner);
  });
  const candidates = [
    ...mappedPorts(options, scheme, fronts, world.nodes),
    ...entryCandidates({ gateways: chosen, fronts, nodes: world.nodes, listenerPort, scheme }),
  ];
  const outcomes = await Promise.all(candidates.map((candidate) => refusalOf(candidate, timeoutMs)));
  const best = candidates[outcomes.indexOf(undefined)];
  if (best) return best;
  const failed = candidates.map((each, index) => `${each.how}: ${hostAndPort(each)} (${outcomes[index]})`);
  const none = "no address of a Gateway, load balancer, node port or host port was found";
  return { tried: [...failed, ...world.notes, ...(failed.length === 0 ? [none] : [])] };
}

async function listAllowed<T extends KubeObject>(
  client: ApiClient,
  type: ResourceType<T>,
  scope: { namespace?: string; limit?: number; labelSelector?: string },
  notes: string[],
): Promise<T[]> {
  try {
    return (await client.list(type, scope)).items;
  } catch (error) {
    if (hasReason(error, "Forbidden")) notes.push(`${type.plural} may not be listed with these credentials`);
    else if (!hasReason(error, "NotFound")) throw error;
    return [];
  }
}

// The label of what an implementation makes for a Gateway (GEP-1762), Envoy Gateway's own, and that of Traefik's chart.
const gatewayNameLabels = ["gateway.networking.k8s.io/gateway-name", "gateway.envoyproxy.io/owning-gateway-name"];
const applicationLabel = "app.kubernetes.io/name";

/** The name of the Gateway for which a Service was made. */
const ownerOf = ({ metadata }: Service): string | undefined =>
  gatewayNameLabels.map((label) => metadata.labels?.[label]).find((name) => name !== undefined);

/** The Services that lead to the pods of these Gateways, with those pods. */
async function frontServices(
  client: ApiClient,
  all: readonly Service[],
  chosen: readonly Gateway[],
  notes: string[],
): Promise<FrontService[]> {
  const names = new Set(chosen.map(({ metadata }) => metadata.name));
  const namespaces = new Set(chosen.map(({ metadata }) => metadata.namespace));
  const addresses = new Set(chosen.flatMap(({ status }) => (status?.addresses ?? []).map(({ value }) => value)));
  const known = all.filter((service) => {
    const { metadata, status } = service;
    const owner = ownerOf(service);
    if (owner !== undefined) return names.has(owner);
    const ingress = status?.loadBalancer?.ingress ?? [];
    return (
      metadata.labels?.[applicationLabel] === "traefik" ||
      ingress.some((one) => addresses.has(one.ip ?? one.hostname ?? ""))
    );
  });
  const balancers = all.filter(
    ({ spec, metadata }) => spec.type === "LoadBalancer" && namespaces.has(metadata.namespace),
  );
  return Promise.all(
    (known.length > 0 ? known : balancers).map(async (service) => {
      const selector = Object.entries(service.spec.selector ?? {}).map(([key, value]) => `${key}=${value}`);
      const scope = { namespace: service.metadata.namespace ?? "", labelSelector: selector.join(","), limit: 20 };
      return { service, pods: selector.length > 0 ? await listAllowed<Pod>(client, pods, scope, notes) : [] };
    }),
  );
}

/** The port mappings of the cluster of ours that has this context. */
function mappedPorts(
  { context, listenerPort, environment = process.env }: FindEntryOptions,
  scheme: "http" | "https",
  fronts: readonly FrontService[],
  nodeList: readonly Node[],
): EntryCandidate[] {
  const state = context === undefined ? undefined : ownCluster(context, nodeList, environment);
  if (!state) return [];
  const podList = fronts.flatMap((front) => front.pods);
  const standard = scheme === "http" ? 80 : 443;
  const wanted = listenerPort === undefined || podList.length === 0 ? [standard] : hostPortsOf(podList, listenerPort);
  return state.portMappings
    .filter(({ containerPort }) => wanted.includes(containerPort))
    .map(({ hostPort, containerPort }) => ({
      host: "127.0.0.1",
      port: hostPort,
      how: `port mapping ${hostPort} -> ${containerPort} of cluster ${state.name}`,
    }));
}

/** A context's name proves little: another kubeconfig may use it too. The address of a node of ours does. */
function ownCluster(
  context: string,
  nodeList: readonly Node[],
  environment: NodeJS.ProcessEnv,
): ClusterState | undefined {
  for (const directory of stateDirectories(environment)) {
    const state = readable(() => readClusterState(directory));
    if (state?.context !== context) continue;
    const nodeIP = readable(() => readClusterRuntime(directory))?.nodeIP;
    const addresses = nodeList.flatMap(({ status }) => (status?.addresses ?? []).map(({ address }) => address));
    return nodeIP === undefined || addresses.length === 0 || addresses.includes(nodeIP) ? state : undefined;
  }
  return undefined;
}

/** Those of every provider. */
function stateDirectories(environment: NodeJS.ProcessEnv): string[] {
  const parents = ["clusters", "kind"]
    .map((name) => join(gatehouseHome(environment), name))
    .filter((parent) => existsSync(parent));
  return parents.flatMap((parent) => readdirSync(parent).map((name) => join(parent, name)));
}

/** A damaged file of some cluster is its own commands' to tell. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Undefined when the address takes a connection; else why not. */
export function refusalOf(address: { host: string; port: number }, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: timeoutMs });
    const end = (outcome: string | undefined): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once("connect", () => end(undefined));
    socket.once("timeout", () => end(`no answer within ${timeoutMs / 1_000} s`));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}
