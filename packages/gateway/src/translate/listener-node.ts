// One listener in the translator: the routes that it took, those it lost, and what comes of them for each host.

import type { StreamRoute, TlsStream, VirtualHost } from "@gatehouse/proxy/routing-table";
import type { ServedRoute } from "./client-certificates.ts";
import { HostList } from "./host-list.ts";
import { type ProcessedListener, terminates } from "./listeners.ts";
import { type Contender, losersAmong } from "./route-conflicts.ts";
import { sized } from "./sized-list.ts";

/** How a route is attached to a listener. */
export interface Attachment {
  hostnames: readonly string[];
  served: ServedRoute;
}

/** `N` stands for a route. */
export class ListenerNode<N extends Contender = Contender> {
  readonly listener: ProcessedListener;
  /** All routes that the listener allows. */
  readonly attachments = new Map<N, Attachment>();
  /** Of these, the ones that another route keeps out, with that route. */
  losers: ReadonlyMap<N, N> = new Map();
  /** Since the last `refresh`. */
  touched = true;
  readonly virtualHosts = new HostList<VirtualHost>();
  /** At a TLS listener. What belongs to it stays there, also where it has no route for it. */
  readonly streams = new HostList<TlsStream>();
  #owns: (host: string) => boolean = () => true;
  /** Routes in effect, in order of precedence. */
  readonly #hosts = new Map<string, N[]>();
  readonly #dirty = new Set<string>();
  #httpRoutes = 0;
  #grpcRoutes = 0;
  /** Other routes, or the same for other hosts, than when conflicts were settled. */
  #unsettled = false;

  constructor(listener: ProcessedListener) {
    this.listener = listener;
  }

  /** ListenerStatus.attachedRoutes. */
  get attachedRoutes(): number {
    return this.attachments.size - this.losers.size;
  }

  /** Where everything goes at a listener that does not tell hosts apart: one stream has all connections, and of several routes
   * the oldest gets them (API design guide, "Conflicts"). */
  get stream(): StreamRoute {
    let oldest: N | undefined;
    for (const node of this.attachments.keys()) if (!oldest || node.base < oldest.base) oldest = node;
    return (oldest && this.attachments.get(oldest)?.served.stream) ?? this.unrouted;
  }

  /** Connections for which there is no route are reset. */
  get unrouted(): StreamRoute {
    const { owner, spec } = this.listener;
    return { id: `${owner.kind.toLowerCase()}/${owner.namespace}/${owner.name}/${spec.name}`, backends: [] };
  }

  attach(node: N, attachment: Attachment): void {
    const before = this.attachments.get(node);
    if (before) this.#displace(node, before);
    else this.#count(node, 1);
    if (!before || !isSame(before.hostnames, attachment.hostnames)) this.#unsettled = true;
    this.attachments.set(node, attachment);
    this.#place(node, attachment);
    this.touched = true;
  }

  detach(node: N): void {
    const attachment = this.attachments.get(node);
    if (!attachment) return;
    this.#displace(node, attachment);
    this.attachments.delete(node);
    this.#count(node, -1);
    this.#unsettled = true;
    this.touched = true;
  }

  /** Decides between routes that exclude each other; returns those for which the decision has changed. */
  settleConflicts(): N[] {
    if (!this.#unsettled) return [];
    this.#unsettled = false;
    const mixed = this.#httpRoutes > 0 && this.#grpcRoutes > 0;
    if (!mixed && this.losers.size === 0) return [];
    const before = this.losers;
    const claims = [...this.attachments].map(([node, { hostnames }]) => ({ node, hostnames }));
    const after = mixed ? losersAmong(claims) : new Map<N, N>();
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
      (node) => before.get(node) !== after.get(node) && this.attachments.has(node),
    );
    for (const node of changed) {
      const attachment = this.attachments.get(node);
      if (attachment) this.#displace(node, attachment);
    }
    this.losers = after;
    for (const node of changed) {
      const attachment = this.attachments.get(node);
      if (attachment) this.#place(node, attachment);
    }
    return changed;
  }

  /** `owns` says which hosts are this listener's and not a more specific one's of its port. */
  assignHosts(owns: (host: string) => boolean): void {
    this.#owns = owns;
    for (const host of this.#hosts.keys()) this.#dirty.add(host);
    this.#dirty.add(this.listener.hostname);
    this.#hosts.clear();
    const inOrder = [...this.attachments].sort(([a], [b]) => a.base - b.base);
    for (const [node, attachment] of inOrder) this.#place(node, attachment);
    this.touched = true;
  }

  /** Makes anew what is there for hosts of which something changed; the rest stays the same objects. */
  refresh(): void {
    this.touched = false;
    const dirty = [...this.#dirty];
    this.#dirty.clear();
    if (this.listener.spec.protocol === "TLS") this.streams.update(dirty.map((host) => [host, this.#streamOf(host)]));
    else this.virtualHosts.update(dirty.map((host) => [host, this.#virtualHostOf(host)]));
  }

  #virtualHostOf(hostname: string): VirtualHost | undefined {
    const nodes = this.#hosts.get(hostname) ?? [];
    const routes = nodes.flatMap((node) => this.attachments.get(node)?.served.routes ?? []);
    const before = this.virtualHosts.get(hostname);
    if (routes.length === 0) return undefined;
    return before && isSame(before.routes, routes) ? before : { hostname, routes: sized(routes) };
  }

  #streamOf(hostname: string): TlsStream | undefined {
    const mode = terminates(this.listener.spec) ? "terminate" : "passthrough";
    const [first] = this.#hosts.get(hostname) ?? [];
    const route = first && this.#carried(this.attachments.get(first));
    if (!route && hostname !== this.listener.hostname) return undefined;
    const before = this.streams.get(hostname);
    const isSameRoute = route ? before?.route === route : before?.route.backends.length === 0;
    return before && isSameRoute ? before : { hostname, mode, route: route ?? this.unrouted };
  }

  #carried(attachment: Attachment | undefined): StreamRoute | undefined {
    return terminates(this.listener.spec) ? attachment?.served.terminated : attachment?.served.stream;
  }

  #count({ kind }: N, change: 1 | -1): void {
    if (kind === "HTTPRoute") this.#httpRoutes += change;
    if (kind === "GRPCRoute") this.#grpcRoutes += change;
  }

  #place(node: N, attachment: Attachment): void {
    if (this.losers.has(node)) return;
    if (attachment.served.routes.length === 0 && !this.#carried(attachment)) return;
    for (const host of attachment.hostnames) {
      if (!this.#owns(host)) continue;
      const nodes = this.#hosts.get(host);
      if (!nodes) this.#hosts.set(host, [node]);
      else nodes.splice(placeOf(nodes, node.base), 0, node);
      this.#dirty.add(host);
    }
  }

  #displace(node: N, { hostnames }: Attachment): void {
    if (this.losers.has(node)) return;
    for (const host of hostnames) {
      const nodes = this.#hosts.get(host);
      const at = nodes?.indexOf(node) ?? -1;
      if (!nodes || at < 0) continue;
      nodes.splice(at, 1);
      if (nodes.length === 0) this.#hosts.delete(host);
      this.#dirty.add(host);
    }
  }
}

const isSame = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((each, position) => each === b[position]);

function placeOf(nodes: readonly Contender[], base: number): number {
  let at = nodes.length;
  while (at > 0 && (nodes[at - 1]?.base ?? 0) > base) at--;
  return at;
}
