// What goes through one port: the listeners that share it, with their routes, as the proxy is told of them.

import type { Listener, StreamRoute, TlsStream, TlsTermination } from "@gatehouse/proxy/routing-table";
import { compareSpecificity, covers } from "./hostnames.ts";
import { familyOf } from "./listener-conflicts.ts";
import { type ProcessedListener, terminates } from "./listeners.ts";
import type { AttachedListener } from "./attached-listeners.ts";
import { isolateListeners, mergeGateways, ownerOf } from "./virtual-hosts.ts";

export type PortTraffic = Pick<Listener, "transport" | "tls" | "servers" | "stream">;

/** `group` are the listeners of a Gateway for one port and transport, which do not conflict; at least one. */
export function trafficOfPort(group: readonly AttachedListener[]): PortTraffic {
  const [first] = group;
  const family = first && familyOf(first.listener.spec.protocol);
  if (first && (family === "TCP" || family === "UDP")) {
    return { ...(family === "UDP" ? { transport: "udp" } : {}), servers: [], stream: streamOf(first) };
  }
  const listeners = group.map(({ listener }) => listener);
  const streams = tlsStreamsOf(group);
  // Without HTTP beside it TLS needs no names of servers.
  const withHttp = group.some(({ listener }) => listener.spec.protocol !== "TLS");
  const servers = withHttp ? isolateListeners(group) : [];
  return { servers, ...(family === "TLS" ? { tls: termination(listeners, streams) } : {}) };
}

/** One stream has all connections; of several routes the oldest gets them (design guide, "Conflicts"). */
function streamOf({ listener, routes }: AttachedListener): StreamRoute {
  const [oldest] = routes;
  return oldest?.served.stream ?? unrouted(listener);
}

/** Connections for which there is no route are reset. */
function unrouted({ owner, spec }: ProcessedListener): StreamRoute {
  return { id: `${owner.kind.toLowerCase()}/${owner.namespace}/${owner.name}/${spec.name}`, backends: [] };
}

/** What belongs to a TLS listener stays there, also where it has no route for it. */
function tlsStreamsOf(group: readonly AttachedListener[]): TlsStream[] {
  const streams: TlsStream[] = [];
  for (const each of group) {
    const { listener, routes } = each;
    if (listener.spec.protocol !== "TLS") continue;
    const mode = terminates(listener.spec) ? "terminate" : "passthrough";
    const taken = new Map<string, StreamRoute>();
    for (const { hostnames, served } of routes) {
      const route = mode === "terminate" ? served.terminated : served.stream;
      for (const host of hostnames) {
        if (route && !taken.has(host) && ownerOf(host, group) === each) taken.set(host, route);
      }
    }
    if (!taken.has(listener.hostname)) taken.set(listener.hostname, unrouted(listener));
    for (const [hostname, route] of taken) streams.push({ hostname, mode, route });
  }
  return streams.sort((a, b) => compareSpecificity(a.hostname, b.hostname) || (a.hostname < b.hostname ? -1 : 1));
}

/** Certificates by the hosts they are for; the first, for clients that name no host, is a listener's for every host. */
function termination(listeners: readonly ProcessedListener[], streams: TlsStream[]): TlsTermination {
  const leastSpecificFirst = [...listeners].sort((a, b) => compareSpecificity(b.hostname, a.hostname));
  const certificates = leastSpecificFirst.flatMap(({ hostname, certificates: pairs }) =>
    pairs.map(({ certificate, key, names }, position) => ({
      hostnames: position === 0 ? [hostname] : names.filter((name) => covers(hostname, name)),
      certificate,
      key,
    })),
  );
  const clientCertificates = listeners.find((listener) => listener.clientCertificates)?.clientCertificates;
  return {
    certificates,
    ...(clientCertificates ? { clientCertificates } : {}),
    ...(streams.length > 0 ? { streams } : {}),
  };
}

/** The ports of all Gateways that an entrypoint serves, the oldest Gateway's first; they are of one family. */
export function mergePorts(ports: readonly PortTraffic[]): PortTraffic {
  const [first] = ports;
  if (!first) return { servers: [] };
  if (ports.length === 1) return first;
  const tls = ports.flatMap((port) => port.tls ?? []);
  return {
    servers: mergeGateways(ports.map(({ servers }) => servers)),
    ...(first.stream ? { stream: first.stream } : {}),
    ...(tls.length > 0 ? { tls: mergeTls(tls) } : {}),
  };
}

/** Of two Gateways that want the same name the older has it. */
function mergeTls(parts: readonly TlsTermination[]): TlsTermination {
  const streams = new Map<string, TlsStream>();
  for (const stream of parts.flatMap((each) => each.streams ?? [])) {
    const present = streams.get(stream.hostname);
    if (!present || (present.route.backends.length === 0 && stream.route.backends.length > 0)) {
      streams.set(stream.hostname, stream);
    }
  }
  const clientCertificates = parts[0]?.clientCertificates;
  return {
    certificates: parts.flatMap((each) => each.certificates),
    ...(clientCertificates ? { clientCertificates } : {}),
    ...(streams.size > 0
      ? { streams: [...streams.values()].sort((a, b) => compareSpecificity(a.hostname, b.hostname)) }
      : {}),
  };
}
