// One listener of a Gateway: whether it can be served, where it is bound, and what that says in its status.

import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { Listener, RouteGroupKind } from "@gatehouse/gateway-api/listener";
import { gatewayGroup } from "../gateway-resources.ts";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import { anyHost } from "./hostnames.ts";
import { listOf } from "./problems.ts";
import type { EntryPoint, TranslateOptions } from "./translate.ts";

export interface ProcessedListener {
  spec: Listener;
  /** Lower-case; `*` for every host. */
  hostname: string;
  supportedKinds: RouteGroupKind[];
  /** Belongs into the routing table. */
  routable: boolean;
  /** Routable, and open somewhere. */
  programmed: boolean;
  /** The entrypoint whose port it names. */
  entryPoint?: EntryPoint;
  conditions: DesiredCondition[];
}

/** What is the same for all listeners of a Gateway. */
export interface ListenerContext {
  gateway: Gateway;
  /** The Gateway's own addresses, on which every listener's port is opened. */
  hosts: readonly string[];
  /** Why no listener of the Gateway can be served. */
  blocked?: string;
}

const supportedProtocols = ["HTTP"];
const httpRoute: RouteGroupKind = { group: gatewayGroup, kind: "HTTPRoute" };

export function processListener(
  spec: Listener,
  context: ListenerContext,
  options: TranslateOptions,
): ProcessedListener {
  const entryPoint = options.entryPoints.find((candidate) => candidate.port === spec.port);
  const supportedKinds = kindsOf(spec);
  const conflicted = conflict(spec, context.gateway);
  const binding = bind(spec, context, entryPoint, options);
  const accepted = acceptance(spec, conflicted, binding, context.blocked);
  const resolvedRefs = resolveKinds(spec, supportedKinds);
  const reasons = [accepted, resolvedRefs].filter((condition) => condition.status === "False");
  const routable = supportedKinds.length > 0 && conflicted.status === "False" && context.blocked === undefined;
  const usable = routable && accepted.status === "True";
  const programmed = usable
    ? holds("Programmed", "Programmed", binding.message)
    : fails("Programmed", "Invalid", context.blocked ?? reasons.map(({ message }) => message).join("; "));
  return {
    spec,
    hostname: spec.hostname ? spec.hostname.toLowerCase() : anyHost,
    supportedKinds,
    routable,
    programmed: usable,
    ...(entryPoint ? { entryPoint } : {}),
    conditions: [accepted, programmed, resolvedRefs, conflicted],
  };
}

/** The name of the proxy listener that serves a Gateway's port on the Gateway's own address. */
export function ownListenerName(gateway: Gateway, port: number): string {
  return `gateway/${gateway.metadata.namespace}/${gateway.metadata.name}/${port}`;
}

function kindsOf({ protocol, allowedRoutes }: Listener): RouteGroupKind[] {
  if (!supportedProtocols.includes(protocol)) return [];
  const kinds = allowedRoutes?.kinds ?? [];
  return kinds.length === 0 || kinds.some(isHttpRoute) ? [httpRoute] : [];
}

const isHttpRoute = ({ group = gatewayGroup, kind }: RouteGroupKind): boolean =>
  group === gatewayGroup && kind === "HTTPRoute";

function resolveKinds({ protocol, allowedRoutes }: Listener, supportedKinds: RouteGroupKind[]): DesiredCondition {
  const invalid = (allowedRoutes?.kinds ?? []).filter((kind) => !isHttpRoute(kind)).map(({ kind }) => kind);
  if (invalid.length === 0) return holds("ResolvedRefs", "ResolvedRefs", "All references are resolved");
  const use = supportedKinds.length > 0 ? "only HTTPRoute takes effect" : `use HTTPRoute`;
  const message = `allowedRoutes.kinds has ${invalid.join(", ")}, which a listener of protocol ${protocol} does not support: ${use}`;
  return fails("ResolvedRefs", "InvalidRouteKinds", message);
}

/** Listeners of one port must be told apart by hostname, and speak one protocol (GatewaySpec.listeners, "distinct"). */
function conflict(spec: Listener, gateway: Gateway): DesiredCondition {
  const others = gateway.spec.listeners.filter((other) => other.name !== spec.name && other.port === spec.port);
  const http = ["HTTP", "HTTPS"];
  const speaks = others.find(
    (other) => http.includes(other.protocol) && http.includes(spec.protocol) && other.protocol !== spec.protocol,
  );
  if (speaks) {
    const message = `listener "${speaks.name}" speaks ${speaks.protocol} on the same port ${spec.port}: change the port of one`;
    return { type: "Conflicted", status: "True", reason: "ProtocolConflict", message };
  }
  const same = others.find(
    (other) =>
      other.protocol === spec.protocol && (other.hostname ?? "").toLowerCase() === (spec.hostname ?? "").toLowerCase(),
  );
  if (same) {
    const message = `listener "${same.name}" has the same port ${spec.port} and hostname: change the hostname or port of one`;
    return { type: "Conflicted", status: "True", reason: "HostnameConflict", message };
  }
  return fails("Conflicted", "NoConflicts", "No conflict with other listeners");
}

interface Binding {
  bound: boolean;
  /** Where it is reachable, or what to change. */
  message: string;
}

/** The port is opened on the Gateway's own address, and is an entrypoint's when an entrypoint has the same port. */
function bind(
  { port }: Listener,
  { gateway, hosts }: ListenerContext,
  entryPoint: EntryPoint | undefined,
  options: TranslateOptions,
): Binding {
  const places: string[] = [];
  const failures: string[] = [];
  const note = (name: string, place: string): void => {
    const failure = options.listenerProblems.get(name);
    if (failure === undefined) places.push(place);
    else failures.push(`${place} cannot be opened: ${failure}`);
  };
  if (entryPoint) note(entryPoint.name, `entrypoint "${entryPoint.name}" (port ${port})`);
  if (hosts.length > 0) note(ownListenerName(gateway, port), hosts.map((host) => `${host}:${port}`).join(", "));
  if (!entryPoint) failures.push(missingEntryPoint(port, options));
  const bound = places.length > 0;
  return { bound, message: [bound ? `Serving on ${places.join(" and ")}` : undefined, ...failures].filter(Boolean).join("; ") };
}

function missingEntryPoint(port: number, { entryPoints, reservedPorts }: TranslateOptions): string {
  const known = listOf(entryPoints.map((each) => `${each.name} (port ${each.port})`));
  const owner = reservedPorts.get(port);
  const why = owner ? `entrypoint "${owner}" keeps port ${port} for the API` : `no entrypoint has port ${port}`;
  return `not reachable through a host port, because ${why}: set the listener's port to an entrypoint's: ${known}`;
}

function acceptance(
  spec: Listener,
  conflicted: DesiredCondition,
  binding: Binding,
  blocked: string | undefined,
): DesiredCondition {
  if (!supportedProtocols.includes(spec.protocol)) {
    const use = listOf(supportedProtocols);
    return fails("Accepted", "UnsupportedProtocol", `protocol ${spec.protocol} is not supported: use ${use}`);
  }
  if (conflicted.status === "True") return fails("Accepted", conflicted.reason, conflicted.message);
  if (blocked !== undefined) return holds("Accepted", "Accepted", "The listener is valid");
  if (!binding.bound) return fails("Accepted", "PortUnavailable", binding.message);
  return holds("Accepted", "Accepted", binding.message);
}
