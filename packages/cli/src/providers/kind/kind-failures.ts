// What kind says when it fails, and what to do then. The first that fits counts: the more special ones come first.

import type { KnownFailure } from "../../tools/run-program.ts";
import { engineFailures } from "./container-engine.ts";

const inotifyLines = "sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512";

export const kindFailures: KnownFailure[] = [
  ...engineFailures,
  {
    pattern: /node\(s\) already exist for a cluster with the name "([^"]+)"/,
    remedy: ([, name = ""]) =>
      `another kind cluster has this name: choose one with --name, or delete it with kind delete cluster --name ${name}`,
  },
  {
    pattern: /cannot expose privileged port (\d+)/,
    remedy: ([, port = ""]) =>
      `a rootless engine may not open port ${port}: choose others with --http-port and --https-port (8080 and 8443, say), or allow it: sudo sysctl net.ipv4.ip_unprivileged_port_start=${port}`,
  },
  {
    pattern:
      /(?:Bind for|bind host port|bind host port for|listen tcp4?) [\d.]+:(\d+).*(?:port is already allocated|address already in use)/,
    remedy: ([, port = ""]) =>
      `port ${port} of this machine is taken: free it, or choose others with --http-port and --https-port`,
  },
  {
    pattern: /no space left on device/i,
    remedy: "the disk is full: docker system df says by what, docker system prune frees it; then run it again",
  },
  {
    pattern: /toomanyrequests|pull rate limit/i,
    remedy:
      "the registry gives no more images to this address for now: docker login raises the limit, or wait and run it again",
  },
  {
    pattern: /failed to pull image/i,
    remedy:
      "the node's image could not be pulled: check the network and the proxy of Docker's daemon (gatehouse doctor), then run it again",
  },
  {
    // The mark of the cluster's owner is mounted into its nodes (kind-state.ts).
    pattern: /error while creating mount source path '([^']+)'|Mounts denied:\s+The path (\S+) is not shared/,
    remedy: ([, path = "", unshared = path]) =>
      `the container engine cannot read ${path || unshared} (Docker from a snap sees no hidden folders, a virtual machine only what is shared with it): keep clusters where it can, export GATEHOUSE_HOME="$HOME/gatehouse", then run it again`,
  },
  {
    pattern: /too many open files|inotify/i,
    remedy: `the system's inotify limits are too low: ${inotifyLines}`,
  },
  {
    pattern: /could not find a log line that matches/i,
    remedy: `the node did not start, most often for want of inotify instances: ${inotifyLines}; else see https://kind.sigs.k8s.io/docs/user/known-issues/`,
  },
  {
    pattern: /failed to init node with kubeadm|kubelet is not healthy|failed to join node with kubeadm/i,
    remedy:
      "Kubernetes did not come up in the node (memory, cgroups, disk?): gatehouse doctor, and kind's known issues at https://kind.sigs.k8s.io/docs/user/known-issues/",
  },
  {
    pattern: /failed to lock config file.*open (\S+\.lock): file exists/,
    remedy: ([, lock = ""]) => `another program writes the kubeconfig: wait for it; if none is running, remove ${lock}`,
  },
];
