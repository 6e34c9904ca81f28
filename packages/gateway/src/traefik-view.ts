// The gateway's state in the shapes and names of Traefik's API, made on demand from the translation in force.

import type { Filter, Route } from "@gatehouse/proxy/routing-table";
import type { AttachedRoute, ParentAttachment } from "./translate/attach.ts";
import { endpointsOf } from "./translate/backend-services.ts";
import { translateGrpcMatch } from "./translate/grpc-matches.ts";
import { translateMatch } from "./translate/matches.ts";
import type { Translation } from "./translate/translator.ts";
import { type Place, placesOf, providerName, routerName, ruleIndexOf, serviceName } from "./traefik-names.ts";
import { traefikPriority, traefikRule } from "./traefik-rule.ts";

type Status = "enabled" | "disabled" | "warning";

/** A router of Traefik's API; `gatehouse` is ours and says which object and rule it comes from. */
export interface RouterView {
  name: string;
  provider: string;
  rule: string;
  priority: number;
  priorityStr: string;
  entryPoints: string[];
  using: string[];
  service: string;
  middlewares?: string[];
  status: Status;
  error?: string[];
  gatehouse?: {
    kind: string;
    namespace: string;
    name: string;
    rule: number;
    gateway: string;
    addresses: string[];
    parents: { parentRef: unknown; conditions: { type: string; status: string; reason: string; message: string }[] }[];
  };
}

export interface ServiceView {
  name: string;
  provider: string;
  type: string;
  status: Status;
  error?: string[];
  usedBy: string[];
  loadBalancer?: { servers: { url: string }[]; strategy: string; passHostHeader: boolean };
  weighted?: { services: { name: string; weight: number; status?: number }[] };
  serverStatus?: Record<string, "UP" | "DOWN">;
  gatehouse?: {
    kind: string;
    namespace: string;
    name: string;
    port: number;
    servers: { url: string; pod: string; state: string }[];
  };
}

export interface MiddlewareView {
  name: string;
  provider: string;
  type: string;
  status: Status;
  usedBy: string[];
  [settings: string]: unknown;
}

export interface TraefikView {
  /** Each sorted by name. */
  routers: RouterView[];
  services: ServiceView[];
  middlewares: MiddlewareView[];
}

export function buildTraefikView(translation: Translation): TraefikView {
  const draft: Draft = { routers: new Map(), services: new Map(), middlewares: new Map() };
  for (const attached of translation.routes) {
    for (const parent of attached.parents) {
      if (parent.listeners.length === 0) addRefused(draft, attached, parent);
      else for (const place of placesOf(parent)) addRouters(draft, attached, parent, place);
    }
  }
  addServers(draft, translation);
  const sorted = <T extends { name: string }>(map: Map<string, T>): T[] =>
    [...map.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    routers: sorted(draft.routers),
    services: sorted(draft.services),
    middlewares: sorted(draft.middlewares),
  };
}

interface Draft {
  routers: Map<string, RouterView>;
  services: Map<string, ServiceView>;
  middlewares: Map<string, MiddlewareView>;
}

function addRouters(draft: Draft, attached: AttachedRoute, parent: ParentAttachment, place: Place): void {
  const { translated } = attached;
  const problems = [
    ...place.idle.map(({ spec }) => `listener "${spec.name}" is not served: see the Gateway's status`),
    ...[translated.resolvedRefs].filter(({ status }) => status === "False").map(({ message }) => message),
    ...(translated.partiallyInvalid ? [translated.partiallyInvalid.message] : []),
  ];
  for (const route of translated.routes) {
    const rule = traefikRule(place.hostnames, route.match);
    const ruleIndex = ruleIndexOf(route);
    const name = routerName(attached, parent, place.entryPoint, ruleIndex, rule);
    const router: RouterView = {
      name,
      provider: providerName,
      rule,
      ...priorityOf(place.hostnames, route),
      entryPoints: [place.entryPoint],
      using: [place.entryPoint],
      service: addService(draft, name, route),
      ...addMiddlewares(draft, name, route.filters),
      status: problems.length > 0 ? "warning" : "enabled",
      ...(problems.length > 0 ? { error: problems } : {}),
      gatehouse: origin(attached, parent, ruleIndex, place.addresses),
    };
    draft.routers.set(name, router);
  }
}

