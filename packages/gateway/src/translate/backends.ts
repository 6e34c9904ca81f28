// backendRefs -> the backends they mean: reference -> grant -> Service -> port -> protocol. What stands behind such a backend
// (endpoints, TLS) is a step of its own, backend-services.ts, because it changes far more often than routes do.

import type { Service, ServicePort } from "@gatehouse/apimachinery/types/core-v1";
import type { BackendObjectReference } from "@gatehouse/gateway-api/references";
import type { XBackend } from "@gatehouse/gateway-api/x-backend";
import type { Service as ProxyService } from "@gatehouse/proxy/routing-table";
import { experimentalGroup } from "../gateway-resources.ts";
import { backendTls } from "./backend-tls-policies.ts";
import type { CertificatePair } from "./certificates.ts";
import { externalTls } from "./external-backends.ts";
import { sharedFlat } from "./flat-text.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { listOf, type ReferenceProblem } from "./problems.ts";
import { grantToCreate, isReferencePermitted } from "./reference-grants.ts";
import type { RouteKind } from "./route-kinds.ts";

/** What the route wants to send: requests of HTTP or gRPC, connections as they come, their content after TLS, datagrams. */
export type Traffic = "http" | "grpc" | "tcp" | "tls" | "udp";

/** Of a backend, whether it exists or not. */
export const backendKey = (kind: Backend["kind"], namespace: string, name: string): string =>
  sharedFlat(kind, namespace, name);

/** Where a reference stands: the route's kind and namespace, and the reference's path in it for messages. */
export interface BackendContext {
  kind: RouteKind;
  namespace: string;
  /** E.g. `backendRefs[0]`. */
  field: string;
  ruleIndex: number;
  traffic: Traffic;
  /** Told of backends that the route may refer to, as of `backendKey`. */
  onPermitted: (key: string) => void;
}

/** A backend that a route may use. Two of one `id` are equal. */
export interface Backend {
  /** Id in the routing table's services. */
  id: string;
  kind: "Service" | "XBackend";
  namespace: string;
  name: string;
  port: number;
  protocol: ProxyService["protocol"];
  /** Spoken to over TLS, as a BackendTLSPolicy asks. */
  tls: boolean;
  /** Shown to it: the certificate of the Gateway through which requests come. */
  clientCertificate?: CertificatePair;
}

/** The backend behind a reference, or why there is none (HTTPBackendRef: when a reference is invalid). */
export function resolveBackend(
  ref: BackendObjectReference,
  context: BackendContext,
  index: ObjectIndex,
): Backend | ReferenceProblem {
  const { field } = context;
  const of = `of rule ${context.ruleIndex}`;
  const kind = ref.kind ?? "Service";
  const isExternal = ref.group === experimentalGroup && kind === "XBackend";
  if (((ref.group ?? "") !== "" || kind !== "Service") && !isExternal) {
    const what = ref.group ? `${kind}.${ref.group}` : kind;
    return problem("InvalidKind", `${field} ${of} refers to kind ${what}, which is not supported: refer to a Service`);
  }
  const namespace = ref.namespace ?? context.namespace;
  const reference = {
    from: { kind: context.kind, namespace: context.namespace },
    to: { kind, namespace, name: ref.name, ...(isExternal ? { group: experimentalGroup } : {}) },
  };
  if (!isReferencePermitted(reference, index)) {
    const what = `${kind} "${ref.name}" in namespace "${namespace}" may not be used from namespace "${context.namespace}"`;
    return problem("RefNotPermitted", `${what} (${field} ${of}): ${grantToCreate(reference)}`);
  }
  context.onPermitted(backendKey(isExternal ? "XBackend" : "Service", namespace, ref.name));
  if (isExternal) return resolveExternalBackend(namespace, ref.name, context, index);
  const service = index.service(namespace, ref.name);
  if (!service) {
    const what = `Service "${ref.name}" not found in namespace "${namespace}"`;
    return problem("BackendNotFound", `${what}: create it or correct ${field}.name ${of}`);
  }
  return resolvePort(service, ref.port, context, index);
}

function resolvePort(
  service: Service,
  number: number | undefined,
  { field, ruleIndex, traffic }: BackendContext,
  index: ObjectIndex,
): Backend | ReferenceProblem {
  const { name, namespace = "" } = service.metadata;
  if (service.spec.type === "ExternalName") {
    const remedy = "use a Service with a selector or with EndpointSlices of its own";
    return problem("InvalidKind", `Service "${name}" is of type ExternalName, which is not supported: ${remedy}`);
  }
  const port = portOf(service, number);
  const at = `${field}.port of rule ${ruleIndex}`;
  if (!port) {
    const has = `its ports are ${listOf((service.spec.ports ?? []).map(describePort))}`;
    const message =
      number === undefined
        ? `${at} is missing; ${has} on Service "${name}"`
        : `Service "${name}" has no port ${number}; ${has}: correct ${at}`;
    return problem("BackendNotFound", message);
  }
  const transport = port.protocol ?? "TCP";
  if (transport !== (traffic === "udp" ? "UDP" : "TCP")) {
    const needed = traffic === "udp" ? "a UDP port" : "a TCP port";
    const message = `port ${describePort(port)} of Service "${name}" is ${transport}: the route needs ${needed}`;
    return problem("UnsupportedProtocol", message);
  }
  const protocol = protocolFor(traffic, service, port, index);
  if ("reason" in protocol) return { ...protocol, message: `${protocol.message} (Service "${name}")` };
  const id = backendId(`${namespace}/${name}:${port.port}`, protocol);
  return { id, kind: "Service", namespace, name, port: port.port, ...protocol };
}

