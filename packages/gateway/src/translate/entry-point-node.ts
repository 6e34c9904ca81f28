// One entrypoint in the translator: the ports of all Gateways that it serves, as one listener of the proxy.

import type { Listener, TlsStream, TlsTermination } from "@gatehouse/proxy/routing-table";
import { anyHost, compareHostnames } from "./hostnames.ts";
import { MergedServers } from "./merged-servers.ts";
import type { PortNode, PortTraffic } from "./port-node.ts";
import type { EntryPoint } from "./translate-options.ts";

export class EntryPointNode {
  readonly #place: Omit<Listener, keyof PortTraffic> & Pick<Listener, "transport">;
  readonly #servers = new MergedServers();
  #parts: readonly PortTraffic[] = [];
  /** The same object until something changes. */
  listener: Listener;

  constructor({ name, addresses, transport, trustedProxies }: EntryPoint) {
    this.#place = {
      name,
      addresses,
      ...(transport === "udp" ? { transport } : {}),
      ...(trustedProxies ? { trustedProxies } : {}),
    };
    this.listener = { ...this.#place, servers: [] };
  }

  /** `ports` are of one family, the oldest Gateway's first. */
  update(ports: readonly PortNode[]): void {
    const parts = ports.map(({ traffic }) => traffic);
    const same = parts.length === this.#parts.length && parts.every((part, position) => part === this.#parts[position]);
    if (same) return;
    this.#parts = parts;
    this.listener = { ...this.#place, ...this.#merge(parts) };
  }

  #merge(parts: readonly PortTraffic[]): PortTraffic {
    const [first] = parts;
    if (!first) return { servers: [] };
    if (parts.length === 1) return first;
    const tls = parts.flatMap((part) => part.tls ?? []);
    const servers = this.#servers.merge(parts.map((part) => part.servers));
    return {
      servers,
      ...(first.stream ? { stream: first.stream } : {}),
      ...(tls.length > 0 ? { tls: mergeTls(tls, servers.length > 0) } : {}),
    };
  }
}

/** Of two Gateways that want the same name the older has it, unless it has no route for it. Where one of them serves HTTP
 * (`withHttp`), that answers what would be reset for want of a route. */
function mergeTls(parts: readonly TlsTermination[], withHttp: boolean): TlsTermination {
  const streams = new Map<string, TlsStream>();
  for (const stream of parts.flatMap((each) => each.streams ?? [])) {
    const present = streams.get(stream.hostname);
    if (!present || (present.route.backends.length === 0 && stream.route.backends.length > 0)) {
      streams.set(stream.hostname, stream);
    }
  }
  if (withHttp && streams.get(anyHost)?.route.backends.length === 0) streams.delete(anyHost);
  const clientCertificates = parts[0]?.clientCertificates;
  const sorted = [...streams.values()].sort((a, b) => compareHostnames(a.hostname, b.hostname));
  return {
    certificates: parts.flatMap((each) => each.certificates),
    ...(clientCertificates ? { clientCertificates } : {}),
    ...(sorted.length > 0 ? { streams: sorted } : {}),
  };
}
