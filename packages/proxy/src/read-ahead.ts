// Reading what a connection begins with before it is handed to whoever speaks its protocol.

import type { Socket } from "node:net";

/** `done`: all of it is there. `refused`: what came cannot be it. */
export type Progress = "more" | "done" | "refused";

/** A parser of what a connection begins with. */
export interface Opening {
  /** Takes what arrived next; not to be called again once it is not `more`. */
  push(bytes: Buffer): Progress;
  /** Once `done`: bytes the next reader is to see. */
  readonly replay: Buffer;
}

/** Feeds what `socket` receives to `opening` until that is done or refused, then calls `next`: the socket is paused then, and
 * holds what is to be replayed. A client that closes its half before is gone: the socket is destroyed. */
export function readAhead(socket: Socket, opening: Opening, next: (progress: "done" | "refused") => void): void {
  const onEnd = (): void => void socket.destroy();
  const onData = (bytes: Buffer): void => {
    const progress = opening.push(bytes);
    if (progress === "more") return;
    socket.off("data", onData);
    socket.off("end", onEnd);
    socket.pause();
    if (progress === "done" && opening.replay.length > 0) socket.unshift(opening.replay);
    next(progress);
  };
  socket.on("data", onData);
  socket.on("end", onEnd);
  socket.resume();
}
