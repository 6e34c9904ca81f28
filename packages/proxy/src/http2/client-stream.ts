// One request of an HTTP/2 client and its answer: what client-connection.ts is for HTTP/1.1, on one stream of a session.

import { performance } from "node:perf_hooks";
import type { AccessRecord } from "../access.ts";
import type { CompiledRoute } from "../compiled-table.ts";
import type { Downstream, RequestFlow } from "../request-flow.ts";
import type { HeaderEdits } from "../filters.ts";
import { grpcAnswerLines, isGrpc } from "../grpc-status.ts";
import { Framing } from "../http1/field-lines.ts";
import { endToEndResponseLines, ownBody, ownFieldLines } from "../http1/head-writer.ts";
import { RequestHead } from "../http1/request-head.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { KeptBytes } from "../io/kept-bytes.ts";
import type { ReadMemory } from "../io/transport.ts";
import type { OwnAnswer } from "../own-answer.ts";
import { requestFlow } from "../policies/held-request.ts";
import { routeRequest } from "../route-request.ts";
import { Timer } from "../timer-wheel.ts";
import { readTrailers } from "./field-lists.ts";
import { ErrorCode, LARGEST_WINDOW } from "./frames.ts";
import { encodeFieldLines, encodeStatus } from "./hpack/encoder.ts";
import { readRequestFields } from "./request-fields.ts";
import { StreamOutput } from "./stream-output.ts";
import type { OutputOwner } from "./stream-output.ts";
import type { StreamOwner } from "./stream-owner.ts";
import { KEPT } from "./stream-writer.ts";

/** What a stream's request body may fill before it is taken on, in bytes. */
export const STREAM_WINDOW: number = 256 * 1024;
/** The client is told of room when there is so much of it. */
const WINDOW_STEP = STREAM_WINDOW / 2;
/** A client that takes fewer bytes than this in `stallTimeout`, and could have more, does not read but hold on. */
const LEAST_READ = 1024;

const scratch = new RequestHead();

export class ClientStream implements Downstream, OutputOwner {
  readonly id: number;
  readonly output: StreamOutput;
  readonly #owner: StreamOwner<ClientStream>;
  /** Names and values in turns, until the request is begun. */
  #fields: string[] | null;
  #exchange: RequestFlow | null = null;
  #record: AccessRecord | null = null;
  #route: CompiledRoute | null = null;
  #started = 0;
  #grpc = false;
  #toHead = false;
  /** The answer's head was given to the output. */
  #responding = false;
  /** Nothing is sent or expected any more. */
  #over = false;
  /** All of the request has come. */
  #requestEnded: boolean;
  /** As Content-Length has it, -1 when it has not. */
  #expected = -1;
  #received = 0;
  #requestTrailers = "";
  /** The backend has not been told that all has come. */
  #endDue = false;
  /** Read while the backend could not take it. */
  #pending: KeptBytes | null = null;
  /** Ends the time in which the rest of an answered request is read. */
  #lingering: Timer | null = null;
  /** Received and not yet credited: in `#pending`, or used up since the stream's window was last opened. */
  #unused = 0;
  #used = 0;
  /** In the list of those to flush. */
  flushDue = false;
  #receivedThen = 0;
  #sentThen = 0;
  #lookedAt = 0;

  /** The request is begun by its first DATA, or by `continueRequest`. */
  constructor(id: number, fields: string[], ended: boolean, window: number, owner: StreamOwner<ClientStream>) {
    this.id = id;
    this.#fields = fields;
    this.#requestEnded = ended;
    this.#owner = owner;
    this.output = new StreamOutput(id, window, this);
  }

  /** All of the request has come: nothing more may. */
  get requestEnded(): boolean {
    return this.#requestEnded;
  }

  /** The window that the client was given, less what it has used of it. */
  get window(): number {
    return STREAM_WINDOW - this.#unused - this.#used;
  }