/** A route that no listener took is shown all the same: with what it asks for, and why it does not get it. */
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
    const name = routerName(attached, parent, "none", ruleIndex, rule);
    draft.routers.set(name, {
      name,
      provider: providerName,
      rule,
      priority: 0,
      priorityStr: "0",
      entryPoints: [],
      using: [],
      service: "",
      status: "disabled",
      error: [parent.accepted.message],
      gatehouse: origin(attached, parent, ruleIndex, []),
    });
  }
}

function priorityOf(hostnames: readonly string[], route: Route): Pick<RouterView, "priority" | "priorityStr"> {
  const priority = traefikPriority(hostnames, route.match);
  return { priority, priorityStr: String(priority) };
}

function origin(
  { translated }: AttachedRoute,
  { parentRef, parent: { gateway }, accepted }: ParentAttachment,
  rule: number,
  addresses: string[],
): NonNullable<RouterView["gatehouse"]> {
  const { namespace = "", name } = translated.route.metadata;
  const conditions = [
    accepted,
    translated.resolvedRefs,
    ...(translated.partiallyInvalid ? [translated.partiallyInvalid] : []),
  ];
  return {
    kind: translated.kind,
    namespace,
    name,
    rule,
    gateway: `${gateway.gateway.metadata.namespace}/${gateway.gateway.metadata.name}`,
    addresses,
    parents: [{ parentRef, conditions }],
  };
}

/** A single backend is named itself; several, or none, get a weighted service of the router's own. */
function addService(draft: Draft, router: string, { action, filters }: Route): string {
  if (filters.some((filter) => filter.type === "redirect")) return "noop@internal";
  const backends = action.type === "forward" ? action.backends : [{ status: action.status, weight: 1, filters: [] }];
  const services = backends.map(({ service, status, weight }) => ({
    name: service === undefined ? "invalid-backend" : serviceName(service),
    weight,
    ...(service === undefined ? { status: status ?? 500 } : {}),
  }));
  const [only] = services;
  if (services.length === 1 && only && !("status" in only)) {
    use(draft, only.name, router);
    return only.name;
  }
  const name = `${router.replace(`@${providerName}`, "")}-wrr@${providerName}`;
  const view: ServiceView = {
    name,
    provider: providerName,
    type: "weighted",
    status: "enabled",
    usedBy: [router],
    weighted: { services },
  };
  draft.services.set(name, view);
  for (const service of services) if (!("status" in service)) use(draft, service.name, router);
  return name;
}

function use(draft: Draft, name: string, router: string): void {
  const view = draft.services.get(name) ?? {
    name,
    provider: providerName,
    type: "loadbalancer",
    status: "enabled",
    usedBy: [],
  };
  if (!view.usedBy.includes(router)) view.usedBy.push(router);
  draft.services.set(name, view);
}

function addServers(draft: Draft, { table, index }: Translation): void {
  for (const { id, endpoints } of table.services) {
    const view = draft.services.get(serviceName(id));
    const [, namespace = "", name = "", number = ""] = /^(.*)\/(.*):(\d+)$/.exec(id) ?? [];
    const port = index.service(namespace, name)?.spec.ports?.find((each) => each.port === Number(number));
    if (!view || !port) continue;
    const servers = endpointsOf(index.endpointSlices(namespace, name), port).map(({ endpoint, state }) => {
      const host = endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host;
      return { url: `http://${host}:${endpoint.port}`, pod: endpoint.name ?? "", state };
    });
    view.loadBalancer = { servers: servers.map(({ url }) => ({ url })), strategy: "wrr", passHostHeader: true };
    view.serverStatus = Object.fromEntries(servers.map(({ url, state }) => [url, state === "down" ? "DOWN" : "UP"]));
    view.gatehouse = { kind: "Service", namespace, name, port: port.port, servers };
    if (endpoints.length > 0) continue;
    view.status = "warning";
    view.error = [
      `Service "${name}" in namespace "${namespace}" has no ready endpoints: requests are answered with 503`,
    ];
  }
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
    const name = `${router.replace(`@${providerName}`, "")}-${kind.toLowerCase()}-${index}@${providerName}`;
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
