// `gatehouse status` for people.

import type { ClusterStatus } from "./cluster-status.ts";
import { formatColumns } from "./output/columns.ts";

/** Ends with a newline. */
export function formatStatus(status: ClusterStatus): string {
  return `${[...heading(status), ...gatewaySection(status), ...routeSection(status), ...podSection(status), ...verdict(status)].join("\n")}\n`;
}

function heading(status: ClusterStatus): string[] {
  if (status.phase !== "running") return [`Cluster ${status.name}: ${status.phase}`];
  const { api, nodeIP, ports, entry, memory } = status;
  const mappings = ports.map(({ containerPort, hostPort }) => `${hostPort} -> ${containerPort}`).join(", ");
  return formatColumns([
    ["Cluster", `${status.name} (context ${status.context})`],
    ...(api ? [["API", api]] : []),
    ...(nodeIP ? [["Node", nodeIP]] : []),
    ...(mappings ? [["Ports", mappings]] : []),
    ...(entry && !mappings ? [["Gateway", `${entry.host}:${entry.port}`]] : []),
    ...(memory ? [["Memory", `${memory.mebibytes} MiB in ${memory.processes} processes`]] : []),
  ]);
}

function gatewaySection({ gateways }: ClusterStatus): string[] {
  return section(
    "GATEWAY",
    ["CLASS", "ADDRESS", "PROGRAMMED", "ROUTES"],
    gateways.map((gateway) => [
      `${gateway.namespace}/${gateway.name}`,
      gateway.class,
      gateway.addresses.join(",") || "<none>",
      yesOrNo(gateway.programmed),
      String(gateway.attachedRoutes),
    ]),
  );
}

function routeSection({ routes }: ClusterStatus): string[] {
  return section(
    "HTTPROUTE",
    ["HOSTNAMES", "GATEWAY", "ACCEPTED", "REASON"],
    routes.flatMap((route) => {
      const name = `${route.namespace}/${route.name}`;
      const hostnames = route.hostnames.join(",");
      if (route.parents.length === 0) return [[name, hostnames, "<none>", "no", "no Gateway has taken it"]];
      return route.parents.map((parent) => [name, hostnames, parent.gateway, yesOrNo(parent.accepted), parent.reason]);
    }),
  );
}

function podSection({ pods }: ClusterStatus): string[] {
  return section(
    "POD",
    ["READY", "PHASE", "RESTARTS", "IP"],
    pods.map((pod) => [
      `${pod.namespace}/${pod.name}`,
      yesOrNo(pod.ready),
      pod.phase,
      String(pod.restarts),
      pod.ip || "<none>",
    ]),
  );
}

function verdict(status: ClusterStatus): string[] {
  const { gateways, routes, pods } = status;
  const nothing = gateways.length + routes.length + pods.length === 0;
  if (status.ready) return ["", nothing ? "Nothing is on it: no Gateway, no route, no pod." : "Everything is ready."];
  return ["", "Not ready:", ...status.notReady.map(({ object, reason }) => `  ${object}: ${reason}`)];
}

function section(title: string, columns: string[], rows: string[][]): string[] {
  return rows.length === 0 ? [] : ["", ...formatColumns([[title, ...columns], ...rows])];
}

const yesOrNo = (value: boolean): string => (value ? "yes" : "no");
