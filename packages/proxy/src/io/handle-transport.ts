// Transport over the runtime's own TCP handles (tcp-handles.ts): one call into the kernel per read or write and nothing between.

import { plainAddress } from "./plain-address.ts";
import { ReadBuffers, SHARED } from "./read-buffers.ts";
import { systemError, tcpHandles } from "./tcp-handles.ts";
import type { HandleRequest, SocketName, StreamHandle, TcpHandle, TcpHandles } from "./tcp-handles.ts";
import type { Transport, TransportHandler } from "./transport.ts";

const IGNORE: TransportHandler = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

/** Only used when handles are there: whoever makes a transport has looked. */
const runtime = tcpHandles as TcpHandles;
const { state, READ, WRITTEN, ASYNC, EOF } = tcpHandles ?? {
  state: new Int32Array(4),
  READ: 0,
  WRITTEN: 0,
  ASYNC: 0,
  EOF: 0,
};

type OwnedHandle = StreamHandle & { transport?: HandleTransport };
type OwnedRequest = HandleRequest & { transport?: HandleTransport; bytes?: number; data?: unknown };

/** Filled in again and again: giving properties to a new object would cost more than the system call. */
const peer: SocketName = { address: "", family: "", port: 0 };

/** A write that the kernel took at once leaves its request unused: it serves the next. */
let spareWrite: OwnedRequest | null = null;

/** Where bytes come from and go to; `this` is the handle. */
function onRead(this: OwnedHandle): Buffer | undefined {
  return this.transport!.onRead(state[READ]!);
}

function onWritten(this: OwnedRequest, status: number): void {
  this.transport!.onWritten(this.bytes!, status);
}

/** Nobody has been told yet. */
let closed: HandleTransport[] = [];

function tellClosed(): void {
  const told = closed;
  closed = [];
  for (const transport of told) transport.onClosed();
}

function onClosed(this: OwnedHandle): void {
  this.transport!.onClosed();
}

function onShutdown(this: OwnedRequest): void {
  this.transport!.onShutdown();
}

export class HandleTransport implements Transport {
  handler: TransportHandler = IGNORE;
  unsent = 0;
  readonly #handle: OwnedHandle;
  readonly #buffers = new ReadBuffers();
  /** What the handle reads into. */
  #buffer: Buffer = SHARED;
  #reading = false;
  #paused = false;
  #wasBlocked = false;
  /** Comes before what is read next. */
  #unread: Buffer | null = null;
  #peerEnded = false;
  #shut = false;
  #shutDone = false;
  #closed = false;
  #error: NodeJS.ErrnoException | null = null;
  #remoteAddress = "";
  /** 0 until it is asked for. */
  #remotePort = 0;

  /** Takes the handle over; reading starts at once unless `connecting`. */
  constructor(handle: StreamHandle, connecting: boolean) {
    this.#handle = handle;
    this.#handle.transport = this;
    handle.onread = onRead;
    handle.useUserBuffer(SHARED);
    if (!connecting) this.#startReading();
  }

