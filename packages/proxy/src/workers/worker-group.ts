// A proxy of several processes, one per core: the same interface as of one. The system shares connections out among the workers; each
// has the whole table, its own connections to endpoints and its own counters, which are added up here. A worker that dies is
// replaced by one with the same listening sockets: nobody who waits to be accepted notices.

import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { TcpHandle } from "../io/tcp-handles.ts";
import { explain } from "../match/explain.ts";
import type { Explanation, RequestDescription } from "../match/explain.ts";
import { offlineCompiler } from "../proxy.ts";
import type { Proxy, ProxyOptions } from "../proxy.ts";
import type { RoutingTable } from "../routing-table.ts";
import type { ListenerState } from "../server-ports.ts";
import { emptyStats, mergeStats } from "../stats.ts";
import type { ProxyStats } from "../stats.ts";
import type { TableCompiler } from "../table-compiler.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { SharedSockets } from "./shared-sockets.ts";
import { TableEncoder } from "./table-transfer.ts";

export interface WorkerGroupOptions extends Omit<ProxyOptions, "io" | "reusePort" | "onAccess"> {
  /** At least 1. */
  workers: number;
  /** Path of a program that calls `runWorker`. */
  program: string;
  accessLog?: GroupAccessLog;
}

/** Workers make lines of their records themselves; this process knows names and writes. */
export interface GroupAccessLog {
  /** What `program` makes lines by: plain data. */
  format: unknown;
  /** What lines call a route at a listener. Asked once per table. */
  nameOf(listener: string, route: string): string;
  /** Whole lines. */
  write(lines: Uint8Array): void;
}

/** A worker that lived shorter than this is not replaced at once, in milliseconds. */
const SHORT_LIFE = 2_000;
const REPLACE_DELAY = 500;
/** For a worker to say its numbers, in milliseconds. */
const COUNT_TIMEOUT = 2_000;

/** As of one process, but workers have to be asked for their numbers. */
export interface ProxyGroup extends Omit<Proxy, "stats"> {
  /** The sum of all workers', of those that are gone as they were when somebody asked last. */
  stats(): Promise<ProxyStats>;
}

export function createWorkerGroup(options: WorkerGroupOptions): ProxyGroup {
  return new WorkerGroup(options);
}

class Worker {
  readonly process: ChildProcess;
  readonly started = performance.now();
  readonly encoder = new TableEncoder();
  /** Which of the workers that are to be there, from 0. */
  readonly place: number;
  /** Addresses whose sockets it has been given. */
  sockets = new Set<string>();
  /** The highest number of a request in its lines, or in those of whom it replaced. Each worker counts in steps of as many as there
   * are, so no number is given twice. */
  lastRequest: number;
  /** As JSON, when it was asked last; empty before. */
  stats = "";
  #counted: Promise<void> | null = null;
  #onCounted: () => void = () => {};
  readonly #waiting = new Map<number, (states: ListenerState[]) => void>();
  #applies = 0;

  constructor(program: string, place: number, lastRequest: number) {
    this.place = place;
    this.lastRequest = lastRequest;
    this.process = fork(program, [], { serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"] });
    // Without a listener an error would end this process; what follows is `exit`.
    this.process.on("error", () => {});
  }

  tell(message: ToWorker): void {
    if (this.process.connected) this.process.send(message, () => {});
  }

  /** Each once; `sockets` by address. */
  give(sockets: ReadonlyMap<string, TcpHandle>): void {
    for (const [address, socket] of sockets) {
      // A native handle is what node:cluster sends, too; the types know sockets and servers alone.
      const handle = socket as unknown as Socket;
      if (!this.sockets.has(address) && this.process.connected)
        this.process.send({ type: "socket", address } satisfies ToWorker, handle, {}, () => {});
    }
    this.sockets = new Set(sockets.keys());
  }

  /** Resolves with no states when the worker dies before it answers. */
  apply(table: RoutingTable): Promise<ListenerState[]> {
    const id = ++this.#applies;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.tell({ type: "apply", id, table: this.encoder.encode(table) });
    });
  }

  applied(id: number, states: ListenerState[]): void {
    this.#waiting.get(id)?.(states);
    this.#waiting.delete(id);
  }

