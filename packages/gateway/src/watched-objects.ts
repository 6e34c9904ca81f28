// The informers behind the gateway: one per kind (and namespace, when it is limited to some), seen as plain collections.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { createInformer, type Informer, type InformerOptions } from "@gatehouse/apimachinery/informer";
import type { Log } from "@gatehouse/apimachinery/log";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { namespaces, secrets, services } from "@gatehouse/apimachinery/types/core-v1";
import { endpointSlices } from "@gatehouse/apimachinery/types/discovery-v1";
import { gatewayClasses, gatewayGroup, gateways, httpRoutes, referenceGrants } from "./gateway-resources.ts";
import type { GatewayObjects } from "./translate/gateway-objects.ts";

export interface WatchedObjectsOptions {
  client: ApiClient;
  log: Log;
  /** Empty for all. */
  namespaces: readonly string[];
  /** Restricts the Gateway API's own kinds; empty for all. */
  labelSelector: string;
  onChange: () => void;
}

export interface WatchedObjects {
  /** The present state; it changes under way, so read it in one turn. */
  current(): GatewayObjects;
  /** Begins to watch Secrets, once; resolves when they are known or cannot be read. Until then there are none. */
  startSecrets(): Promise<void>;
  /** Begins; resolves when every kind has been listed once, however long that takes. */
  start(): Promise<void>;
  stop(): void;
}

const secretsPatienceMs = 1_000;

export function createWatchedObjects(options: WatchedObjectsOptions): WatchedObjects {
  const informers: Informer[] = [];
  const watch = <T extends KubeObject>(type: ResourceType<T>): (() => Iterable<T>) => {
    const own = informersOf(type, options);
    for (const informer of own) {
      informer.onChange(options.onChange);
      informers.push(informer);
    }
    return () => own.flatMap((informer) => [...informer.objects.values()]);
  };
  const kinds = {
    gatewayClasses: watch(gatewayClasses),
    gateways: watch(gateways),
    httpRoutes: watch(httpRoutes),
    referenceGrants: watch(referenceGrants),
    services: watch(services),
    endpointSlices: watch(endpointSlices),
    namespaces: watch(namespaces),
  };
  const secretInformers = informersOf(secrets, options);
  let secretsKnown: Promise<void> | undefined;
  return {
    current: () => ({
      gatewayClasses: kinds.gatewayClasses(),
      gateways: kinds.gateways(),
      httpRoutes: kinds.httpRoutes(),
      referenceGrants: kinds.referenceGrants(),
      services: kinds.services(),
      endpointSlices: kinds.endpointSlices(),
      namespaces: kinds.namespaces(),
      secrets: secretInformers.flatMap((informer) => [...informer.objects.values()]),
    }),
    startSecrets: () =>
      (secretsKnown ??= new Promise((resolve) => {
        for (const informer of secretInformers) informer.onChange(options.onChange);
        void Promise.all(secretInformers.map((informer) => informer.start())).then(() => resolve());
        // Where reading Secrets is forbidden, all that is not HTTPS must go on.
        setTimeout(resolve, secretsPatienceMs).unref();
      })),
    start: async () => {
      await Promise.all(informers.map((informer) => informer.start()));
    },
    stop: () => {
      for (const informer of [...informers, ...secretInformers]) informer.stop();
    },
  };
}

function informersOf<T extends KubeObject>(type: ResourceType<T>, options: WatchedObjectsOptions): Informer<T>[] {
  const scopes = type.namespaced && options.namespaces.length > 0 ? options.namespaces : [undefined];
  const labelSelector = type.group === gatewayGroup ? options.labelSelector : "";
  const onError = errorReporter(type, options.log);
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
  return `watching ${name}: ${error instanceof Error ? error.message : String(error)}, trying again`;
}
