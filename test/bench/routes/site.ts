// The cluster under measurement: how it is asked, what was made in it, and that nothing of that stays.

import { type ApiClient, createApiClient } from "@gatehouse/apimachinery/api-client";
import { createInformer, type Informer, type InformerOptions } from "@gatehouse/apimachinery/informer";
import type { ConnectionOptions } from "@gatehouse/apimachinery/api-connection";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { apiVersionOf, resourcePath, type ResourceType } from "@gatehouse/apimachinery/resource-type";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { deployments } from "@gatehouse/apimachinery/types/apps-v1";
import { namespaces, services } from "@gatehouse/apimachinery/types/core-v1";
import { type Gateway, gateways } from "@gatehouse/gateway-api/gateway";
import { type HTTPRoute, httpRoutes } from "@gatehouse/gateway-api/http-route";
import { apiServerTarget, RawClient, type Target } from "../raw-client.ts";
import { backendName, deployment, gateway, gatewayName, namespace, service } from "./objects.ts";

export interface SiteOptions {
  connection: ConnectionOptions;
  gatewayClass: string;
  port: number;
  entry?: { host: string; port: number };
  /** Aborted: everything under way fails, and the cluster is cleaned up. */
  signal: AbortSignal;
}

/** For what must come about; a gateway that needs longer is not measured. */
const patienceMs = 300_000;

export class Site {
  readonly signal: AbortSignal;
  readonly api: ApiClient;
  readonly #options: SiteOptions;
  readonly #target: Target;
  readonly #made = new Set<string>();

  private constructor(options: SiteOptions, api: ApiClient) {
    this.#options = options;
    this.api = api;
    this.signal = options.signal;
    this.#target = apiServerTarget(options.connection);
  }

  static async open(options: SiteOptions): Promise<Site> {
    return new Site(options, await createApiClient(options.connection));
  }

  /** A connection to the API server. */
  client(): Promise<RawClient> {
    return RawClient.open(this.#target);
  }

  clients(count: number): Promise<RawClient[]> {
    return Promise.all(Array.from({ length: count }, () => this.client()));
  }

  async makeNamespace(name: string): Promise<void> {
    this.signal.throwIfAborted();
    try {
      this.#made.add(name);
      await this.api.create(namespaces, namespace(name));
    } catch (error) {
      // What an interrupted bench left: not ours to take away.
      if (hasReason(error, "AlreadyExists")) this.#made.delete(name);
      throw error;
    }
  }

  /** A namespace with a Gateway and a backend, both ready. Resolves with where the gateway is asked. */
  async makeBase(name: string): Promise<Target> {
    const { gatewayClass, port } = this.#options;
    await this.makeNamespace(name);
    await this.api.create(gateways, gateway(name, gatewayClass, port) as Gateway);
    await this.api.create(services, service(name));
    await this.api.create(deployments, deployment(name));
    const isProgrammed = ({ status }: Gateway): boolean => hasCondition(status?.conditions, "Programmed");
    await this.follow(gateways, { namespace: name }, async (live) => {
      await live.until((found) => found.some(isProgrammed), `Gateway ${name}/${gatewayName} to be programmed`);
    });
    await this.follow(deployments, { namespace: name }, async (live) => {
      const isAvailable = (found: readonly { status?: { availableReplicas?: number } }[]): boolean =>
        found.some(({ status }) => (status?.availableReplicas ?? 0) > 0);
      await live.until(isAvailable, `a pod of Deployment ${name}/${backendName}`);
    });
    return this.#entryOf(name);
  }

  async #entryOf(name: string): Promise<Target> {
    const { entry, port } = this.#options;
    if (entry) return entry;
    const host = (await this.api.get(gateways, gatewayName, name)).status?.addresses?.[0]?.value;
    if (!host)
      throw new Error(`Gateway ${name}/${gatewayName} has no address: say by --entry HOST:PORT where it is asked`);
    return { host, port };
  }

  /** Gives `work` a live copy of objects while it lasts. */
  async follow<T extends KubeObject>(
    type: ResourceType<T>,
    scope: InformerOptions,
    work: (live: Live<T>) => Promise<void>,
  ): Promise<void> {
    const informer = createInformer(this.api, type, scope);
    try {
      await informer.start();
      await work(new Live(informer, this.signal));
    } finally {
      informer.stop();
    }
  }

