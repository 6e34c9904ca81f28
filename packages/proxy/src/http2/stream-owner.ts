// What a stream knows of the connection it belongs to.

import type { CompiledListener } from "../compiled-table.ts";
import type { ReadMemory } from "../io/transport.ts";
import type { ClientContext } from "../route-request.ts";
import type { AcceptingPort, ServerContext } from "../server-context.ts";
import type { Outbox } from "./outbox.ts";

export interface StreamOwner<Stream> {
  readonly port: AcceptingPort;
  readonly context: ServerContext;
  readonly address: string;
  readonly remotePort: number;
  readonly outbox: Outbox;
  /** Whose memory the bytes of `takeBody` are. */
  readonly memory: ReadMemory;
  clientContext(listener: CompiledListener): ClientContext;
  /** Calls `continueRequest` once all that the connection has read was taken. */
  flushSoon(stream: Stream): void;
  /** Bytes of a body have left, or were dropped: as many again may come on the connection. */
  credit(length: number): void;
  /** So many more may come on the stream. */
  openWindow(stream: Stream, length: number): void;
  /** As many may come on the connection now; what exceeds its usual window is taken off later credits. */
  lendWindow(room: number): void;
  /** RST_STREAM; the stream is over. */
  reset(stream: Stream, code: number): void;
  /** The stream is over, both ways. */
  forget(stream: Stream): void;
}
