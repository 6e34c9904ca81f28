// Listening sockets that outlive the workers which accept from them. For every address there is one per worker, bound here and
// listened on there (SO_REUSEPORT shares connections out among them): when a worker dies, whoever waits in its queue is
// accepted by the worker that gets the same socket next.

import { BEST_IO } from "../io/network.ts";
import { tcpHandles } from "../io/tcp-handles.ts";
import type { TcpHandle } from "../io/tcp-handles.ts";

export interface Address {
  host: string;
  port: number;
}

export const addressKey = ({ host, port }: Address): string => `${host}|${port}`;

export class SharedSockets {
  readonly #workers: number;
  /** By address, one for each worker. */
  readonly #sockets = new Map<string, TcpHandle[]>();

  constructor(workers: number) {
    this.#workers = workers;
  }

  /** Binds sockets for the address; port 0 is any free one. Returns the port, or undefined when it cannot be had, or not in this way:
   * then workers listen by themselves, and say what is wrong. */
  bind({ host, port }: Address): number | undefined {
    if (tcpHandles === null || BEST_IO !== "handles") return undefined;
    if (this.#sockets.has(addressKey({ host, port }))) return port;
    const sockets: TcpHandle[] = [];
    let bound = port;
    while (sockets.length < this.#workers) {
      const socket = tcpHandles.newServer();
      sockets.push(socket);
      const found = bindTo(socket, host, bound);
      if (found === undefined) {
        for (const each of sockets) each.close();
        return undefined;
      }
      bound = found;
    }
    this.#sockets.set(addressKey({ host, port: bound }), sockets);
    return bound;
  }

  /** Closes all but those of these addresses: with the workers' own ends they are gone. */
  retain(addresses: readonly Address[]): void {
    const wanted = new Set(addresses.map(addressKey));
    for (const [key, sockets] of this.#sockets) {
      if (wanted.has(key)) continue;
      this.#sockets.delete(key);
      for (const socket of sockets) socket.close();
    }
  }

  /** By address, the sockets of the worker at `place`. */
  of(place: number): Map<string, TcpHandle> {
    return new Map([...this.#sockets].map(([key, sockets]) => [key, sockets[place]!]));
  }
}

/** The port, or undefined when it cannot be had. */
function bindTo(socket: TcpHandle, host: string, port: number): number | undefined {
  const { IPV6_ONLY, REUSE_PORT } = tcpHandles!;
  const status = host.includes(":")
    ? socket.bind6(host, port, IPV6_ONLY | REUSE_PORT)
    : socket.bind(host, port, REUSE_PORT);
  if (status !== 0) return undefined;
  const name: { port?: number } = {};
  socket.getsockname(name);
  // An address in use is said by libuv no earlier than on listening: until then the socket has no port.
  return name.port === undefined || name.port === 0 ? undefined : name.port;
}
