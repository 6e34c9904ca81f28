// One request of an HTTP/2 client and its answer: what client-connection.ts is for HTTP/1.1, on one stream of a session.

import { performance } from "node:perf_hooks";
import { constants } from "node:http2";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { AccessRecord } from "../access.ts";
import type { CompiledListener, CompiledRoute } from "../compiled-table.ts";
import type { Downstream, RequestFlow } from "../exchange.ts";
import type { HeaderEdits } from "../filters.ts";
import { grpcAnswerLines, isGrpc } from "../grpc-status.ts";
import { Framing } from "../http1/field-lines.ts";
import { endToEndResponseLines, ownBody, ownFieldLines } from "../http1/head-writer.ts";
import { RequestHead } from "../http1/request-head.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import { FieldId } from "../http1/tokens.ts";
import type { ReadMemory } from "../io/transport.ts";
import type { OwnAnswer } from "../own-answer.ts";
import { requestFlow } from "../policies/held-request.ts";
import { routeRequest } from "../route-request.ts";
import type { ClientContext } from "../route-request.ts";
import type { AcceptingPort, ServerContext } from "../server-context.ts";
import { addFieldLines, headOf, objectOf, readTrailers } from "./field-lists.ts";
import type { FieldList } from "./field-lists.ts";
import { readRequestFields } from "./request-fields.ts";
import { isLarge, KEPT, StreamWriter } from "./stream-writer.ts";
import { atEndOfTurn } from "./turn.ts";
import type { Gathering } from "./turn.ts";

const { NGHTTP2_NO_ERROR } = constants;

/** What a stream needs of its connection. */
export interface StreamOwner {
  readonly port: AcceptingPort;
  readonly context: ServerContext;
  readonly address: string;
  readonly remotePort: number;
  readonly gone: boolean;
  clientContext(listener: CompiledListener): ClientContext;
  /** The stream has ended. `cancelled`: before its answer had, and not by us. */
  forget(stream: ClientStream, cancelled: boolean): void;
}

const LAST_FRAME = { endStream: true, sendDate: false };
const MORE_FRAMES = { sendDate: false };
const TRAILERS_MAY_FOLLOW = { waitForTrailers: true, sendDate: false };

const BROKEN_OFF = new Error("broken off");

const OWNER = Symbol("owner");
type OwnedStream = ServerHttp2Stream & { [OWNER]?: ClientStream };

const scratch = new RequestHead();

export class ClientStream implements Downstream, Gathering {
  readonly #stream: ServerHttp2Stream;
  readonly #owner: StreamOwner;
  readonly #out: StreamWriter<OwnedStream>;
  #exchange: RequestFlow | null = null;
  #record: AccessRecord | null = null;
  #route: CompiledRoute | null = null;
  #started = 0;
  #grpc = false;
  #toHead = false;
  /** The answer's head, until it is clear whether anything follows it. */
  #head: FieldList | null = null;
  #responding = false;
  #trailersMayFollow = false;
  #trailers = "";
  #resetByUs = false;
  /** All of the request has come. */
  #requestEnded = true;
  #reading = false;
  #received = 0;
  #requestTrailers = "";
  /** The backend has not been told that all has come. */
  #endDue = false;
  #flushDue = false;
  /** Read while the backend could not take it. */
  #pending: Buffer[] = [];
  #progress = -1;
  #progressAt = 0;

  constructor(stream: ServerHttp2Stream, owner: StreamOwner) {
    this.#stream = stream;
    this.#owner = owner;
    this.#out = new StreamWriter(stream, onDrain);
    (stream as OwnedStream)[OWNER] = this;
    stream.on("close", onClose);
  }

  /** Serves the request whose header list this is. */
  begin(headers: IncomingHttpHeaders, fields: readonly string[]): void {
    const { context, port } = this.#owner;
    const ended = this.#stream.endAfterHeaders;
    this.#requestEnded = ended;
    this.#grpc = isGrpc(headers["content-type"]);
    this.#toHead = headers[":method"] === "HEAD";
    const refusal = readRequestFields(scratch, fields, ended, context.limits);
    const record = this.#open(refusal === null ? scratch : null);
    if (refusal !== null) return this.answer({ ...refusal, lines: "" });
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
    this.continueRequest();
  }