  /** The connection stands: `noDelay` and reading are switched on. */
  connected(): void {
    (this.#handle as TcpHandle).setNoDelay(true);
    this.#startReading();
  }

  #startReading(): void {
    if (this.#reading || this.#closed || this.#peerEnded) return;
    this.#reading = true;
    const status = this.#handle.readStart();
    if (status !== 0) this.fail(systemError(status, "read"));
  }

  onRead(count: number): Buffer | undefined {
    if (this.#closed) return undefined;
    if (count <= 0) {
      if (count === EOF) this.#onEof();
      else if (count < 0) this.fail(systemError(count, "read"));
      return undefined;
    }
    this.handler.onData(this.#buffer, count);
    const next = this.#buffers.next();
    if (next === this.#buffer) return undefined;
    this.#buffer = next;
    return next;
  }

  #onEof(): void {
    this.#peerEnded = true;
    this.#reading = false;
    this.handler.onEnd();
    if (this.#shutDone) this.destroy();
  }

  get local(): { address: string; port: number } {
    const name: SocketName = {};
    if (!this.#closed) (this.#handle as TcpHandle).getsockname(name);
    return { address: plainAddress(name.address), port: name.port ?? 0 };
  }

  get remoteAddress(): string {
    this.#askForPeer();
    return this.#remoteAddress;
  }

  get remotePort(): number {
    this.#askForPeer();
    return this.#remotePort;
  }

  #askForPeer(): void {
    if (this.#remotePort !== 0 || this.#closed || (this.#handle as TcpHandle).getpeername(peer) !== 0) return;
    this.#remoteAddress = plainAddress(peer.address);
    this.#remotePort = peer.port!;
  }

  write(data: string | Buffer): void {
    if (this.#closed || this.#shut) return;
    const request = (spareWrite ??= newWrite());
    const status =
      typeof data === "string"
        ? this.#handle.writeLatin1String(request, data)
        : this.#handle.writeBuffer(request, data);
    this.#afterWrite(request, status, data);
  }

  writeAll(data: (string | Buffer)[]): void {
    if (this.#closed || this.#shut) return;
    if (data.length === 1) return this.write(data[0]!);
    const request = (spareWrite ??= newWrite());
    const chunks: (string | Buffer)[] = [];
    for (const each of data) chunks.push(each, typeof each === "string" ? "latin1" : "buffer");
    this.#afterWrite(request, this.#handle.writev(request, chunks, false), data);
  }

  #afterWrite(request: OwnedRequest, status: number, data: unknown): void {
    if (status !== 0) return this.fail(systemError(status, "write"));
    if (state[ASYNC] === 0) return;
    spareWrite = null;
    request.transport = this;
    request.bytes = state[WRITTEN]!;
    // Keeps the memory alive until it is written.
    request.data = data;
    this.unsent += request.bytes;
  }

  onWritten(bytes: number, status: number): void {
    this.unsent -= bytes;
    if (this.#closed) return;
    if (status !== 0) return this.fail(systemError(status, "write"));
    if (this.unsent > 0 || !this.#wasBlocked) return;
    this.#wasBlocked = false;
    this.handler.onDrain();
  }

  /** The kernel's buffers are full: what comes next would only pile up here. */
  get blocked(): boolean {
    if (this.unsent === 0) return false;
    this.#wasBlocked = true;
    return true;
  }

  borrow(bytes: Buffer): Buffer {
    return this.#buffers.borrow(bytes);
  }

  keepReadBuffer(): void {
    this.#buffers.keep();
  }

  releaseReadBuffer(): void {
    this.#buffers.release();
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    if (!this.#reading) return;
    this.#reading = false;
    this.#handle.readStop();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#startReading();
    if (this.#unread !== null) process.nextTick(() => this.#replay());
  }

  /** What TLS is put on. */
  get handle(): StreamHandle {
    return this.#handle;
  }

  unread(bytes: Buffer): void {
    this.#unread = bytes;
    process.nextTick(() => this.#replay());
  }

  #replay(): void {
    const bytes = this.#unread;
    if (bytes === null || this.#paused || this.#closed) return;
    this.#unread = null;
    this.handler.onData(bytes, bytes.length);
  }

  end(): void {
    if (this.#shut || this.#closed) return;
    this.#shut = true;
    const request: OwnedRequest = runtime.newShutdown();
    request.transport = this;
    request.oncomplete = onShutdown;
    if (this.#handle.shutdown(request) < 0) this.onShutdown();
  }

  /** Our FIN is out, and all that was written before it; with the peer's that is the end. */
  onShutdown(): void {
    this.#shutDone = true;
    if (this.#peerEnded) this.destroy();
  }

  fail(error: NodeJS.ErrnoException): void {
    this.#error ??= error;
    this.destroy();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reading = false;
    this.#handle.close();
    // The socket is gone by now. Having that said by the runtime would cost a call from it for each.
    if (closed.push(this) === 1) setImmediate(tellClosed);
  }

  /** One that is refused, as while a FIN is on its way, would leave the handle open for good: it cannot be closed any more. */
  reset(): void {
    if (this.#shut && !this.#shutDone) return this.destroy();
    if (this.#closed) return;
    this.#closed = true;
    this.#reading = false;
    (this.#handle as TcpHandle).reset(onClosed);
  }

  onClosed(): void {
    const handler = this.handler;
    this.handler = IGNORE;
    this.#buffers.giveBack();
    handler.onClose(this.#error);
  }
}

function newWrite(): OwnedRequest {
  const request: OwnedRequest = runtime.newWrite();
  request.oncomplete = onWritten;
  return request;
}

/** Starts connecting to an IP address; `onConnect` is called when the connection stands, else `handler.onClose` with the error. */
export function dialHandle(host: string, port: number, onConnect: () => void): HandleTransport {
  const handle = runtime.newSocket();
  const transport = new HandleTransport(handle, true);
  const request = runtime.newConnect();
  request.oncomplete = (status) => {
    if (status !== 0) return transport.fail(systemError(status, "connect"));
    transport.connected();
    onConnect();
  };
  const status = host.includes(":") ? handle.connect6(request, host, port) : handle.connect(request, host, port);
  // The caller has still to set its handler.
  if (status !== 0) process.nextTick(() => transport.fail(systemError(status, "connect")));
  return transport;
}
