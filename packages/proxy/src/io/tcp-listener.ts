// A listening TCP socket, by handles or by node:net. Each connection it accepts is taken either as a transport (plain HTTP) or
// as a socket of node:net (whatever has to be done to it before, or instead).

import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { HandleTransport } from "./handle-transport.ts";
import { AcceptedTransport } from "./net-transport.ts";
import type { Io } from "./network.ts";
import { descriptorOf, socketOver, systemError, tcpHandles } from "./tcp-handles.ts";
import type { TcpHandle, TcpHandles } from "./tcp-handles.ts";
import type { Transport } from "./transport.ts";

/** A connection nobody has taken yet: exactly one of these is to be called. */
export interface Accepted {
  transport(): Transport;
  /** `allowHalfOpen`: a client's FIN must not make it answer with its own before the answer is out. */
  socket(): Socket;
}

export interface TcpListenerOptions {
  host: string;
  /** 0 for any free port. */
  port: number;
  /** Several processes, or several of one, listen on the same address, and the system shares connections among them. */
  reusePort: boolean;
  /** A socket that was bound to this address elsewhere, if there is one (with handles). */
  boundSocket: (host: string, port: number) => TcpHandle | undefined;
  /** Whether a connection with this descriptor is taken; else it is reset. */
  admits: (fd: number) => boolean;
  onAccept: (accepted: Accepted) => void;
  /** A connection could not be accepted. */
  onError: (error: Error) => void;
}

export interface TcpListener {
  /** Port it listens on, 0 before `open`. */
  readonly port: number;
  /** Starts listening. Rejects with the system's error (EADDRINUSE, EACCES, ...). */
  open(): Promise<void>;
  /** Accepts no more; resolves when the port is free. May be called again, and before `open`. */
  close(): Promise<void>;
}

/** Connections that wait to be accepted. */
const BACKLOG = 4096;

export function createTcpListener(io: Io, options: TcpListenerOptions): TcpListener {
  return io === "handles" ? new HandleListener(options) : new SocketListener(options);
}

class AcceptedHandle implements Accepted {
  readonly #handle: TcpHandle;

  constructor(handle: TcpHandle) {
    this.#handle = handle;
  }

  transport(): Transport {
    return new HandleTransport(this.#handle, false);
  }

  socket(): Socket {
    return socketOver(this.#handle);
  }
}

class HandleListener implements TcpListener {
  readonly #options: TcpListenerOptions;
  #handle: TcpHandle | null = null;
  #closed: Promise<void> | null = null;
  port = 0;

  constructor(options: TcpListenerOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { host, port, admits, onAccept, onError } = this.#options;
    const given = this.#options.boundSocket(host, port);
    const handle = given ?? (tcpHandles as TcpHandles).newServer();
    this.#handle = handle;
    const status = (given === undefined ? this.#bind(handle) : 0) || handle.listen(BACKLOG);
    if (status !== 0) {
      void this.close();
      throw systemError(status, "listen");
    }
    // Accepted sockets inherit it: a system call less for each.
    handle.setNoDelay(true);
    const name: { port?: number } = {};
    handle.getsockname(name);
    this.port = name.port ?? 0;
    handle.onconnection = (error, accepted) => {
      if (error !== 0) onError(systemError(error, "accept"));
      else if (!admits(accepted.fd)) accepted.reset();
      else onAccept(new AcceptedHandle(accepted));
    };
  }

  #bind(handle: TcpHandle): number {
    const { host, port, reusePort } = this.#options;
    const { IPV6_ONLY, REUSE_PORT } = tcpHandles as TcpHandles;
    const shared = reusePort ? REUSE_PORT : 0;
    return host.includes(":") ? handle.bind6(host, port, IPV6_ONLY | shared) : handle.bind(host, port, shared);
  }

  close(): Promise<void> {
    return (this.#closed ??= new Promise((resolve) => {
      if (this.#handle === null) resolve();
      else this.#handle.close(resolve);
    }));
  }
}

class SocketListener implements TcpListener {
  readonly #options: TcpListenerOptions;
  readonly #server: Server;

  constructor(options: TcpListenerOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      if (!options.admits(descriptorOf(socket))) socket.resetAndDestroy();
      else options.onAccept({ transport: () => new AcceptedTransport(socket), socket: () => socket });
    });
  }

  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === "object" ? address.port : 0;
  }

  open(): Promise<void> {
    const { host, port, reusePort, onError } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      const options = { host, port, reusePort, ipv6Only: host.includes(":"), backlog: BACKLOG, exclusive: true };
      this.#server.listen(options, () => {
        this.#server.off("error", reject);
        this.#server.on("error", onError);
        resolve();
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#server.listening) this.#server.close(() => resolve());
      else resolve();
    });
  }
}
