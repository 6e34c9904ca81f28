// One port of a Gateway in the translator: the listeners that share it, and what the proxy is told of them.

import { objectKey } from "@gatehouse/apimachinery/meta";
import type { Listener, StreamRoute, TlsStream, TlsTermination, VirtualServer } from "@gatehouse/proxy/routing-table";
import { transportOf } from "./entry-point-uses.ts";
import type { ProcessedGateway } from "./gateways.ts";
import { anyHost, compareHostnames, compareSpecificity, covers } from "./hostnames.ts";
import { familyOf } from "./listener-conflicts.ts";
import type { ListenerNode } from "./listener-node.ts";
import { ownListenerName, type ProcessedListener } from "./listeners.ts";
import type { EntryPoint } from "./translate-options.ts";

export type PortTraffic = Pick<Listener, "transport" | "tls" | "servers" | "stream">;

export class PortNode {
  /** Of one port and transport, without conflicts; at least one. */
  readonly nodes: readonly ListenerNode[];
  readonly entryPoint: EntryPoint | undefined;
  /** The same object until something changes. */
  traffic: PortTraffic = { servers: [] };
  /** On the Gateway's own address; undefined where it has none. */
  listener: Listener | undefined;
  readonly #place: Pick<Listener, "name" | "addresses"> | undefined;
  /** More specific names first. */
  readonly #bySpecificity: readonly ListenerNode[];
  readonly #certificates: TlsTermination;
  /** What belongs to no listener, where HTTP does not answer it: connections are reset (GatewaySpec.listeners). */
  readonly #rest: TlsStream | undefined;
  #fresh = true;

