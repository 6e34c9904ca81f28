// The one place that knows the runtime's internals: libuv's TCP handles as Node binds them (process.binding, DEP0111). They save
// what streams add to a read or write, which is more than the rest of a small request costs. Null where they are not
// there or do not look as expected; then the documented sockets of net-transport.ts do the same work.

import { Socket } from "node:net";
import { getSystemErrorName } from "node:util";

/** A request object that libuv completes later; it may be used again once complete, or at once when it was not needed. */
export interface HandleRequest {
  oncomplete: ((status: number) => void) | undefined;
}

/** A TCP (or TLS) stream of the runtime. Calls return 0 or a negative libuv error. */
export interface StreamHandle {
  onread: (() => Buffer | undefined) | undefined;
  readStart(): number;
  readStop(): number;
  /** Reads go into `buffer` from now on; a buffer returned by `onread` replaces it. */
  useUserBuffer(buffer: Buffer): void;
  writeLatin1String(request: HandleRequest, text: string): number;
  writeBuffer(request: HandleRequest, bytes: Buffer): number;
  /** Data and encoding in turn; the encoding of bytes is "buffer". */
  writev(request: HandleRequest, chunks: (string | Buffer)[], allBuffers: false): number;
  shutdown(request: HandleRequest): number;
  /** `done` is called on the handle. */
  close(done?: () => void): void;
}

export interface TcpHandle extends StreamHandle {
  /** The system's descriptor, -1 once closed. */
  readonly fd: number;
  bind(host: string, port: number, flags: number): number;
  bind6(host: string, port: number, flags: number): number;
  listen(backlog: number): number;
  onconnection: ((status: number, handle: TcpHandle) => void) | undefined;
  connect(request: HandleRequest, host: string, port: number): number;
  connect6(request: HandleRequest, host: string, port: number): number;
  getsockname(into: SocketName): number;
  getpeername(into: SocketName): number;
  setNoDelay(on: boolean): number;
  reset(done?: () => void): number;
  ref(): void;
  unref(): void;
}

export interface SocketName {
  address?: string;
  family?: string;
  port?: number;
}

export interface TcpHandles {
  newServer(): TcpHandle;
  newSocket(): TcpHandle;
  newWrite(): HandleRequest;
  newShutdown(): HandleRequest;
  newConnect(): HandleRequest;
  /** Facts about the call just made: bytes read or the error, bytes written, whether the write goes on later. */
  state: Int32Array;
  readonly READ: number;
  readonly WRITTEN: number;
  readonly ASYNC: number;
  readonly EOF: number;
  readonly IPV6_ONLY: number;
  readonly REUSE_PORT: number;
}

/** An error as node:net makes them, of a negative libuv status. */
export function systemError(status: number, call: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`${call} ${code}`), { code, errno: status, syscall: call });
}

/** A socket of node:net over a handle. `allowHalfOpen`: a client's FIN must not make it answer with its own before the answer
 * is out. */
export function socketOver(handle: StreamHandle): Socket {
  // `handle` is how node:net itself makes the sockets it accepts; its types do not say so.
  const options = { handle, allowHalfOpen: true, readable: true, writable: true };
  return new Socket(options as unknown as ConstructorParameters<typeof Socket>[0]);
}

/** The descriptor of a socket of node:net; -1, as of one that is closed, where it cannot be told. */
export function descriptorOf(socket: Socket): number {
  return (Reflect.get(socket, "_handle") as { fd?: number } | null | undefined)?.fd ?? -1;
}

interface Bindings {
  tcp_wrap: {
    TCP: new (type: number) => TcpHandle;
    TCPConnectWrap: new () => HandleRequest;
    constants: Record<string, number>;
  };
  stream_wrap: Record<string, number> & {
    WriteWrap: new () => HandleRequest;
    ShutdownWrap: new () => HandleRequest;
    streamBaseState: Int32Array;
  };
  uv: { UV_EOF: number };
}

const METHODS =
  "readStart,readStop,useUserBuffer,writeLatin1String,writeBuffer,writev,shutdown,close,bind,bind6,listen,connect";

function detect(): TcpHandles | null {
  const { binding } = process as unknown as { binding?: <K extends keyof Bindings>(name: K) => Bindings[K] };
  if (binding === undefined) return null;
  try {
    const { TCP, TCPConnectWrap, constants } = binding("tcp_wrap");
    const streams = binding("stream_wrap");
    const { kReadBytesOrError, kBytesWritten, kLastWriteWasAsync, streamBaseState } = streams;
    const { UV_EOF } = binding("uv");
    const numbers = [kReadBytesOrError, kBytesWritten, kLastWriteWasAsync, UV_EOF, constants.SOCKET, constants.SERVER];
    if (!(streamBaseState instanceof Int32Array) || numbers.some((each) => typeof each !== "number")) return null;
    const probe = new TCP(constants.SOCKET!) as unknown as Record<string, unknown> & TcpHandle;
    const complete =
      METHODS.split(",").every((name) => typeof probe[name] === "function") && "onread" in probe && "fd" in probe;
    probe.close();
    if (!complete) return null;
    return {
      newServer: () => new TCP(constants.SERVER!),
      newSocket: () => new TCP(constants.SOCKET!),
      newWrite: () => new streams.WriteWrap(),
      newShutdown: () => new streams.ShutdownWrap(),
      newConnect: () => new TCPConnectWrap(),
      state: streamBaseState,
      READ: kReadBytesOrError!,
      WRITTEN: kBytesWritten!,
      ASYNC: kLastWriteWasAsync!,
      EOF: UV_EOF,
      IPV6_ONLY: constants.UV_TCP_IPV6ONLY ?? 1,
      REUSE_PORT: constants.UV_TCP_REUSEPORT ?? 0,
    };
  } catch {
    return null;
  }
}

export const tcpHandles: TcpHandles | null = detect();
