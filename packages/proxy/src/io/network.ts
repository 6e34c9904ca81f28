// Chooses how bytes move: the runtime's handles where they are there, the documented sockets elsewhere.

import { isIP } from "node:net";
import { dialHandle } from "./handle-transport.ts";
import { DialledTransport } from "./net-transport.ts";
import { tcpHandles } from "./tcp-handles.ts";
import { tlsHandles } from "./tls-handles.ts";
import type { Transport } from "./transport.ts";

/** `handles`: as tcp-handles.ts and tls-handles.ts have them; both, as TLS of node:tls does not go over a handle. `sockets`: node:net's documented API. */
export type Io = "handles" | "sockets";

/** What this runtime does best. */
export const BEST_IO: Io = tcpHandles === null || tlsHandles === null ? "sockets" : "handles";

/** Starts connecting; `onConnect` is called when the connection stands, else `handler.onClose` with the error. */
export function dial(io: Io, host: string, port: number, onConnect: () => void): Transport {
  // Names are looked up by node:net.
  if (io === "handles" && isIP(host) !== 0) return dialHandle(host, port, onConnect);
  return new DialledTransport(host, port, onConnect);
}
