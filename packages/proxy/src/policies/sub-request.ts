// A request of the proxy's own to a service, e.g. to ask whether a client's may pass: small, with its body at hand, and sent
// again where an endpoint refuses or had closed an idle connection.

import type { ResponseHead } from "../http1/response-head.ts";
import type { ServerContext } from "../server-context.ts";
import { Timer } from "../timer-wheel.ts";
import type { EndpointPool } from "../upstream/endpoint-pool.ts";
import type { ServiceState } from "../upstream/service-state.ts";
import type { Target } from "../upstream/target.ts";
import type { FailureKind, OutgoingRequest, UpstreamStream, UpstreamUser } from "../upstream/upstream.ts";
import { OWN_MEMORY } from "./kept-body.ts";

/** What becomes of a sub-request: a response, its body, and its end; or, at any point, a failure. */
export interface SubRequestUser {
  /** `head` is valid until the call returns. */
  onAnswer(head: ResponseHead): void;
  onAnswerBody(bytes: Buffer, start: number, end: number): void;
  onAnswerEnd(trailers: string): void;
  onFailed(reason: string): void;
}

/** Connections that die without an answer are tried again as often. */
const MOST_REPLAYS = 2;

export class SubRequest implements UpstreamUser {
  readonly #context: ServerContext;
  readonly #service: ServiceState;
  readonly #request: OutgoingRequest;
  readonly #body: Buffer;
  readonly #user: SubRequestUser;
  readonly #timer: Timer;
  #tried: EndpointPool[] = [];
  #replays = 0;
  #target: Target | null = null;
  #stream: UpstreamStream | null = null;
  #answering = false;
  #over = false;

  /** `request.hasBody` says whether `body` is sent. */
  constructor(
    context: ServerContext,
    service: ServiceState,
    request: OutgoingRequest,
    body: Buffer,
    user: SubRequestUser,
  ) {
    this.#context = context;
    this.#service = service;
    this.#request = request;
    this.#body = body;
    this.#user = user;
    this.#timer = new Timer(() => this.#onTimeout());
  }

  /** `timeout` in milliseconds. */
  start(timeout: number): void {
    this.#context.wheel.arm(this.#timer, timeout);
    this.#attempt(false);
  }

  /** Nobody is interested any more. */
  cancel(): void {
    if (this.#over) return;
    this.#finish();
  }

  #attempt(fresh: boolean): void {
    const hash = Math.floor(Math.random() * 2 ** 32);
    const target = this.#service.endpoints.pick(this.#tried, performance.now(), hash);
    if (target === undefined) return this.#fail(this.#tried.length === 0 ? "no-ready-endpoint" : "no-endpoint-left");
    this.#target = target;
    const stream = target.enter(this, fresh, false);
    if (stream === null) return this.#fail("connection-queue-full");
    if (stream.ready) this.onConnected(stream);
    else this.#stream = stream;
  }

  onConnected(stream: UpstreamStream): void {
    this.#stream = stream;
    stream.begin(this, this.#request);
    if (this.#request.hasBody) {
      if (this.#body.length > 0) stream.sendBody(this.#body, 0, this.#body.length, OWN_MEMORY);
      stream.endBody("");
    }
    stream.flush();
  }

  onResponse(head: ResponseHead): void {
    this.#answering = true;
    this.#user.onAnswer(head);
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#user.onAnswerBody(bytes, start, end);
  }

  onResponseEnd(trailers: string): void {
    this.#stream = null;
    this.#finish();
    this.#user.onAnswerEnd(trailers);
  }

  onSwitchingProtocols(): void {
    this.#fail("switched-protocols-unasked");
  }

  onFailure(kind: FailureKind, reason: string): void {
    this.#stream = null;
    if (this.#over) return;
    const unsent = kind === "connect" || kind === "connect-timeout";
    const lost = kind === "closed" || kind === "refused";
    const replay = lost && !this.#answering && this.#replays < MOST_REPLAYS;
    if (unsent) this.#tried = [...this.#tried, this.#target!.pool];
    if ((!unsent && !replay) || (unsent && this.#tried.length >= this.#service.endpoints.size))
      return this.#fail(reason);
    if (replay) this.#replays++;
    this.#leave();
    this.#attempt(replay);
  }

  #onTimeout(): void {
    this.#fail("timeout");
  }

  #fail(reason: string): void {
    if (this.#over) return;
    this.#finish();
    this.#user.onFailed(reason);
  }

  #finish(): void {
    this.#over = true;
    this.#context.wheel.release(this.#timer);
    const stream = this.#stream;
    this.#stream = null;
    stream?.abandon();
    this.#leave();
  }

  #leave(): void {
    this.#target?.leave(this);
    this.#target = null;
  }

  onInformational(): void {}
  onReadDone(): void {}
  onUpstreamDrain(): void {}
}
