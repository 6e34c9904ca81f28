// Where connections and datagrams go that are carried as they are: stream routes made ready, once per table.

import type { ConnectionOptions } from "node:tls";
import type { StreamBackend, StreamRoute } from "../routing-table.ts";
import type { StreamCounters } from "../stats.ts";
import type { BackendTlsCache } from "../tls/backend-tls.ts";
import { WeightedRoundRobin } from "../upstream/balancer.ts";
import type { ServiceState } from "../upstream/service-state.ts";
import type { Upstreams } from "../upstream/upstreams.ts";

/** One share of a stream route. */
export interface CompiledStreamBackend {
  /** Null when unusable, for `reason`. */
  service: ServiceState | null;
  reason: string;
  /** Of the service, whatever route leads there; null with `service`. */
  counters: StreamCounters | null;
  /** Null: bytes go to the endpoints as they are. */
  tls: ConnectionOptions | null;
  /** Version of the PROXY header connections begin with, 0 for none. */
  proxyProtocol: 0 | 1 | 2;
}

export interface CompiledStream {
  route: StreamRoute;
  counters: StreamCounters;
  backends: CompiledStreamBackend[];
  shares: WeightedRoundRobin;
}

/** What is carried. `tls`: connections that are encrypted already and stay so. */
export type Carried = "tcp" | "tls" | "udp";

export interface StreamCompileContext {
  /** Already updated with the table's services. */
  upstreams: Upstreams;
  backendTls: BackendTlsCache;
  streamCounters: (route: string) => StreamCounters;
  streamServiceCounters: (service: string) => StreamCounters;
}

/** `previous`: the route of the same id in the running table, whose place in the rotation is kept while shares are the same. */
export function compileStream(
  route: StreamRoute,
  carried: Carried,
  context: StreamCompileContext,
  previous: CompiledStream | undefined,
): CompiledStream {
  return {
    route,
    counters: context.streamCounters(route.id),
    backends: route.backends.map((backend) => compileBackend(backend, carried, context)),
    shares:
      previous !== undefined && sharesKey(previous.route) === sharesKey(route)
        ? previous.shares
        : new WeightedRoundRobin(route.backends.map(({ weight }) => weight)),
  };
}

function sharesKey({ backends }: StreamRoute): string {
  return JSON.stringify(backends.map(({ service, weight }) => [service ?? null, weight]));
}

function compileBackend(
  backend: StreamBackend,
  carried: Carried,
  context: StreamCompileContext,
): CompiledStreamBackend {
  if (backend.service === undefined) return unusable(backend.reason ?? "backend-unusable");
  const service = context.upstreams.get(backend.service);
  if (service === undefined) return unusable(`service-unknown: ${backend.service}`);
  const { protocol, tls, proxyProtocol = 0 } = service.service;
  if ((protocol === "udp") !== (carried === "udp") || (protocol !== "udp" && protocol !== "tcp"))
    return unusable(`protocol-not-supported: ${protocol}`);
  if (carried === "udp" && (proxyProtocol !== 0 || tls !== undefined))
    return unusable(`${tls === undefined ? "proxy-protocol" : "tls"}-not-supported: udp`);
  const counters = context.streamServiceCounters(service.id);
  // What is encrypted by the client itself is not encrypted again.
  if (tls === undefined || carried === "tls") return { service, reason: "", counters, tls: null, proxyProtocol };
  const options = context.backendTls.get(tls);
  if (options instanceof Error) return unusable(`backend-tls-unusable: ${options.message}`);
  return { service, reason: "", counters, tls: options, proxyProtocol };
}

function unusable(reason: string): CompiledStreamBackend {
  return { service: null, reason, counters: null, tls: null, proxyProtocol: 0 };
}
