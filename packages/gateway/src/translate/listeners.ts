// One listener of a Gateway or of a listener set: whether it can be served, where it is bound, and what that says in its status.

import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { Listener, RouteGroupKind } from "@gatehouse/gateway-api/listener";
import type { ClientCertificates } from "@gatehouse/proxy/routing-table";
import type { AuthorityProblem } from "./ca-certificates.ts";
import { type CertificatePair, resolveCertificates } from "./certificates.ts";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import { type EntryPointUses, entryPointFor, transportOf } from "./entry-point-uses.ts";
import { type FrontendValidation, frontendValidation } from "./frontend-tls.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { type Conflict, hostnameOf } from "./listener-conflicts.ts";
import { type KindProblem, supportedKindsOf } from "./listener-kinds.ts";
import { listOf } from "./problems.ts";
import type { EntryPoint, TranslateOptions } from "./translate-options.ts";

/** The object that a listener is written in. */
export interface ListenerOwner {
  group: string;
  kind: "Gateway" | "ListenerSet" | "XListenerSet";
  namespace: string;
  name: string;
}

export interface ProcessedListener {
  owner: ListenerOwner;
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
  /** With TLS that ends here, at least one when usable. */
  certificates: CertificatePair[];
  /** HTTPS: clients must show a certificate. */
  clientCertificates?: ClientCertificates;
  conditions: DesiredCondition[];
}

/** What a listener's surroundings say about it. */
export interface ListenerContext {
  owner: ListenerOwner;
  gateway: Gateway;
  /** The Gateway's own addresses, on which every listener's port is opened. */
  hosts: readonly string[];
  conflict?: Conflict;
  /** Another listener whose TLS concerns partly the same names. */
  overlapping?: Listener;
  entryPointUses: EntryPointUses;
  index: ObjectIndex;
  /** Why no listener of the Gateway can be served. */
  blocked?: string;
}

/** Whether TLS ends at the listener; an absent mode is Terminate. */
export const terminates = ({ protocol, tls }: Listener): boolean =>
  protocol === "HTTPS" || (protocol === "TLS" && tls?.mode !== "Passthrough");

export function processListener(
  spec: Listener,
  context: ListenerContext,
  options: TranslateOptions,
): ProcessedListener {
  const { owner, gateway, conflict, index, blocked } = context;
  const kinds = supportedKindsOf(spec, options.api.kinds);
  const binding = bind(spec, context, options);
  const validation = spec.protocol === "HTTPS" ? frontendValidation(gateway, spec.port, index) : undefined;
  const accepted = acceptance(spec, context, { binding, validation, unsupported: kinds.unsupported });
  const { certificates, problems } = terminates(spec)
    ? resolveCertificates(spec, owner, index)
    : { certificates: [], problems: [] };
  const resolvedRefs = resolveReferences(problems, validation?.problems ?? [], kinds.problem);
  const secured = !terminates(spec) || certificates.length > 0;
  const checked = validation === undefined || validation.clientCertificates !== undefined;
  const usable = kinds.supported.length > 0 && spec.port !== 0 && !conflict && secured && checked;
  const routable = usable && blocked === undefined;
  const isProgrammed = routable && accepted.status === "True";
  const { entryPoint } = binding;
  return {
    owner,
    spec,
    hostname: hostnameOf(spec),
    supportedKinds: kinds.supported,
    usable,
    routable,
    programmed: isProgrammed,
    certificates,
    ...(validation?.clientCertificates ? { clientCertificates: validation.clientCertificates } : {}),
    ...(entryPoint ? { entryPoint } : {}),
    conditions: [
      accepted,
      isProgrammed
        ? holds("Programmed", "Programmed", binding.message)
        : notProgrammed([accepted, resolvedRefs], conflict, blocked),
      resolvedRefs,
      conflicted(conflict),
      ...overlapping(context),
    ],
  };
}

/** The name of the proxy listener that serves a Gateway's port on the Gateway's own address. */
export function ownListenerName(gateway: Gateway, port: number, protocol = "TCP"): string {
  const suffix = transportOf(protocol) === "udp" ? "/udp" : "";
  return `gateway/${gateway.metadata.namespace}/${gateway.metadata.name}/${port}${suffix}`;
}

function notProgrammed(
  conditions: readonly DesiredCondition[],
  conflict: Conflict | undefined,
  blocked: string | undefined,
): DesiredCondition {
  if (blocked !== undefined) return fails("Programmed", "Invalid", blocked);
  if (conflict) return fails("Programmed", conflict.reason, conflict.message);
  const reasons = conditions.filter(({ status }) => status === "False").map(({ message }) => message);
  const distinct = reasons.filter((reason, at) => !reasons.some((each, other) => other < at && each.includes(reason)));
  return fails("Programmed", "Invalid", distinct.join("; "));
}

