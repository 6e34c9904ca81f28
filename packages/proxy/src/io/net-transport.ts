// Transport over node:net and node:tls sockets, by documented API only.

import { connect } from "node:net";
import type { Socket } from "node:net";
import { plainAddress } from "./plain-address.ts";
import { ReadBuffers } from "./read-buffers.ts";
import { isPeerGone } from "./transport.ts";
import type { Transport, TransportHandler } from "./transport.ts";

const IGNORE: TransportHandler = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

class SocketTransport implements Transport {
  handler: TransportHandler = IGNORE;
  peerGone = false;
  protected socket!: Socket;
  #error: NodeJS.ErrnoException | null = null;
  #paused = false;

  protected listen(socket: Socket): void {
    this.socket = socket;
    socket.on("end", () => this.#onEnd());
    socket.on("drain", () => this.handler.onDrain());
    socket.on("error", (error) => (this.#error = error));
    socket.on("close", () => {
      const handler = this.handler;
      this.handler = IGNORE;
      handler.onClose(this.#error);
    });
  }

  #onEnd(): void {
    if (this.#error === null || this.#error.code === "EPIPE") this.handler.onEnd();
    if (this.peerGone) this.socket.destroy();
  }

  /** Reads on when a write has failed, as the interface has it. */
  protected outliveFailedWrites(): void {
    surviveWrites(this.socket, (error) => {
      if (!isPeerGone(error) || this.socket.readableEnded) return false;
      this.peerGone = true;
      this.#error ??= error;
      return true;
    });
  }

  get local(): { address: string; port: number } {
    return { address: plainAddress(this.socket.localAddress), port: this.socket.localPort ?? 0 };
  }

  get remoteAddress(): string {
    return plainAddress(this.socket.remoteAddress);
  }

  get remotePort(): number {
    return this.socket.remotePort ?? 0;
  }

  write(data: string | Buffer): void {
    if (typeof data === "string") this.socket.write(data, "latin1");
    else this.socket.write(data);
  }

  writeAll(data: (string | Buffer)[]): void {
    this.socket.cork();
    for (const each of data) this.write(each);
    this.socket.uncork();
  }

  get unsent(): number {
    return this.socket.writableLength;
  }

  /** A large write that the kernel took whole also asks for a drain: only what is still here counts. */
  get blocked(): boolean {
    return this.socket.writableNeedDrain && this.socket.writableLength > 0;
  }

  borrow(bytes: Buffer): Buffer {
    return bytes;
  }

  keepReadBuffer(): void {}

  releaseReadBuffer(): void {}

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  unread(bytes: Buffer): void {
    // A socket that flows would hand it out at once.
    this.socket.pause();
    this.socket.unshift(bytes);
    process.nextTick(() => {
      if (!this.#paused) this.socket.resume();
    });
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** While a FIN is on its way the system refuses, and the socket would never be closed. */
  reset(): void {
    if (this.socket.writableEnded && !this.socket.writableFinished) this.socket.destroy();
    else this.resetTcp();
  }

  protected resetTcp(): void {
    this.socket.resetAndDestroy();
  }
}

/** Wraps an accepted socket (`allowHalfOpen`, `noDelay`). Every read has memory of its own. */
export class AcceptedTransport extends SocketTransport {
  readonly #tcp: Socket;

  /** `tcp`: what is under a TLS socket. */
  constructor(socket: Socket, tcp = socket) {
    super();
    this.#tcp = tcp;
    this.listen(socket);
    socket.on("data", (bytes: Buffer) => this.handler.onData(bytes, bytes.length));
  }

  /** Gives the connection up to another user: its socket, with `unread` to be read first. Nothing else follows here. */
  detach(unread: Buffer): Socket {
    this.handler = IGNORE;
    this.socket.pause();
    this.socket.removeAllListeners("data");
    if (unread.length > 0) this.socket.unshift(Buffer.from(unread));
    return this.socket;
  }

  protected override resetTcp(): void {
    this.#tcp.resetAndDestroy();
  }
}

/** A connection to a backend that was made elsewhere. */
export class AdoptedTransport extends AcceptedTransport {
  constructor(socket: Socket, tcp = socket) {
    super(socket, tcp);
    this.outliveFailedWrites();
  }
}

/** A connection to a backend. It reads into the shared buffer; once something large was borrowed, into one of its own. */
export class DialledTransport extends SocketTransport {
  readonly #buffers = new ReadBuffers();

  /** Starts connecting; `onConnect` is called when the connection stands, else `handler.onClose` with the error. */
  constructor(host: string, port: number, onConnect: () => void) {
    super();
    const socket = connect({
      host,
      port,
      noDelay: true,
      allowHalfOpen: true,
      onread: {
        buffer: () => this.#buffers.next(),
        callback: (length, buffer) => {
          this.handler.onData(buffer as Buffer, length);
          return true;
        },
      },
    });
    this.listen(socket);
    this.outliveFailedWrites();
    socket.once("connect", onConnect);
  }

  override borrow(bytes: Buffer): Buffer {
    return this.#buffers.borrow(bytes);
  }

  override keepReadBuffer(): void {
    this.#buffers.keep();
  }
}

// What implementers of streams replace have names like that.
/* oxlint-disable no-underscore-dangle */

/** A stream of which a write fails closes at once. Where `survives` says so it does not hear of it, nor of anything written from then on. */
function surviveWrites(socket: Socket, survives: (error: Error) => boolean): void {
  const [write, writev] = [socket._write.bind(socket), socket._writev!.bind(socket)];
  let failed = false;
  const outcome = (done: (error?: Error | null) => void) => (error?: Error | null) => {
    failed ||= error != null && survives(error);
    done(failed ? null : error);
  };
  socket._write = (chunk, encoding, done) => (failed ? done() : write(chunk, encoding, outcome(done)));
  socket._writev = (chunks, done) => (failed ? done() : writev(chunks, outcome(done)));
}
