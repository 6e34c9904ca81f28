// Kubernetes objects -> the proxy's routing table and the statuses to write, kept in step with changes: each costs what depends
// on it (docs/decisions/0012). Nothing a user writes makes it throw; what is wrong becomes a condition.

import { isDeepStrictEqual } from "node:util";
import { objectKey } from "@gatehouse/apimachinery/meta";
import type { Listener, RoutingTable } from "@gatehouse/proxy/routing-table";
import { gatewayGroup } from "../gateway-resources.ts";
import type { AttachedRoute } from "./attach.ts";
import type { Backend } from "./backends.ts";
import { BackendUsers } from "./backend-users.ts";
import { EntryPointNode } from "./entry-point-node.ts";
import { flat } from "./flat-text.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { emptyStage, type GatewayStageResult, isStatusOnly, runGatewayStage } from "./gateway-stage.ts";
import type { ProcessedGateway } from "./gateways.ts";
import { type Attachment, ListenerNode } from "./listener-node.ts";
import type { ProcessedListener } from "./listeners.ts";
import { Dependencies } from "./lookups.ts";
import { type ObjectChange, type ObjectKind, ObjectStore, routeKindOf } from "./object-store.ts";
import { isCrowdedOut } from "./policy-room.ts";
import { PortNode } from "./port-node.ts";
import { withoutLost } from "./route-conflicts.ts";
import type { RouteKind, RouteObject } from "./route-kinds.ts";
import { RouteNode } from "./route-node.ts";
import { type Placed, RouteOrder } from "./route-order.ts";
import { ServiceEntry, ServiceRegistry } from "./service-registry.ts";
import { StatusCollector } from "./status-collector.ts";
import type { StatusUpdate } from "./statuses.ts";
import type { TranslateOptions } from "./translate-options.ts";

export interface Translation {
  /** The same object as before when nothing of it has changed; so are its parts. */
  table: RoutingTable;
  /** Of objects whose wish may have changed since the last translation. */
  statuses: StatusUpdate[];
  /** The intermediate results, for views of them: as they are now, not only in this translation. */
  gateways: readonly ProcessedGateway[];
  routes: Iterable<AttachedRoute>;
  /** By the beginning of the ids of its routes, e.g. `httproute/demo/whoami-path`. */
  route(id: string): AttachedRoute | undefined;
  index: ObjectIndex;
}

/** What looked something up: a route, a service, `gateways`, or a policy by its key. */
type Dependent = RouteNode | ServiceEntry | string;

export class Translator {
  readonly index: ObjectStore;
  readonly #store = new ObjectStore();
  readonly #routes = new Map<string, RouteNode>();
  readonly #order = new RouteOrder();
  readonly #lookups = new Dependencies<Dependent>();
  /** Routes by the keys of parents they name, whether these exist or not. */
  readonly #parentRefs = new Dependencies<RouteNode>();
  readonly #listeners = new Map<ProcessedListener, ListenerNode<RouteNode>>();
  readonly #services = new ServiceRegistry();
  readonly #users = new BackendUsers();
  readonly #statuses = new StatusCollector();
  readonly #entryPoints = new Map<string, EntryPointNode>();
  #ports = new Map<string, PortNode>();
  #stage: GatewayStageResult = emptyStage;
  #stageDirty = true;
  #options: TranslateOptions | undefined;
  readonly #dirtyRoutes = new Set<RouteNode>();
  /** Listeners whose routes have changed, with the number of routes that was told of. */
  readonly #touched = new Map<ListenerNode<RouteNode>, number>();
  #table: RoutingTable = { listeners: [], services: [] };

  constructor() {
    this.index = this.#store;
  }

  /** Kinds of which something was looked up so far. */
  get asked(): ReadonlySet<"secrets" | "configMaps"> {
    return this.#store.asked;
  }