  /** Starts the account of a request; `head` is null when it could not be read. */
  #open(head: RequestHead | null): AccessRecord {
    const { port, context, address, remotePort } = this.#owner;
    this.#started = performance.now();
    port.counters.active++;
    this.#record = context.openRecord(port.listener.listener.name, address, remotePort, head);
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
    this.#head = [":status", grpc ? 200 : status];
    addFieldLines(this.#head, grpc ? grpcAnswerLines(status, reason) : ownFieldLines(own, body));
    if (!this.#toHead) this.#out.addSmall(Buffer.from(body, "latin1"));
    Object.assign(record, { status: grpc ? 200 : status, reason, bytes: this.#toHead ? 0 : body.length });
    this.#end("");
    this.#report();
  }

  continueRequest(): void {
    const exchange = this.#exchange;
    if (exchange === null || !exchange.ready) return;
    while (this.#pending.length > 0 && exchange.ready && !exchange.requestBlocked) {
      const bytes = this.#pending.shift()!;
      exchange.sendBody(bytes, 0, bytes.length, KEPT);
    }
    const all = this.#pending.length === 0;
    if (all && this.#endDue) {
      this.#endDue = false;
      exchange.endBody(this.#requestTrailers);
    }
    if (!exchange.flushRequest() || !all || this.#requestEnded) return;
    if (!this.#reading) this.#startReading();
    else this.#stream.resume();
  }

  #startReading(): void {
    this.#reading = true;
    this.#stream.on("trailers", onTrailers).on("end", onEnd).on("data", onData);
  }

  /** A piece of the request's body. */
  take(bytes: Buffer): void {
    const exchange = this.#exchange;
    this.#received += bytes.length;
    if (exchange === null) return;
    if (this.#pending.length > 0 || !exchange.ready || exchange.requestBlocked) {
      this.#pending.push(bytes);
      this.#stream.pause();
      return;
    }
    exchange.sendBody(bytes, 0, bytes.length, KEPT);
    this.#scheduleFlush();
  }

  takeTrailers(fields: readonly string[]): void {
    const trailers = readTrailers(fields);
    if (typeof trailers === "string") this.#requestTrailers = trailers;
    else this.#breakOff(trailers.reason);
  }

  /** The body is complete, unless the stream was reset. */
  endRequest(): void {
    if (this.#stream.aborted) return;
    this.#requestEnded = true;
    this.#endDue = true;
    this.continueRequest();
  }

  #scheduleFlush(): void {
    if (this.#flushDue) return;
    this.#flushDue = true;
    atEndOfTurn(this);
  }

  passOn(): void {
    this.#flushDue = false;
    if (this.#exchange !== null && !this.#exchange.flushRequest()) this.#stream.pause();
  }

  sendInformational(head: ResponseHead): void {
    if (this.#closed) return;
    const fields: FieldList = [":status", head.status];
    addFieldLines(fields, endToEndResponseLines(head, null));
    this.#stream.additionalHeaders(objectOf(fields));
  }

  sendContinue(): void {
    if (!this.#closed) this.#stream.additionalHeaders({ ":status": 100 });
  }

  sendHead(head: ResponseHead, edits: HeaderEdits | null): void {
    if (head.status > 599) {
      this.#exchange!.cancel();
      return this.answer({ status: 502, reason: "backend-status-invalid", lines: "" });
    }
    this.#responding = true;
    this.#record!.status = head.status;
    const fields: FieldList = [":status", head.status];
    addFieldLines(fields, endToEndResponseLines(head, edits));
    if (edits !== null) addFieldLines(fields, edits.append);
    this.#head = fields;
    this.#trailersMayFollow = head.framing === Framing.chunked || head.getById(FieldId.trailer) !== undefined;
  }

  #respond(options: object): void {
    const head = this.#head;
    if (head === null) return;
    this.#head = null;
    this.#stream.respond(headOf(head), options);
  }

  sendBody(bytes: Buffer, start: number, end: number, source: ReadMemory): void {
    if (this.#record === null || this.#closed) return;
    this.#record.bytes += end - start;
    if (isLarge(end - start)) this.#respondFirst();
    this.#out.addBytes(bytes, start, end, source);
  }

  /** More than the head follows. */
  #respondFirst(): void {
    this.#respond(this.#trailersMayFollow ? TRAILERS_MAY_FOLLOW : MORE_FRAMES);
  }

  flush(): boolean {
    if (this.#record === null || this.#closed) return true;
    this.#respondFirst();
    return this.#out.flush();
  }

  drained(): void {
    this.#out.drained();
    this.#exchange?.onClientDrain();
  }

  sendEnd(trailers: string): void {
    this.#end(trailers);
    this.#record!.reason = "";
    this.#report();
  }

  #end(trailers: string): void {
    if (this.#closed) return;
    if (this.#head !== null) {
      this.#trailersMayFollow = trailers !== "";
      if (trailers === "" && this.#out.empty) this.#respond(LAST_FRAME);
      else this.#respondFirst();
    }
    const withTrailers = trailers !== "" && this.#trailersMayFollow;
    if (withTrailers) {
      this.#trailers = trailers;
      this.#stream.on("wantTrailers", onWantTrailers);
    }
    this.#out.end();
    if (!withTrailers) this.#stopRequest();
  }

  sendTrailers(): void {
    const fields: FieldList = [];
    addFieldLines(fields, this.#trailers);
    this.#stream.sendTrailers(objectOf(fields));
    if (!this.#requestEnded) setImmediate(() => this.#stopRequest());
  }

  /** RFC 9113 section 8.1: with a complete answer the client is told to keep the rest of its request. */
  #stopRequest(): void {
    if (this.#requestEnded) return;
    this.#pending = [];
    this.#stream.close(NGHTTP2_NO_ERROR);
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
    this.#reset();
  }

  /** The client's own fault. */
  #breakOff(reason: string): void {
    this.#exchange?.cancel();
    if (this.#record !== null) {
      this.#record.reason = reason;
      if (!this.#responding) this.#record.status = 400;
    }
    this.#report();
    this.#reset();
  }

  /** RST_STREAM. Not by `close`, which would end the body in good order first: what is cut off would look whole. */
  #reset(): void {
    this.#resetByUs = true;
    this.#pending = [];
    this.#stream.destroy(BROKEN_OFF);
  }

  get #closed(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  /** The stream is gone. */
  onClose(): void {
    const cancelled = this.#stream.rstCode !== NGHTTP2_NO_ERROR && !this.#resetByUs;
    this.#pending = [];
    this.#exchange?.cancel();
    if (this.#record !== null) {
      this.#record.reason = this.#owner.gone ? "client-closed-connection" : "client-reset-stream";
      if (!this.#responding) this.#record.status = 499;
      this.#report();
      this.#owner.forget(this, cancelled);
    } else this.#owner.forget(this, false);
  }

  /** Called now and then: gives the stream up when the client has neither read what there is nor sent what it owes for
   * `stallTimeout`. */
  checkProgress(now: number): void {
    const unsent = this.#stream.bufferSize;
    const progress = this.#received + this.#out.written - unsent;
    if (progress !== this.#progress || !this.#waitsForClient(unsent)) {
      this.#progress = progress;
      this.#progressAt = now;
    } else if (now - this.#progressAt >= this.#owner.context.limits.stallTimeout) this.#giveUp(unsent);
  }

  #waitsForClient(unsent: number): boolean {
    if (unsent > 0 || this.#record === null) return true;
    // A stream of messages may be silent as long as it likes (gRPC, or whatever is being answered already).
    return this.#reading && !this.#requestEnded && !this.#responding && !this.#grpc && this.#pending.length === 0;
  }

  #giveUp(unsent: number): void {
    const exchange = this.#exchange;
    if (unsent > 0 || this.#record === null || exchange === null) return this.#breakOff("client-stalled");
    exchange.cancel();
    this.answer({ status: 408, reason: "request-body-timeout", lines: "" });
  }
}

// One listener for all streams: what belongs to which is found at the stream.

function onClose(this: OwnedStream): void {
  this[OWNER]!.onClose();
}

function onData(this: OwnedStream, bytes: Buffer): void {
  this[OWNER]!.take(bytes);
}

function onEnd(this: OwnedStream): void {
  this[OWNER]!.endRequest();
}

function onTrailers(this: OwnedStream, _trailers: IncomingHttpHeaders, _flags: number, fields: string[]): void {
  this[OWNER]!.takeTrailers(fields);
}

function onDrain(this: OwnedStream): void {
  this[OWNER]!.drained();
}

function onWantTrailers(this: OwnedStream): void {
  this[OWNER]!.sendTrailers();
}
