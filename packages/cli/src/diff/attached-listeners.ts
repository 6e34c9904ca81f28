// Which listeners of a cluster a route wants to attach to, and for which hostnames. Pure.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { Target } from "./planned-request.ts";

export interface AttachedListener {
  target: Target;
  /** The hostnames at which the route is reached there; `*` stands for any. */
  hostnames: string[];
}

interface RouteSpec {
  hostnames?: string[];
  parentRefs?: { kind?: string; namespace?: string; name: string; sectionName?: string; port?: number }[];
}

/** Listeners that speak HTTP, in the order of the route's parents. A parent that is not there has none. */
export function attachedListeners(route: KubeObject, gateways: ReadonlyMap<string, Gateway>): AttachedListener[] {
  const { hostnames = [], parentRefs = [] } = (route.spec ?? {}) as RouteSpec;
  return parentRefs.flatMap(({ kind = "Gateway", namespace = route.metadata.namespace, name, sectionName, port }) => {
    const gateway = kind === "Gateway" ? gateways.get(`${namespace}/${name}`) : undefined;
    const listeners = (gateway?.spec.listeners ?? []).filter(
      (each) => (sectionName === undefined || each.name === sectionName) && (port === undefined || each.port === port),
    );
    return listeners.flatMap((listener) => {
      const scheme = { HTTP: "http", HTTPS: "https" }[listener.protocol] as Target["scheme"] | undefined;
      const common = commonHostnames(hostnames, listener.hostname);
      if (!scheme || common.length === 0) return [];
      const target = { scheme, listenerPort: listener.port, gateway: { namespace: namespace ?? "", name } };
      return [{ target, hostnames: common }];
    });
  });
}

/** Hostnames of a route that a listener of that hostname serves (Gateway API, HTTPRouteSpec.hostnames). */
export function commonHostnames(route: readonly string[], listener: string | undefined): string[] {
  if (route.length === 0) return [listener ?? "*"];
  if (listener === undefined) return [...route];
  return route.flatMap((hostname) => {
    if (hostname === listener || covers(listener, hostname)) return [hostname];
    return covers(hostname, listener) ? [listener] : [];
  });
}

/** `*.example.com` covers every name below, however deep, wildcards included; a precise name covers nothing else. */
function covers(wildcard: string, hostname: string): boolean {
  return wildcard.startsWith("*.") && hostname !== wildcard && hostname.endsWith(wildcard.slice(1));
}
