// How the proxy's own parsers read a stream of bytes that arrives in given pieces, and what it would send on; without sockets.

import { ForwardingFields } from "../forwarding-fields.ts";
import { ChunkedDecoder } from "../http1/chunked.ts";
import { Framing, INCOMPLETE, REFUSED } from "../http1/field-lines.ts";
import { HeadReader } from "../http1/head-buffer.ts";
import { requestHeadText, responseHeadText } from "../http1/head-writer.ts";
import { RequestHead } from "../http1/request-head.ts";
import { ResponseHead } from "../http1/response-head.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { offlineCompiler } from "../proxy.ts";
import { routeRequest } from "../route-request.ts";
import { listener, route, service, table } from "../testing/tables.ts";

export interface ReadMessage {
  /** Method and request target as sent, or the status. */
  start: string;
  /** Latin-1. */
  body: string;
  /** What is sent on for it; empty when the proxy answers itself. */
  forwarded: string;
  /** Request target as sent on. */
  target: string;
}

export interface Reading {
  messages: ReadMessage[];
  /** What the stream came to: refused for `reason`, in the middle of a message, done and open for more, or closed behind the
   * last message (what follows is not read). */
  end: "refused" | "incomplete" | "open" | "closed";
  reason: string;
  /** Bodies of messages that did not come to their end. */
  unfinished: string;
}

/** What is known of the client. */
export const facts = {
  address: "192.0.2.1",
  trusted: false,
  tls: false,
  serverName: null,
  clientCertificate: null,
  localPort: 80,
};
const addresses = {
  sourceAddress: facts.address,
  sourcePort: 1,
  destinationAddress: facts.address,
  destinationPort: facts.localPort,
};
const client = { facts, forwarding: new ForwardingFields(facts, "gateway-1"), connection: { addresses } };
const compiled = offlineCompiler()
  .update(table([listener({ "*": [route("/*", "s", { id: "r" })] })], [service("s", [1])]))
  .get("web")!;

/** Around every piece lies what could be taken for more of it, as in the buffer that connections share. */
const MARGIN = 4;
const POISON = ["\r".charCodeAt(0), "\n".charCodeAt(0), "0".charCodeAt(0), " ".charCodeAt(0)];

abstract class Reader {
  readonly messages: ReadMessage[] = [];
  end: Reading["end"] = "open";
  reason = "";
  protected message: ReadMessage = { start: "", body: "", forwarded: "", target: "" };
  #inBody = false;
  #decoder: ChunkedDecoder | null = null;
  #remaining = 0;
  #untilClose = false;
  #chunked = false;

  /** Reads on, from `at`: the position behind the head, INCOMPLETE or REFUSED. */
  protected abstract readHead(bytes: Buffer, at: number, end: number): number;
  /** A message is over. False: nothing follows. */
  protected abstract over(): boolean;

