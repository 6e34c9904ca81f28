// Keeps the set of listening sockets in step with the table: opens what is new, closes what is gone, re-points what only
// changed its meaning, and never touches the rest.

import type { CompiledListener } from "./compiled-table.ts";
import { REMOVAL_GRACE } from "./limits.ts";
import type { ServerContext } from "./server-context.ts";
import { ServerPort } from "./server-port.ts";
import type { ListenerCounters } from "./stats.ts";
import { UdpPort } from "./streams/udp-port.ts";

/** How one address of one listener fares. */
export interface ListenerState {
  listener: string;
  host: string;
  /** The port listened on: the configured one, or the one found when 0 was configured. */
  port: number;
  /** Present when the address is not served as configured; `code` as the system says it, e.g. EADDRINUSE. */
  error?: { code: string; message: string };
}

/** A listening socket, of whatever kind. */
interface Port {
  /** Port it listens on, 0 before `open`. */
  readonly port: number;
  /** Whether its address is taken until it is closed for good. */
  readonly holdsAddress: boolean;
  /** Points it at a new configuration; returns what of it could not be taken over. */
  assign(listener: CompiledListener, counters: ListenerCounters): Error[];
  open(): Promise<void>;
  /** Within `graceMs`. May be called again to shorten the time. */
  close(graceMs: number): Promise<void>;
}

interface Wanted {
  key: string;
  address: { host: string; port: number };
  compiled: CompiledListener;
  state: ListenerState;
}

export class ServerPorts {
  readonly #context: ServerContext;
  readonly #counters: (listener: string) => ListenerCounters;
  readonly #open = new Map<string, Port>();
  /** Removed sockets whose connections have not ended yet, with the keys of their addresses. */
  readonly #draining = new Map<Port, string>();
  /** By address, as the latest table has it. */
  #wanted = new Map<string, Wanted>();
  /** Sockets are opened for one table after another. */
  #queue: Promise<void> = Promise.resolve();

  constructor(context: ServerContext, counters: (listener: string) => ListenerCounters) {
    this.#context = context;
    this.#counters = counters;
  }

  /** Re-points and closes open sockets before it returns; opens new ones afterwards. */
  update(listeners: ReadonlyMap<string, CompiledListener>): Promise<ListenerState[]> {
    const { wanted, states } = wantedAddresses(listeners);
    this.#wanted = wanted;
    for (const [key, port] of this.#open) {
      const want = wanted.get(key);
      if (want === undefined) this.#remove(key, port);
      else this.#assign(port, want);
    }
    this.#queue = this.#queue.then(() => this.#openMissing());
    return this.#queue.then(() => states);
  }

  #assign(port: Port, { compiled, state }: Wanted): void {
    state.port = port.port;
    const [problem] = port.assign(compiled, this.#counters(compiled.listener.name));
    if (problem !== undefined) state.error = describe(problem);
  }

  #remove(key: string, port: Port): void {
    this.#open.delete(key);
    this.#draining.set(port, key);
    void port.close(REMOVAL_GRACE).finally(() => this.#draining.delete(port));
  }

  async #openMissing(): Promise<void> {
    const missing = [...this.#wanted.values()].filter(({ key }) => !this.#open.has(key));
    await Promise.all(missing.map((want) => this.#openOne(want)));
  }

  async #openOne({ key, address, compiled, state }: Wanted): Promise<void> {
    try {
      await this.#freeAddress(key);
      const Kind = compiled.listener.transport === "udp" ? UdpPort : ServerPort;
      const port = new Kind(address, compiled, this.#counters(compiled.listener.name), this.#context);
      await port.open();
      state.port = port.port;
      this.#open.set(key, port);
      // While it opened, a later table may have come.
      const latest = this.#wanted.get(key);
      if (latest === undefined) this.#remove(key, port);
      else this.#assign(port, latest);
    } catch (error) {
      state.error = describe(error);
      this.#context.log(`cannot listen on ${address.host}:${address.port}: ${state.error.message}`);
    }
  }

  /** Who is to listen there comes before those who are only left over. */
  async #freeAddress(key: string): Promise<void> {
    for (const [port, held] of this.#draining) if (held === key && port.holdsAddress) await port.close(0);
  }

  /** Closes everything within `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#wanted = new Map();
    await this.#queue;
    const ports = [...this.#open.values(), ...this.#draining.keys()];
    this.#open.clear();
    await Promise.all(ports.map((port) => port.close(graceMs)));
  }
}

/** Addresses by key; one that two listeners claim goes to the first. */
function wantedAddresses(listeners: ReadonlyMap<string, CompiledListener>): {
  wanted: Map<string, Wanted>;
  states: ListenerState[];
} {
  const wanted = new Map<string, Wanted>();
  const states: ListenerState[] = [];
  for (const [name, compiled] of listeners) {
    for (const [index, address] of compiled.listener.addresses.entries()) {
      const { transport = "tcp" } = compiled.listener;
      const key = `${transport}|${address.port === 0 ? `${name}#${index}` : `${address.host}|${address.port}`}`;
      const state: ListenerState = { listener: name, host: address.host, port: address.port };
      states.push(state);
      const owner = wanted.get(key)?.compiled.listener.name;
      if (owner === undefined) wanted.set(key, { key, address, compiled, state });
      else state.error = { code: "EADDRINUSE", message: `address already belongs to listener ${owner}` };
    }
  }
  return { wanted, states };
}

function describe(error: unknown): { code: string; message: string } {
  const { code, message } = error as NodeJS.ErrnoException;
  return { code: code ?? "EUNKNOWN", message };
}