  /** An object has come, changed or gone. It takes effect with the next translation. */
  change(kind: ObjectKind, change: ObjectChange): void {
    const { old, current } = change;
    const object = current ?? old;
    if (!object) return;
    const routeKind = routeKindOf[kind];
    if (routeKind) return this.#changeRoute(routeKind, object as RouteObject, change);
    const keys = this.#store.change(kind, change);
    this.#statuses.touch(kind, object);
    if (
      old &&
      current &&
      hasStatus.has(kind) &&
      isStatusOnly(old, current) &&
      isCrowdedOut(old) === isCrowdedOut(current)
    )
      return;
    if (kind === "gatewayClasses" || kind === "gateways" || kind === "listenerSets") this.#stageDirty = true;
    for (const key of keys) for (const dependent of this.#lookups.of(key)) this.#invalidate(dependent);
  }

  translate(options: TranslateOptions): Translation {
    if (this.#stageDirty || !this.#options || !isSameOptions(options, this.#options)) this.#runStage(options);
    for (const node of this.#dirtyRoutes) this.#updateRoute(node);
    this.#dirtyRoutes.clear();
    this.#settleConflicts();
    this.#services.refresh(this.#store, (entry, lookups) => this.#lookups.set(entry, lookups));
    this.#assemble(options);
    this.#noteCounts();
    const attached = this.#routes;
    return {
      table: this.#table,
      statuses: this.#collectStatuses(options),
      gateways: this.#stage.gateways,
      routes: { [Symbol.iterator]: () => effectiveRoutes(attached.values()) },
      route: (id) => attached.get(id)?.effective,
      index: this.#store,
    };
  }

  #invalidate(dependent: Dependent): void {
    if (dependent === "gateways") this.#stageDirty = true;
    else if (typeof dependent === "string") this.#statuses.touchDescribed(dependent);
    else if (dependent instanceof ServiceEntry) this.#services.invalidate(dependent);
    else {
      dependent.invalidate();
      this.#dirtyRoutes.add(dependent);
    }
  }

  #changeRoute(kind: RouteKind, object: RouteObject, { old, current }: ObjectChange): void {
    const id = flat(kind.toLowerCase(), objectKey(object));
    const known = this.#routes.get(id);
    const isSame = known?.object.metadata.creationTimestamp === object.metadata.creationTimestamp;
    if (known && (!current || !isSame)) this.#removeRoute(known);
    if (!current) return;
    if (known && isSame) {
      known.take(object);
      this.#statuses.touchRoute(known);
      if (old && isStatusOnly(old, current)) return;
    }
    const node = known && isSame ? known : new RouteNode(id, kind, object);
    if (node !== known) {
      this.#routes.set(id, node);
      this.#moved(this.#order.insert(node));
    }
    node.invalidate();
    this.#dirtyRoutes.add(node);
    this.#parentRefs.set(node, parentKeysOf(object));
  }

  /** Routes whose numbers have changed are served anew. */
  #moved(nodes: readonly Placed[]): void {
    for (const { id } of nodes) {
      const node = this.#routes.get(id);
      if (node) this.#dirtyRoutes.add(node);
    }
  }