  take(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && this.end !== "refused" && this.end !== "closed") {
      at = this.#inBody ? this.#readBody(bytes, at, end) : this.#begin(bytes, at, end);
    }
  }

  #begin(bytes: Buffer, at: number, end: number): number {
    const after = this.readHead(bytes, at, end);
    if (after === INCOMPLETE) this.end = "incomplete";
    if (after === REFUSED) this.end = "refused";
    return after > 0 ? after : end;
  }

  /** Behind a head: what its body is, and whether it is framed anew. */
  protected expect(framing: number, length: number, chunked: boolean): void {
    this.#chunked = chunked;
    this.#decoder = framing === Framing.chunked ? new ChunkedDecoder() : null;
    this.#remaining = length;
    this.#untilClose = framing === Framing.untilClose;
    this.#inBody = this.#decoder !== null || this.#untilClose || length > 0;
    this.end = "incomplete";
    if (!this.#inBody) this.#finish("");
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    const text = bytes.toString("latin1", start, end);
    this.message.body += text;
    this.message.forwarded += this.#chunked ? `${text.length.toString(16)}\r\n${text}\r\n` : text;
  }

  #readBody(bytes: Buffer, at: number, end: number): number {
    if (this.#decoder === null) {
      const stop = this.#untilClose ? end : Math.min(end, at + this.#remaining);
      this.onBody(bytes, at, stop);
      this.#remaining -= stop - at;
      if (this.#remaining === 0 && !this.#untilClose) this.#finish("");
      return stop;
    }
    const after = this.#decoder.decode(bytes, at, end, this);
    if (after === REFUSED) {
      this.end = "refused";
      this.reason = this.#decoder.refusal!.reason;
      return end;
    }
    if (this.#decoder.done) this.#finish(this.#decoder.trailers);
    return after;
  }

  #finish(trailers: string): void {
    if (this.#chunked) this.message.forwarded += `0\r\n${trailers}\r\n`;
    this.messages.push(this.message);
    this.#inBody = false;
    this.end = this.over() ? "open" : "closed";
  }

  /** The peer closes its half. */
  close(): void {
    if (this.end === "incomplete" && this.#inBody && this.#untilClose) this.#finish("");
  }

  reading(): Reading {
    const { messages, end, reason } = this;
    return { messages, end, reason, unfinished: end === "refused" || end === "incomplete" ? this.message.body : "" };
  }
}

class RequestHeadReader extends HeadReader {
  readonly head = new RequestHead();

  protected override parse(bytes: Buffer, start: number, end: number): number {
    return this.head.parse(bytes, start, end, DEFAULT_LIMITS);
  }
}

class RequestReader extends Reader {
  readonly #reader = new RequestHeadReader(DEFAULT_LIMITS.headBytes);
  #keepAlive = true;

  protected readHead(bytes: Buffer, at: number, end: number): number {
    const { head } = this.#reader;
    const after = this.#reader.read(bytes, at, end);
    this.message = { start: "", body: "", forwarded: "", target: "" };
    if (after === REFUSED) this.reason = head.refusal!.reason;
    if (after <= 0) return after;
    const decision = routeRequest(compiled, head, client);
    const answered = decision.type === "answer";
    // What the proxy answers itself ends the connection when a body would follow.
    this.#keepAlive = head.keepAlive && !(answered && (head.framing === Framing.chunked || head.contentLength > 0));
    this.message.start = head.startText;
    if (!answered) {
      this.message.forwarded = requestHeadText(decision.request);
      this.message.target = decision.request.target;
    }
    this.expect(head.framing, head.contentLength, head.framing === Framing.chunked);
    return after;
  }

  protected over(): boolean {
    // Without a head that is forwarded its body goes nowhere.
    if (this.message.target === "") this.message.forwarded = "";
    return this.#keepAlive;
  }
}

class ResponseHeadReader extends HeadReader {
  readonly head = new ResponseHead();
  readonly #toHead: boolean;

  constructor(toHead: boolean) {
    super(DEFAULT_LIMITS.headBytes);
    this.#toHead = toHead;
  }

  protected override parse(bytes: Buffer, start: number, end: number): number {
    return this.head.parse(bytes, start, end, this.#toHead, DEFAULT_LIMITS.headBytes);
  }
}

class AnswerReader extends Reader {
  readonly #reader: ResponseHeadReader;
  /** May its connection serve another request? */
  reusable = false;

  constructor(toHead: boolean) {
    super();
    this.#reader = new ResponseHeadReader(toHead);
  }

  protected readHead(bytes: Buffer, at: number, end: number): number {
    const { head } = this.#reader;
    const after = this.#reader.read(bytes, at, end);
    if (after === REFUSED) this.reason = head.refusal!.reason;
    if (after <= 0) return after;
    const interim = head.status < 200 && head.status !== 101;
    const sized = head.framing === Framing.none || head.framing === Framing.length;
    this.message.forwarded += responseHeadText(head, null, !sized, "");
    if (interim) {
      this.end = "open";
      return after;
    }
    this.message.start = String(head.status);
    this.reusable = head.keepAlive;
    this.expect(head.framing, head.framing === Framing.length ? head.contentLength : 0, !sized);
    return after;
  }

  protected over(): boolean {
    return false;
  }
}

function feed(reader: Reader, bytes: Buffer, cuts: readonly number[]): void {
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    const piece = Buffer.alloc(to - from + 2 * MARGIN, POISON[(from + to) % POISON.length]);
    bytes.copy(piece, MARGIN, from, to);
    reader.take(piece, MARGIN, MARGIN + to - from);
    from = to;
  }
}

/** Requests on one connection, arriving in pieces that end at `cuts`. */
export function readRequests(bytes: Buffer, cuts: readonly number[] = []): Reading {
  const reader = new RequestReader();
  feed(reader, bytes, cuts);
  return reader.reading();
}

/** An answer to a request of method HEAD or not, whose sender closes behind the last byte. */
export function readAnswer(
  bytes: Buffer,
  toHead: boolean,
  cuts: readonly number[] = [],
): Reading & { reusable: boolean } {
  const reader = new AnswerReader(toHead);
  feed(reader, bytes, cuts);
  reader.close();
  return { ...reader.reading(), reusable: reader.reusable };
}
