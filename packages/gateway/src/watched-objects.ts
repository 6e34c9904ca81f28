// The informers behind the gateway: one per kind (and namespace, when it is limited to some), told of as changes of
// collections. Kinds that not every cluster has are watched while they are there.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { createInformer, type Informer, type InformerOptions } from "@gatehouse/apimachinery/informer";
import type { Log } from "@gatehouse/apimachinery/log";
import { objectKey } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { configMaps, namespaces, secrets, services } from "@gatehouse/apimachinery/types/core-v1";
import { endpointSlices } from "@gatehouse/apimachinery/types/discovery-v1";
import { createGatewayApiDiscovery, type GatewayApiDiscovery } from "./gateway-api-discovery.ts";
import {
  backendTLSPolicies,
  backendTrafficPolicies,
  experimentalGroup,
  gatewayClasses,
  gatewayGroup,
  gateways,
  grpcRoutes,
  httpRoutes,
  listenerSets,
  referenceGrants,
  tcpRoutes,
  tlsRoutes,
  udpRoutes,
  xBackends,
  xListenerSets,
} from "./gateway-resources.ts";
import type { ObjectChange, ObjectKind } from "./translate/object-store.ts";
import type { GatewayApi } from "./translate/translate-options.ts";

export interface WatchedObjectsOptions {
  client: ApiClient;
  log: Log;
  /** Empty for all. */
  namespaces: readonly string[];
  /** Restricts the Gateway API's own kinds; empty for all. */
  labelSelector: string;
  /** Told synchronously, in the order of events. */
  onChange: (kind: ObjectKind, change: ObjectChange) => void;
  /** `api` says something else than before. */
  onApi: () => void;
}

/** Kinds that are read once something refers to one of them. */
export type LazyKind = "secrets" | "configMaps";

export interface WatchedObjects {
  /** The Gateway API as the cluster has it now; the same object until it changes. */
  api(): GatewayApi;
  /** Begins to watch a kind, once; resolves when it is known or cannot be read. Until then there are none. */
  need(kind: LazyKind): Promise<void>;
  /** Whether what `need` promised of the kind has come. */
  knows(kind: LazyKind): boolean;
  /** Begins; resolves when every kind has been listed once, however long that takes. */
  start(): Promise<void>;
  stop(): void;
}

const lazyPatienceMs = 1_000;

export function createWatchedObjects(options: WatchedObjectsOptions): WatchedObjects {
  return new Watched(options);
}

/** Every release has these: they are waited for. */
const constantKinds = {
  gatewayClasses,
  gateways,
  httpRoutes,
  referenceGrants,
  services,
  endpointSlices,
  namespaces,
} as const;
const optionalKinds = {
  grpcRoutes,
  tlsRoutes,
  tcpRoutes,
  udpRoutes,
  backendTLSPolicies,
  listenerSets,
  xListenerSets,
  backendTrafficPolicies,
  xBackends,
} as const;
const lazyKinds = { secrets, configMaps } as const;

type KindName = keyof typeof constantKinds | keyof typeof optionalKinds | LazyKind;

/** Both kinds of listener sets are in one. */
const collectionOf = (name: KindName): ObjectKind => (name === "xListenerSets" ? "listenerSets" : name);

interface Watch {
  type: ResourceType;
  informers: Informer[];
  /** Resolves when all is listed, or is known not to be had. */
  listed: Promise<void>;
}

class Watched implements WatchedObjects {
  readonly #options: WatchedObjectsOptions;
  readonly #discovery: GatewayApiDiscovery;
  readonly #watches = new Map<KindName, Watch>();
  readonly #needed = new Map<LazyKind, Promise<void>>();
  readonly #known = new Set<LazyKind>();
  #stopped = false;

