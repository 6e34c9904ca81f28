// A Gateway with its listeners and the routes that ask to be on it, and a GatewayClass with its Gateways.

import type { Condition, KubeObject } from "@gatehouse/apimachinery/meta";
import { describeConditions, describeIdentity, type Surroundings } from "./describe-parts.ts";
import type { DescribeWriter } from "./describe-writer.ts";
import { describeFields } from "./generic.ts";
import type { ParentReference } from "./http-route.ts";

interface Listener {
  name: string;
  port: number;
  protocol: string;
  hostname?: string;
  tls?: { mode?: string; certificateRefs?: { name: string; namespace?: string }[] };
  allowedRoutes?: { namespaces?: { from?: string } };
}

interface GatewaySpec {
  gatewayClassName?: string;
  listeners?: Listener[];
}

interface GatewayStatus {
  addresses?: { type?: string; value: string }[];
  conditions?: Condition[];
  listeners?: { name: string; attachedRoutes?: number; conditions?: Condition[] }[];
}

const group = "gateway.networking.k8s.io";

export async function describeGateway(
  writer: DescribeWriter,
  gateway: KubeObject,
  around: Surroundings,
): Promise<void> {
  const spec = (gateway.spec ?? {}) as GatewaySpec;
  const status = (gateway.status ?? {}) as GatewayStatus;
  describeIdentity(writer, gateway);
  writer.line(0, "Gateway Class:", spec.gatewayClassName ?? "<none>");
  writer.list(
    0,
    "Addresses",
    (status.addresses ?? []).map(({ type = "IPAddress", value }) => `${value} (${type})`),
  );
  describeConditions(writer, 0, status.conditions, gateway.metadata.generation);
  writer.line(0, "Listeners:");
  for (const listener of spec.listeners ?? []) describeListener(writer, gateway, listener, status);
  await describeRoutes(writer, gateway, around);
}

function describeListener(
  writer: DescribeWriter,
  gateway: KubeObject,
  listener: Listener,
  status: GatewayStatus,
): void {
  const state = status.listeners?.find(({ name }) => name === listener.name);
  writer.line(1, `${listener.name}:`);
  writer.line(2, "Port:", `${listener.port}/${listener.protocol}`);
  writer.line(2, "Hostname:", listener.hostname ?? "* (every host)");
  if (listener.tls) {
    const certificates = (listener.tls.certificateRefs ?? []).map(({ name, namespace }) =>
      namespace ? `${namespace}/${name}` : name,
    );
    writer.line(
      2,
      "TLS:",
      `${listener.tls.mode ?? "Terminate"}${certificates.length > 0 ? ` with ${certificates.join(", ")}` : ""}`,
    );
  }
  writer.line(2, "Routes from:", `${listener.allowedRoutes?.namespaces?.from ?? "Same"} namespaces`);
  writer.line(2, "Attached routes:", state?.attachedRoutes === undefined ? "<unknown>" : String(state.attachedRoutes));
  describeConditions(writer, 2, state?.conditions, gateway.metadata.generation);
}

interface RouteParts {
  spec?: { parentRefs?: ParentReference[]; hostnames?: string[] };
  status?: { parents?: { parentRef: ParentReference; conditions?: Condition[] }[] };
}

/** Every route that names the Gateway, so that one that hangs nowhere is seen with the reason. */
async function describeRoutes(writer: DescribeWriter, gateway: KubeObject, around: Surroundings): Promise<void> {
  const types = (await around.typesOf(group)).filter(({ kind }) => kind.endsWith("Route"));
  const rows: string[][] = [];
  for (const type of types) {
    for (const route of (await around.list(type)) ?? []) rows.push(...routeRows(type.kind, route, gateway));
  }
  writer.table(0, "Routes", ["Kind", "Name", "Listener", "Hostnames", "Accepted", "Reason"], rows);
}

function routeRows(kind: string, route: KubeObject & RouteParts, gateway: KubeObject): string[][] {
  const { name, namespace = "" } = route.metadata;
  const isOurs = (ref: ParentReference): boolean =>
    (ref.kind ?? "Gateway") === "Gateway" &&
    (ref.group ?? group) === group &&
    ref.name === gateway.metadata.name &&
    (ref.namespace ?? namespace) === gateway.metadata.namespace;
  return (route.spec?.parentRefs ?? []).filter(isOurs).map((ref) => {
    const answer = route.status?.parents?.find(
      ({ parentRef }) => isOurs(parentRef) && parentRef.sectionName === ref.sectionName,
    );
    const accepted = answer?.conditions?.find(({ type }) => type === "Accepted");
    const hostnames = route.spec?.hostnames?.join(",") || "*";
    return [
      kind,
      `${namespace}/${name}`,
      ref.sectionName ?? "*",
      hostnames,
      accepted?.status ?? "Unknown",
      accepted?.reason ?? "",
    ];
  });
}

export async function describeGatewayClass(
  writer: DescribeWriter,
  gatewayClass: KubeObject,
  around: Surroundings,
): Promise<void> {
  const spec = (gatewayClass.spec ?? {}) as {
    controllerName?: string;
    description?: string;
    parametersRef?: Record<string, unknown>;
  };
  const status = (gatewayClass.status ?? {}) as {
    conditions?: Condition[];
    supportedFeatures?: (string | { name: string })[];
  };
  describeIdentity(writer, gatewayClass);
  writer.line(0, "Controller:", spec.controllerName ?? "<none>");
  if (spec.description) writer.line(0, "Description:", spec.description);
  if (spec.parametersRef) {
    writer.line(0, "Parameters:");
    describeFields(writer, 1, spec.parametersRef);
  }
  describeConditions(writer, 0, status.conditions, gatewayClass.metadata.generation);
  const features = (status.supportedFeatures ?? []).map((each) => (typeof each === "string" ? each : each.name));
  if (features.length > 0) writer.list(0, "Features", features);
  const gatewayType = (await around.typesOf(group)).find(({ kind }) => kind === "Gateway");
  const gateways = gatewayType ? ((await around.list(gatewayType)) ?? []) : [];
  const ours = gateways.filter(
    ({ spec: each }) => (each as GatewaySpec).gatewayClassName === gatewayClass.metadata.name,
  );
  writer.list(
    0,
    "Gateways",
    ours.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
  );
}
