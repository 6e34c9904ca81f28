// The control loop: objects change, the routing table is made anew and handed to the proxy, statuses are written.
// All changes of one turn of the event loop are one translation; routing changes before any status is written.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import { type KubeObject, objectKey } from "@gatehouse/apimachinery/meta";
import type { Gateway, GatewayStatusAddress } from "@gatehouse/gateway-api/gateway";
import type { ListenerState, Proxy } from "@gatehouse/proxy/proxy";
import { type AddressPool, assignAddresses } from "./gateway-addresses.ts";
import { infrastructureOf } from "./infrastructure.ts";
import { createInfrastructureWriter, isInfrastructure } from "./infrastructure-writer.ts";
import { createStatusWriter } from "./status-writer.ts";
import type { GatewayObjects } from "./translate/gateway-objects.ts";
import { translate, type Translation } from "./translate/translate.ts";
import type { EntryPoint } from "./translate/translate-options.ts";
import { createWatchedObjects, type LazyKind } from "./watched-objects.ts";

/** The controller name that Traefik's GatewayClass names. */
export const controllerName = "traefik.io/gateway-controller";

export interface ControllerOptions {
  client: ApiClient;
  proxy: Pick<Proxy, "apply">;
  log: Log;
  /** Entrypoints that Gateways may use. */
  entryPoints: readonly EntryPoint[];
  /** Ports of entrypoints that they may not use, with the entrypoint's name. */
  reservedPorts: ReadonlyMap<number, string>;
  /** Where Gateways' own addresses come from. */
  pool?: AddressPool;
  /** What Gateways say as address when there is no pool; asked anew each time, for it may name a Service. */
  sharedAddresses: (objects: GatewayObjects) => GatewayStatusAddress[];
  namespaces: readonly string[];
  labelSelector: string;
}

export interface Controller {
  /** Resolves when the first complete state is in the proxy and its sockets are open. */
  readonly ready: Promise<void>;
  readonly isReady: boolean;
  /** The translation in force; undefined before the first. */
  readonly translation: Translation | undefined;
  /** The objects at this moment. */
  objects(): GatewayObjects;
  /** Resolves when all statuses known to be due are written. */
  statusesWritten(): Promise<void>;
  stop(): Promise<void>;
}

/** An address that could not be opened may become free. */
const reopenAfterMs = 2_000;

export function startController(options: ControllerOptions): Controller {
  const control = new ControlLoop(options);
  control.start();
  return control;
}

class ControlLoop implements Controller {
  readonly ready: Promise<void>;
  isReady = false;
  translation: Translation | undefined;
  readonly #options: ControllerOptions;
  readonly #watched;
  readonly #statuses;
  readonly #infrastructure;
  #becomeReady: () => void = () => {};
  #synced = false;
  #scheduled = false;
  #stopped = false;
  #listenerProblems: ReadonlyMap<string, string> = new Map();
  #reopen: NodeJS.Timeout | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { client, log, namespaces, labelSelector } = options;
    this.#watched = createWatchedObjects({ client, log, namespaces, labelSelector, onChange: () => this.#schedule() });
    this.#statuses = createStatusWriter(client, log);
    this.#infrastructure = createInfrastructureWriter(client, log);
    this.ready = new Promise((resolve) => (this.#becomeReady = resolve));
  }

  start(): void {
    void this.#synchronise();
  }

  async #synchronise(): Promise<void> {
    await this.#watched.start();
    this.#synced = true;
    this.#schedule();
  }

  objects(): GatewayObjects {
    return this.#watched.current();
  }

  statusesWritten(): Promise<void> {
    return this.#statuses.idle();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#reopen);
    this.#watched.stop();
    await Promise.all([this.#statuses.stop(), this.#infrastructure.stop()]);
  }

  #schedule(): void {
    if (this.#scheduled || !this.#synced || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (!this.#stopped) void this.#translate();
    });
  }

