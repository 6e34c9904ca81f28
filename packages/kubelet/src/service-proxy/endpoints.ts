// Where the connections of a Service's port may go, and in which order. As kube-proxy chooses (pkg/proxy/topology.go).

import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";
import type { Service } from "@gatehouse/apimachinery/types/core-v1";
import type { Endpoint, EndpointSlice } from "@gatehouse/apimachinery/types/discovery-v1";
import type { ChooseTargets } from "../network/tcp-forwarder.ts";

/** The ready endpoints of the TCP port of this name; when there is none, those that still serve while they terminate
 * (KEP-1669). Each address once. */
export function endpointsOf(slices: Iterable<EndpointSlice>, portName: string): ListenAddress[] {
  const ready = new Map<string, ListenAddress>();
  const serving = new Map<string, ListenAddress>();
  for (const { addressType, endpoints, ports = [] } of slices) {
    const port = ports.find(({ name = "", protocol = "TCP" }) => name === portName && protocol === "TCP")?.port;
    if (port === undefined || addressType === "FQDN") continue;
    for (const endpoint of endpoints ?? []) {
      const among = isReady(endpoint) ? ready : isServing(endpoint) ? serving : undefined;
      // All addresses of an endpoint are the same one (discovery/v1): the first counts.
      const [host] = endpoint.addresses;
      if (host !== undefined) among?.set(`${host} ${port}`, { host, port });
    }
  }
  return [...(ready.size > 0 ? ready : serving).values()];
}

const isReady = ({ conditions }: Endpoint): boolean => conditions?.ready !== false;
const isServing = ({ conditions }: Endpoint): boolean =>
  conditions?.serving === true && conditions.terminating === true;

const defaultAffinitySeconds = 10_800;
/** From this many remembered clients on, those whose time is over are looked for and forgotten. */
const manyClients = 1_024;

/** Milliseconds for which a client stays with its endpoint; undefined without affinity. */
export function affinityOf({ spec }: Service): number | undefined {
  if (spec.sessionAffinity !== "ClientIP") return undefined;
  return (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds) * 1000;
}

/** In turn; with affinity each client first where it was. `now` in milliseconds. */
export function createBalancer(
  endpoints: () => readonly ListenAddress[],
  affinityMs: number | undefined,
  now: () => number = Date.now,
): ChooseTargets {
  const clients = new Map<string, { target: ListenAddress; until: number }>();
  let turn = 0;
  const inTurn = (): ListenAddress[] => {
    const all = endpoints();
    const first = all.length > 0 ? turn++ % all.length : 0;
    return [...all.slice(first), ...all.slice(0, first)];
  };
  if (affinityMs === undefined) return inTurn;

  const forgetOld = (): void => {
    for (const [client, { until }] of clients) if (until <= now()) clients.delete(client);
  };
  return function* (client) {
    const known = clients.get(client);
    const kept =
      known && known.until > now() ? endpoints().find((target) => samePlace(target, known.target)) : undefined;
    if (clients.size >= manyClients) forgetOld();
    // The one that is given last is the one that could be reached.
    const give = (target: ListenAddress): ListenAddress => {
      clients.set(client, { target, until: now() + affinityMs });
      return target;
    };
    if (kept) yield give(kept);
    for (const target of inTurn()) if (!kept || !samePlace(target, kept)) yield give(target);
  };
}

const samePlace = (one: ListenAddress, other: ListenAddress): boolean =>
  one.host === other.host && one.port === other.port;