  constructor(options: WatchedObjectsOptions) {
    this.#options = options;
    const { client, log } = options;
    this.#discovery = createGatewayApiDiscovery({
      client,
      onError: (error) => log.warn(`finding out about the Gateway API: ${textOf(error)}, trying again`),
      onChange: () => void this.#followApi(),
    });
  }

  api(): GatewayApi {
    return this.#discovery.api;
  }

  need(kind: LazyKind): Promise<void> {
    const known = this.#needed.get(kind);
    if (known) return known;
    const listed = this.#watch(kind, lazyKinds[kind]);
    // Where reading it is forbidden, all that does without must go on.
    const patience = new Promise<void>((resolve) => void setTimeout(resolve, lazyPatienceMs).unref());
    const promise = Promise.race([listed, patience]).then(() => void this.#known.add(kind));
    this.#needed.set(kind, promise);
    return promise;
  }

  knows(kind: LazyKind): boolean {
    return this.#known.has(kind);
  }

  async start(): Promise<void> {
    const constant = Object.entries(constantKinds).map(([name, type]) => this.#watch(name as KindName, type));
    await Promise.all([...constant, this.#discovery.start()]);
    await this.#followApi();
  }

  stop(): void {
    this.#stopped = true;
    this.#discovery.stop();
    for (const { informers } of this.#watches.values()) for (const informer of informers) informer.stop();
  }

  /** Watches the optional kinds that are there, in the version they are served in, and forgets those that are not. */
  async #followApi(): Promise<void> {
    if (this.#stopped) return;
    const started = Object.entries(optionalKinds).map(async ([key, { kind }]) => {
      const name = key as KindName;
      const type = this.#discovery.resource(kind);
      const present = this.#watches.get(name);
      if (present && type?.version === present.type.version) return present.listed;
      for (const informer of present?.informers ?? []) informer.stop();
      this.#watches.delete(name);
      if (type) await this.#watch(name, type);
      if (present) this.#forget(name, present);
    });
    await Promise.all(started);
    this.#options.onApi();
  }

  /** Objects of an old watch that its successor, if there is one, does not know. */
  #forget(name: KindName, { informers }: Watch): void {
    const successors = this.#watches.get(name)?.informers ?? [];
    for (const old of informers.flatMap(({ objects }) => [...objects.values()])) {
      const key = objectKey(old);
      if (!successors.some(({ objects }) => objects.has(key))) this.#options.onChange(collectionOf(name), { old });
    }
  }

  /** Resolves when all is listed, or of a kind that not every cluster has, when it is known that it may not be. */
  #watch(name: KindName, type: ResourceType): Promise<void> {
    const refused = Promise.withResolvers<void>();
    const informers = informersOf(type, this.#options, refused.resolve);
    const collection = collectionOf(name);
    for (const informer of informers) informer.onChange((change) => this.#options.onChange(collection, change));
    const all = Promise.all(informers.map((informer) => informer.start())).then(() => undefined);
    // The roles of older charts do not know newer kinds: what does without them must go on.
    const listed = name in optionalKinds ? Promise.race([all, refused.promise]) : all;
    this.#watches.set(name, { type, informers, listed });
    return listed;
  }
}

function informersOf(type: ResourceType, options: WatchedObjectsOptions, onRefusal: () => void): Informer[] {
  const scopes = type.namespaced && options.namespaces.length > 0 ? options.namespaces : [undefined];
  const isGatewayApi = type.group === gatewayGroup || type.group === experimentalGroup;
  const labelSelector = isGatewayApi ? options.labelSelector : "";
  const report = errorReporter(type, options.log);
  const onError = (error: unknown): void => {
    report(error);
    if (error instanceof StatusError && error.code === 403) onRefusal();
  };
  return scopes.map((namespace) => {
    const scope: InformerOptions = {
      onError,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector ? { labelSelector } : {}),
    };
    return createInformer(options.client, type, scope);
  });
}

/** Retries come every few seconds: each cause is told once. */
function errorReporter(type: ResourceType, log: Log): (error: unknown) => void {
  let last = "";
  return (error) => {
    const message = describe(type, error);
    if (message !== last) log.warn(message);
    last = message;
  };
}

function describe(type: ResourceType, error: unknown): string {
  const name = `${type.plural}${type.group ? `.${type.group}` : ""}`;
  if (error instanceof StatusError && error.code === 404) {
    return `the API server has no ${name} in version ${type.version}: waiting until the Gateway API CRDs are installed`;
  }
  if (error instanceof StatusError && error.code === 403) {
    return `reading ${name} is forbidden: give the gateway's ServiceAccount list and watch on it (${error.message})`;
  }
  return `watching ${name}: ${textOf(error)}, trying again`;
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
