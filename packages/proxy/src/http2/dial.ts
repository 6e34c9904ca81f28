// A connection to an endpoint that is being made for HTTP/2: TCP, TLS where there is to be any, and the endpoint's first
// SETTINGS, all within one time.

import { connect } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { Timer } from "../timer-wheel.ts";
import type { TimerWheel } from "../timer-wheel.ts";

export interface DialOptions {
  host: string;
  port: number;
  /** Null: no TLS. */
  tls: ConnectionOptions | null;
  /** What is offered by ALPN, the most wanted first. */
  protocols: string[];
  /** Milliseconds. */
  timeout: number;
}

export interface DialUser {
  /** TCP and TLS stand. The time goes on until `done`. */
  onDialled(dial: Dial, socket: Socket, http2: boolean): void;
  onDialFailed(dial: Dial, kind: "connect" | "connect-timeout", reason: string): void;
}

export class Dial {
  readonly #socket: Socket;
  readonly #user: DialUser;
  readonly #wheel: TimerWheel;
  readonly #timer: Timer;
  #over = false;

  constructor({ host, port, tls, protocols, timeout }: DialOptions, wheel: TimerWheel, user: DialUser) {
    this.#user = user;
    this.#wheel = wheel;
    this.#timer = new Timer(() => this.#fail("connect-timeout", "connect-timeout"));
    wheel.arm(this.#timer, timeout);
    if (tls === null) {
      this.#socket = connect({ host, port, noDelay: true });
      this.#socket.once("connect", () => this.#connected(true));
    } else {
      const socket = connectTls({ ...tls, host, port, ALPNProtocols: protocols });
      socket.once("secureConnect", () => this.#secured(socket));
      this.#socket = socket;
    }
    this.#socket.on("error", (error: NodeJS.ErrnoException) => this.#fail("connect", codeOf(error)));
    this.#socket.once("close", () => this.#fail("connect", "connect-closed"));
  }

  #secured(socket: TLSSocket): void {
    socket.setNoDelay(true);
    this.#connected(socket.alpnProtocol === "h2");
  }

  #connected(http2: boolean): void {
    if (!this.#over) this.#user.onDialled(this, this.#socket, http2);
  }

  /** It has become a connection that can be used. */
  done(): void {
    this.#over = true;
    this.#wheel.release(this.#timer);
  }

  /** Nobody waits for it any more. */
  destroy(): void {
    this.done();
    this.#socket.destroy();
  }

  #fail(kind: "connect" | "connect-timeout", reason: string): void {
    if (this.#over) return;
    this.destroy();
    this.#user.onDialFailed(this, kind, reason);
  }
}

function codeOf({ code = "closed" }: NodeJS.ErrnoException): string {
  // What came instead of the first SETTINGS.
  if (code.startsWith("ERR_HTTP2_")) return "connect-not-http2";
  return `connect-${code.toLowerCase().replaceAll("_", "-")}`;
}
