// The HTTP/2 sessions to one endpoint, and the requests that wait for one. Where TLS agrees on HTTP/1.1 instead, the connection
// goes to whoever keeps those.

import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { Limits } from "../limits.ts";
import type { EndpointCounters } from "../stats.ts";
import type { TimerWheel } from "../timer-wheel.ts";
import type { FailureKind, UpstreamStream, UpstreamUser } from "../upstream/upstream.ts";
import { Dial } from "./dial.ts";
import type { DialUser } from "./dial.ts";
import { UpstreamSession } from "./upstream-session.ts";
import type { SessionOwner } from "./upstream-session.ts";
import { Http2UpstreamStream } from "./upstream-stream.ts";
import type { StreamSource } from "./upstream-stream.ts";

/** The endpoint's pool around it. */
export interface SessionPoolOwner {
  readonly host: string;
  readonly port: number;
  /** `host:port`. */
  readonly key: string;
  readonly limits: Limits;
  readonly wheel: TimerWheel;
  readonly counters: EndpointCounters;
  onConnected(): void;
  /** No connection could be made. */
  onRefused(): void;
  /** A connection that speaks HTTP/1.1, for `user`. */
  adopt(socket: Socket, user: UpstreamUser): void;
}

/** Requests that wait for one connection, as long as nobody knows how many it will take. */
const MOST_WAITING = 100;

export class SessionPool implements SessionOwner, StreamSource, DialUser {
  readonly limits: Limits;
  readonly wheel: TimerWheel;
  readonly #owner: SessionPoolOwner;
  /** Null: HTTP/2 without TLS. */
  readonly #tls: ConnectionOptions | null;
  /** Those that take requests. */
  readonly #sessions = new Set<UpstreamSession>();
  readonly #idle = new Set<UpstreamSession>();
  readonly #waiting: Http2UpstreamStream[] = [];
  /** Connections being made for those that wait. */
  readonly #dials = new Set<Dial>();
  /** The same for requests that only HTTP/1.1 can serve, each its own. */
  readonly #tunnels = new Map<Dial, Http2UpstreamStream>();
  /** Sessions whose endpoint has not said anything yet. */
  readonly #opening = new Map<UpstreamSession, Dial>();
  /** How many requests the endpoint takes on a connection, as far as is known. */
  #most = MOST_WAITING;
  #retired = false;

  constructor(owner: SessionPoolOwner, tls: ConnectionOptions | null) {
    this.#owner = owner;
    this.limits = owner.limits;
    this.wheel = owner.wheel;
    this.#tls = tls;
  }

  get headBytes(): number {
    return this.limits.headBytes;
  }

  get address(): string {
    return this.#owner.key;
  }

  /** Room for one request, at once or when connected. `fresh`: not on a session that idles, whose end may not have been noticed
   * yet. `upgrade`: a tunnel is asked for, which TLS can agree on HTTP/1.1 for. */
  acquire(user: UpstreamUser, fresh: boolean, upgrade: boolean): UpstreamStream {
    const stream = new Http2UpstreamStream(user, this);
    if (upgrade && this.#tls !== null) {
      this.#tunnels.set(this.#dial(["http/1.1"]), stream);
      return stream;
    }
    for (const session of this.#sessions) {
      if (session.free && !(fresh && session.idle)) return this.#enter(stream, session);
    }
    this.#waiting.push(stream);
    this.#dialForWaiting();
    return stream;
  }

  #enter(stream: Http2UpstreamStream, session: UpstreamSession): Http2UpstreamStream {
    this.#setIdle(session, false);
    return stream.join(session);
  }

  #dialForWaiting(): void {
    while (this.#waiting.length > this.#dials.size * this.#most) this.#dials.add(this.#dial(["h2", "http/1.1"]));
  }

  #dial(protocols: string[]): Dial {
    this.#owner.counters.connectionsOpen++;
    const { host, port } = this.#owner;
    const options = { host, port, tls: this.#tls, protocols, timeout: this.limits.connectTimeout };
    return new Dial(options, this.wheel, this);
  }

  onDialled(dial: Dial, socket: Socket, http2: boolean): void {
    if (http2) {
      this.#opening.set(new UpstreamSession(socket, this), dial);
      return;
    }
    dial.done();
    const tunnel = this.#tunnels.get(dial);
    this.#tunnels.delete(dial);
    if (this.#dials.delete(dial)) this.#most = 1;
    const user = (tunnel ?? this.#waiting.shift())?.user;
    if (user == null) {
      this.#owner.counters.connectionsOpen--;
      socket.destroy();
    } else this.#owner.adopt(socket, user);
    this.#dialForWaiting();
  }

  onDialFailed(dial: Dial, kind: FailureKind, reason: string): void {
    this.#owner.counters.connectionsOpen--;
    this.#owner.onRefused();
    const tunnel = this.#tunnels.get(dial);
    this.#tunnels.delete(dial);
    tunnel?.user?.onFailure(kind, reason);
    if (!this.#dials.delete(dial)) return;
    // Those for whom another connection is being made wait on.
    const failed = this.#waiting.splice(0, this.#waiting.length - this.#dials.size * this.#most);
    for (const stream of failed) stream.user?.onFailure(kind, reason);
  }

  onReady(session: UpstreamSession): void {
    this.#opening.get(session)!.done();
    this.#dials.delete(this.#opening.get(session)!);
    this.#opening.delete(session);
    this.#owner.onConnected();
    this.#sessions.add(session);
    this.#most = Math.max(1, Math.min(MOST_WAITING, session.most));
    this.#setIdle(session, true);
    this.onRoom(session);
  }

  onRoom(session: UpstreamSession): void {
    if (!this.#sessions.has(session)) return;
    while (session.free && this.#waiting.length > 0) {
      const stream = this.#waiting.shift()!;
      stream.user!.onConnected(this.#enter(stream, session));
    }
    if (!session.idle) return;
    this.#setIdle(session, true);
    if (this.#retired) session.close();
  }

  onLeaving(session: UpstreamSession): void {
    this.#sessions.delete(session);
    this.#setIdle(session, false);
  }

  onGone(session: UpstreamSession): void {
    const dial = this.#opening.get(session);
    this.#opening.delete(session);
    // Its end is noticed there as well, by the socket.
    if (dial === undefined) this.#owner.counters.connectionsOpen--;
    this.#dialForWaiting();
  }

  giveUp(stream: Http2UpstreamStream): void {
    const at = this.#waiting.indexOf(stream);
    if (at >= 0) this.#waiting.splice(at, 1);
    for (const [dial, waiting] of this.#tunnels) {
      if (waiting !== stream) continue;
      this.#tunnels.delete(dial);
      this.#owner.counters.connectionsOpen--;
      dial.destroy();
    }
  }

  #setIdle(session: UpstreamSession, idle: boolean): void {
    const changed = idle ? this.#sessions.has(session) && !this.#idle.has(session) : this.#idle.has(session);
    if (!changed) return;
    if (idle) this.#idle.add(session);
    else this.#idle.delete(session);
    this.#owner.counters.connectionsIdle += idle ? 1 : -1;
  }

  closeIdle(): void {
    for (const session of this.#idle) session.close();
  }

  /** Idle sessions close now, others with their last request. */
  retire(): void {
    this.#retired = true;
    this.closeIdle();
  }
}
