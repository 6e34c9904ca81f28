// One client of a UDP listener, for as long as something moves: a socket of its own towards the endpoint it has got, so that
// answers find back and the system tells when nobody listens there.

import { performance } from "node:perf_hooks";
import { createSocket } from "node:dgram";
import type { RemoteInfo, Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { AccessRecord } from "../access.ts";
import { plainAddress } from "../io/plain-address.ts";
import type { ServerContext } from "../server-context.ts";
import type { StreamCounters } from "../stats.ts";
import { Timer } from "../timer-wheel.ts";
import { hashText } from "../upstream/consistent-hash.ts";
import type { EndpointPool } from "../upstream/endpoint-pool.ts";
import type { Target } from "../upstream/target.ts";
import type { CompiledStream, CompiledStreamBackend } from "./compiled-stream.ts";
import { newStreamRecord } from "./stream-record.ts";

/** Datagrams kept while the socket is made ready, which takes longer than a turn only where a name is looked up. */
const MOST_WAITING = 64;

/** What a session needs of the socket that clients talk to. */
export interface UdpSessionOwner {
  readonly listenerName: string;
  /** Sends to the client. */
  answer(bytes: Buffer, client: RemoteInfo): void;
  /** The session is over. */
  forget(session: UdpSession): void;
}

export class UdpSession {
  readonly client: RemoteInfo;
  readonly #owner: UdpSessionOwner;
  readonly #context: ServerContext;
  readonly #stream: CompiledStream;
  readonly #backend: CompiledStreamBackend | null;
  readonly #record: AccessRecord;
  readonly #started = performance.now();
  readonly #timer: Timer;
  #target: Target | null = null;
  #refused: EndpointPool[] = [];
  #socket: Socket | null = null;
  /** Null once the socket may be written to. */
  #waiting: Buffer[] | null = null;
  /** When it ends at the latest: its route is gone. Of performance.now(). */
  #deadline = Infinity;
  #over = false;

  /** Chooses the share; the endpoint is chosen with the first datagram. */
  constructor(client: RemoteInfo, stream: CompiledStream, owner: UdpSessionOwner, context: ServerContext) {
    this.client = client;
    this.#owner = owner;
    this.#context = context;
    this.#stream = stream;
    this.#backend = stream.backends[stream.shares.next()] ?? null;
    const address = plainAddress(client.address);
    this.#record = newStreamRecord(owner.listenerName, "udp", address, client.port, stream.route.id);
    this.#record.service = this.#backend?.service?.id ?? "";
    this.#timer = new Timer(() => this.end(this.#deadline === Infinity ? "" : "route-gone"));
    for (const counters of this.#counters()) {
      counters.connections++;
      counters.active++;
    }
  }

  *#counters(): Generator<StreamCounters> {
    yield this.#stream.counters;
    if (this.#backend?.counters != null) yield this.#backend.counters;
  }

  /** Takes note of a new table: it goes on when that leaves it its share of `stream` and its endpoint, ends when its route leads
   * elsewhere, and has `graceMs` when its route is gone. */
  assign(stream: CompiledStream | null, graceMs: number): void {
    if (stream?.route.id !== this.#stream.route.id) return this.fade(graceMs);
    this.#deadline = Infinity;
    const { service } = this.#backend ?? {};
    const same = service != null && stream.backends.some((each) => each.service === service);
    if (!same || this.#target === null || service.find(this.#target.pool.key) !== this.#target)
      this.end("endpoint-gone");
  }

  /** It lives on with the endpoint it has while something moves, for `graceMs` at most. */
  fade(graceMs: number): void {
    this.#deadline = Math.min(this.#deadline, performance.now() + graceMs);
    if (this.#target === null) this.end("route-gone");
    else this.#touch();
  }

  /** A datagram of the client's. */
  send(bytes: Buffer): void {
    this.#touch();
    this.#record.bytesReceived! += bytes.length;
    for (const counters of this.#counters()) {
      counters.datagramsReceived++;
      counters.received += bytes.length;
    }
    this.#pass(bytes, true);
  }

  /** `again`: if it turns out that it could not be sent, it may go to the next endpoint. */
  #pass(bytes: Buffer, again: boolean): void {
    if (this.#over || (this.#socket === null && !this.#open())) return this.#drop();
    if (this.#waiting === null) this.#write(bytes, again);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(bytes);
    else this.#drop();
  }

  #touch(): void {
    const { udpIdleTimeout, udpLingerTimeout } = this.#context.limits;
    const left = this.#deadline - performance.now();
    const timeout = left === Infinity ? udpIdleTimeout : Math.max(0, Math.min(udpLingerTimeout, left));
    this.#context.wheel.arm(this.#timer, timeout);
  }

  #drop(): void {
    for (const counters of this.#counters()) counters.datagramsDropped++;
  }

  /** Makes the socket towards the next endpoint. False when there is none. */
  #open(): boolean {
    const target = this.#pick();
    if (target === undefined) return false;
    this.#target = target;
    const { pool, name } = target;
    Object.assign(this.#record, { endpoint: pool.key, endpointName: name, reason: "" });
    pool.counters.connectionsOpened++;
    pool.counters.connectionsOpen++;
    pool.counters.active++;
    const socket = createSocket(isIPv6(pool.host) ? "udp6" : "udp4");
    this.#socket = socket;
    this.#waiting = [];
    socket.on("error", (error: NodeJS.ErrnoException) => this.#onError(socket, error));
    socket.on("message", (bytes) => this.#onAnswer(bytes));
    // With a callback errors would go there.
    socket.once("connect", () => this.#onReady(socket));
    socket.connect(pool.port, pool.host);
    return true;
  }

  /** Not the endpoint that has just refused, if there is another. */
  #pick(): Target | undefined {
    if (this.#backend === null || this.#backend.service === null) {
      this.#record.reason = this.#backend?.reason ?? "no-backend-with-weight";
      return undefined;
    }
    const { endpoints, hashBy } = this.#backend.service;
    const hash = hashBy === null ? 0 : hashText(this.#record.clientAddress);
    const now = performance.now();
    const target = endpoints.pick(this.#refused, now, hash) ?? endpoints.pick([], now, hash);
    if (target === undefined) this.#record.reason = "no-ready-endpoint";
    return target;
  }

  #onReady(socket: Socket): void {
    if (this.#socket !== socket) return;
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const bytes of waiting) this.#pass(bytes, true);
  }

  #write(bytes: Buffer, again: boolean): void {
    const socket = this.#socket!;
    socket.send(bytes, (error: NodeJS.ErrnoException | null) => {
      if (error === null) return;
      this.#onError(socket, error);
      // What the system says here is about an earlier one: this one was not sent.
      if (again && error.code === "ECONNREFUSED") this.#pass(bytes, false);
      else this.#drop();
    });
  }

  #onAnswer(bytes: Buffer): void {
    this.#touch();
    this.#record.bytes += bytes.length;
    this.#refused = [];
    this.#target!.report(false);
    for (const counters of this.#counters()) {
      counters.datagramsSent++;
      counters.sent += bytes.length;
    }
    this.#owner.answer(bytes, this.client);
  }

  /** What was lost is lost, as is usual with UDP; the next datagram goes to another endpoint. */
  #onError(socket: Socket, { code }: NodeJS.ErrnoException): void {
    // Of the datagram, not of the endpoint.
    if (this.#socket !== socket || code === "EMSGSIZE") return;
    this.#target!.report(true);
    const pool = this.#leave()!;
    this.#refused = [pool];
    this.#record.retries++;
    this.#record.reason = `connect-${(code ?? "failed").toLowerCase()}`;
    pool.onRefused();
    pool.counters.retries++;
    if (this.#deadline < Infinity) this.end("route-gone");
  }

  #leave(): EndpointPool | null {
    const pool = this.#target?.pool ?? null;
    this.#target = null;
    for (const _ of this.#waiting ?? []) this.#drop();
    this.#waiting = null;
    this.#socket?.close();
    this.#socket = null;
    if (pool === null) return null;
    pool.counters.connectionsOpen--;
    pool.counters.active--;
    return pool;
  }

  /** `reason`: empty when there was nothing more to say. */
  end(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#context.wheel.release(this.#timer);
    this.#leave();
    for (const counters of this.#counters()) {
      counters.active--;
      if (this.#record.endpoint === "") counters.failed++;
    }
    this.#record.reason ||= reason;
    this.#record.duration = performance.now() - this.#started;
    this.#context.reportStream(this.#record);
    this.#owner.forget(this);
  }
}
