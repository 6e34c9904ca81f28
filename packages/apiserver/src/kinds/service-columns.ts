// The columns of Services, Endpoints and Ingresses in `kubectl get`.

import { isIPv6 } from "node:net";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Service, ServicePort } from "@gatehouse/apimachinery/types/core-v1";
import type { PrinterColumn } from "../resource-definition.ts";
import { ageColumn, column, formatLabels, formatList, nameColumn, wideColumn } from "./columns.ts";

interface LoadBalancer {
  ingress?: { ip?: string; hostname?: string }[];
}

/** Addresses of a load balancer, sorted and joined. */
function loadBalancerAddresses(status: LoadBalancer | undefined): string {
  const all = (status?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "").filter((text) => text !== "");
  return [...new Set(all)].sort().join(",");
}

function externalIP(service: Service): string {
  const { type = "ClusterIP", externalIPs = [], externalName } = service.spec;
  if (type === "ExternalName") return externalName ?? "";
  if (type === "LoadBalancer") {
    const balanced = loadBalancerAddresses(service.status?.loadBalancer);
    return [...(balanced ? [balanced] : []), ...externalIPs].join(",") || "<pending>";
  }
  return externalIPs.join(",") || "<none>";
}

function port({ port: number, nodePort, protocol = "TCP" }: ServicePort): string {
  return nodePort ? `${number}:${nodePort}/${protocol}` : `${number}/${protocol}`;
}

export const serviceColumns: PrinterColumn[] = [
  nameColumn,
  column<Service>("Type", "How the Service is offered.", (service) => service.spec.type ?? "ClusterIP"),
  column<Service>(
    "Cluster-IP",
    "Address in the cluster.",
    ({ spec }) => spec.clusterIPs?.[0] ?? (spec.clusterIP || "<none>"),
  ),
  column<Service>("External-IP", "Addresses outside the cluster.", externalIP),
  column<Service>("Port(s)", "Ports of the Service.", ({ spec }) => (spec.ports ?? []).map(port).join(",") || "<none>"),
  ageColumn,
  wideColumn<Service>("Selector", "Labels of the pods behind the Service.", ({ spec }) => formatLabels(spec.selector)),
];

interface EndpointsObject extends KubeObject {
  subsets?: { addresses?: { ip: string }[]; ports?: { port: number }[] }[];
}

function endpointAddresses({ subsets = [] }: EndpointsObject): string {
  const list = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0
      ? addresses.map(({ ip }) => ip)
      : ports.flatMap((item) => addresses.map(({ ip }) => `${isIPv6(ip) ? `[${ip}]` : ip}:${item.port}`)),
  );
  return formatList(list, subsets.length === 0 ? "<none>" : "");
}

export const endpointsColumns: PrinterColumn[] = [
  nameColumn,
  column<EndpointsObject>("Endpoints", "Addresses behind the Service.", endpointAddresses),
  ageColumn,
];

interface Ingress extends KubeObject {
  spec?: { ingressClassName?: string; rules?: { host?: string }[]; tls?: unknown[] };
  status?: { loadBalancer?: LoadBalancer };
}

function hosts({ spec }: Ingress): string {
  const named = (spec?.rules ?? []).map(({ host }) => host ?? "").filter((host) => host !== "");
  return formatList(named, "*");
}

export const ingressColumns: PrinterColumn[] = [
  nameColumn,
  column<Ingress>("Class", "The IngressClass that serves it.", ({ spec }) => spec?.ingressClassName ?? "<none>"),
  column<Ingress>("Hosts", "Hosts it routes.", hosts),
  column<Ingress>("Address", "Addresses of its load balancer.", ({ status }) =>
    loadBalancerAddresses(status?.loadBalancer),
  ),
  column<Ingress>("Ports", "Ports it is served on.", ({ spec }) => (spec?.tls?.length ? "80, 443" : "80")),
  ageColumn,
];
