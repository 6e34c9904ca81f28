// What the kubelet tells a process that plays a container, and how a built-in image reads it.
// A container process shares the host's network, so instead of a network namespace it gets addresses to listen on.

/** Where one container port is to be opened: pod address first, then node and host mappings of a hostPort. */
export interface ListenAddress {
  host: string;
  port: number;
}

/** Environment variables of the contract, set by the kubelet for every container. */
export const podEnvironment = {
  /** JSON: `{"8000/tcp": [{"host":"127.30.1.4","port":8000}, {"host":"127.0.0.1","port":80}]}`. */
  listen: "GATEHOUSE_LISTEN",
  /** The pod's own address: where ports that the spec does not declare are opened. */
  podIP: "GATEHOUSE_POD_IP",
  /** CIDR of loopback addresses that Gateways may take, empty where the host has only 127.0.0.1. */
  gatewayCIDR: "GATEHOUSE_GATEWAY_CIDR",
  /** JSON: `{"/etc/tls": "/real/directory"}`: where the volumes mounted at these paths really are. */
  mounts: "GATEHOUSE_MOUNTS",
  /** The inherited file descriptor of the control channel (see container-control.ts). */
  control: "GATEHOUSE_CONTROL_FD",
} as const;

/** The addresses on which to open `port`; without a kubelet around, every loopback address of the machine. */
export function listenAddresses(
  port: number,
  protocol: "tcp" | "udp" = "tcp",
  environment: NodeJS.ProcessEnv = process.env,
): ListenAddress[] {
  const plan = environment[podEnvironment.listen];
  const planned = plan ? (JSON.parse(plan) as Record<string, ListenAddress[]>)[`${port}/${protocol}`] : undefined;
  return planned ?? [{ host: environment[podEnvironment.podIP] ?? "127.0.0.1", port }];
}

/** Where `path`, as the pod spec says it, really is: inside the volume mounted closest above it, else unchanged. */
export function mountedPath(path: string, environment: NodeJS.ProcessEnv = process.env): string {
  const mounts = JSON.parse(environment[podEnvironment.mounts] ?? "{}") as Record<string, string>;
  let closest = "";
  for (const mountPath of Object.keys(mounts)) {
    const inside = path === mountPath || path.startsWith(mountPath.endsWith("/") ? mountPath : `${mountPath}/`);
    if (inside && mountPath.length > closest.length) closest = mountPath;
  }
  return closest === "" ? path : (mounts[closest] ?? closest) + path.slice(closest.replace(/\/$/, "").length);
}
