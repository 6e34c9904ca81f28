// One connection that is carried to an endpoint as it is: bytes both ways with backpressure, each side's FIN and reset passed
// on to the other, and an account of it at the end.

import { performance } from "node:perf_hooks";
import type { AccessRecord } from "../access.ts";
import { addressesOf } from "../connection-facts.ts";
import type { ConnectionFacts } from "../connection-facts.ts";
import { BatchedWriter } from "../io/batched-writer.ts";
import type { ReadMemory, Transport, TransportHandler } from "../io/transport.ts";
import { proxyHeader } from "../proxy-protocol/write-header.ts";
import type { AcceptingPort, OpenConnection, ServerContext } from "../server-context.ts";
import type { StreamCounters } from "../stats.ts";
import { Timer } from "../timer-wheel.ts";
import { hashText } from "../upstream/consistent-hash.ts";
import type { TurnUser } from "../upstream/connection-gate.ts";
import type { Target } from "../upstream/target.ts";
import type { EndpointPool } from "../upstream/endpoint-pool.ts";
import type { CompiledStream, CompiledStreamBackend } from "./compiled-stream.ts";
import { dialEndpoint } from "./dial-endpoint.ts";
import { newStreamRecord } from "./stream-record.ts";

export class StreamConnection implements OpenConnection, TurnUser {
  readonly #port: Pick<AcceptingPort, "listener" | "forget">;
  readonly #context: ServerContext;
  readonly #facts: ConnectionFacts;
  readonly #record: AccessRecord;
  readonly #started = performance.now();
  readonly #timer: Timer;
  readonly #stream: CompiledStream;
  readonly #backend: CompiledStreamBackend | null;
  readonly #client: Side;
  #upstream: Side | null = null;
  #target: Target | null = null;
  /** It has, or is about to have, a connection to the target, and does not wait for its turn. */
  #dialled = false;
  readonly #tried: EndpointPool[] = [];
  #giveUpDialling: (() => void) | null = null;
  #over = false;

  /** Takes `client` over, chooses the share and starts connecting. */
  constructor(
    client: Transport,
    stream: CompiledStream,
    facts: ConnectionFacts,
    port: Pick<AcceptingPort, "listener" | "forget">,
    context: ServerContext,
  ) {
    this.#port = port;
    this.#context = context;
    this.#stream = stream;
    this.#facts = facts;
    const address = facts.proxied?.sourceAddress ?? client.remoteAddress;
    const remotePort = facts.proxied?.sourcePort ?? client.remotePort;
    const { name } = port.listener.listener;
    this.#record = newStreamRecord(name, facts.tls ? "tls" : "tcp", address, remotePort, stream.route.id);
    this.#record.host = facts.serverName ?? "";
    this.#timer = new Timer(() => this.#onTimeout());
    this.#client = new Side(client, this);
    // Nothing is read before there is somebody to read it.
    client.pause();
    this.#backend = stream.backends[stream.shares.next()] ?? null;
    for (const counters of this.#counters()) {
      counters.connections++;
      counters.active++;
    }
    this.#begin();
  }

  *#counters(): Generator<StreamCounters> {
    yield this.#stream.counters;
    if (this.#backend?.counters != null) yield this.#backend.counters;
  }

  #begin(): void {
    if (this.#backend === null) return this.#refuse("no-backend-with-weight");
    const { service, reason } = this.#backend;
    if (service === null) return this.#refuse(reason);
    this.#record.service = service.id;
    if (service.endpoints.size === 0) return this.#refuse("no-ready-endpoint");
    this.#attempt(this.#backend, "no-endpoint-left");
  }

  /** There is nowhere to go: the client learns it as from a host that does not listen. */
  #refuse(reason: string): void {
    for (const counters of this.#counters()) counters.failed++;
    this.#record.reason = reason;
    this.#client.transport.reset();
  }