  /** Serves the request, unless it has to wait for its end. */
  #begin(fields: readonly string[]): void {
    const { context, port } = this.#owner;
    this.#look(fields);
    const refusal = readRequestFields(scratch, fields, this.#requestEnded, context.limits);
    if (refusal === null && scratch.framing === Framing.length) {
      this.#expected = scratch.contentLength;
      // A body that shall have nothing in it may have all the same: the request goes on when it has not.
      if (this.#expected === 0 && !this.#requestEnded) return;
    }
    this.#fields = null;
    const record = this.#open(refusal === null ? scratch : null);
    if (refusal !== null) {
      if (refusal.status === 400) return this.breakOff(refusal.reason, ErrorCode.protocolError);
      return this.answer({ ...refusal, lines: "" });
    }
    const { listener } = port;
    const decision = routeRequest(listener, scratch, this.#owner.clientContext(listener));
    this.#route = decision.route;
    if (decision.route !== null) {
      record.route = decision.route.route.id;
      decision.route.counters.active++;
    }
    if (decision.type === "answer") return this.answer(decision.answer);
    this.#exchange = requestFlow(context, this, decision, record, this.#started);
    this.#exchange.start();
  }

  /** A head that is too long to be kept: it was not even read to its end. */
  refuseHead(): void {
    this.#fields = null;
    this.#open(null);
    this.breakOff("request-head-too-long", ErrorCode.enhanceYourCalm, 431);
  }

  #look(fields: readonly string[]): void {
    for (let at = 0; at < fields.length; at += 2) {
      const name = fields[at]!;
      if (name === "content-type") this.#grpc = isGrpc(fields[at + 1]);
      else if (name === ":method") this.#toHead = fields[at + 1] === "HEAD";
    }
  }

  /** Starts the account of a request; `head` is null when it could not be read. */
  #open(head: RequestHead | null): AccessRecord {
    const { port, context, address, remotePort } = this.#owner;
    this.#started = performance.now();
    port.counters.active++;
    this.#record = context.openRecord(port.listener.listener.name, address, remotePort, head, this.#started);
    return this.#record;
  }

