// What the kubelet tells a process that plays a container, and how a built-in image reads it.
// A container process shares the host's network, so instead of a network namespace it gets addresses to listen on.

import { posix } from "node:path";

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
  /** JSON: `["/data"]`: those of the mounts' paths that may be written to. */
  writableMounts: "GATEHOUSE_WRITABLE_MOUNTS",
  /** The inherited file descriptor of the control channel (see container-control.ts). */
  control: "GATEHOUSE_CONTROL_FD",
  /** JSON (`ExecDetails`): for a program that `kubectl exec` runs beside a container. */
  exec: "GATEHOUSE_EXEC",
} as const;

/** What a program beside a container is told of it. */
export interface ExecDetails {
  /** The container's process, and how `ps` shows it. */
  pid: number;
  title: string;
  tty: boolean;
}

/** Annotation of a pod, `{"80/tcp": 34567}`: where the kubelet opened ports that could not be had on the pod's own address.
 * The EndpointSlice controller publishes those ports for that pod. */
export const portMapAnnotation = "gatehouse.dev/port-map";

/** The addresses on which to open `port`; without a kubelet around, one on 127.0.0.1. */
export function listenAddresses(
  port: number,
  protocol: "tcp" | "udp" = "tcp",
  environment: NodeJS.ProcessEnv = process.env,
): ListenAddress[] {
  const plan = environment[podEnvironment.listen];
  const planned = plan ? (JSON.parse(plan) as Record<string, ListenAddress[]>)[`${port}/${protocol}`] : undefined;
  return planned ?? [{ host: environment[podEnvironment.podIP] ?? "127.0.0.1", port }];
}

/**
 * Where `path`, as the pod spec says it, really is: inside the volume mounted closest above it, else inside `directory`, the
 * container's own. Never elsewhere on the host: flags in a pod spec name files too. Unchanged without a kubelet around.
 */
export function mountedPath(
  path: string,
  environment: NodeJS.ProcessEnv = process.env,
  directory = process.cwd(),
): string {
  return locate(path, environment, directory).real;
}

/** The same for a file to be written. Undefined in a volume that is read-only: token, ConfigMap, Secret, and what the pod
 * mounts so. */
export function writablePath(
  path: string,
  environment: NodeJS.ProcessEnv = process.env,
  directory = process.cwd(),
): string | undefined {
  const { real, mount } = locate(path, environment, directory);
  const writable = JSON.parse(environment[podEnvironment.writableMounts] ?? "[]") as string[];
  return mount === undefined || writable.includes(mount) ? real : undefined;
}

/** `mount` is the path of the volume that the path is in, if any. */
function locate(path: string, environment: NodeJS.ProcessEnv, directory: string): { real: string; mount?: string } {
  const plan = environment[podEnvironment.mounts];
  if (plan === undefined) return { real: path };
  const mounts = JSON.parse(plan) as Record<string, string>;
  // Without dot segments: `/mounted/../..` would lead out of the mount.
  const wanted = posix.resolve("/", path);
  let closest = "";
  for (const mountPath of Object.keys(mounts)) {
    const inside = wanted === mountPath || wanted.startsWith(mountPath.endsWith("/") ? mountPath : `${mountPath}/`);
    if (inside && mountPath.length > closest.length) closest = mountPath;
  }
  if (closest === "") return { real: directory + wanted };
  return { real: (mounts[closest] ?? directory) + wanted.slice(closest.replace(/\/$/, "").length), mount: closest };
}
