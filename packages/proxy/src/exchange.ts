// One request on its way: picks the endpoint, sends the request, passes the answer on, retries where that is safe, and
// gives up in time. Knows neither how the client speaks (HTTP/1.1 today) nor how bytes move.

import type { AccessRecord } from "./access.ts";
import type { CompiledRoute } from "./compiled-table.ts";
import type { HeaderEdits } from "./filters.ts";
import type { ResponseHead } from "./http1/response-head.ts";
import type { ReadMemory } from "./io/transport.ts";
import type { OwnAnswer } from "./own-answer.ts";
import type { Forward } from "./route-request.ts";
import type { ServerContext } from "./server-context.ts";
import { Timer } from "./timer-wheel.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import type { Target } from "./upstream/balancer.ts";
import type { EndpointPool } from "./upstream/endpoint-pool.ts";
import type { FailureKind, OutgoingRequest, UpstreamStream, UpstreamUser } from "./upstream/upstream.ts";
import type { ServiceState } from "./upstream/upstreams.ts";

/** The client's side of an exchange, implemented per protocol. */
export interface Downstream {
  sendInformational(head: ResponseHead): void;
  sendHead(head: ResponseHead, edits: HeaderEdits | null): void;
  /** `bytes` are of the memory of `source`. */
  sendBody(bytes: Buffer, start: number, end: number, source: ReadMemory): void;
  /** The answer is complete; the exchange is over. */
  sendEnd(trailers: string): void;
  /** The protocol was switched: bytes go both ways as they are. */
  sendSwitch(head: ResponseHead, edits: HeaderEdits | null): void;
  /** The backend closed its half of the tunnel. */
  endTunnel(): void;
  /** Sends what was gathered. False: the client must drain first (`onClientDrain`). */
  flush(): boolean;
  /** Answers for the backend; nothing was sent yet. The exchange is over. */
  answer(own: OwnAnswer): void;
  /** Breaks off an answer that has begun. The exchange is over. */
  abort(reason: string): void;
  /** The backend can take (more of) the request body. */
  continueRequest(): void;
}

/** Attempts repeated because a connection died without an answer; refused connections are not counted here. */
const MOST_REPLAYS = 2;

const NO_POOLS: EndpointPool[] = [];

export class Exchange implements UpstreamUser {
  readonly #wheel: TimerWheel;
  readonly #client: Downstream;
  readonly #route: CompiledRoute;
  readonly #edits: HeaderEdits | null;
  readonly #ownLines: string;
  readonly #service: ServiceState;
  readonly #request: OutgoingRequest;
  readonly #record: AccessRecord;
  readonly #started: number;
  readonly #timer: Timer | null;
  #target: Target | null = null;
  #upstream: UpstreamStream | null = null;
  #bound = false;
  #tried: EndpointPool[] = NO_POOLS;
  #replays = 0;
  #bodyStarted = false;
  #responded = false;
  #tunnel = false;
  #over = false;

  constructor(context: ServerContext, client: Downstream, decision: Forward, record: AccessRecord, started: number) {
    const { route, backend, request } = decision;
    this.#wheel = context.wheel;
    this.#client = client;
    this.#route = route;
    this.#edits = decision.response;
    this.#ownLines = decision.ownLines;
    this.#service = backend.service;
    this.#request = request;
    this.#record = record;
    record.service = backend.service.id;
    backend.service.counters.active++;
    this.#started = started;
    const timed = route.requestTimeout > 0 || route.backendTimeout > 0;
    this.#timer = timed ? new Timer(() => this.#onTimeout()) : null;
  }

  get service(): ServiceState {
    return this.#service;
  }

  get target(): Target | null {
    return this.#target;
  }

  /** The request head has been written to a connection: body data may follow. */
  get ready(): boolean {
    return this.#bound;
  }

  /** The backend is being written to faster than it reads. */
  get requestBlocked(): boolean {
    return this.#upstream !== null && this.#upstream.blocked;
  }

  start(): void {
    if (this.#service.endpoints.size === 0) return this.#fail(503, "no-ready-endpoint");
    this.#attempt(false, this.#started);
  }

  #attempt(fresh: boolean, now: number): void {
    const target = this.#service.endpoints.pick(this.#tried, now);
    if (target === undefined) return this.#fail(502, this.#record.reason || "no-endpoint-left");
    this.#moveTo(target);
    this.#armTimer(now);
    const stream = target.pool.acquire(this, fresh, this.#request.upgrade !== "");
    if (stream.ready) this.#bind(stream);
    else this.#upstream = stream;
  }

  #moveTo(target: Target): void {
    this.#leaveTarget();
    this.#target = target;
    target.pool.counters.active++;
    this.#record.endpoint = target.pool.key;
    this.#record.endpointName = target.name;
  }

  #leaveTarget(): void {
    if (this.#target !== null) this.#target.pool.counters.active--;
  }

