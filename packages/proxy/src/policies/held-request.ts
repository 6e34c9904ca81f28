// A request that is not sent on at once: its body is gathered first (buffer filter), or somebody is asked whether it may pass
// (external authorization), or both. Then it is an exchange like any other.

import type { AccessRecord } from "../access.ts";
import { Exchange } from "../exchange.ts";
import type { Downstream, RequestFlow } from "../request-flow.ts";
import type { HeaderEdits } from "../filters.ts";
import { withoutNames } from "../http1/head-writer.ts";
import type { ReadMemory } from "../io/transport.ts";
import type { OwnAnswer } from "../own-answer.ts";
import type { Forward, Hold } from "../route-request.ts";
import type { ServerContext } from "../server-context.ts";
import { Timer } from "../timer-wheel.ts";
import type { ServiceState } from "../upstream/service-state.ts";
import type { Target } from "../upstream/target.ts";
import type { OutgoingRequest } from "../upstream/upstream.ts";
import { checkRequest, GrpcVerdict, grpcQuestion } from "./auth-grpc.ts";
import { HttpVerdict, httpQuestion } from "./auth-http.ts";
import { CORS_FIELDS } from "./cors.ts";
import type { AuthTarget, Verdict } from "./external-auth.ts";
import { KeptBody } from "./kept-body.ts";
import { SubRequest } from "./sub-request.ts";

const NO_BODY = Buffer.alloc(0);
const CORS_NAMES: Set<string> = new Set(CORS_FIELDS);
const EXPECT: Set<string> = new Set(["expect"]);

/** One that says something else: a head that was written for `request` is not for it. */
function changed(
  request: OutgoingRequest,
  changes: Partial<Pick<OutgoingRequest, "lines" | "chunked">>,
): OutgoingRequest {
  return { ...request, text: null, ...changes };
}

/** Begins what a decision to forward comes to; `started` is performance.now() of the request. */
export function requestFlow(
  context: ServerContext,
  client: Downstream,
  decision: Forward,
  record: AccessRecord,
  started: number,
): RequestFlow {
  const { hold } = decision;
  if (hold === null) return new Exchange(context, client, decision, record, started);
  return new HeldRequest(context, client, decision, hold, record, started);
}

class HeldRequest implements RequestFlow {
  readonly #context: ServerContext;
  readonly #client: Downstream;
  readonly #decision: Forward;
  readonly #hold: Hold;
  readonly #record: AccessRecord;
  readonly #started: number;
  readonly #timer: Timer;
  /** Null when the body is not gathered. */
  readonly #body: KeptBody | null;
  #request: OutgoingRequest;
  #response: HeaderEdits | null;
  #gathering = false;
  /** Services that were asked. */
  #asked = 0;
  #check: SubRequest | null = null;
  #exchange: Exchange | null = null;
  #over = false;

  constructor(
    context: ServerContext,
    client: Downstream,
    decision: Forward,
    hold: Hold,
    record: AccessRecord,
    started: number,
  ) {
    this.#context = context;
    this.#client = client;
    this.#decision = decision;
    this.#hold = hold;
    this.#record = record;
    this.#started = started;
    this.#request = decision.request;
    this.#response = decision.response;
    this.#body = decision.request.hasBody && hold.longest < Infinity ? new KeptBody(hold.longest) : null;
    this.#timer = new Timer(() => this.#answer(504, "request-timeout"));
  }

  get service(): ServiceState | null {
    return this.#exchange?.service ?? null;
  }

  get target(): Target | null {
    return this.#exchange?.target ?? null;
  }

  get ready(): boolean {
    return this.#exchange === null ? this.#gathering : this.#exchange.ready;
  }

  get requestBlocked(): boolean {
    return this.#exchange !== null && this.#exchange.requestBlocked;
  }