  async #translate(): Promise<void> {
    const { entryPoints, reservedPorts, pool, sharedAddresses, proxy, log } = this.#options;
    try {
      await Promise.all(neededKinds(this.#watched.current()).map((kind) => this.#watched.need(kind)));
      const objects = this.#watched.current();
      const addresses = assignAddresses(ownGateways(objects), pool, sharedAddresses(objects));
      const translation = translate(objects, {
        controllerName,
        api: this.#watched.api(),
        entryPoints,
        reservedPorts,
        ownAddresses: pool !== undefined,
        listenerProblems: this.#listenerProblems,
        addressFor: (gateway) => addresses.get(objectKey(gateway)) ?? { addresses: [], hosts: [] },
      });
      this.translation = translation;
      // Routing has changed when `apply` returns; statuses wait for the sockets, so that what they say is true.
      this.#afterOpening(translation, await proxy.apply(translation.table));
    } catch (error) {
      log.error("the objects could not be translated: routing stays as it was", error);
    }
  }

  #afterOpening(translation: Translation, states: readonly ListenerState[]): void {
    if (this.#stopped) return;
    // A later table is under way: its sockets are not these.
    if (translation === this.translation && this.#noteProblems(states)) this.#schedule();
    else {
      this.#statuses.write(translation.statuses);
      this.#writeInfrastructure(translation);
    }
    this.isReady = true;
    this.#becomeReady();
  }

  #writeInfrastructure({ gateways }: Translation): void {
    const wanted = gateways.flatMap(infrastructureOf);
    const names = new Set(wanted.map(objectKey));
    const { services, endpointSlices } = this.objects();
    const concerned = (object: KubeObject): boolean => names.has(objectKey(object)) || isInfrastructure(object);
    this.#infrastructure.write(wanted, [...services, ...endpointSlices].filter(concerned));
  }

  /** True when other listeners than before cannot be opened, which changes statuses. */
  #noteProblems(states: readonly ListenerState[]): boolean {
    clearTimeout(this.#reopen);
    if (states.some((state) => state.error)) this.#reopen = setTimeout(() => this.#schedule(), reopenAfterMs).unref();
    const problems = problemsOf(states);
    const changed = !isSame(problems, this.#listenerProblems);
    this.#listenerProblems = problems;
    return changed;
  }
}

/** Gateways that may have one of our addresses: all whose class is ours. */
function ownGateways({ gatewayClasses, gateways }: GatewayObjects): Gateway[] {
  const own = new Set<string>();
  for (const { metadata, spec } of gatewayClasses) if (spec.controllerName === controllerName) own.add(metadata.name);
  return [...gateways].filter((gateway) => own.has(gateway.spec.gatewayClassName));
}

/** Secrets and ConfigMaps are read only where something may refer to them. */
function neededKinds(objects: GatewayObjects): LazyKind[] {
  const own = ownGateways(objects);
  const policies = [...objects.backendTLSPolicies];
  const listeners = [...own, ...objects.listenerSets].flatMap(({ spec }) =>
    spec.listeners.map(({ protocol }) => protocol),
  );
  const authorities = policies.length > 0 || own.some(({ spec }) => spec.tls?.frontend !== undefined);
  const pairs = listeners.some((protocol) => protocol === "HTTPS" || protocol === "TLS");
  return [
    ...(pairs || authorities || own.some(({ spec }) => spec.tls !== undefined) ? (["secrets"] as const) : []),
    ...(authorities ? (["configMaps"] as const) : []),
  ];
}

/** Listeners of which no address is open, with the first reason. */
function problemsOf(states: readonly ListenerState[]): Map<string, string> {
  const problems = new Map<string, string>();
  const open = new Set(states.filter((state) => !state.error).map((state) => state.listener));
  for (const { listener, host, port, error } of states) {
    if (!error || open.has(listener) || problems.has(listener)) continue;
    problems.set(listener, explain(host, port, error));
  }
  return problems;
}

function explain(host: string, port: number, { code, message }: { code: string; message: string }): string {
  if (code === "EADDRINUSE") return `${host}:${port} is in use by another process`;
  if (code === "EACCES") return `permission to use port ${port} is denied: use a port above 1023`;
  return message;
}

function isSame(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([name, reason]) => b.get(name) === reason);
}
