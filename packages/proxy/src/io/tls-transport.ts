// Transport over OpenSSL's end of a TLS connection (tls-handles.ts) on top of a TCP transport. What differs from TCP: one write at
// a time is under way, what comes meanwhile waits here; and whoever closes says so first (close_notify). Of what TCP has to tell
// behind the peer's close_notify the runtime passes on nothing: that the peer has reset the connection shows at the next write.

import { SMALL } from "./batched-writer.ts";
import type { HandleTransport } from "./handle-transport.ts";
import { SHARED } from "./read-buffers.ts";
import { systemError, tcpHandles } from "./tcp-handles.ts";
import type { HandleRequest, TcpHandles } from "./tcp-handles.ts";
import type { TlsHandle } from "./tls-handles.ts";
import type { Transport, TransportHandler } from "./transport.ts";

const IGNORE: TransportHandler = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

/** Only used when handles are there: whoever makes a transport has looked. */
const runtime = tcpHandles as TcpHandles;
const { state, READ, EOF } = tcpHandles ?? { state: new Int32Array(4), READ: 0, EOF: 0 };

type OwnedHandle = TlsHandle & { transport?: TlsTransport };
type OwnedRequest = HandleRequest & { transport?: TlsTransport };

/** Where clear text comes from; `this` is the handle. */
function onRead(this: OwnedHandle): void {
  this.transport!.onRead(state[READ]!);
}

function onError(this: OwnedHandle, error: NodeJS.ErrnoException): void {
  this.transport!.fail(error);
}

function onWritten(this: OwnedRequest, status: number): void {
  this.transport!.onWritten(status);
}

function onShutdown(this: OwnedRequest): void {
  this.transport!.onShutdown();
}

export class TlsTransport implements Transport {
  handler: TransportHandler = IGNORE;
  readonly peerGone = false;
  readonly #tcp: HandleTransport;
  readonly #tls: OwnedHandle;
  /** Bytes of the write under way, 0 for none. */
  #writing = 0;
  /** What waits for its end. */
  readonly #waiting: (string | Buffer)[] = [];
  #waitingBytes = 0;
  #wasBlocked = false;
  #paused = false;
  /** What came while nothing was to be read. */
  readonly #held: Buffer[] = [];
  /** The peer's end has come, and behind what is held it is told. */
  #ended = false;
  #peerEnded = false;
  #ending = false;
  #shutting = false;
  #shutDone = false;
  #closed = false;

