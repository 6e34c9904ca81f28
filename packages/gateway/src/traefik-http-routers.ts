// HTTPRoutes and GRPCRoutes -> Traefik's routers, services and middlewares: a router for each match and place.

import type { Filter, Route } from "@gatehouse/proxy/routing-table";
import { ownName, type Place, placesOf, providerName, routerName, ruleIndexOf, serviceName } from "./traefik-names.ts";
import { nowhere, refusedRouter, routerAt } from "./traefik-routers.ts";
import { traefikPriority, traefikRule } from "./traefik-rule.ts";
import { type ServiceViews, serviceOfShares } from "./traefik-services.ts";
import type { MiddlewareView, RouterView } from "./traefik-view.ts";
import type { AttachedRoute, ParentAttachment } from "./translate/attach.ts";
import { translateGrpcMatch } from "./translate/grpc-matches.ts";
import { translateMatch } from "./translate/matches.ts";

interface Draft {
  routers: Map<string, RouterView>;
  services: ServiceViews;
  middlewares: Map<string, MiddlewareView>;
}

export function addHttpRouters(draft: Draft, attached: AttachedRoute): void {
  for (const parent of attached.parents) {
    if (parent.listeners.length === 0) addRefused(draft, attached, parent);
    else for (const place of placesOf(parent)) addPlaced(draft, attached, parent, place);
  }
}

function addPlaced(draft: Draft, attached: AttachedRoute, parent: ParentAttachment, place: Place): void {
  for (const route of attached.translated.routes) {
    const rule = traefikRule(place.hostnames, route.match);
    const ruleIndex = ruleIndexOf(route);
    const name = routerName(attached, parent, place.entryPoint, ruleIndex, rule);
    const priority = traefikPriority(place.hostnames, route.match);
    draft.routers.set(name, {
      name,
      rule,
      priority,
      priorityStr: String(priority),
      service: addService(draft, name, route),
      ...addMiddlewares(draft, name, route.filters),
      ...routerAt(place, attached, parent, ruleIndex),
    });
  }
}

function addRefused(draft: Draft, attached: AttachedRoute, parent: ParentAttachment): void {
  const { kind, route } = attached.translated;
  const { hostnames = [], rules: ofSpec = [] } = route.spec as {
    hostnames?: string[];
    rules?: { matches?: object[] }[];
  };
  const translateOne = kind === "GRPCRoute" ? translateGrpcMatch : translateMatch;
  for (const [ruleIndex, { matches }] of ofSpec.entries()) {
    const rules = (matches?.length ? matches : [{}]).map((match, index) => {
      const translated = translateOne(match, `matches[${index}]`);
      return "reason" in translated ? "" : traefikRule(hostnames, translated);
    });
    const rule = rules.filter((each) => each !== "").join(" || ");
    const name = routerName(attached, parent, nowhere, ruleIndex, rule);
    const router = refusedRouter(attached, parent, ruleIndex);
    draft.routers.set(name, { name, rule, priority: 0, priorityStr: "0", service: "", ...router });
  }
}

function addService(draft: Draft, router: string, { action, filters }: Route): string {
  if (filters.some((filter) => filter.type === "redirect")) return "noop@internal";
  const backends = action.type === "forward" ? action.backends : [{ status: action.status, weight: 1 }];
  const shares = backends.map(({ weight, ...backend }) =>
    "service" in backend && backend.service !== undefined
      ? { name: serviceName(backend.service), weight }
      : { name: "invalid-backend", weight, status: backend.status ?? 500 },
  );
  return serviceOfShares(draft.services, router, shares);
}

const middlewareTypes: Record<Filter["type"], string> = {
  requestHeaders: "requestHeaderModifier",
  responseHeaders: "responseHeaderModifier",
  redirect: "requestRedirect",
  rewrite: "urlRewrite",
  mirror: "requestMirror",
  cors: "cors",
  externalAuth: "externalAuth",
  buffer: "buffering",
};

function addMiddlewares(draft: Draft, router: string, filters: readonly Filter[]): { middlewares?: string[] } {
  if (filters.length === 0) return {};
  const middlewares = filters.map((filter, index) => {
    const { type, ...settings } = filter;
    const kind = middlewareTypes[type];
    const name = ownName(router, `${kind.toLowerCase()}-${index}`);
    draft.middlewares.set(name, {
      name,
      provider: providerName,
      type: kind.toLowerCase(),
      status: "enabled",
      usedBy: [router],
      [kind]: settings,
    });
    return name;
  });
  return { middlewares };
}