  #removeRoute(node: RouteNode): void {
    node.attached = undefined;
    node.effective = undefined;
    this.#attach(node, new Map());
    this.#useServices(node);
    this.#noteUsers(node);
    this.#order.remove(node);
    this.#lookups.delete(node);
    this.#parentRefs.delete(node);
    this.#dirtyRoutes.delete(node);
    this.#statuses.forgetRoute(node);
    this.#routes.delete(node.id);
  }

  #runStage(options: TranslateOptions): void {
    const before = this.#stage;
    // What statuses have room for is the API's.
    const sameApi = options.api === this.#options?.api;
    const stage = runGatewayStage(this.#store, options, before);
    this.#stage = stage;
    this.#stageDirty = false;
    this.#options = options;
    this.#lookups.set("gateways", stage.lookups);
    for (const [name, each] of stage.classes) {
      if (each !== before.classes.get(name)) this.#statuses.touchClass(name);
    }
    this.#replaceListeners(stage.gateways);
    this.#replacePorts(stage.gateways);
    const keys = new Set([...before.parents.byKey.keys(), ...stage.parents.byKey.keys()]);
    for (const key of keys) {
      const parent = stage.parents.byKey.get(key);
      const same = parent === before.parents.byKey.get(key);
      if (parent && !(same && sameApi)) this.#statuses.touchParent(parent.owner);
      if (same) continue;
      for (const node of this.#parentRefs.of(key)) this.#dirtyRoutes.add(node);
    }
    if (before.parents.defaults === stage.parents.defaults) return;
    for (const node of this.#parentRefs.of(defaultParents)) this.#dirtyRoutes.add(node);
  }

  #replaceListeners(gateways: readonly ProcessedGateway[]): void {
    const wanted = new Set(gateways.flatMap(allListeners));
    for (const [listener, node] of this.#listeners) {
      if (wanted.has(listener)) continue;
      for (const route of node.attachments.keys()) this.#dirtyRoutes.add(route);
      this.#listeners.delete(listener);
      this.#touched.delete(node);
    }
    for (const listener of wanted) {
      if (!this.#listeners.has(listener)) this.#listeners.set(listener, new ListenerNode(listener));
    }
  }

  #replacePorts(gateways: readonly ProcessedGateway[]): void {
    const ports = new Map<string, PortNode>();
    for (const gateway of gateways) {
      const nodes = allListeners(gateway).flatMap((listener) => this.#listeners.get(listener) ?? []);
      for (const group of PortNode.group(nodes)) {
        const key = PortNode.keyOf(gateway, group);
        const known = this.#ports.get(key);
        ports.set(key, known?.isFor(gateway, group) ? known : new PortNode(gateway, group));
      }
    }
    this.#ports = ports;
  }

  #updateRoute(node: RouteNode): void {
    this.#lookups.set(node, node.update(this.#stage.parents, this.#store));
    const attachments = new Map<ListenerNode<RouteNode>, Attachment>();
    for (const { parent, listeners } of node.attached?.parents ?? []) {
      const { clientCertificate, owner } = parent.gateway;
      const served = node.servedWith(clientCertificate, owner);
      for (const { listener, hostnames } of listeners) {
        const at = this.#listeners.get(listener);
        if (!at) continue;
        const present = attachments.get(at)?.hostnames;
        const added = present ? hostnames.filter((host) => !present.includes(host)) : hostnames;
        attachments.set(at, { hostnames: present ? [...present, ...added] : added, served });
      }
    }
    this.#attach(node, attachments);
    this.#settleRoute(node);
  }

  #attach(node: RouteNode, attachments: ReadonlyMap<ListenerNode<RouteNode>, Attachment>): void {
    const before = new Map(node.attachments);
    node.attachments = [...attachments];
    for (const listener of before.keys()) {
      if (attachments.has(listener)) continue;
      this.#touch(listener);
      listener.detach(node);
    }
    for (const [listener, attachment] of attachments) {
      if (isSameAttachment(before.get(listener), attachment)) continue;
      this.#touch(listener);
      listener.attach(node, attachment);
    }
  }

  #touch(listener: ListenerNode<RouteNode>): void {
    if (!this.#touched.has(listener)) this.#touched.set(listener, listener.attachedRoutes);
  }

  #settleConflicts(): void {
    for (const listener of this.#touched.keys()) {
      for (const node of listener.settleConflicts()) this.#settleRoute(node);
    }
  }

  /** What follows from where a route is attached, once that is known. */
  #settleRoute(node: RouteNode): void {
    const winnerAt = (listener: ProcessedListener) => this.#listeners.get(listener)?.losers.get(node);
    const { attached } = node;
    const parents = attached?.parents.map((parent) => withoutLost(parent, winnerAt)) ?? [];
    const isWhole = parents.every((parent, at) => parent === attached?.parents[at]);
    node.effective = attached && (isWhole ? attached : { ...attached, parents });
    this.#statuses.touchRoute(node);
    this.#useServices(node);
    this.#noteUsers(node);
  }

  #useServices(node: RouteNode): void {
    const wanted = new Map<string, Backend>();
    for (const { parent, listeners } of node.effective?.parents ?? []) {
      if (!listeners.some(({ listener }) => listener.routable)) continue;
      const { clientCertificate, owner } = parent.gateway;
      for (const backend of node.servedWith(clientCertificate, owner).backends) wanted.set(backend.id, backend);
    }
    for (const backend of wanted.values()) if (!node.backends.includes(backend)) this.#services.acquire(backend);
    for (const backend of node.backends) {
      if (wanted.get(backend.id) !== backend) this.#services.release(backend.id);
    }
    node.backends = [...wanted.values()];
  }

  #noteUsers(node: RouteNode): void {
    for (const backend of this.#users.update(node, node.effective)) {
      for (const key of this.#store.describedBy(backend)) this.#statuses.touchDescribed(key);
    }
  }

  #assemble({ entryPoints }: TranslateOptions): void {
    const ports = [...this.#ports.values()];
    for (const port of ports) port.refresh();
    const listeners: Listener[] = [];
    for (const entryPoint of entryPoints) {
      const node = this.#entryPoints.get(entryPoint.name) ?? new EntryPointNode(entryPoint);
      this.#entryPoints.set(entryPoint.name, node);
      node.update(ports.filter((port) => port.entryPoint?.name === entryPoint.name));
      listeners.push(node.listener);
    }
    listeners.push(...ports.flatMap(({ listener }) => listener ?? []));
    const { services } = this.#services;
    const before = this.#table;
    const isSame =
      listeners.length === before.listeners.length && listeners.every((each, at) => each === before.listeners[at]);
    if (!isSame || services !== before.services)
      this.#table = { listeners: isSame ? before.listeners : listeners, services };
  }

  /** Listeners that have more or fewer routes than was told of them. */
  #noteCounts(): void {
    for (const [node, told] of this.#touched) {
      if (node.attachedRoutes !== told) this.#statuses.touchParent(node.listener.owner);
    }
    this.#touched.clear();
  }

  #collectStatuses(options: TranslateOptions): StatusUpdate[] {
    return this.#statuses.collect({
      stage: this.#stage,
      store: this.#store,
      ways: { users: this.#users, parents: this.#stage.parents },
      nodeOf: (listener) => this.#listeners.get(listener),
      options,
      onDescribed: (key, lookups) => this.#lookups.set(key, lookups),
    });
  }
}

