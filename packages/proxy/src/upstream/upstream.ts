// What an exchange and the connections to endpoints are to each other, whatever protocol these speak.

import type { ProxiedAddresses } from "../connection-facts.ts";
import type { ResponseHead } from "../http1/response-head.ts";
import type { ReadMemory } from "../io/transport.ts";

/** The request as it goes to the backend. Those that come again share one: it never changes. */
export interface OutgoingRequest {
  readonly method: string;
  /** Origin-form or `*`. */
  readonly target: string;
  /** Host with its port, if one was sent. */
  readonly host: string;
  /** The whole head in HTTP/1.1 (head-writer.ts), where it was needed before; else null. */
  text: string | null;
  /** End-to-end field lines, each with CRLF, Latin-1; Content-Length among them, Host and what frames the message not. */
  readonly lines: string;
  readonly scheme: "http" | "https";
  readonly hasBody: boolean;
  /** The length of the body is not known beforehand. */
  readonly chunked: boolean;
  readonly acceptsTrailers: boolean;
  /** Protocols to ask for, empty for none. */
  readonly upgrade: string;
  /** RFC 9110 section 9.2.2: repeating it does no harm, and there is no body that would have to be kept. */
  readonly replayable: boolean;
  /** For a PROXY header; null when nobody's, or when the service wants none. */
  readonly client: ProxiedAddresses | null;
}

/** How an attempt failed. `connect`: nothing was sent. `refused`: the endpoint says that it has not acted on the request, whatever
 * of it was sent (RFC 9113 section 8.7). `closed`: the connection ended before any byte of an answer. `broken`: an answer had
 * begun. `invalid`: what came was not HTTP. `overloaded`: it was not begun, as there were too many. */
export type FailureKind = "connect" | "connect-timeout" | "refused" | "closed" | "broken" | "invalid" | "overloaded";

/** The exchange a stream works for. */
export interface UpstreamUser {
  /** A stream that was not ready is: `stream` is the one to use, which may be another than `acquire` returned. */
  onConnected(stream: UpstreamStream): void;
  /** A 1xx other than 101. `head` is valid until the call returns, as everywhere. */
  onInformational(head: ResponseHead): void;
  onResponse(head: ResponseHead): void;
  /** 101: from now on bytes come by `onBody`, and the end by `onResponseEnd`. */
  onSwitchingProtocols(head: ResponseHead): void;
  /** `bytes` are of the stream's `memory`. */
  onBody(bytes: Buffer, start: number, end: number): void;
  /** The answer is complete; the stream has left the user. */
  onResponseEnd(trailers: string): void;
  /** All that was read so far has been passed on. */
  onReadDone(): void;
  onUpstreamDrain(): void;
  /** The stream is gone and has left the user. */
  onFailure(kind: FailureKind, reason: string): void;
}

/** A place for one request on a connection to an endpoint. */
export interface UpstreamStream {
  /** Whether `begin` may be called now; if not, `onConnected` follows. */
  readonly ready: boolean;
  /** Has it served an exchange before? Then a failure may only mean that the backend had closed it. */
  readonly reused: boolean;
  /** Whose memory the bytes of `onBody` are. */
  readonly memory: ReadMemory;
  /** Writes the request's head, and with `hasBody` false its end. */
  begin(user: UpstreamUser, request: OutgoingRequest): void;
  sendBody(bytes: Buffer, start: number, end: number, source: ReadMemory): void;
  /** `trailers`: field lines with CRLF, or empty. */
  endBody(trailers: string): void;
  /** Sends what was gathered. False: stop writing until `onUpstreamDrain`. */
  flush(): boolean;
  /** Written to faster than the backend reads. */
  readonly blocked: boolean;
  /** Stops and resumes the answer. */
  pause(): void;
  resume(): void;
  /** The client closed its half of the tunnel. */
  endTunnel(): void;
  /** Gives the stream up without telling the user; also while it is not ready. */
  abandon(): void;
}
