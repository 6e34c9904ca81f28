// One request on its way: picks the endpoint, sends the request, passes the answer on, retries where that is safe, and
// gives up in time. Knows neither how the two sides speak nor how bytes move.

import { performance } from "node:perf_hooks";
import type { AccessRecord } from "./access.ts";
import type { CompiledRoute } from "./compiled-table.ts";
import type { HeaderEdits } from "./filters.ts";
import { listMembers } from "./http1/field-lines.ts";
import type { ResponseHead } from "./http1/response-head.ts";
import { FieldId } from "./http1/tokens.ts";
import type { ReadMemory } from "./io/transport.ts";
import type { Downstream, RequestFlow } from "./request-flow.ts";
import type { Forward } from "./route-request.ts";
import type { ServerContext } from "./server-context.ts";
import { KeptBody } from "./policies/kept-body.ts";
import type { BodyTap } from "./policies/kept-body.ts";
import type { MirrorTarget } from "./policies/mirror.ts";
import { mirrorRequest } from "./policies/mirrored-request.ts";
import { BUDGET_SPENT, NO_MORE, RetryPlan } from "./policies/retry-plan.ts";
import { Timer } from "./timer-wheel.ts";
import type { TimerWheel } from "./timer-wheel.ts";
import type { EndpointPool } from "./upstream/endpoint-pool.ts";
import type { ServiceState } from "./upstream/service-state.ts";
import { Rank } from "./upstream/target.ts";
import type { Target } from "./upstream/target.ts";
import type { FailureKind, OutgoingRequest, UpstreamStream, UpstreamUser } from "./upstream/upstream.ts";

/** Attempts repeated because a connection died without an answer; refused connections are not counted here. */
const MOST_REPLAYS = 2;

const NO_POOLS: EndpointPool[] = [];

export class Exchange implements RequestFlow, UpstreamUser {
  readonly #context: ServerContext;
  readonly #wheel: TimerWheel;
  readonly #client: Downstream;
  readonly #decision: Forward;
  readonly #route: CompiledRoute;
  readonly #service: ServiceState;
  readonly #request: OutgoingRequest;
  readonly #record: AccessRecord;
  readonly #started: number;
  readonly #timer: Timer | null;
  readonly #retry: RetryPlan | null;
  /** Sent with every attempt, before what the client goes on to send. */
  readonly #kept: KeptBody | null;
  /** Shown what the client sends. */
  #taps: BodyTap[] | null = null;
  #target: Target | null = null;
  #atTarget = false;
  #upstream: UpstreamStream | null = null;
  #bound = false;
  #tried: EndpointPool[] = NO_POOLS;
  #replays = 0;
  #pause: NodeJS.Timeout | null = null;
  #bodyStarted = false;
  #responded = false;
  #tunnel = false;
  #over = false;

  /** `started` is performance.now() of the request, `body` what was read of its body already, complete. */
  constructor(
    context: ServerContext,
    client: Downstream,
    decision: Forward,
    record: AccessRecord,
    started: number,
    body: KeptBody | null = null,
  ) {
    const { route, request } = decision;
    const { service } = decision.backend;
    this.#context = context;
    this.#wheel = context.wheel;
    this.#client = client;
    this.#decision = decision;
    this.#route = route;
    this.#service = service;
    this.#request = request;
    this.#record = record;
    record.service = service.id;
    service.counters.active++;
    this.#started = started;
    const timed = route.requestTimeout > 0 || route.backendTimeout > 0;
    this.#timer = timed ? new Timer(() => this.#onTimeout()) : null;
    this.#kept = body;
    if (body === null && route.retry !== null && request.hasBody) {
      this.#kept = new KeptBody(context.limits.replayBytes);
      this.#taps = [this.#kept];
    }
    this.#retry = route.retry === null ? null : new RetryPlan(route.retry, service.retryBudget, this.#kept);
  }

  get service(): ServiceState {
    return this.#service;
  }

  get target(): Target | null {
    return this.#target;
  }

  get ready(): boolean {
    return this.#bound;
  }

  get requestBlocked(): boolean {
    return this.#upstream !== null && this.#upstream.blocked;
  }

