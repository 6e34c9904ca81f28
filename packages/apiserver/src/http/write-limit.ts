// How much a connection buffers before its writers are told to wait.

import type { Duplex } from "node:stream";

/** Sets the limit, in bytes. Node has no option for it on TLS servers; its own HTTP agent sets the same field. */
export function setWriteLimit(socket: Duplex, bytes: number): void {
  // oxlint-disable-next-line no-underscore-dangle
  (socket as unknown as { _writableState: { highWaterMark: number } })._writableState.highWaterMark = bytes;
}
