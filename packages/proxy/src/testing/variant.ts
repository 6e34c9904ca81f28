// How the suites of the HTTP cores reach the proxy. They are run by themselves over the best I/O there is; the files
// `variants/*.test.ts` set another way here and run the very same suites once more.

import { request as requestPlain } from "node:http";
import type { ClientRequest, RequestOptions } from "node:http";
import { request as requestSecure } from "node:https";
import { connect as connectPlain } from "node:net";
import type { Socket, TcpNetConnectOpts } from "node:net";
import { connect as connectSecure } from "node:tls";
import { BEST_IO } from "../io/network.ts";
import type { Io } from "../io/network.ts";
import { createProxy } from "../proxy.ts";
import type { Proxy, ProxyOptions } from "../proxy.ts";
import type { TlsTermination } from "../routing-table.ts";

export interface Variant {
  io: Io;
  /** Listeners terminate TLS with it, and clients speak TLS; null for plain text. */
  tls: TlsTermination | null;
}

/** The way in force. To be set before a suite is imported. */
export const variant: Variant = { io: BEST_IO, tls: null };

/** A proxy that moves bytes as the variant has it. */
export function variantProxy(options: ProxyOptions = {}): Proxy {
  return createProxy({ io: variant.io, ...options });
}

/** A client's connection to the proxy; over TLS it asks for `protocol`, if any (RFC 7301). */
export function connectToProxy(options: TcpNetConnectOpts, protocol?: string): Socket {
  if (variant.tls === null) return connectPlain(options);
  const asked = protocol === undefined ? {} : { ALPNProtocols: [protocol] };
  return connectSecure({ ...options, ...asked, rejectUnauthorized: false });
}

/** A request to the proxy with node:http's client. */
export function requestToProxy(options: RequestOptions): ClientRequest {
  const all = { host: "127.0.0.1", ...options };
  return variant.tls === null ? requestPlain(all) : requestSecure({ ...all, rejectUnauthorized: false });
}

/** What the proxy calls the scheme its clients speak. */
export const scheme = (): string => (variant.tls === null ? "http" : "https");