  start(): void {
    const { requestTimeout } = this.#decision.route;
    if (requestTimeout > 0) this.#context.wheel.arm(this.#timer, requestTimeout);
    if (this.#body === null) return this.#goOn();
    if (this.#hold.bodyLength > this.#hold.longest) return this.#answer(413, "request-body-too-long");
    this.#gathering = true;
    if (this.#hold.expectsContinue) this.#client.sendContinue();
  }

  sendBody(bytes: Buffer, start: number, end: number, source: ReadMemory): void {
    if (this.#exchange !== null) this.#exchange.sendBody(bytes, start, end, source);
    else this.#body?.onRequestBody(bytes, start, end);
  }

  endBody(trailers: string): void {
    if (this.#exchange !== null) return this.#exchange.endBody(trailers);
    if (this.#over || this.#body === null) return;
    this.#body.onRequestBodyEnd(trailers);
    // What is too long is refused when the client's turn is over, in `flushRequest`.
    if (this.#body.overflowed) return;
    this.#gathering = false;
    this.#request = this.#gathered(this.#body);
    this.#goOn();
  }

  /** The length is known now, and nobody waits to be asked for the body any more. */
  #gathered({ size, trailers }: KeptBody): OutgoingRequest {
    const request = this.#request;
    const lines = this.#hold.expectsContinue ? withoutNames(request.lines, EXPECT) : request.lines;
    if (!request.chunked || trailers !== "") return changed(request, { lines });
    return changed(request, { chunked: false, lines: `${lines}Content-Length: ${size}\r\n` });
  }

  flushRequest(): boolean {
    if (this.#exchange !== null) return this.#exchange.flushRequest();
    if (!this.#over && this.#body?.overflowed === true) this.#answer(413, "request-body-too-long");
    return true;
  }

  /** Asks the next service, or sends the request on when all have let it pass. */
  #goOn(): void {
    const target = this.#hold.auth[this.#asked++];
    if (target === undefined) return this.#sendOn();
    if (target.service === null) return this.#answer(503, `external-auth-failed: ${target.problem}`);
    this.#check = this.#ask(target, target.service);
    this.#check.start(this.#context.limits.authTimeout);
  }

  /** How long a service may take for its answer. */
  #timeLeft(): number {
    const { requestTimeout } = this.#decision.route;
    const { authTimeout } = this.#context.limits;
    const left = requestTimeout > 0 ? this.#started + requestTimeout - performance.now() : Infinity;
    return Math.max(0, Math.min(authTimeout, left));
  }

  #ask(target: AuthTarget, service: ServiceState): SubRequest {
    const question = this.#hold.question!;
    const body = target.maxBodyBytes > 0 ? (this.#body?.bytes() ?? NO_BODY) : NO_BODY;
    const done = (verdict: Verdict): void => this.#onVerdict(verdict);
    if (target.protocol === "http") {
      const request = httpQuestion(question, target, body);
      return new SubRequest(this.#context, service, request, body, new HttpVerdict(target, done));
    }
    const request = grpcQuestion(service.id, this.#timeLeft());
    const message = checkRequest(question, target, body);
    return new SubRequest(this.#context, service, request, message, new GrpcVerdict(question, done));
  }

  #onVerdict(verdict: Verdict): void {
    this.#check = null;
    if (this.#over) return;
    if (verdict.type === "failed") return this.#answer(503, `external-auth-failed: ${verdict.reason}`);
    if (verdict.type === "deny") return this.#end(verdict.answer);
    const { request, response } = verdict;
    const lines = withoutNames(this.#request.lines, request.drop) + request.append;
    this.#request = changed(this.#request, { lines });
    const before = this.#response;
    if (response.append !== "") {
      this.#response = {
        drop: new Set([...(before?.drop ?? []), ...response.drop]),
        append: withoutNames(before?.append ?? "", response.drop) + response.append,
      };
    }
    this.#goOn();
  }

  #sendOn(): void {
    this.#context.wheel.release(this.#timer);
    const decision = { ...this.#decision, request: this.#request, response: this.#response };
    this.#exchange = new Exchange(this.#context, this.#client, decision, this.#record, this.#started, this.#body);
    this.#exchange.start();
    if (this.#exchange.ready) this.#client.continueRequest();
  }

  #answer(status: number, reason: string): void {
    this.#end({ status, reason, lines: "" });
  }

  #end(answer: OwnAnswer): void {
    if (this.#over) return;
    this.#finish();
    const { ownLines } = this.#decision;
    const lines = ownLines === "" ? answer.lines : withoutNames(answer.lines, CORS_NAMES) + ownLines;
    this.#client.answer({ ...answer, lines });
  }

  #finish(): void {
    this.#over = true;
    this.#gathering = false;
    this.#context.wheel.release(this.#timer);
    this.#check?.cancel();
    this.#check = null;
    this.#body?.onOver();
  }

  cancel(): void {
    if (this.#exchange !== null) return this.#exchange.cancel();
    if (!this.#over) this.#finish();
  }

  onClientDrain(): void {
    this.#exchange?.onClientDrain();
  }

  endTunnel(): void {
    this.#exchange?.endTunnel();
  }
}
