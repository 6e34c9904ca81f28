// The small I/O layer under the HTTP core: a byte stream each way. One file per way of doing I/O implements it.

/** What a transport tells its user. Calls never nest into one another. */
export interface TransportHandler {
  /** bytes[0, end) arrived. They are valid until the call returns, longer only as `ReadMemory` says. */
  onData(bytes: Buffer, end: number): void;
  /** The peer will send nothing more (FIN); writing may still work. */
  onEnd(): void;
  /** Everything written has been handed to the kernel after `blocked` was true. */
  onDrain(): void;
  /** The connection is gone; called once, nothing follows. `error` carries a `code` when it broke. */
  onClose(error: NodeJS.ErrnoException | null): void;
}

/** Whoever owns the memory that bytes were read into. */
export interface ReadMemory {
  /** `bytes` of the current `onData` in a form that stays valid as long as `keepReadBuffer` is called in time: the very
   * same memory, or a copy where it is shared with other connections. */
  borrow(bytes: Buffer): Buffer;
  /** What was borrowed stays valid; from now on is read into other memory. */
  keepReadBuffer(): void;
}

export interface Transport extends ReadMemory {
  handler: TransportHandler;
  /** Peer address without an IPv4-mapped prefix; empty once gone. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Our own side, likewise. A system call each time. */
  readonly local: { address: string; port: number };
  /** Sends a Latin-1 string, or bytes that must stay unchanged while `unsent` is not 0. */
  write(data: string | Buffer): void;
  /** Sends several, in one system call where possible. */
  writeAll(data: (string | Buffer)[]): void;
  /** Bytes not yet handed to the kernel. */
  readonly unsent: number;
  /** Too much is unsent: stop writing until `onDrain`. */
  readonly blocked: boolean;
  /** A write has failed, as the peer has closed: nothing is sent any more. Of a connection that was dialled all that the peer had
   * sent is still read; then comes its end, and the error, or the error alone where nobody knows whether that was all. */
  readonly peerGone: boolean;
  /** Nothing large is expected soon: memory held for reading goes when the current read is over. */
  releaseReadBuffer(): void;
  pause(): void;
  resume(): void;
  /** Puts back what its next user is to read first; it comes once it is not paused, after the call. Only while `onData` runs. */
  unread(bytes: Buffer): void;
  /** Sends FIN behind what was written. */
  end(): void;
  /** Closes at once, dropping what is unsent. */
  destroy(): void;
  /** As `destroy`, and the peer learns that it is no end in good order (RST). */
  reset(): void;
}

/** Whether a write that fails with `error` says that the peer has closed. EPIPE: its FIN had come before. */
export function isPeerGone({ code }: NodeJS.ErrnoException): boolean {
  return code === "EPIPE" || code === "ECONNRESET";
}
