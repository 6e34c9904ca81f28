// One listener of a Gateway: whether it can be served, where it is bound, and what that says in its status.

import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { Listener, RouteGroupKind } from "@gatehouse/gateway-api/listener";
import { gatewayGroup } from "../gateway-resources.ts";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import { type CertificatePair, type CertificateProblem, resolveCertificates } from "./certificates.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { anyHost } from "./hostnames.ts";
import { listOf } from "./problems.ts";
import type { EntryPoint, TranslateOptions } from "./translate-options.ts";

export interface ProcessedListener {
  spec: Listener;
  /** Lower-case; `*` for every host. */
  hostname: string;
  supportedKinds: RouteGroupKind[];
  /** Belongs into the routing table. */
  routable: boolean;
  /** Routable, and open somewhere. */
  programmed: boolean;
  /** By its own merits, wherever it may be bound. */
  usable: boolean;
  /** The entrypoint that serves it too. */
  entryPoint?: EntryPoint;
  /** HTTPS only, at least one when usable. */
  certificates: CertificatePair[];
  conditions: DesiredCondition[];
}

/** What is the same for all listeners of a Gateway. */
export interface ListenerContext {
  gateway: Gateway;
  /** The Gateway's own addresses, on which every listener's port is opened. */
  hosts: readonly string[];
  /** What each port's entrypoint speaks. */
  portProtocols: ReadonlyMap<number, string>;
  index: ObjectIndex;
  /** Why no listener of the Gateway can be served. */
  blocked?: string;
}

export const supportedProtocols: readonly string[] = ["HTTP", "HTTPS"];
const httpRoute: RouteGroupKind = { group: gatewayGroup, kind: "HTTPRoute" };

export function processListener(
  spec: Listener,
  context: ListenerContext,
  options: TranslateOptions,
): ProcessedListener {
  const entryPoint = options.entryPoints.find(
    ({ port }) => port === spec.port && context.portProtocols.get(port) === spec.protocol,
  );
  const supportedKinds = kindsOf(spec);
  const conflicted = conflict(spec, context.gateway);
  const binding = bind(spec, context, entryPoint, options);
  const accepted = acceptance(spec, conflicted, binding, context.blocked);
  const { certificates, problems } =
    spec.protocol === "HTTPS"
      ? resolveCertificates(spec, context.gateway, context.index)
      : { certificates: [], problems: [] };
  const resolvedRefs = resolveReferences(spec, supportedKinds, problems);
  const reasons = [accepted, resolvedRefs].filter((condition) => condition.status === "False");
  const secured = spec.protocol !== "HTTPS" || certificates.length > 0;
  const usable = supportedKinds.length > 0 && conflicted.status === "False" && secured;
  const routable = usable && context.blocked === undefined;
  const isProgrammed = routable && accepted.status === "True";
  const programmed = isProgrammed
    ? holds("Programmed", "Programmed", binding.message)
    : fails("Programmed", "Invalid", context.blocked ?? reasons.map(({ message }) => message).join("; "));
  return {
    spec,
    hostname: spec.hostname ? spec.hostname.toLowerCase() : anyHost,
    supportedKinds,
    usable,
    routable,
    programmed: isProgrammed,
    certificates,
    ...(entryPoint ? { entryPoint } : {}),
    conditions: [accepted, programmed, resolvedRefs, conflicted],
  };
}

/** The name of the proxy listener that serves a Gateway's port on the Gateway's own address. */
export function ownListenerName(gateway: Gateway, port: number): string {
  return `gateway/${gateway.metadata.namespace}/${gateway.metadata.name}/${port}`;
}

function kindsOf({ protocol, tls, allowedRoutes }: Listener): RouteGroupKind[] {
  if (!canTerminate(protocol, tls)) return [];
  const kinds = allowedRoutes?.kinds ?? [];
  return kinds.length === 0 || kinds.some(isHttpRoute) ? [httpRoute] : [];
}

/** HTTP, or HTTPS whose TLS ends here; an absent mode is Terminate. */
function canTerminate(protocol: string, tls: Listener["tls"]): boolean {
  return supportedProtocols.includes(protocol) && (tls?.mode ?? "Terminate") === "Terminate";
}

const isHttpRoute = ({ group = gatewayGroup, kind }: RouteGroupKind): boolean =>
  group === gatewayGroup && kind === "HTTPRoute";

/** Certificates first: without one the listener serves nothing. */
function resolveReferences(
  { protocol, allowedRoutes }: Listener,
  supportedKinds: RouteGroupKind[],
  certificateProblems: readonly CertificateProblem[],
): DesiredCondition {
  const [first] = certificateProblems;
  if (first) {
    return fails("ResolvedRefs", first.reason, certificateProblems.map(({ message }) => message).join("; "));
  }
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
  /** Where it is not, and what to change. */
  notes: string[];
  /** Where it is, and where not. */
  message: string;
}

/** The port is opened on the Gateway's own address, and is an entrypoint's when an entrypoint has the same port. */
function bind(
  { port, protocol }: Listener,
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
  if (!entryPoint) failures.push(missingEntryPoint(port, protocol, options));
  const bound = places.length > 0;
  const serving = bound ? [`Serving on ${places.join(" and ")}`] : [];
  return { bound, notes: failures, message: [...serving, ...failures].join("; ") };
}

function missingEntryPoint(port: number, protocol: string, { entryPoints, reservedPorts }: TranslateOptions): string {
  const taken = entryPoints.find((each) => each.port === port);
  if (taken) {
    const why = `entrypoint "${taken.name}" speaks another protocol than ${protocol} for an older Gateway`;
    return `not reachable through a host port, because ${why}: use another port`;
  }
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
  if (!canTerminate(spec.protocol, spec.tls)) {
    const message = `tls.mode ${spec.tls?.mode} is not supported for protocol HTTPS: use Terminate`;
    return fails("Accepted", "UnsupportedProtocol", message);
  }
  if (conflicted.status === "True") return fails("Accepted", conflicted.reason, conflicted.message);
  if (blocked !== undefined) return holds("Accepted", "Accepted", "The listener is valid");
  if (!binding.bound) return fails("Accepted", "PortUnavailable", binding.message);
  return holds("Accepted", "Accepted", ["The listener is valid", ...binding.notes].join("; "));
}