function conflicted(conflict: Conflict | undefined): DesiredCondition {
  if (conflict) return { type: "Conflicted", status: "True", ...conflict };
  return fails("Conflicted", "NoConflicts", "No conflict with other listeners");
}

/** Clients that reuse connections for several names may end up at the wrong one of two such listeners. */
function overlapping({ overlapping: other }: ListenerContext): DesiredCondition[] {
  if (!other) return [];
  const name = other.hostname ? `hostname "${other.hostname}"` : "no hostname";
  const message = `another listener of port ${other.port} has ${name}, which overlaps with this one's`;
  return [holds("OverlappingTLSConfig", "OverlappingHostnames", message)];
}

const authorityReasons = {
  kind: "InvalidCACertificateKind",
  reference: "InvalidCACertificateRef",
  grant: "RefNotPermitted",
} as const;

/** Certificates first: without one the listener serves nothing. */
function resolveReferences(
  certificates: ReturnType<typeof resolveCertificates>["problems"],
  authorities: readonly AuthorityProblem[],
  kinds: KindProblem | undefined,
): DesiredCondition {
  const problems = [
    ...certificates.map(({ what, message }) => ({
      reason: what === "grant" ? ("RefNotPermitted" as const) : ("InvalidCertificateRef" as const),
      message,
    })),
    ...authorities.map(({ what, message }) => ({ reason: authorityReasons[what], message })),
    ...(kinds ? [kinds] : []),
  ];
  const [first] = problems;
  if (!first) return holds("ResolvedRefs", "ResolvedRefs", "All references are resolved");
  return fails("ResolvedRefs", first.reason, problems.map(({ message }) => message).join("; "));
}

interface Binding {
  entryPoint?: EntryPoint;
  bound: boolean;
  /** Where it is not, and what to change. */
  notes: string[];
  /** Where it is, and where not. */
  message: string;
}

/** The port is opened on the Gateway's own address, and is an entrypoint's when an entrypoint has the same port. */
function bind(spec: Listener, context: ListenerContext, options: TranslateOptions): Binding {
  const { gateway, hosts, entryPointUses } = context;
  const { port, protocol } = spec;
  const places: string[] = [];
  const failures: string[] = [];
  const note = (name: string, place: string): void => {
    const failure = options.listenerProblems.get(name);
    if (failure === undefined) places.push(place);
    else failures.push(`${place} cannot be opened: ${failure}`);
  };
  const entryPoint = entryPointFor(spec, gateway, entryPointUses, options);
  const own = ownListenerName(gateway, port, protocol);
  if (!("reason" in entryPoint)) note(entryPoint.name, `entrypoint "${entryPoint.name}" (port ${port})`);
  if (hosts.length > 0) note(own, hosts.map((host) => `${host}:${port}`).join(", "));
  if ("reason" in entryPoint) failures.push(`not reachable through a host port, because ${entryPoint.reason}`);
  const bound = places.length > 0;
  const serving = bound ? [`Serving on ${places.join(" and ")}`] : [];
  return {
    ...("reason" in entryPoint ? {} : { entryPoint }),
    bound,
    notes: failures,
    message: [...serving, ...failures].join("; "),
  };
}

function acceptance(
  spec: Listener,
  { conflict, blocked }: ListenerContext,
  found: { binding: Binding; validation: FrontendValidation | undefined; unsupported: string | undefined },
): DesiredCondition {
  const { binding, validation, unsupported } = found;
  if (unsupported !== undefined) return fails("Accepted", "UnsupportedProtocol", unsupported);
  if (spec.protocol === "HTTPS" && spec.tls?.mode === "Passthrough") {
    const message = "tls.mode Passthrough is not supported for protocol HTTPS: use Terminate, or protocol TLS";
    return fails("Accepted", "UnsupportedValue", message);
  }
  if (spec.port === 0) {
    return fails("Accepted", "UnsupportedPort", "ports are not chosen here: name the listener's port");
  }
  if (conflict) return fails("Accepted", conflict.reason, conflict.message);
  if (validation && !validation.clientCertificates) {
    const messages = listOf(validation.problems.map(({ message }) => message));
    return fails("Accepted", "NoValidCACertificate", `clients cannot be verified: ${messages}`);
  }
  if (blocked !== undefined) return holds("Accepted", "Accepted", "The listener is valid");
  if (!binding.bound) return fails("Accepted", "PortUnavailable", binding.message);
  return holds("Accepted", "Accepted", ["The listener is valid", ...binding.notes].join("; "));
}