const defaultParents = "default";

/** Keys of all parents that a route names. */
function parentKeysOf({ metadata, spec }: RouteObject): Set<string> {
  const keys = (spec.parentRefs ?? []).map(
    ({ group = gatewayGroup, kind = "Gateway", name, namespace = metadata.namespace }) =>
      `${group}/${kind}/${namespace}/${name}`,
  );
  return new Set(spec.useDefaultGateways === "All" ? [...keys, defaultParents] : keys);
}

const allListeners = ({ listeners, listenerSets }: ProcessedGateway): ProcessedListener[] => [
  ...listeners,
  ...listenerSets.flatMap((set) => set.listeners),
];

function isSameAttachment(a: Attachment | undefined, b: Attachment): boolean {
  if (!a || a.served !== b.served || a.hostnames.length !== b.hostnames.length) return false;
  return a.hostnames.every((host, position) => host === b.hostnames[position]);
}

/** Kinds whose status is written here, so that changes of it come back. */
const hasStatus: ReadonlySet<ObjectKind> = new Set([
  "gatewayClasses",
  "gateways",
  "listenerSets",
  "backendTLSPolicies",
  "backendTrafficPolicies",
  "xBackends",
]);

function isSameOptions(a: TranslateOptions, b: TranslateOptions): boolean {
  return (
    a.api === b.api &&
    a.entryPoints === b.entryPoints &&
    a.reservedPorts === b.reservedPorts &&
    a.pool === b.pool &&
    isDeepStrictEqual(a.sharedAddresses, b.sharedAddresses) &&
    isDeepStrictEqual(a.listenerProblems, b.listenerProblems)
  );
}

function* effectiveRoutes(nodes: Iterable<RouteNode>): Generator<AttachedRoute> {
  for (const { effective } of nodes) if (effective) yield effective;
}