  #report(): void {
    const record = this.#record;
    if (record === null) return;
    this.#record = null;
    record.duration = performance.now() - this.#started;
    const service = this.#exchange?.service ?? null;
    const endpoint = this.#exchange?.target?.pool ?? null;
    this.#owner.context.closeRecord(record, this.#owner.port, this.#route, service, endpoint);
    this.#exchange = null;
    this.#route = null;
  }

  /** An answer of the proxy's own. */
  answer(own: OwnAnswer): void {
    const record = this.#record!;
    const { status, reason } = own;
    const grpc = this.#grpc && status >= 400;
    const body = grpc ? "" : ownBody(own);
    const lines = grpc ? grpcAnswerLines(status, reason) : ownFieldLines(own, body);
    this.output.addHead(encodeStatus(grpc ? 200 : status) + encodeFieldLines(lines));
    if (!this.#toHead) this.output.addText(body);
    Object.assign(record, { status: grpc ? 200 : status, reason, bytes: this.#toHead ? 0 : body.length });
    this.#report();
    this.#end("");
  }

  /** bytes[start, end) of the body. */
  takeBody(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (this.#fields !== null && this.#expected < 0) this.#begin(this.#fields);
    this.#received += length;
    this.#unused += length;
    if (this.#expected >= 0 && this.#received > this.#expected)
      return this.breakOff("request-body-longer-than-length", ErrorCode.protocolError);
    const exchange = this.#exchange;
    if (exchange === null) return this.#use(length);
    if (length === 0) return;
    if (this.#holdsBody || !exchange.ready || exchange.requestBlocked)
      return (this.#pending ??= new KeptBytes()).add(bytes, start, end);
    this.#use(length);
    exchange.sendBody(bytes, start, end, this.#owner.memory);
    this.#owner.flushSoon(this);
  }

  get #holdsBody(): boolean {
    return this.#pending !== null && this.#pending.size > 0;
  }

  /** What stood around the content of a DATA frame: it counts for the windows, too. */
  takePadding(length: number): void {
    this.#unused += length;
    this.#use(length);
  }

  #use(length: number): void {
    this.#unused -= length;
    this.#used += length;
    this.#owner.credit(length);
  }

  takeTrailers(fields: readonly string[]): void {
    const trailers = readTrailers(fields);
    if (typeof trailers === "string") this.#requestTrailers = trailers;
    else this.breakOff(trailers.reason, ErrorCode.protocolError);
  }

  /** The body is complete. */
  endRequest(): void {
    this.#requestEnded = true;
    if (this.#over) return;
    if (this.#expected > this.#received)
      return this.breakOff("request-body-shorter-than-length", ErrorCode.protocolError);
    if (this.#lingering !== null) return this.#owner.forget(this);
    this.#endDue = true;
    this.#owner.flushSoon(this);
  }

  continueRequest(): void {
    if (this.#fields !== null) this.#begin(this.#fields);
    const exchange = this.#exchange;
    if (exchange === null || !exchange.ready) return;
    while (this.#holdsBody && exchange.ready && !exchange.requestBlocked) {
      const bytes = this.#pending!.shift();
      this.#use(bytes.length);
      exchange.sendBody(bytes, 0, bytes.length, KEPT);
    }
    const all = !this.#holdsBody;
    if (all && this.#endDue) {
      this.#endDue = false;
      exchange.endBody(this.#requestTrailers);
    }
    if (exchange.flushRequest() && all && !this.#requestEnded) this.#openWindow();
  }

  #openWindow(): void {
    if (this.#used < WINDOW_STEP || this.#over) return;
    this.#owner.openWindow(this, this.#used);
    this.#used = 0;
  }

  sendInformational(head: ResponseHead): void {
    this.#sendInterim(encodeStatus(head.status) + encodeFieldLines(endToEndResponseLines(head, null)));
  }

  sendContinue(): void {
    this.#sendInterim(encodeStatus(100));
  }

  #sendInterim(block: string): void {
    if (this.#over) return;
    this.output.addInformational(block);
    this.#owner.outbox.list(this.output);
  }

  sendHead(head: ResponseHead, edits: HeaderEdits | null): void {
    if (head.status > 599) {
      this.#exchange!.cancel();
      return this.answer({ status: 502, reason: "backend-status-invalid", lines: "" });
    }
    this.#responding = true;
    this.#record!.status = head.status;
    const block = encodeStatus(head.status) + encodeFieldLines(endToEndResponseLines(head, edits));
    this.output.addHead(edits === null ? block : block + encodeFieldLines(edits.append));
  }

  sendBody(bytes: Buffer, start: number, end: number, source: ReadMemory): void {
    if (this.#record === null || this.#over) return;
    this.#record.bytes += end - start;
    this.output.addBytes(bytes, start, end, source);
  }

  flush(): boolean {
    if (this.#record === null || this.#over) return true;
    const { output } = this;
    const { outbox } = this.#owner;
    outbox.list(output);
    this.#sendBorrowed();
    // What is small waits for the end of the turn. There may be more of it as long as it can be sent then.
    if (!outbox.blocked && output.waiting <= Math.max(0, Math.min(output.window, outbox.window))) return true;
    output.full = true;
    outbox.list(output);
    return false;
  }

  /** Memory that was read into is good until the read is over. */
  #sendBorrowed(): void {
    const { outbox } = this.#owner;
    if (!this.output.borrows) return;
    outbox.send();
    this.output.keep(outbox.unsent);
  }

  sendEnd(trailers: string): void {
    this.#record!.reason = "";
    this.#report();
    this.#end(trailers);
  }

  #end(trailers: string): void {
    if (this.#over) return;
    this.#pending = null;
    this.#use(this.#unused);
    if (!this.#requestEnded && !this.#grpc) this.#lendWindow();
    this.output.addEnd(trailers === "" ? "" : encodeFieldLines(trailers));
    this.#owner.outbox.list(this.output);
    this.#sendBorrowed();
  }

  onOutputSent(): void {
    if (this.#over) return;
    if (!this.output.ended) return this.#exchange?.onClientDrain();
    if (this.#requestEnded) return this.#owner.forget(this);
    // Who speaks gRPC knows from the answer's end that the call is over, and holds streams open in numbers.
    if (this.#grpc) return this.#stopRequest();
    // Not at once otherwise: curl 7.88 drops the answer when it reads the reset together with it.
    const { wheel, limits } = this.#owner.context;
    this.#lingering = new Timer(() => this.#stopRequest());
    wheel.arm(this.#lingering, limits.lingerTimeout);
  }

  /** Before the answer's end, room for all that may follow it, as it is only dropped. curl 7.88 reads nothing any more once
   * it has the whole answer: without a window it would ask for ever, and without a pause, whether it may send. */
  #lendWindow(): void {
    const left = this.#expected < 0 ? LARGEST_WINDOW : this.#expected - this.#received;
    const room = Math.min(left, LARGEST_WINDOW);
    this.#owner.lendWindow(room);
    const more = room - this.window;
    if (more <= 0) return;
    this.#owner.openWindow(this, more);
    this.#used -= more;
  }

  /** RFC 9113 section 8.1: with a complete answer the client may be told to keep the rest of its request. */
  #stopRequest(): void {
    this.#owner.reset(this, ErrorCode.noError);
  }

  /** No request reaches a tunnel: extended CONNECT (RFC 8441) is not offered. */
  sendSwitch(): void {
    this.#exchange!.cancel();
    this.abort("tunnel-over-http2");
  }

  endTunnel(): void {}

  abort(reason: string): void {
    this.#record!.reason = reason;
    this.#report();
    // What came before the break is good.
    this.#owner.outbox.hurry(this.output);
    this.#sendBorrowed();
    this.#owner.reset(this, ErrorCode.internalError);
  }

  /** The client's own fault. */
  breakOff(reason: string, code: number, status = 400): void {
    this.#exchange?.cancel();
    if (this.#record === null && this.#fields !== null) this.#open(null);
    if (this.#record !== null) {
      this.#record.reason = reason;
      if (!this.#responding) this.#record.status = status;
    }
    this.#report();
    this.#owner.reset(this, code);
  }

  /** The stream is over. `reason`: who has made it so, with `status` if there is no answer yet. Returns whether a request was under way. */
  onOver(reason: string, status = 499): boolean {
    const cancelled = this.#record !== null || this.#fields !== null;
    this.#over = true;
    this.#fields = null;
    if (this.#lingering !== null) this.#owner.context.wheel.release(this.#lingering);
    this.#exchange?.cancel();
    if (this.#record !== null) {
      this.#record.reason = reason;
      if (!this.#responding) this.#record.status = status;
      this.#report();
    }
    this.#pending = null;
    this.#owner.credit(this.#unused);
    this.#unused = 0;
    this.#owner.outbox.remove(this.output);
    this.output.drop();
    return cancelled;
  }

  /** Called now and then: gives the stream up when the client has neither read what there is nor sent what it owes for
   * `stallTimeout`. */
  checkProgress(now: number): void {
    if (this.#lingering !== null) return;
    const { sent, waiting } = this.output;
    const reads = waiting > 0 || (this.#record === null && this.#fields === null);
    const progress = reads ? sent - this.#sentThen >= LEAST_READ : this.#received !== this.#receivedThen;
    if (this.#lookedAt === 0 || progress || !(reads || this.#owesBody)) {
      this.#sentThen = sent;
      this.#receivedThen = this.#received;
      this.#lookedAt = now;
    } else if (now - this.#lookedAt >= this.#owner.context.limits.stallTimeout) this.#giveUp(reads);
  }

  get #owesBody(): boolean {
    if (this.#fields !== null) return true;
    // A stream of messages may be silent as long as it likes (gRPC, or whatever is being answered already).
    const reading = this.#exchange !== null && this.#exchange.ready && !this.#requestEnded;
    return reading && !this.#responding && !this.#grpc && !this.#holdsBody;
  }

  #giveUp(reads: boolean): void {
    const exchange = this.#exchange;
    if (reads || exchange === null) return this.breakOff("client-stalled", ErrorCode.cancel);
    exchange.cancel();
    this.answer({ status: 408, reason: "request-body-timeout", lines: "" });
  }
}
