// One request to an endpoint that speaks HTTP/2, and its answer: what upstream-connection.ts is for HTTP/1.1, on one stream of
// a session that others share.

import { constants } from "node:http2";
import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from "node:http2";
import { Framing } from "../http1/field-lines.ts";
import { ResponseHead } from "../http1/response-head.ts";
import type { ReadMemory } from "../io/transport.ts";
import type { FailureKind, OutgoingRequest, UpstreamStream, UpstreamUser } from "../upstream/upstream.ts";
import { addFieldLines, headOf, objectOf, readTrailers } from "./field-lists.ts";
import type { FieldList } from "./field-lists.ts";
import { readResponseFields } from "./response-fields.ts";
import { KEPT, StreamWriter } from "./stream-writer.ts";
import { atEndOfTurn } from "./turn.ts";
import type { Gathering } from "./turn.ts";
import { errorName } from "./frames.ts";
import { NO_BODY, WITH_BODY } from "./upstream-session.ts";
import type { UpstreamSession } from "./upstream-session.ts";

const { NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM, NGHTTP2_FLAG_END_STREAM } = constants;

const OWNER = Symbol("owner");
type OwnedStream = ClientHttp2Stream & { [OWNER]?: Http2UpstreamStream };
type ResponseHeaders = IncomingHttpHeaders & IncomingHttpStatusHeader;

const scratch = new ResponseHead();

/** Whoever connects it with a session. */
export interface StreamSource {
  /** The longest head of an answer, in bytes. */
  readonly headBytes: number;
  /** Of the endpoint, `host:port`. */
  readonly address: string;
  /** Nobody needs it any more: it was never given a session. */
  giveUp(stream: Http2UpstreamStream): void;
}

export class Http2UpstreamStream implements UpstreamStream, Gathering {
  readonly memory: ReadMemory = KEPT;
  #user: UpstreamUser | null;
  readonly #source: StreamSource;
  #session: UpstreamSession | null = null;
  #stream: OwnedStream | null = null;
  #out: StreamWriter<OwnedStream> | null = null;
  #toHead = false;
  #hasBody = false;
  #bodyEnded = true;
  #requestTrailers = "";
  #answered = false;
  #sized = false;
  #remaining = 0;
  #trailers = "";
  #readDue = false;

  constructor(user: UpstreamUser, source: StreamSource) {
    this.#user = user;
    this.#source = source;
  }

  /** Whom it works for; null when it was given up. */
  get user(): UpstreamUser | null {
    return this.#user;
  }

  /** Takes room in a session that has some. */
  join(session: UpstreamSession): this {
    this.#session = session;
    session.enter();
    return this;
  }

  get ready(): boolean {
    return this.#session !== null;
  }

  get reused(): boolean {
    return this.#session !== null && this.#session.used;
  }

  begin(user: UpstreamUser, request: OutgoingRequest): void {
    this.#user = user;
    this.#toHead = request.method === "HEAD";
    this.#hasBody = request.hasBody;
    this.#bodyEnded = !request.hasBody;
    const { method, scheme, target } = request;
    // HTTP/1.0 need not name a host.
    const authority = request.host === "" ? this.#source.address : request.host;
    const fields: FieldList = [":method", method, ":scheme", scheme, ":authority", authority, ":path", target];
    addFieldLines(fields, request.lines);
    if (request.acceptsTrailers) fields.push("te", "trailers");
    const stream: OwnedStream = this.#session!.request(headOf(fields), request.hasBody ? WITH_BODY : NO_BODY);
    stream[OWNER] = this;
    this.#stream = stream;
    this.#out = new StreamWriter(stream, onDrain);
    stream.on("response", onResponse).on("headers", onInformational).on("trailers", onTrailers);
    stream.on("error", ignore).on("close", onClose);
    if (request.hasBody) stream.on("wantTrailers", onWantTrailers);
  }

  sendBody(bytes: Buffer, start: number, end: number, source: ReadMemory): void {
    this.#out!.addBytes(bytes, start, end, source);
  }