  /** Deletes all that was made, and waits until it is gone. */
  async clear(): Promise<void> {
    const names = [...this.#made];
    await Promise.all(names.map((name) => ignoreMissing(this.api.delete(namespaces, name))));
    const started = performance.now();
    for (const name of names) {
      while (await ignoreMissing(this.api.get(namespaces, name))) {
        if (performance.now() - started > patienceMs)
          throw new Error(`namespace ${name} is not gone: delete it yourself`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      this.#made.delete(name);
    }
  }
}

async function ignoreMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasReason(error, "NotFound")) return undefined;
    throw error;
  }
}

/** Objects that follow the cluster's. */
export class Live<T extends KubeObject> {
  readonly informer: Informer<T>;
  readonly #signal: AbortSignal;

  constructor(informer: Informer<T>, signal: AbortSignal) {
    this.informer = informer;
    this.#signal = signal;
  }

  /** Resolves with the moment at which `holds`, which is asked at every change. */
  until(holds: (objects: readonly T[]) => boolean, what: string): Promise<number> {
    return untilTold(
      (check) => this.informer.onChange(() => check(holds([...this.informer.objects.values()]))),
      what,
      this.#signal,
    );
  }
}

/** Resolves with the moment at which `subscribe`'s callback was told true; `subscribe` returns how to end that. */
export function untilTold(
  subscribe: (check: (holds: boolean) => void) => () => void,
  what: string,
  signal: AbortSignal,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const timer = setTimeout(() => reject(new Error(`waited ${patienceMs / 1_000} s for ${what}`)), patienceMs);
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  const end = subscribe((holds) => holds && resolve(performance.now()));
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    end();
  });
}

/** The routes that their Gateway accepted, kept in step with what the cluster says. */
export class AcceptedRoutes {
  readonly #accepted = new Set<string>();
  readonly #live: Live<HTTPRoute>;
  readonly #signal: AbortSignal;

  constructor(live: Live<HTTPRoute>, signal: AbortSignal) {
    this.#live = live;
    this.#signal = signal;
    live.informer.onChange(({ old, current }) => {
      const { name, namespace } = (current ?? old)?.metadata ?? { name: "" };
      const [key, isAccepted] = [`${namespace}/${name}`, current !== undefined && isSettled(current)];
      if (isAccepted) this.#accepted.add(key);
      else this.#accepted.delete(key);
    });
  }

  /** Resolves with the moment at which there are so many. */
  until(count: number): Promise<number> {
    const what = `${count} accepted routes`;
    return untilTold(
      (check) => this.#live.informer.onChange(() => check(this.#accepted.size === count)),
      what,
      this.#signal,
    );
  }
}

/** Accepted as it is now, and said so by a status of this very version of it. */
export function isSettled({ metadata, status }: HTTPRoute): boolean {
  const conditions = status?.parents?.[0]?.conditions ?? [];
  const accepted = conditions.find(({ type }) => type === "Accepted");
  return accepted?.status === "True" && accepted.observedGeneration === metadata.generation;
}

function hasCondition(conditions: readonly { type: string; status: string }[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
}

const routesPath = (namespace: string, name?: string): string => resourcePath(httpRoutes, namespace, name);

/** Creates a route; resolves with the moment of the answer. */
export async function createRoute(client: RawClient, route: HTTPRoute): Promise<number> {
  const body = JSON.stringify({ ...route, apiVersion: apiVersionOf(httpRoutes) });
  return write(client, "POST", routesPath(route.metadata.namespace ?? ""), body);
}

/** Changes a route's spec by a merge patch; resolves with the moment of the answer. */
export async function changeRoute(client: RawClient, namespace: string, name: string, spec: unknown): Promise<number> {
  return write(client, "PATCH", routesPath(namespace, name), JSON.stringify({ spec }), "application/merge-patch+json");
}

export async function deleteRoute(client: RawClient, namespace: string, name: string): Promise<number> {
  return write(client, "DELETE", routesPath(namespace, name));
}

async function write(client: RawClient, method: string, path: string, body = "", type?: string): Promise<number> {
  const answer = await client.request(method, path, body, type);
  const at = performance.now();
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 300)}`);
  return at;
}