  start(): void {
    if (this.#service.retryBudget !== null) this.#service.retryBudget.onRequest(this.#started);
    if (this.#decision.backend.mirrors !== null) this.#startMirrors(this.#decision.backend.mirrors);
    this.#attempt(this.#pick(this.#started), false, this.#started);
  }

  #startMirrors(mirrors: MirrorTarget[]): void {
    const started = mirrorRequest(this.#context, mirrors, this.#request);
    if (started.length === 0) return;
    this.#taps = [...(this.#taps ?? []), ...started];
    if (this.#kept !== null) for (const mirror of started) this.#kept.show(mirror);
  }

  /** `fresh` as of `EndpointPool.acquire`. */
  #attempt(target: Target | undefined, fresh: boolean, now: number): void {
    if (target === undefined) return this.#fail(503, "no-ready-endpoint");
    this.#leaveTarget();
    this.#target = target;
    this.#atTarget = true;
    this.#record.endpoint = target.pool.key;
    this.#record.endpointName = target.name;
    this.#armTimer(now, true);
    const stream = target.enter(this, fresh, this.#request.upgrade !== "");
    if (stream === null) return this.#fail(503, "connection-queue-full");
    if (stream.ready) this.#bind(stream);
    else this.#upstream = stream;
  }

  /** The endpoint to try next; undefined when all were tried. */
  #pick(now: number): Target | undefined {
    const { session, hash } = this.#decision;
    const pinned = session === null ? null : session.target;
    if (pinned !== null && !this.#tried.includes(pinned.pool) && pinned.rank(now) < Rank.down) return pinned;
    return this.#service.endpoints.pick(this.#tried, now, hash);
  }

  #leaveTarget(): void {
    if (!this.#atTarget) return;
    this.#atTarget = false;
    this.#target!.leave(this);
  }

  #bind(stream: UpstreamStream): void {
    this.#upstream = stream;
    this.#bound = true;
    stream.begin(this, this.#request);
    if (this.#kept !== null) this.#kept.sendTo(stream);
  }

  onConnected(stream: UpstreamStream): void {
    this.#bind(stream);
    this.#client.continueRequest();
  }

  sendBody(bytes: Buffer, start: number, end: number, source: ReadMemory): void {
    this.#bodyStarted = true;
    if (this.#taps !== null) for (const tap of this.#taps) tap.onRequestBody(bytes, start, end);
    this.#upstream!.sendBody(bytes, start, end, source);
  }

  endBody(trailers: string): void {
    this.#bodyStarted = true;
    if (this.#taps !== null) for (const tap of this.#taps) tap.onRequestBodyEnd(trailers);
    this.#upstream!.endBody(trailers);
  }

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
    const { status } = head;
    this.#target!.report(status >= 500);
    if (this.#retry !== null && this.#retry.wants(status) && this.#tryAgain(`backend-status-${status}`, false)) return;
    this.#responded = true;
    this.#client.sendHead(head, this.#edits());
  }

  /** To make to the backend's answer. */
  #edits(): HeaderEdits | null {
    const { response, session } = this.#decision;
    return session === null ? response : session.edits(response, this.#service.id, this.#target!);
  }

  onSwitchingProtocols(head: ResponseHead): void {
    if (!granted(this.#request.upgrade, head)) {
      this.#dropUpstream();
      return this.#fail(502, "backend-switched-protocols-unasked");
    }
    this.#responded = true;
    this.#tunnel = true;
    if (this.#timer !== null) this.#wheel.disarm(this.#timer);
    this.#client.sendSwitch(head, this.#edits());
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

  endTunnel(): void {
    this.#upstream?.endTunnel();
  }

  onFailure(kind: FailureKind, reason: string): void {
    this.#upstream = null;
    this.#bound = false;
    if (this.#over) return;
    if (this.#responded) return this.#breakOff(kind, reason);
    this.#record.reason = reason;
    if (kind === "overloaded") return this.#fail(503, reason);
    this.#target!.report(true);
    if (kind === "connect" || kind === "connect-timeout") {
      // Nothing was sent: another endpoint is always safe, whoever asks.
      this.#tried = [...this.#tried, this.#target!.pool];
      const another = this.#pick(performance.now());
      if (another !== undefined) return this.#goOn(another, false);
    }
    if (this.#retry !== null) {
      if (kind !== "invalid" && this.#tryAgain(reason, kind === "closed")) return;
    } else if ((kind === "refused" || (kind === "closed" && this.#request.replayable)) && this.#mayReplay()) {
      this.#replays++;
      // A connection that had idled may just have been stale: its endpoint is not to blame unless it is refused next.
      if (this.#service.endpoints.size > 1) this.#tried = [...this.#tried, this.#target!.pool];
      return this.#goOn(this.#pickAnew(), true);
    }
    this.#fail(kind === "connect-timeout" ? 504 : 502, reason);
  }

  #breakOff(kind: FailureKind, reason: string): void {
    // Both halves of a tunnel were closed in good order: what is still unsent to the client shall arrive.
    if (this.#tunnel && kind === "closed") return this.#client.endTunnel();
    this.#target!.report(true);
    this.#finish();
    this.#client.abort(reason);
  }

  /** Nothing came back: only what may be repeated is. */
  #mayReplay(): boolean {
    return !this.#bodyStarted && this.#replays < MOST_REPLAYS;
  }

  /** Another attempt by the route's policy, after a wait. False: it allows none, and the failure stands. */
  #tryAgain(reason: string, fresh: boolean): boolean {
    const wait = this.#retry!.next(performance.now());
    if (wait === NO_MORE) return false;
    this.#dropUpstream();
    this.#record.reason = reason;
    if (wait === BUDGET_SPENT) {
      this.#fail(503, "retry-budget-spent");
      return true;
    }
    this.#tried = [...this.#tried, this.#target!.pool];
    if (wait === 0) this.#goOn(this.#pickAnew(), fresh);
    else {
      this.#leaveTarget();
      this.#armTimer(performance.now(), false);
      this.#pause = setTimeout(() => this.#goOn(this.#pickAnew(), fresh), wait);
    }
    return true;
  }

  /** When all were tried, any of them. */
  #pickAnew(): Target | undefined {
    const now = performance.now();
    const untried = this.#pick(now);
    if (untried !== undefined) return untried;
    this.#tried = NO_POOLS;
    return this.#pick(now);
  }

  #goOn(target: Target | undefined, fresh: boolean): void {
    this.#target!.pool.counters.retries++;
    this.#record.retries++;
    const { requestTimeout } = this.#route;
    const now = performance.now();
    // The timer is coarse: what it has not noticed yet must not begin another attempt.
    if (requestTimeout > 0 && now - this.#started >= requestTimeout) return this.#fail(504, "request-timeout");
    this.#attempt(target, fresh, now);
    if (this.#bound) this.#client.continueRequest();
  }

  cancel(): void {
    if (this.#over) return;
    this.#dropUpstream();
    this.#finish();
  }

  /** Between attempts only the whole request's time counts. */
  #armTimer(now: number, attempting: boolean): void {
    if (this.#timer === null) return;
    const { requestTimeout, backendTimeout } = this.#route;
    const whole = requestTimeout > 0 ? this.#started + requestTimeout - now : Infinity;
    const attempt = attempting && backendTimeout > 0 ? backendTimeout : Infinity;
    const least = Math.max(0, Math.min(whole, attempt));
    if (least === Infinity) this.#wheel.disarm(this.#timer);
    else this.#wheel.arm(this.#timer, least);
  }

  #onTimeout(): void {
    if (this.#over) return;
    const { requestTimeout } = this.#route;
    const whole = requestTimeout > 0 && performance.now() - this.#started >= requestTimeout;
    const reason = whole ? "request-timeout" : "backend-request-timeout";
    if (this.#atTarget) this.#target!.report(true);
    this.#dropUpstream();
    if (this.#responded) {
      this.#finish();
      return this.#client.abort(reason);
    }
    if (!whole && this.#retry !== null && this.#tryAgain(reason, false)) return;
    this.#fail(504, reason);
  }

  #fail(status: number, reason: string): void {
    this.#finish();
    this.#client.answer({ status, reason, lines: this.#decision.ownLines });
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
    if (this.#pause !== null) clearTimeout(this.#pause);
    if (this.#timer !== null) this.#wheel.release(this.#timer);
    if (this.#taps !== null) for (const tap of this.#taps) tap.onOver();
    this.#leaveTarget();
    this.#service.counters.active--;
  }
}

/** Whether the backend switches to what was asked for, and nothing else (RFC 9110 section 7.8): what it says from here on is not
 * read any more. */
function granted(asked: string, head: ResponseHead): boolean {
  const protocols = listMembers(asked);
  const chosen = listMembers(head.getById(FieldId.upgrade) ?? "");
  return chosen.length > 0 && chosen.every((protocol) => protocols.includes(protocol));
}