  endBody(trailers: string): void {
    this.#bodyEnded = true;
    this.#requestTrailers = trailers;
    if (this.#hasBody) this.#out!.end();
  }

  sendTrailers(): void {
    const fields: FieldList = [];
    addFieldLines(fields, this.#requestTrailers);
    this.#stream!.sendTrailers(objectOf(fields));
  }

  flush(): boolean {
    return this.#out === null || this.#stream!.destroyed || this.#out.flush();
  }

  get blocked(): boolean {
    return this.#out !== null && this.#out.blocked;
  }

  drained(): void {
    this.#out!.drained();
    this.#user?.onUpstreamDrain();
  }

  pause(): void {
    this.#stream!.pause();
  }

  resume(): void {
    this.#stream!.resume();
  }

  /** Only HTTP/1.1 has tunnels here. */
  endTunnel(): void {}

  abandon(): void {
    this.#user = null;
    if (this.#stream !== null) this.#cancel(this.#stream);
    else if (this.#session !== null) this.#session.leave();
    else this.#source.giveUp(this);
  }

  takeInformational(status: number, fields: readonly string[]): void {
    if (this.#user === null) return;
    const reason = this.#readHead(status, fields);
    if (reason !== "") this.#refuse("invalid", reason);
    else this.#user.onInformational(scratch);
  }

  #readHead(status: number, fields: readonly string[]): string {
    return readResponseFields(scratch, status, fields, { toHead: this.#toHead, longest: this.#source.headBytes });
  }

  takeHead(status: number, fields: readonly string[], ended: boolean): void {
    const user = this.#user;
    if (user === null) return;
    this.#answered = true;
    const reason = this.#readHead(status, fields);
    if (reason !== "") return this.#refuse("invalid", reason);
    this.#sized = scratch.framing === Framing.length;
    this.#remaining = scratch.contentLength;
    user.onResponse(scratch);
    if (this.#user !== user) return;
    if (ended) return this.end();
    this.#stream!.on("end", onEnd).on("data", onData);
    this.#readSoon();
  }

  takeBody(bytes: Buffer): void {
    if (this.#user === null) return;
    this.#remaining -= bytes.length;
    if (this.#sized && this.#remaining < 0) return this.#refuse("broken", "backend-body-longer-than-length");
    this.#user.onBody(bytes, 0, bytes.length);
    this.#readSoon();
  }

  #readSoon(): void {
    if (this.#readDue) return;
    this.#readDue = true;
    atEndOfTurn(this);
  }

  passOn(): void {
    if (!this.#readDue) return;
    this.#readDue = false;
    this.#user?.onReadDone();
  }

  takeTrailers(fields: readonly string[]): void {
    const trailers = readTrailers(fields);
    if (typeof trailers === "string") this.#trailers = trailers;
    else this.#refuse("broken", `backend-${trailers.reason}`);
  }

  /** The answer is whole, as far as the stream knows. */
  end(): void {
    const user = this.#user;
    if (user === null) return;
    if (this.#sized && this.#remaining > 0) return this.#refuse("broken", "backend-closed-mid-response");
    this.#user = null;
    // RFC 9113 section 8.1: with the answer complete, the rest of the request is of no use to anybody.
    if (!this.#bodyEnded) this.#stream!.close(NGHTTP2_CANCEL);
    user.onResponseEnd(this.#trailers);
  }

  #refuse(kind: FailureKind, reason: string): void {
    this.passOn();
    const user = this.#user;
    this.#user = null;
    this.#cancel(this.#stream!);
    user?.onFailure(kind, reason);
  }

  /** What came of an answer that nobody wants must be read all the same: until then the stream does not close. */
  #cancel(stream: OwnedStream): void {
    stream.close(NGHTTP2_CANCEL);
    stream.resume();
  }

  onClose(): void {
    this.passOn();
    const session = this.#session!;
    const stream = this.#stream!;
    const user = this.#user;
    this.#user = null;
    session.leave();
    if (user === null) return;
    // Not looked at by the endpoint, whatever of it has been sent.
    if (session.refuses(stream) || stream.rstCode === NGHTTP2_REFUSED_STREAM) {
      return user.onFailure("refused", "backend-refused-stream");
    }
    if (!session.gone) return user.onFailure("broken", `backend-reset-stream-${errorName(stream.rstCode)}`);
    user.onFailure(this.#answered ? "broken" : "closed", "backend-connection-closed");
  }
}

function ignore(): void {}

// One listener for all streams: what belongs to which is found at the stream.

function onResponse(this: OwnedStream, headers: ResponseHeaders, flags: number, fields: string[]): void {
  this[OWNER]!.takeHead(headers[":status"]!, fields, (flags & NGHTTP2_FLAG_END_STREAM) !== 0);
}

function onInformational(this: OwnedStream, headers: ResponseHeaders, _flags: number, fields: string[]): void {
  this[OWNER]!.takeInformational(headers[":status"]!, fields);
}

function onTrailers(this: OwnedStream, _trailers: IncomingHttpHeaders, _flags: number, fields: string[]): void {
  this[OWNER]!.takeTrailers(fields);
}

function onData(this: OwnedStream, bytes: Buffer): void {
  this[OWNER]!.takeBody(bytes);
}

function onEnd(this: OwnedStream): void {
  this[OWNER]!.end();
}

function onDrain(this: OwnedStream): void {
  this[OWNER]!.drained();
}

function onWantTrailers(this: OwnedStream): void {
  this[OWNER]!.sendTrailers();
}

function onClose(this: OwnedStream): void {
  this[OWNER]!.onClose();
}
