// What a client's connection and the request that it has handed on are to each other, whatever protocol either speaks.

import type { HeaderEdits } from "./filters.ts";
import type { ResponseHead } from "./http1/response-head.ts";
import type { ReadMemory } from "./io/transport.ts";
import type { OwnAnswer } from "./own-answer.ts";
import type { ServiceState } from "./upstream/service-state.ts";
import type { Target } from "./upstream/target.ts";

/** The client's side of an exchange, implemented per protocol. */
export interface Downstream {
  sendInformational(head: ResponseHead): void;
  /** 100 (Continue): the proxy itself wants the body. */
  sendContinue(): void;
  sendHead(head: ResponseHead, edits: HeaderEdits | null): void;
  /** `bytes` are of the memory of `source`. */
  sendBody(bytes: Buffer, start: number, end: number, source: ReadMemory): void;
  /** The answer is complete; the exchange is over. */
  sendEnd(trailers: string): void;
  /** The protocol was switched: bytes go both ways as they are. */
  sendSwitch(head: ResponseHead, edits: HeaderEdits | null): void;
  /** The backend closed its half of the tunnel. */
  endTunnel(): void;
  /** Sends what was gathered. False: the client must drain first (`onClientDrain`). */
  flush(): boolean;
  /** Answers for the backend; nothing was sent yet. The exchange is over. */
  answer(own: OwnAnswer): void;
  /** Breaks off an answer that has begun. The exchange is over. */
  abort(reason: string): void;
  /** The backend can take (more of) the request body. */
  continueRequest(): void;
}

/** What a client's connection needs of the request that it has handed on. */
export interface RequestFlow {
  /** Null as long as it is not certain that the request goes to one. */
  readonly service: ServiceState | null;
  /** The endpoint of the last attempt. */
  readonly target: Target | null;
  /** Body data may follow. */
  readonly ready: boolean;
  /** The backend is being written to faster than it reads. */
  readonly requestBlocked: boolean;
  start(): void;
  sendBody(bytes: Buffer, start: number, end: number, source: ReadMemory): void;
  endBody(trailers: string): void;
  /** Sends what the client's turn gathered. False: stop reading the client until `continueRequest`. */
  flushRequest(): boolean;
  onClientDrain(): void;
  /** The client closed its half of the tunnel. */
  endTunnel(): void;
  /** The client is gone: the backend need not bother. */
  cancel(): void;
}