/** The Service's port of that number. */
export const portOf = (service: Service, number: number | undefined): ServicePort | undefined =>
  service.spec.ports?.find((candidate) => candidate.port === number);

const describePort = (port: ServicePort): string => (port.name ? `${port.port} (${port.name})` : String(port.port));

type Spoken = Pick<Backend, "protocol" | "tls">;

/** HTTP needs no suffix: it is what most backends are. */
function backendId(place: string, { protocol, tls }: Spoken): string {
  const suffix = protocol === "http" || protocol === "https" ? "" : tls ? "+tls" : `+${protocol}`;
  return place + suffix;
}

/** Of KEP-3726's names those that each sort of traffic can use; the others need TLS, which needs a BackendTLSPolicy. */
const plainProtocols: Record<"http" | "grpc", Map<string, ProxyService["protocol"]>> = {
  http: new Map([
    ["", "http"],
    ["http", "http"],
    ["kubernetes.io/ws", "http"],
    ["kubernetes.io/h2c", "h2c"],
  ]),
  grpc: new Map([
    ["", "h2c"],
    ["kubernetes.io/h2c", "h2c"],
  ]),
};
const secureProtocols = new Map([
  ["https", "http"],
  ["kubernetes.io/wss", "http"],
]);

/** BackendTLSPolicies concern HTTP, gRPC and what was taken out of TLS (BackendTLSPolicySpec.targetRefs, support levels). */
function protocolFor(
  traffic: Traffic,
  service: Service,
  port: ServicePort,
  index: ObjectIndex,
): Spoken | ReferenceProblem {
  if (traffic === "udp") return { protocol: "udp", tls: false };
  if (traffic === "tcp") return { protocol: "tcp", tls: false };
  const tls = backendTls(service, port, index);
  if (tls && "problem" in tls) {
    const message = `port ${describePort(port)} needs TLS that cannot be set up: ${tls.problem}`;
    return problem("InvalidBackendTLSPolicy", message);
  }
  if (traffic === "tls") return { protocol: "tcp", tls: tls !== undefined };
  const appProtocol = (port.appProtocol ?? "").toLowerCase();
  const plain = plainProtocols[traffic].get(appProtocol);
  const known = plain !== undefined || secureProtocols.has(appProtocol);
  if (known && tls) return { protocol: "https", tls: true };
  if (plain !== undefined) return { protocol: plain, tls: false };
  const what = `appProtocol "${port.appProtocol}" of port ${describePort(port)}`;
  if (known) {
    return problem("UnsupportedProtocol", `${what} means TLS: create a BackendTLSPolicy that says how to verify it`);
  }
  const usable = listOf([...plainProtocols[traffic].keys()].filter((name) => name !== ""));
  return problem("UnsupportedProtocol", `${what} is not supported for ${traffic}: remove it or use ${usable}`);
}

/** The backend behind a reference to an XBackend: a host outside the cluster, by its name. */
function resolveExternalBackend(
  namespace: string,
  name: string,
  { field, ruleIndex, traffic }: BackendContext,
  index: ObjectIndex,
): Backend | ReferenceProblem {
  const object = index.xBackend(namespace, name);
  if (!object) {
    const what = `XBackend "${name}" not found in namespace "${namespace}"`;
    return problem("BackendNotFound", `${what}: create it or correct ${field}.name of rule ${ruleIndex}`);
  }
  const spoken = spokenByExternal(object, traffic, index);
  if ("reason" in spoken) return spoken;
  const port = object.spec.port.port;
  return {
    id: backendId(`xbackend/${namespace}/${name}:${port}`, spoken),
    kind: "XBackend",
    namespace,
    name,
    port,
    ...spoken,
  };
}

/** What an XBackend may say it speaks, and what that is for each sort of traffic, without TLS. */
const externalProtocols: Record<Exclude<Traffic, "udp">, Record<string, ProxyService["protocol"]>> = {
  http: { "": "http", HTTP: "http", HTTP11: "http", MCP: "http", HTTP2: "h2c", H2C: "h2c" },
  grpc: { "": "h2c", HTTP2: "h2c", H2C: "h2c" },
  tcp: { "": "tcp", TCP: "tcp" },
  tls: { "": "tcp", TCP: "tcp" },
};

function spokenByExternal(object: XBackend, traffic: Traffic, index: ObjectIndex): Spoken | ReferenceProblem {
  const { protocol = "" } = object.spec;
  const known = traffic === "udp" ? {} : externalProtocols[traffic];
  const plain = Object.hasOwn(known, protocol) ? known[protocol] : undefined;
  const what = `XBackend "${object.metadata.name}"`;
  if (!plain) {
    const usable = Object.keys(known).filter((name) => name !== "");
    const message = `${what} speaks ${protocol || "what its route does"}, which a route for ${traffic} cannot use: set its protocol to one of ${listOf(usable)}`;
    return problem("UnsupportedProtocol", message);
  }
  const tls = externalTls(object, index);
  if (tls === undefined) return { protocol: plain, tls: false };
  if ("problem" in tls) return problem("InvalidBackendTLSPolicy", `${what}: ${tls.problem}`);
  return { protocol: plain === "tcp" ? "tcp" : "https", tls: true };
}

function problem(reason: ReferenceProblem["reason"], message: string): ReferenceProblem {
  return { reason, message };
}
