// Reading what a connection begins with before it is handed to whoever speaks its protocol.

/** `done`: all of it is there. `refused`: what came cannot be it. */
export type Progress = "more" | "done" | "refused";

/** A parser of what a connection begins with. */
export interface Opening {
  /** Takes what arrived next; not to be called again once it is not `more`. */
  push(bytes: Buffer): Progress;
  /** Once `done`: bytes the next reader is to see. */
  readonly replay: Buffer;
}