  constructor({ gateway, hosts }: ProcessedGateway, nodes: readonly ListenerNode[]) {
    this.nodes = nodes;
    this.#bySpecificity = nodes.toSorted((a, b) => compareSpecificity(a.listener.hostname, b.listener.hostname));
    this.#certificates = certificatesOf(nodes.map(({ listener }) => listener));
    const [first] = nodes;
    this.entryPoint = first?.listener.entryPoint;
    const { port, protocol } = first?.listener.spec ?? { port: 0, protocol: "TCP" };
    const addresses = hosts.map((host) => ({ host, port }));
    this.#place = hosts.length > 0 ? { name: ownListenerName(gateway, port, protocol), addresses } : undefined;
    const onlyTls = nodes.every(({ listener }) => listener.spec.protocol === "TLS");
    const route = { id: `gateway/${objectKey(gateway)}/${port}`, backends: [] };
    const forEveryHost = nodes.some(({ listener }) => listener.hostname === anyHost);
    this.#rest = onlyTls && !forEveryHost ? { hostname: anyHost, mode: "passthrough", route } : undefined;
    for (const node of nodes) node.assignHosts((host) => this.#ownerOf(host) === node);
  }

  static keyOf({ owner }: ProcessedGateway, [first]: readonly ListenerNode[]): string {
    const { port, protocol } = first?.listener.spec ?? { port: 0, protocol: "TCP" };
    return `${owner.namespace}/${owner.name}/${port}/${transportOf(protocol)}`;
  }

  /** Whether a node made now would be the same. */
  isFor({ hosts }: ProcessedGateway, nodes: readonly ListenerNode[]): boolean {
    const own = this.#place?.addresses ?? [];
    return (
      nodes.length === this.nodes.length &&
      nodes.every((node, position) => node === this.nodes[position]) &&
      hosts.length === own.length &&
      hosts.every((host, position) => host === own[position]?.host)
    );
  }

  /** Listeners in effect, by port and transport, in the order in which they are written. */
  static group(nodes: readonly ListenerNode[]): ListenerNode[][] {
    const groups = new Map<string, ListenerNode[]>();
    for (const node of nodes) {
      const { spec, routable } = node.listener;
      if (!routable) continue;
      const key = `${spec.port}/${transportOf(spec.protocol)}`;
      const group = groups.get(key);
      if (group) group.push(node);
      else groups.set(key, [node]);
    }
    return [...groups.values()];
  }

  /** True when what the proxy is told has changed. */
  refresh(): boolean {
    const touched = this.nodes.filter((node) => node.touched);
    if (touched.length === 0 && !this.#fresh) return false;
    for (const node of touched) node.refresh();
    const before = this.traffic;
    this.traffic = this.#describe(before);
    const changed = this.#fresh || this.traffic !== before;
    this.#fresh = false;
    if (changed) this.listener = this.#place && { ...this.#place, ...this.traffic };
    return changed;
  }

  #describe(before: PortTraffic): PortTraffic {
    const [first] = this.nodes;
    const family = first && familyOf(first.listener.spec.protocol);
    if (first && (family === "TCP" || family === "UDP")) {
      const { stream } = first;
      if (before.stream && isSameStream(stream, before.stream)) return before;
      return { ...(family === "UDP" ? { transport: "udp" } : {}), servers: [], stream };
    }
    const servers = this.#servers(before.servers);
    const tls = family === "TLS" ? this.#termination(before.tls) : undefined;
    if (servers === before.servers && tls === before.tls) return before;
    return { servers, ...(tls ? { tls } : {}) };
  }

  /** Without HTTP beside it TLS needs no servers; beside it, what belongs to a TLS listener is nobody else's. */
  #servers(before: readonly VirtualServer[]): VirtualServer[] {
    const withHttp = this.nodes.some(({ listener }) => listener.spec.protocol !== "TLS");
    const servers = (withHttp ? this.#bySpecificity : []).map((node, position): VirtualServer => {
      const { hostname } = node.listener;
      const virtualHosts = node.virtualHosts.sorted;
      const old = before[position];
      return old?.hostname === hostname && old.virtualHosts === virtualHosts ? old : { hostname, virtualHosts };
    });
    return keepSame(servers, before);
  }

  #termination(before: TlsTermination | undefined): TlsTermination {
    const streams = this.#streams(before?.streams ?? []);
    if (before && (streams.length > 0 ? streams === before.streams : !before.streams)) return before;
    return { ...this.#certificates, ...(streams.length > 0 ? { streams } : {}) };
  }

  /** The lists of several listeners are each in order: sorting them together is cheap. */
  #streams(before: readonly TlsStream[]): TlsStream[] {
    const lists = this.nodes
      .filter(({ listener }) => listener.spec.protocol === "TLS")
      .map((node) => node.streams.sorted);
    if (this.#rest) lists.push([this.#rest]);
    const [only] = lists;
    if (only && lists.length === 1) return only;
    return keepSame(
      lists.flat().sort((a, b) => compareHostnames(a.hostname, b.hostname)),
      before,
    );
  }

  /** The listener to which a host belongs: the most specific. */
  #ownerOf(host: string): ListenerNode | undefined {
    return this.#bySpecificity.find(({ listener }) => covers(listener.hostname, host));
  }
}

function isSameStream(a: StreamRoute, b: StreamRoute): boolean {
  return a === b || (a.id === b.id && a.backends.length === 0 && b.backends.length === 0);
}

/** `before` when it has the same members. */
function keepSame<T>(list: T[], before: readonly T[]): T[] {
  const same = list.length === before.length && list.every((each, position) => each === before[position]);
  return same ? (before as T[]) : list;
}

/** Certificates by the hosts they are for; the first, for clients that name no host, is a listener's for every host. */
function certificatesOf(listeners: readonly ProcessedListener[]): TlsTermination {
  const leastSpecificFirst = listeners.toSorted((a, b) => compareSpecificity(b.hostname, a.hostname));
  const certificates = leastSpecificFirst.flatMap(({ hostname, certificates: pairs }) =>
    pairs.map(({ certificate, key, names }, position) => ({
      hostnames: position === 0 ? [hostname] : names.filter((name) => covers(hostname, name)),
      certificate,
      key,
    })),
  );
  const clientCertificates = listeners.find((listener) => listener.clientCertificates)?.clientCertificates;
  return { certificates, ...(clientCertificates ? { clientCertificates } : {}) };
}
