// From an accepted socket to a connection that can be served: what must be said and agreed before the first request (TLS)
// happens here, within one bound of time. Whoever accepted the socket gets it back with what is known of its client.

import type { Socket } from "node:net";
import type { CompiledListener } from "./compiled-table.ts";
import { PLAIN } from "./connection-facts.ts";
import type { ConnectionFacts } from "./connection-facts.ts";
import type { ServerContext } from "./server-context.ts";
import { Timer } from "./timer-wheel.ts";
import { TlsTerminator } from "./tls/terminator.ts";

/** Whoever accepts sockets. */
export interface IntakeOwner {
  /** The configuration in force. */
  readonly listener: CompiledListener;
  /** Requests may be read from `socket`. */
  serve(socket: Socket, facts: ConnectionFacts): void;
}

export class ConnectionIntake {
  readonly #owner: IntakeOwner;
  readonly #context: ServerContext;
  readonly #terminator = new TlsTerminator();
  readonly #arrivals = new Set<Arrival>();

  constructor(owner: IntakeOwner, context: ServerContext) {
    this.#owner = owner;
    this.#context = context;
  }

  /** Takes over the certificates of a new configuration; returns what could not be taken over (see TlsTerminator). */
  update(listener: CompiledListener): Error[] {
    const { tls } = listener.listener;
    return tls === undefined ? [] : this.#terminator.update(tls);
  }

  /** Whether connections could be served at all. */
  get usable(): boolean {
    return this.#owner.listener.listener.tls === undefined || this.#terminator.usable;
  }

  /** Whether something comes before requests; else sockets may be served as they are accepted. */
  get needed(): boolean {
    return this.#owner.listener.listener.tls !== undefined;
  }

  take(socket: Socket): void {
    // Gone already: without addresses its handshake could not be told from others.
    if (socket.remoteAddress === undefined || !this.usable) return void socket.destroy();
    const arrival = new Arrival(socket, this.#context, () => this.#arrivals.delete(arrival));
    this.#arrivals.add(arrival);
    this.#secure(arrival);
  }

  #secure(arrival: Arrival): void {
    this.#terminator.terminate(arrival.socket, "http", ({ socket, serverName, clientCertificate }) => {
      arrival.leave();
      this.#owner.serve(socket, { ...PLAIN, tls: true, serverName, clientCertificate });
    });
  }

  /** Gives up what has not been handed over yet. */
  close(): void {
    for (const { socket } of this.#arrivals) socket.destroy();
  }
}

/** A socket on its way, until it is handed over, destroyed or out of time. */
class Arrival {
  readonly socket: Socket;
  readonly #context: ServerContext;
  readonly #timer: Timer;
  readonly #onLeave: () => void;

  constructor(socket: Socket, context: ServerContext, onLeave: () => void) {
    this.socket = socket;
    this.#context = context;
    this.#onLeave = onLeave;
    this.#timer = new Timer(() => socket.destroy());
    context.wheel.arm(this.#timer, context.limits.handshakeTimeout);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.leave());
  }

  /** It belongs to somebody else now, or is gone. */
  leave(): void {
    this.#context.wheel.release(this.#timer);
    this.#onLeave();
  }
}
