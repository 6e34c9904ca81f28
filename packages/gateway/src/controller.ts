// The control loop: objects change, the routing table follows and is handed to the proxy, statuses are written.
// All changes of one turn of the event loop are one translation; routing changes before any status is written.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import type { GatewayStatusAddress } from "@gatehouse/gateway-api/gateway";
import type { ListenerState, Proxy } from "@gatehouse/proxy/proxy";
import { infrastructureOf } from "./infrastructure.ts";
import { createInfrastructureWriter } from "./infrastructure-writer.ts";
import { createStatusWriter, statusKey } from "./status-writer.ts";
import type { ObjectIndex } from "./translate/gateway-objects.ts";
import type { ProcessedGateway } from "./translate/gateways.ts";
import type { ObjectChange, ObjectKind } from "./translate/object-store.ts";
import type { StatusUpdate } from "./translate/statuses.ts";
import type { AddressPool, EntryPoint } from "./translate/translate-options.ts";
import { type Translation, Translator } from "./translate/translator.ts";
import { createWatchedObjects } from "./watched-objects.ts";

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
  sharedAddresses: (index: Pick<ObjectIndex, "service">) => GatewayStatusAddress[];
  namespaces: readonly string[];
  labelSelector: string;
}

export interface Controller {
  /** Resolves when the first complete state is in the proxy and its sockets are open. */
  readonly ready: Promise<void>;
  readonly isReady: boolean;
  /** The translation in force; undefined before the first. */
  readonly translation: Translation | undefined;
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
  readonly #translator = new Translator();
  readonly #watched;
  readonly #statuses;
  readonly #infrastructure;
  /** Statuses that wait for sockets to be opened, each with the number of its translation. */
  readonly #due = new Map<string, { update: StatusUpdate; translation: number }>();
  #translations = 0;
  #becomeReady: () => void = () => {};
  #synced = false;
  #scheduled = false;
  #stopped = false;
  #listenerProblems: ReadonlyMap<string, string> = new Map();
  #reopen: NodeJS.Timeout | undefined;
  /** For which Gateways infrastructure was written; undefined when something else than Gateways asks for it. */
  #equipped: readonly ProcessedGateway[] | undefined;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { client, log, namespaces, labelSelector } = options;
    this.#watched = createWatchedObjects({
      client,
      log,
      namespaces,
      labelSelector,
      onChange: (kind, change) => this.#take(kind, change),
      onApi: () => this.#schedule(),
    });
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

  statusesWritten(): Promise<void> {
    return this.#statuses.idle();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#reopen);
    this.#watched.stop();
    await Promise.all([this.#statuses.stop(), this.#infrastructure.stop()]);
  }

  #take(kind: ObjectKind, change: ObjectChange): void {
    this.#translator.change(kind, change);
    if (!change.current && change.old) {
      this.#due.delete(statusKey(change.old));
      this.#statuses.forget(change.old);
    }
    const isInfrastructure = kind === "services" || kind === "endpointSlices";
    if (isInfrastructure && this.#infrastructure.observe(change)) this.#equipped = undefined;
    this.#schedule();
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
    const { proxy, log } = this.#options;
    try {
      const translation = this.#translateOnce();
      // Secrets and ConfigMaps are read only where something refers to one; until they are known nothing is to be told.
      const missing = [...this.#translator.asked].filter((kind) => !this.#watched.knows(kind));
      if (missing.length > 0) {
        await Promise.all(missing.map((kind) => this.#watched.need(kind)));
        return this.#schedule();
      }
      this.translation = translation;
      const number = this.#translations;
      // Routing has changed when `apply` returns; statuses wait for the sockets, so that what they say is true.
      this.#afterOpening(number, await proxy.apply(translation.table));
    } catch (error) {
      log.error("the objects could not be translated: routing stays as it was", error);
    }
  }

  #translateOnce(): Translation {
    const { entryPoints, reservedPorts, pool, sharedAddresses } = this.#options;
    const translation = this.#translator.translate({
      api: this.#watched.api(),
      entryPoints,
      reservedPorts,
      ...(pool ? { pool } : {}),
      sharedAddresses: sharedAddresses(this.#translator.index),
      listenerProblems: this.#listenerProblems,
    });
    this.#translations++;
    for (const update of translation.statuses) {
      this.#due.set(statusKey(update.object), { update, translation: this.#translations });
    }
    return translation;
  }

  #afterOpening(number: number, states: readonly ListenerState[]): void {
    if (this.#stopped) return;
    if (this.#noteProblems(states)) this.#schedule();
    else {
      this.#writeStatuses(number);
      this.#writeInfrastructure();
    }
    this.isReady = true;
    this.#becomeReady();
  }

  /** Those of later translations wait for their own sockets. */
  #writeStatuses(number: number): void {
    const updates: StatusUpdate[] = [];
    for (const [key, { update, translation }] of this.#due) {
      if (translation > number) continue;
      updates.push(update);
      this.#due.delete(key);
    }
    this.#statuses.write(updates);
  }

  #writeInfrastructure(): void {
    const gateways = this.translation?.gateways ?? [];
    if (gateways === this.#equipped) return;
    this.#equipped = gateways;
    const { index } = this.#translator;
    this.#infrastructure.write(gateways.flatMap(infrastructureOf), ({ kind, metadata: { namespace = "", name } }) =>
      kind === "Service" ? index.service(namespace, name) : index.endpointSlice(namespace, name),
    );
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