  #bind(stream: UpstreamStream): void {
    this.#upstream = stream;
    this.#bound = true;
    stream.begin(this, this.#request);
  }

  onConnected(stream: UpstreamStream): void {
    this.#bind(stream);
    this.#client.continueRequest();
  }

  sendBody(bytes: Buffer, start: number, end: number, source: ReadMemory): void {
    this.#bodyStarted = true;
    this.#upstream!.sendBody(bytes, start, end, source);
  }

  endBody(trailers: string): void {
    this.#bodyStarted = true;
    this.#upstream!.endBody(trailers);
  }

  /** Sends what the client's turn gathered. False: stop reading the client until `continueRequest`. */
  flushRequest(): boolean {
    return !this.#bound || this.#upstream!.flush();
  }

  onUpstreamDrain(): void {
    this.#client.continueRequest();
  }

  onInformational(head: ResponseHead): void {
    if (!this.#responded) this.#client.sendInformational(head);
  }

  onResponse(head: ResponseHead): void {
    this.#responded = true;
    this.#client.sendHead(head, this.#edits);
  }

  onSwitchingProtocols(head: ResponseHead): void {
    if (this.#request.upgrade === "") {
      this.#dropUpstream();
      return this.#fail(502, "backend-switched-protocols-unasked");
    }
    this.#responded = true;
    this.#tunnel = true;
    if (this.#timer !== null) this.#wheel.disarm(this.#timer);
    this.#client.sendSwitch(head, this.#edits);
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#client.sendBody(bytes, start, end, this.#upstream!.memory);
  }

  onReadDone(): void {
    if (!this.#client.flush() && this.#upstream !== null) this.#upstream.pause();
  }

  onClientDrain(): void {
    this.#upstream?.resume();
  }

  onResponseEnd(trailers: string): void {
    if (this.#tunnel) return this.#client.endTunnel();
    this.#finish();
    this.#client.sendEnd(trailers);
  }

  /** The client closed its half of the tunnel. */
  endTunnel(): void {
    this.#upstream?.endTunnel();
  }

  onFailure(kind: FailureKind, reason: string): void {
    this.#upstream = null;
    this.#bound = false;
    if (this.#over) return;
    this.#record.reason = reason;
    if (this.#responded) {
      // Both halves of a tunnel were closed in good order: what is still unsent to the client shall arrive.
      if (this.#tunnel && kind === "closed") return this.#client.endTunnel();
      this.#finish();
      return this.#client.abort(reason);
    }
    const pool = this.#target!.pool;
    // Nothing was sent: another endpoint is always safe. Nothing came back: only what may be repeated is.
    const unsent = kind === "connect" || kind === "connect-timeout";
    const replay =
      kind === "closed" ? this.#request.replayable && this.#mayReplay() : kind === "refused" && this.#mayReplay();
    if (!unsent && !replay) return this.#fail(502, reason);
    if (replay) this.#replays++;
    pool.counters.retries++;
    this.#record.retries++;
    // A connection that had idled may just have been stale: its endpoint is not to blame unless it is refused next.
    if (unsent || this.#service.endpoints.size > 1) this.#tried = [...this.#tried, pool];
    if (unsent && this.#tried.length >= this.#service.endpoints.size) {
      return this.#fail(kind === "connect" ? 502 : 504, reason);
    }
    this.#attempt(replay, performance.now());
    if (this.#bound) this.#client.continueRequest();
  }

  #mayReplay(): boolean {
    return !this.#bodyStarted && this.#replays < MOST_REPLAYS;
  }

  /** The client is gone: the backend need not bother. */
  cancel(): void {
    if (this.#over) return;
    this.#dropUpstream();
    this.#finish();
  }

  #armTimer(now: number): void {
    if (this.#timer === null) return;
    const { requestTimeout, backendTimeout } = this.#route;
    const whole = requestTimeout > 0 ? this.#started + requestTimeout - now : Infinity;
    const attempt = backendTimeout > 0 ? backendTimeout : Infinity;
    this.#wheel.arm(this.#timer, Math.max(0, Math.min(whole, attempt)));
  }

  #onTimeout(): void {
    if (this.#over) return;
    const { requestTimeout } = this.#route;
    const whole = requestTimeout > 0 && performance.now() - this.#started >= requestTimeout;
    const reason = whole ? "request-timeout" : "backend-request-timeout";
    this.#dropUpstream();
    if (!this.#responded) return this.#fail(504, reason);
    this.#finish();
    this.#client.abort(reason);
  }

  #fail(status: number, reason: string): void {
    this.#finish();
    this.#client.answer({ status, reason, lines: this.#ownLines });
  }

  #dropUpstream(): void {
    const upstream = this.#upstream;
    this.#upstream = null;
    this.#bound = false;
    upstream?.abandon();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#bound = false;
    this.#upstream = null;
    if (this.#timer !== null) this.#wheel.release(this.#timer);
    this.#leaveTarget();
    this.#service.counters.active--;
  }
}