  /** Makes `stats` new; resolves without when the worker does not answer. */
  count(): Promise<void> {
    return (this.#counted ??= new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, COUNT_TIMEOUT);
      this.#onCounted = () => {
        clearTimeout(timer);
        resolve();
      };
      this.tell({ type: "count" });
    }).then(() => void (this.#counted = null)));
  }

  counted(stats: string): void {
    this.stats = stats;
    this.#onCounted();
  }

  giveUp(): void {
    this.#onCounted();
    for (const resolve of this.#waiting.values()) resolve([]);
    this.#waiting.clear();
  }
}

class WorkerGroup implements ProxyGroup {
  readonly #options: WorkerGroupOptions;
  readonly #compiler: TableCompiler = offlineCompiler();
  readonly #workers = new Set<Worker>();
  /** Of workers that are gone. */
  #past: ProxyStats = emptyStats();
  #table: RoutingTable | null = null;
  /** Free ports that were found for listeners with port 0, by listener and position of the address. */
  readonly #foundPorts = new Map<string, number>();
  readonly #sockets: SharedSockets;
  #queue: Promise<unknown> = Promise.resolve();
  #closing = false;
  /** The workers understand each other's session tokens and TLS session tickets. */
  readonly #sessionSecret: string;

  constructor(options: WorkerGroupOptions) {
    this.#options = options;
    this.#sessionSecret = options.sessionSecret ?? randomBytes(32).toString("hex");
    this.#sockets = new SharedSockets(options.workers);
    for (let place = 0; place < options.workers; place++) this.#start(place, place + 1 - options.workers);
  }

  #start(place: number, lastRequest: number): Worker {
    const { program, workers, serverName, limits, accessLog } = this.#options;
    const worker = new Worker(program, place, lastRequest);
    this.#workers.add(worker);
    worker.process.on("message", (message) => this.#onMessage(worker, message as FromWorker));
    worker.process.once("close", (code, signal) => this.#onExit(worker, signal ?? String(code)));
    worker.tell({
      type: "start",
      sessionSecret: this.#sessionSecret,
      ...(serverName !== undefined && { serverName }),
      ...(limits !== undefined && { limits }),
      ...(accessLog && { accessLog: { format: accessLog.format, after: lastRequest, step: workers } }),
    });
    return worker;
  }

  #onMessage(worker: Worker, message: FromWorker): void {
    const { accessLog, log } = this.#options;
    if (message.type === "applied") worker.applied(message.id, message.states);
    else if (message.type === "stats") worker.counted(message.stats);
    else if (message.type === "log") log?.(message.line);
    else if (accessLog === undefined) return;
    else if (message.type === "lines") {
      worker.lastRequest = message.last;
      accessLog.write(message.lines);
    } else {
      const named = message.routes.map((each) => ({ ...each, name: accessLog.nameOf(each.listener, each.route) }));
      worker.tell({ type: "names", names: named });
    }
  }

  #onExit(worker: Worker, how: string): void {
    this.#workers.delete(worker);
    worker.giveUp();
    this.#past = mergeStats([this.#past, ended(statsOf(worker))]);
    if (this.#closing) return;
    this.#options.log?.(`a worker of the proxy ended (${how}): another takes its place`);
    const wait = performance.now() - worker.started < SHORT_LIFE ? REPLACE_DELAY : 0;
    setTimeout(() => this.#replace(worker), wait);
  }

  #replace({ place, lastRequest }: Worker): void {
    if (this.#closing) return;
    const worker = this.#start(place, lastRequest);
    worker.give(this.#sockets.of(place));
    if (this.#table !== null) void worker.apply(this.#withPorts(this.#table));
  }

  apply(table: RoutingTable): Promise<ListenerState[]> {
    this.#compiler.update(table);
    this.#table = table;
    const result = this.#queue.then(() => this.#applyToAll(table));
    this.#queue = result;
    return result;
  }

  async #applyToAll(table: RoutingTable): Promise<ListenerState[]> {
    this.#bindSockets(table);
    const [first, ...others] = this.#workers;
    if (first === undefined) return [];
    // The first finds free ports for those that are to be found; the others listen where it does.
    const asked = this.#withPorts(table);
    const early = findsPorts(asked) ? [] : others.map((worker) => worker.apply(asked));
    const states = await first.apply(asked);
    this.#notePorts(table, states);
    const rest = early.length > 0 ? early : others.map((worker) => worker.apply(this.#withPorts(table)));
    return combine(states, await Promise.all(rest));
  }

  /** What is listened on over TCP; whoever cannot have it that way listens by itself. */
  #bindSockets(table: RoutingTable): void {
    for (const { name, transport, addresses } of table.listeners) {
      if (transport === "udp") continue;
      for (const [index, address] of addresses.entries()) {
        const key = `${name}#${index}`;
        const port = this.#sockets.bind({ ...address, port: address.port || (this.#foundPorts.get(key) ?? 0) });
        if (address.port === 0 && port !== undefined) this.#foundPorts.set(key, port);
      }
    }
    this.#sockets.retain(this.#withPorts(table).listeners.flatMap(({ addresses }) => addresses));
    for (const worker of this.#workers) worker.give(this.#sockets.of(worker.place));
  }

  #notePorts(table: RoutingTable, states: readonly ListenerState[]): void {
    let at = 0;
    for (const { name, addresses } of table.listeners)
      for (const [index, { port }] of addresses.entries()) {
        const state = states[at++];
        if (port === 0 && state !== undefined && state.error === undefined)
          this.#foundPorts.set(`${name}#${index}`, state.port);
      }
  }

  #withPorts(table: RoutingTable): RoutingTable {
    if (!findsPorts(table)) return table;
    const listeners = table.listeners.map((listener) => ({
      ...listener,
      addresses: listener.addresses.map((address, index) =>
        address.port > 0
          ? address
          : { ...address, port: this.#foundPorts.get(`${listener.name}#${index}`) ?? address.port },
      ),
    }));
    return { ...table, listeners };
  }

  match(request: RequestDescription): Explanation {
    return explain(this.#compiler.listeners.get(request.listener)?.matcher, request);
  }

  async stats(): Promise<ProxyStats> {
    await Promise.all([...this.#workers].map((worker) => worker.count()));
    return mergeStats([this.#past, ...[...this.#workers].map(statsOf)]);
  }

  async close({ graceMs }: { graceMs: number }): Promise<void> {
    this.#closing = true;
    this.#sockets.retain([]);
    await Promise.all([...this.#workers].map((worker) => endOf(worker, graceMs)));
  }
}

/** Longer than the worker itself waits. */
const END_MARGIN = 1_000;

async function endOf(worker: Worker, graceMs: number): Promise<void> {
  const { process } = worker;
  if (process.exitCode !== null || process.signalCode !== null) return;
  // All it had to say is read by then.
  const ended = new Promise<void>((resolve) => process.once("close", () => resolve()));
  worker.tell({ type: "close", graceMs });
  const timer = setTimeout(() => process.kill("SIGKILL"), graceMs + END_MARGIN);
  await ended;
  clearTimeout(timer);
}

const statsOf = ({ stats }: Worker): ProxyStats => (stats === "" ? emptyStats() : (JSON.parse(stats) as ProxyStats));

const findsPorts = ({ listeners }: RoutingTable): boolean =>
  listeners.some(({ addresses }) => addresses.some(({ port }) => port === 0));

/** An address is served when every worker serves it. */
function combine(states: ListenerState[], others: ListenerState[][]): ListenerState[] {
  return states.map((state, index) => {
    const error = state.error ?? others.find((each) => each[index]?.error !== undefined)?.[index]?.error;
    return error === undefined ? state : { ...state, error };
  });
}

/** What a worker had under way ended with it. */
function ended(stats: ProxyStats): ProxyStats {
  const { listeners, routes, services, endpoints, streams, streamServices } = stats;
  for (const group of [listeners, routes, services, endpoints, streams, streamServices])
    for (const counters of Object.values(group))
      for (const gauge of ["active", "connectionsOpen", "connectionsIdle"] as const)
        if (gauge in counters) (counters as unknown as Record<string, number>)[gauge] = 0;
  for (const { mirrored } of Object.values(services)) mirrored.active = 0;
  return stats;
}
