// A copy of a request on its way to a mirror: sent as the original comes in, its answer read and dropped. Whatever the mirror
// does, the original neither waits nor hears of it: a mirror that lags behind is given up.

import { KeptBytes } from "../io/kept-bytes.ts";
import type { MirrorCounters } from "../stats.ts";
import type { ServerContext } from "../server-context.ts";
import { Timer } from "../timer-wheel.ts";
import type { TimerWheel } from "../timer-wheel.ts";
import type { EndpointPool } from "../upstream/endpoint-pool.ts";
import type { ServiceState } from "../upstream/service-state.ts";
import type { Target } from "../upstream/target.ts";
import type { FailureKind, OutgoingRequest, UpstreamStream, UpstreamUser } from "../upstream/upstream.ts";
import { OWN_MEMORY } from "./kept-body.ts";
import type { BodyTap } from "./kept-body.ts";
import type { MirrorTarget } from "./mirror.ts";

/** Starts the copies of `request` that its mirrors take; they want to be shown its body. */
export function mirrorRequest(
  context: ServerContext,
  mirrors: MirrorTarget[],
  request: OutgoingRequest,
): MirroredRequest[] {
  // Behind an upgrade is a conversation, of which one cannot have two.
  if (request.upgrade !== "") return [];
  const started: MirroredRequest[] = [];
  for (const mirror of mirrors) {
    if (!mirror.takes()) continue;
    const { counters } = mirror.service;
    if (counters.mirrored.active >= context.limits.mirroredRequests) counters.mirrored.dropped++;
    else started.push(new MirroredRequest(context, mirror.service, request));
  }
  return started;
}

export class MirroredRequest implements UpstreamUser, BodyTap {
  readonly #wheel: TimerWheel;
  readonly #longest: number;
  readonly #service: ServiceState;
  readonly #counters: MirrorCounters;
  readonly #request: OutgoingRequest;
  readonly #timer: Timer;
  /** Endpoints that refused. */
  #tried: EndpointPool[] = [];
  #target: Target | null = null;
  #stream: UpstreamStream | null = null;
  #bound = false;
  #fresh = false;
  /** Body that could not be sent yet. */
  readonly #waiting = new KeptBytes();
  #bodySent = false;
  #ended = false;
  #trailers = "";
  #over = false;

  constructor(context: ServerContext, service: ServiceState, request: OutgoingRequest) {
    this.#wheel = context.wheel;
    this.#longest = context.limits.mirrorBytes;
    this.#service = service;
    this.#counters = service.counters.mirrored;
    this.#request = request;
    this.#ended = !request.hasBody;
    this.#timer = new Timer(() => this.#drop());
    this.#wheel.arm(this.#timer, context.limits.mirrorTimeout);
    this.#counters.active++;
    this.#start(false);
  }

  /** `fresh` as of `EndpointPool.acquire`. */
  #start(fresh: boolean): void {
    this.#fresh = fresh;
    const now = performance.now();
    const target = this.#service.endpoints.pick(this.#tried, now, Math.floor(Math.random() * 2 ** 32));
    if (target === undefined) return this.#fail();
    // Where requests of clients queue already there is no room for copies.
    if (target.gate !== null && !target.gate.free) return this.#drop();
    this.#target = target;
    const stream = target.enter(this, fresh, false)!;
    if (stream.ready) this.onConnected(stream);
    else this.#stream = stream;
  }

  onConnected(stream: UpstreamStream): void {
    this.#stream = stream;
    this.#bound = true;
    stream.begin(this, this.#request);
    this.#send();
  }

  onRequestBody(bytes: Buffer, start: number, end: number): void {
    if (this.#over) return;
    if (this.#waiting.size + end - start > this.#longest) return this.#drop();
    this.#waiting.add(bytes, start, end);
    this.#send();
  }

  onRequestBodyEnd(trailers: string): void {
    if (this.#over) return;
    this.#ended = true;
    this.#trailers = trailers;
    this.#send();
  }

  onOver(): void {
    if (!this.#ended) this.#drop();
  }

  onUpstreamDrain(): void {
    this.#send();
  }

  #send(): void {
    const stream = this.#stream;
    if (!this.#bound || stream === null || stream.blocked) return;
    if (this.#waiting.size > 0) this.#bodySent = true;
    for (const piece of this.#waiting.pieces()) stream.sendBody(piece, 0, piece.length, OWN_MEMORY);
    this.#waiting.clear();
    if (this.#ended && this.#request.hasBody) {
      this.#bodySent = true;
      this.#bound = false;
      stream.endBody(this.#trailers);
    }
    stream.flush();
  }

  onResponseEnd(): void {
    this.#stream = null;
    this.#counters.answered++;
    this.#finish();
  }

  onFailure(kind: FailureKind): void {
    this.#stream = null;
    this.#bound = false;
    if (this.#over) return;
    const unsent = kind === "connect" || kind === "connect-timeout";
    // A connection that had idled may have been closed meanwhile.
    const stale = (kind === "closed" || kind === "refused") && !this.#fresh && !this.#bodySent;
    if (!unsent && !stale) return this.#fail();
    if (unsent) this.#tried = [...this.#tried, this.#target!.pool];
    this.#leave();
    this.#start(stale);
  }

  onSwitchingProtocols(): void {
    this.#drop();
  }

  #drop(): void {
    if (this.#over) return;
    this.#stream?.abandon();
    this.#stream = null;
    this.#counters.dropped++;
    this.#finish();
  }

  #fail(): void {
    this.#counters.failed++;
    this.#finish();
  }

  #finish(): void {
    this.#over = true;
    this.#bound = false;
    this.#waiting.clear();
    this.#counters.active--;
    this.#wheel.release(this.#timer);
    this.#leave();
  }

  #leave(): void {
    this.#target?.leave(this);
    this.#target = null;
  }

  onInformational(): void {}
  onResponse(): void {}
  onBody(): void {}
  onReadDone(): void {}
}
