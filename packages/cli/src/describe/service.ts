// A Service with the endpoints that stand behind each of its ports right now.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Service, ServicePort } from "@gatehouse/apimachinery/types/core-v1";
import { type EndpointSlice, endpointSlices, serviceNameLabel } from "@gatehouse/apimachinery/types/discovery-v1";
import { pairs, type Surroundings } from "./describe-parts.ts";
import type { DescribeWriter } from "./describe-writer.ts";

export async function describeService(writer: DescribeWriter, object: KubeObject, around: Surroundings): Promise<void> {
  const { spec, metadata, status } = object as Service;
  const { name, namespace } = metadata;
  const slices = await around.list(endpointSlices, {
    ...(namespace ? { namespace } : {}),
    labelSelector: `${serviceNameLabel}=${name}`,
  });
  writer.line(0, "Selector:", pairs(spec.selector, "=").join(",") || "<none>");
  writer.line(0, "Type:", spec.type ?? "ClusterIP");
  writer.line(0, "IP:", spec.clusterIP ?? "<none>");
  if (spec.externalName) writer.line(0, "External Name:", spec.externalName);
  const ingress = status?.loadBalancer?.ingress ?? [];
  if (ingress.length > 0)
    writer.line(0, "LoadBalancer Ingress:", ingress.map(({ ip, hostname }) => ip ?? hostname).join(", "));
  for (const port of spec.ports ?? []) describePort(writer, port, slices);
  writer.line(0, "Session Affinity:", spec.sessionAffinity ?? "None");
}

function describePort(writer: DescribeWriter, port: ServicePort, slices: readonly EndpointSlice[] | undefined): void {
  const { name = "<unset>", protocol = "TCP", targetPort = port.port, nodePort } = port;
  writer.line(0, "Port:", `${name}  ${port.port}/${protocol}`);
  writer.line(0, "TargetPort:", `${targetPort}/${protocol}`);
  if (nodePort) writer.line(0, "NodePort:", `${name}  ${nodePort}/${protocol}`);
  const addresses = (slices ?? []).flatMap((slice) => readyAddresses(slice, port));
  writer.line(0, "Endpoints:", slices ? addresses.join(",") || "<none>" : "<unknown>");
}

function readyAddresses({ ports = [], endpoints }: EndpointSlice, { name = "" }: ServicePort): string[] {
  const [port] = ports.filter((each) => (each.name ?? "") === name);
  if (!port) return [];
  const ready = (endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
  return ready.flatMap(({ addresses }) => addresses.map((address) => `${address}:${port.port ?? "*"}`));
}
