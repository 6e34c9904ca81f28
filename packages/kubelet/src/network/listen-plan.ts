// Where the ports of a pod are opened on this host: on the pod's address, on another port of it where that one is
// refused, and for a hostPort on the node's address and on localhost as the cluster's port mappings say.

import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";
import type { Container, Pod } from "@gatehouse/apimachinery/types/core-v1";
import type { BindProbe, Transport } from "./bind-probe.ts";

/** Like kind's extraPortMappings: `hostPort` of localhost leads to `containerPort` of the node. */
export interface PortMapping {
  containerPort: number;
  hostPort: number;
}

export interface ListenPlan {
  /** `{"80/tcp": [...]}`: every place to open, the pod's first. */
  ports: Record<string, ListenAddress[]>;
  /** Ports whose place on the pod address is another: the value of the port-map annotation. */
  moved: Record<string, number>;
  /** One sentence per host port that could not be had. */
  warnings: string[];
}

export interface ListenPlanOptions {
  pod: Pod;
  podIP: string;
  nodeIP: string;
  /** Several pods share the pod address (hosts with 127.0.0.1 only): every port moves. */
  sharedAddress: boolean;
  portMappings: PortMapping[];
  /** As of Image. */
  exposedPorts: (container: Container) => readonly string[];
  probe: BindProbe;
  freePort: (host: string, transport: Transport) => Promise<number>;
}

export async function planListeners(options: ListenPlanOptions): Promise<ListenPlan> {
  const plan: ListenPlan = { ports: {}, moved: {}, warnings: [] };
  for (const container of options.pod.spec.containers) {
    for (const port of container.ports ?? []) {
      const protocol = transportOf(port.protocol);
      const places = await podPlace(options, plan, port.containerPort, protocol);
      if (port.hostPort) places.push(...(await hostPlaces(options, plan, port.hostPort, port.hostIP, protocol)));
    }
    for (const exposed of options.exposedPorts(container)) {
      const [port, protocol] = exposed.split("/");
      await podPlace(options, plan, Number(port), transportOf(protocol));
    }
  }
  return plan;
}

/** SCTP is planned as TCP is: no built-in image speaks it. */
const transportOf = (protocol: string | undefined): Transport => (/^udp$/i.test(protocol ?? "") ? "udp" : "tcp");

/** The list of places of a port, begun with the one on the pod address. */
async function podPlace(
  { podIP, sharedAddress, probe, freePort }: ListenPlanOptions,
  plan: ListenPlan,
  port: number,
  protocol: Transport,
): Promise<ListenAddress[]> {
  const key = `${port}/${protocol}`;
  const known = plan.ports[key];
  if (known) return known;
  const refused = sharedAddress || (await probe(podIP, port, protocol)) !== undefined;
  const opened = refused ? await freePort(podIP, protocol) : port;
  if (refused) plan.moved[key] = opened;
  return (plan.ports[key] = [{ host: podIP, port: opened }]);
}

/** The host places of one hostPort that can be opened now; the pod runs without the others. */
async function hostPlaces(
  { nodeIP, sharedAddress, portMappings, probe }: ListenPlanOptions,
  plan: ListenPlan,
  hostPort: number,
  hostIP: string | undefined,
  protocol: Transport,
): Promise<ListenAddress[]> {
  const mapped = portMappings.filter((mapping) => mapping.containerPort === hostPort);
  // Where the node has no address of its own, its ports are localhost's and only the mappings decide.
  const onNode = sharedAddress && mapped.length > 0 ? [] : [{ host: hostAddress(hostIP, nodeIP), port: hostPort }];
  const wanted = [
    ...onNode,
    ...mapped.flatMap(({ hostPort: port }) => [
      { host: "127.0.0.1", port },
      { host: "::1", port },
    ]),
  ];
  const places: ListenAddress[] = [];
  for (const place of wanted) {
    const code = await probe(place.host, place.port, protocol);
    if (code === undefined) places.push(place);
    // No IPv6 on this host is no reason to worry anybody.
    else if (place.host !== "::1" || (code !== "EADDRNOTAVAIL" && code !== "EAFNOSUPPORT")) {
      plan.warnings.push(refusal(place, hostPort, code));
    }
  }
  return places;
}

/** Only loopback addresses are opened, whatever a pod asks for: nothing of ours is reachable from outside. */
function hostAddress(hostIP: string | undefined, nodeIP: string): string {
  return hostIP?.startsWith("127.") || hostIP === "::1" ? hostIP : nodeIP;
}

function refusal({ host, port }: ListenAddress, hostPort: number, code: string): string {
  const reasons: Record<string, string> = {
    EACCES: "ports below 1024 need privileges here",
    EADDRINUSE: "another program holds it",
    EADDRNOTAVAIL: "this host has no such address",
  };
  const at = host.includes(":") ? `[${host}]` : host;
  return `host port ${hostPort} is not open on ${at}:${port}: ${reasons[code] ?? code}`;
}
