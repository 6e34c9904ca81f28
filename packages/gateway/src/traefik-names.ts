// The names that Traefik gives to routers and services, and the places where a router stands: for its API's views and for
// the access log.

import { createHash } from "node:crypto";
import type { Route } from "@gatehouse/proxy/routing-table";
import type { AttachedRoute, ParentAttachment } from "./translate/attach.ts";
import { ownListenerName, type ProcessedListener } from "./translate/listeners.ts";
import type { Translation } from "./translate/translator.ts";
import { traefikRule } from "./traefik-rule.ts";

export const providerName = "kubernetesgateway";

/** The router's name (with provider) of a request that proxy listener `listener` gave to `route`; empty for none. */
export type RouterNames = (listener: string, route: string) => string;

/** Names are made as they are asked for: an access log must not cost a view of everything after each change. */
export function createRouterNames(translation: Translation): RouterNames {
  const known = new Map<string, Map<string, string>>();
  return (listener, route) => {
    const present = known.get(route)?.get(listener);
    if (present !== undefined) return present;
    const name = findRouterName(translation, listener, route);
    known.set(route, (known.get(route) ?? new Map<string, string>()).set(listener, name));
    return name;
  };
}

function findRouterName(translation: Translation, listener: string, id: string): string {
  const attached = translation.route(id.split("/").slice(0, 3).join("/"));
  const route = attached?.translated.routes.find((each) => each.id === id);
  if (!attached || !route) return "";
  for (const parent of attached.parents) {
    const place = placesOf(parent).find((each) => each.listeners.includes(listener));
    if (place)
      return routerName(
        attached,
        parent,
        place.entryPoint,
        ruleIndexOf(route),
        traefikRule(place.hostnames, route.match),
      );
  }
  return "";
}

/** The rule of its object that a route was made of. */
export const ruleIndexOf = (route: Route): number => Number(/\/rule\/(\d+)\//.exec(route.id)?.[1] ?? 0);

/** A port where a Gateway took the route: an entrypoint, or one of the Gateway's own addresses only. */
export interface Place {
  entryPoint: string;
  addresses: string[];
  hostnames: string[];
  /** Names of the proxy's listeners that serve it. */
  listeners: string[];
  idle: ProcessedListener[];
}

export function placesOf({ parent: { gateway }, listeners }: ParentAttachment): Place[] {
  const places = new Map<number, Place>();
  for (const { listener, hostnames } of listeners) {
    const { port } = listener.spec;
    const own = gateway.hosts.map((host) => `${host}:${port}`);
    const place = places.get(port) ?? {
      entryPoint: listener.entryPoint?.name ?? own[0] ?? `:${port}`,
      addresses: own,
      hostnames: [],
      listeners: [
        ...(listener.entryPoint ? [listener.entryPoint.name] : []),
        ownListenerName(gateway.gateway, port, listener.spec.protocol),
      ],
      idle: [],
    };
    place.hostnames.push(...hostnames.filter((host) => !place.hostnames.includes(host)));
    if (!listener.programmed) place.idle.push(listener);
    places.set(port, place);
  }
  return [...places.values()];
}

/** Traefik's way: what it is made of, and a hash of the rule to tell matches apart. */
export function routerName(
  attached: AttachedRoute,
  parent: ParentAttachment,
  entryPoint: string,
  rule: number,
  text: string,
): string {
  const { namespace, name } = attached.translated.route.metadata;
  const gateway = parent.parent.gateway.gateway.metadata;
  const key = `${attached.translated.kind.toLowerCase()}-${namespace}-${name}-gw-${gateway.namespace}-${gateway.name}-ep-${entryPoint}-${rule}`;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 20);
  return `${normalize(key)}-${hash}@${providerName}`;
}

const normalize = (text: string): string =>
  text
    .split(/[^\p{L}\p{N}]+/u)
    .filter((part) => part !== "")
    .join("-");

/** By the id of a service of the routing table. */
export const serviceName = (id: string): string => `${normalize(id)}@${providerName}`;

/** Of a service or middleware that belongs to one router. */
export const ownName = (router: string, suffix: string): string =>
  `${router.replace(`@${providerName}`, "")}-${suffix}@${providerName}`;