  /** Tries the next endpoint; `otherwise` is why the connection is refused when there is none. */
  #attempt(backend: CompiledStreamBackend, otherwise: string): void {
    const service = backend.service!;
    // Of a stream only its client's address is known, whatever requests would be hashed by.
    const hash = service.hashBy === null ? 0 : hashText(this.#record.clientAddress);
    const target = service.endpoints.pick(this.#tried, performance.now(), hash);
    if (target === undefined) return this.#refuse(otherwise);
    const place = target.admit(this);
    if (place === "full") return this.#refuse("connection-queue-full");
    this.#target = target;
    const { pool, name } = target;
    this.#tried.push(pool);
    Object.assign(this.#record, { endpoint: pool.key, endpointName: name, retries: this.#tried.length - 1 });
    if (place === "inside") this.onTurn();
  }

  onTurn(): void {
    const { pool } = this.#target!;
    pool.counters.connectionsOpen++;
    this.#dialled = true;
    this.#context.wheel.arm(this.#timer, this.#context.limits.connectTimeout);
    const backend = this.#backend!;
    const destination = { host: pool.host, port: pool.port, tls: backend.tls, header: this.#header(backend) };
    this.#giveUpDialling = dialEndpoint(this.#context.io, destination, {
      onConnected: (transport) => this.#onConnected(transport, pool),
      onFailed: (reason, reached) => this.#onFailed(reason, reached),
    });
  }

  onQueueTimeout(): void {
    this.#leaveTarget();
    this.#refuse("connection-queue-timeout");
  }

  #header({ proxyProtocol }: CompiledStreamBackend): string {
    if (proxyProtocol === 0) return "";
    const { remoteAddress, remotePort, local } = this.#client.transport;
    return proxyHeader(proxyProtocol, this.#facts.proxied ?? addressesOf(remoteAddress, remotePort, local));
  }

  #onConnected(transport: Transport, pool: EndpointPool): void {
    this.#giveUpDialling = null;
    pool.onConnected();
    this.#target!.report(false);
    this.#upstream = new Side(transport, this);
    this.#upstream.peer = this.#client;
    this.#client.peer = this.#upstream;
    this.#client.transport.resume();
    // Its FIN may have come while nothing was read.
    if (this.#client.ended) transport.end();
    this.touch();
  }

  /** Nothing of the client's was sent: any other endpoint is as good. */
  #onFailed(reason: string, reached: boolean): void {
    this.#giveUpDialling = null;
    this.#target!.report(true);
    const pool = this.#leaveTarget()!;
    if (!reached) pool.onRefused();
    pool.counters.retries++;
    this.#attempt(this.#backend!, reason);
  }

  #leaveTarget(): EndpointPool | null {
    const target = this.#target;
    if (target === null) return null;
    this.#target = null;
    if (this.#dialled) target.pool.counters.connectionsOpen--;
    this.#dialled = false;
    target.leave(this);
    return target.pool;
  }

  /** Something moved. */
  touch(): void {
    this.#context.wheel.arm(this.#timer, this.#context.limits.streamIdleTimeout);
  }

  count(from: Side, bytes: number): void {
    this.touch();
    const sent = from !== this.#client;
    if (sent) this.#record.bytes += bytes;
    else this.#record.bytesReceived! += bytes;
    for (const counters of [this.#stream.counters, this.#backend!.counters!]) {
      if (sent) counters.sent += bytes;
      else counters.received += bytes;
    }
  }

  #onTimeout(): void {
    if (this.#giveUpDialling === null) return this.#end("idle-timeout");
    this.#giveUpDialling();
    this.#onFailed("connect-timeout", false);
  }

  onSideClosed(side: Side, error: NodeJS.ErrnoException | null): void {
    const other = side === this.#client ? this.#upstream : this.#client;
    const inOrder = error === null && side.ended && side.peer?.ended === true;
    if (!inOrder && other !== null && !other.closed) {
      const who = side === this.#client ? "client" : "backend";
      this.#record.reason ||= `${who}-connection-${(error?.code ?? "closed").toLowerCase()}`;
      if (error !== null) other.transport.reset();
      else other.transport.destroy();
    }
    if (side === this.#client && this.#upstream === null) this.#end("client-closed-connection");
    if (this.#client.closed && this.#upstream?.closed !== false) this.#finish();
  }

  /** It may last: only the end of the time given to the whole socket ends it. */
  drain(): void {}

  destroy(): void {
    this.#end("proxy-closed");
  }

  #end(reason: string): void {
    this.#record.reason ||= reason;
    this.#giveUpDialling?.();
    this.#giveUpDialling = null;
    this.#client.transport.destroy();
    this.#upstream?.transport.destroy();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#context.wheel.release(this.#timer);
    this.#leaveTarget();
    for (const counters of this.#counters()) counters.active--;
    this.#record.duration = performance.now() - this.#started;
    this.#context.reportStream(this.#record);
    this.#port.forget(this);
  }
}

/** One of the two connections, and the way from it to the other. */
class Side implements TransportHandler {
  readonly transport: Transport;
  readonly #owner: StreamConnection;
  readonly #out: BatchedWriter;
  peer: Side | null = null;
  /** It has sent its FIN. */
  ended = false;
  closed = false;

  constructor(transport: Transport, owner: StreamConnection) {
    this.transport = transport;
    this.#owner = owner;
    this.#out = new BatchedWriter(transport);
    transport.handler = this;
  }

  onData(bytes: Buffer, end: number): void {
    this.#owner.count(this, end);
    if (!this.peer!.send(bytes, end, this.transport)) this.transport.pause();
  }

  /** False: no more before `onDrain`, if that comes. */
  send(bytes: Buffer, end: number, source: ReadMemory): boolean {
    this.#out.addBytes(bytes, 0, end, source);
    // Nobody takes it any more, and `onClose` follows once all that was said has been read.
    return this.#out.flush() && !this.transport.peerGone;
  }

  onDrain(): void {
    this.#owner.touch();
    this.peer?.transport.resume();
  }

  onEnd(): void {
    this.ended = true;
    this.peer?.transport.end();
  }

  onClose(error: NodeJS.ErrnoException | null): void {
    this.closed = true;
    this.#owner.onSideClosed(this, error);
  }
}