  /** Takes both over; `tls` is in use, and `tcp` reads. */
  constructor(tcp: HandleTransport, tls: TlsHandle) {
    this.#tcp = tcp;
    this.#tls = tls;
    this.#tls.transport = this;
    Object.assign(tls, { onread: onRead, onerror: onError });
    tls.useUserBuffer(SHARED);
    tcp.handler = { ...IGNORE, onClose: (error) => this.#onClosed(error) };
  }

  onRead(count: number): void {
    if (this.#closed) return;
    if (count < 0 && count !== EOF) return this.fail(systemError(count, "read"));
    if (count === EOF) this.#ended = true;
    // What TCP has brought is deciphered to its end, paused or not.
    if (this.#paused || this.#held.length > 0) {
      if (count > 0) this.#held.push(Buffer.from(SHARED.subarray(0, count)));
      return;
    }
    if (count > 0) this.handler.onData(SHARED, count);
    else if (this.#ended) this.#onEnd();
  }

  #replaySoon(): void {
    process.nextTick(() => this.#replay());
  }

  #replay(): void {
    while (this.#held.length > 0) {
      if (this.#paused || this.#closed) return;
      const bytes = this.#held.shift()!;
      this.handler.onData(bytes, bytes.length);
    }
    if (this.#ended && !this.#paused && !this.#closed) this.#onEnd();
  }

  /** Its close_notify, or its FIN without one: who has to know tells it from what was announced. */
  #onEnd(): void {
    if (this.#peerEnded) return;
    this.#peerEnded = true;
    this.handler.onEnd();
    if (this.#shutDone) this.destroy();
  }

  get local(): { address: string; port: number } {
    return this.#tcp.local;
  }

  get remoteAddress(): string {
    return this.#tcp.remoteAddress;
  }

  get remotePort(): number {
    return this.#tcp.remotePort;
  }

  write(data: string | Buffer): void {
    if (this.#closed || this.#ending) return;
    if (this.#writing > 0) this.#wait(data);
    else this.#send(data);
  }

  writeAll(data: (string | Buffer)[]): void {
    if (this.#closed || this.#ending) return;
    if (this.#writing > 0) for (const each of data) this.#wait(each);
    else this.#sendAll(data);
  }

  #send(data: string | Buffer): void {
    if (data.length === 0) return;
    const request = this.#begin(data.length);
    const text = typeof data === "string";
    this.#sent(text ? this.#tls.writeLatin1String(request, data) : this.#tls.writeBuffer(request, data));
  }

  #sendAll(data: (string | Buffer)[]): void {
    if (data.length === 1) return this.#send(data[0]!);
    const chunks: (string | Buffer)[] = [];
    let bytes = 0;
    for (const each of data) {
      chunks.push(each, typeof each === "string" ? "latin1" : "buffer");
      bytes += each.length;
    }
    if (bytes > 0) this.#sent(this.#tls.writev(this.#begin(bytes), chunks, false));
  }

  #wait(data: string | Buffer): void {
    this.#waiting.push(data);
    this.#waitingBytes += data.length;
  }

  #begin(bytes: number): OwnedRequest {
    const request: OwnedRequest = runtime.newWrite();
    request.oncomplete = onWritten;
    request.transport = this;
    this.#writing = bytes;
    return request;
  }

  #sent(status: number): void {
    if (status !== 0) this.fail(systemError(status, "write"));
  }

  onWritten(status: number): void {
    this.#writing = 0;
    if (this.#closed) return;
    if (status !== 0) return this.fail(systemError(status, "write"));
    if (this.#waitingBytes > 0) {
      this.#waitingBytes = 0;
      return this.#sendAll(this.#waiting.splice(0));
    }
    if (this.#ending) this.#shutdown();
    if (!this.#wasBlocked) return;
    this.#wasBlocked = false;
    this.handler.onDrain();
  }

  get unsent(): number {
    return this.#writing + this.#waitingBytes;
  }

  /** Every write completes in the next turn at the soonest: a small one alone blocks nobody. For a large one somebody keeps
   * memory until `onDrain` (see BatchedWriter). */
  get blocked(): boolean {
    if (this.#waitingBytes === 0 && this.#writing <= SMALL) return false;
    this.#wasBlocked = true;
    return true;
  }

  /** A record is 16 KiB at most, and copying one is little beside deciphering it: all connections read into the same memory. */
  borrow(bytes: Buffer): Buffer {
    return bytes.buffer === SHARED.buffer ? Buffer.from(bytes) : bytes;
  }

  keepReadBuffer(): void {}

  releaseReadBuffer(): void {}

  pause(): void {
    this.#paused = true;
    this.#tcp.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#ended) this.#tcp.resume();
    if (this.#held.length > 0 || this.#ended) this.#replaySoon();
  }

  unread(bytes: Buffer): void {
    this.#held.unshift(bytes);
    this.#replaySoon();
  }

  end(): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    if (this.#writing === 0) this.#shutdown();
  }

  /** close_notify and FIN. */
  #shutdown(): void {
    this.#shutting = true;
    const request: OwnedRequest = runtime.newShutdown();
    request.transport = this;
    request.oncomplete = onShutdown;
    if (this.#tls.shutdown(request) < 0) this.onShutdown();
  }

  onShutdown(): void {
    this.#shutting = false;
    this.#shutDone = true;
    if (this.#peerEnded) this.destroy();
  }

  fail(error: NodeJS.ErrnoException): void {
    this.#closed = true;
    this.#tcp.fail(error);
  }

  destroy(): void {
    this.#closed = true;
    this.#tcp.destroy();
  }

  /** Not while the FIN is on its way (see HandleTransport), of which TCP does not know. */
  reset(): void {
    if (this.#shutting) return this.destroy();
    this.#closed = true;
    this.#tcp.reset();
  }

  #onClosed(error: NodeJS.ErrnoException | null): void {
    const handler = this.handler;
    this.handler = IGNORE;
    this.#closed = true;
    this.#tls.destroySSL();
    handler.onClose(error);
  }
}
