// What the fields of a request say, whatever its start line; and the heads and fields that are kept since they come again and again.

import { latin1Copy } from "../io/latin1.ts";
import { FieldLines, Framing } from "./field-lines.ts";
import type { Known } from "./known-bytes.ts";

/** What a request's fields say, whatever its start line. */
export class RequestFields extends FieldLines {
  /** Host of the request with its port if one was sent; of the URI in absolute-form. */
  host = "";
  /** As hosts are looked up. */
  bareHost = "";
  framing: number = Framing.none;
  contentLength = 0;
  /** Whether the client wants the connection kept. */
  keepAlive = true;
  expectContinue = false;
  /** Protocols of the Upgrade field when Connection lists it, else empty. */
  upgrade = "";
  /** Members of Connection beyond close, keep-alive, upgrade and te; null when there are none. */
  connectionOptions: string[] | null = null;
  acceptsTrailers = false;
  userAgent = "";
  referer = "";
  /** How many Host fields there are. */
  protected hosts = 0;

  /** Takes over what `other` says. */
  recall(other: RequestFields): void {
    this.recallLines(other);
    this.host = other.host;
    this.bareHost = other.bareHost;
    this.framing = other.framing;
    this.contentLength = other.contentLength;
    this.keepAlive = other.keepAlive;
    this.expectContinue = other.expectContinue;
    this.upgrade = other.upgrade;
    this.connectionOptions = other.connectionOptions;
    this.acceptsTrailers = other.acceptsTrailers;
    this.userAgent = other.userAgent;
    this.referer = other.referer;
    this.hosts = other.hosts;
  }
}

/** Fields that come again and again, in requests of HTTP/1.1. */
export class KnownFields extends RequestFields implements Known {
  readonly length: number;
  /** Of head-writer.ts: the lines that travel on, with `forwarding` behind them. Null until they are asked for twice in a row. */
  lines: string | null = null;
  forwarding = "";

  constructor(length: number, read: RequestFields) {
    super();
    this.length = length;
    this.recall(read);
    this.copyLines(read);
    this.userAgent = latin1Copy(read.userAgent);
    this.referer = latin1Copy(read.referer);
  }
}

/** A head that comes again and again. */
export interface KnownRequest extends Known {
  readonly startText: string;
  readonly method: string;
  readonly target: string;
  readonly path: string;
  readonly query: string;
  readonly host: string;
  readonly bareHost: string;
  readonly fields: KnownFields;
  /** Of route-request.ts and forwarding-fields.ts: what it came to the last time. */
  readonly memory: { routed: unknown; sent: unknown; forwarded: unknown };
}
