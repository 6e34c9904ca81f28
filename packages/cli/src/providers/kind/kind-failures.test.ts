import assert from "node:assert/strict";
import { test } from "node:test";
import { failureText } from "../../tools/run-program.ts";
import { kindFailures } from "./kind-failures.ts";

/** What tools really say -> how the remedy begins; undefined: nobody knows one. */
const cases: [name: string, output: string, remedy: RegExp | undefined][] = [
  [
    "daemon down (Docker 28)",
    'ERROR: failed to create cluster: failed to get docker info: command "docker info --format \'{{json .}}\'" failed with error: exit status 1\n\nCommand Output: {"ID":""}\nCannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
    /^Docker is not running/,
  ],
  [
    "daemon down (Docker 29)",
    "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory",
    /^Docker is not running/,
  ],
  [
    "no permission (Docker 28)",
    'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/info": dial unix /var/run/docker.sock: connect: permission denied',
    /^this user may not use Docker/,
  ],
  [
    "no permission (Docker 29)",
    "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock",
    /^this user may not use Docker/,
  ],
  [
    "Podman's machine down",
    "Cannot connect to Podman. Please verify your connection to the Linux system using `podman system connection list`, or try `podman machine init` and `podman machine start` to manage a new Linux VM\nError: unable to connect to Podman socket",
    /^Podman is not running/,
  ],
  [
    "name taken",
    'ERROR: failed to create cluster: node(s) already exist for a cluster with the name "demo"',
    /^another kind cluster has this name: .* kind delete cluster --name demo$/,
  ],
  [
    "port taken by a container",
    "docker: Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint x-control-plane (4f3): Bind for 127.0.0.1:80 failed: port is already allocated",
    /^port 80 of this machine is taken/,
  ],
  [
    "port taken by a process (Docker 26)",
    "docker: Error response from daemon: driver failed programming external connectivity on endpoint x-control-plane (4f3): Error starting userland proxy: listen tcp4 127.0.0.1:443: bind: address already in use.",
    /^port 443 of this machine is taken/,
  ],
  [
    "port taken by a process (Docker 28)",
    "docker: Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint x-control-plane (4f3): failed to bind host port for 127.0.0.1:8080:172.18.0.2:80/tcp: address already in use",
    /^port 8080 of this machine is taken/,
  ],
  [
    "port taken by a process (Docker 29)",
    "docker: Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint x-control-plane (4f3): failed to bind host port 127.0.0.1:8080/tcp: address already in use",
    /^port 8080 of this machine is taken/,
  ],
  [
    "port taken, Docker Desktop",
    "docker: Error response from daemon: Ports are not available: exposing port TCP 127.0.0.1:80 -> 127.0.0.1:0: listen tcp 127.0.0.1:80: bind: address already in use",
    /^port 80 of this machine is taken/,
  ],
  [
    "port too low for a rootless engine",
    "docker: Error response from daemon: driver failed programming external connectivity on endpoint x-control-plane (4f3): Error starting userland proxy: error while calling PortManager.AddPort(): cannot expose privileged port 80, you can add 'net.ipv4.ip_unprivileged_port_start=80' to /etc/sysctl.conf (currently 1024), or set CAP_NET_BIND_SERVICE on rootlesskit binary, or choose a larger port number (>= 1024): listen tcp4 127.0.0.1:80: bind: permission denied",
    /^a rootless engine may not open port 80: .*ip_unprivileged_port_start=80$/,
  ],
  [
    "image: rate limit",
    'ERROR: failed to create cluster: failed to pull image "kindest/node:v1.34.0@sha256:74": command "docker pull kindest/node:v1.34.0@sha256:74" failed with error: exit status 1\n\nCommand Output: Error response from daemon: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit',
    /docker login raises the limit/,
  ],
  [
    "image: no network",
    'ERROR: failed to create cluster: failed to pull image "kindest/node:v1.34.0@sha256:74": command "docker pull kindest/node:v1.34.0@sha256:74" failed with error: exit status 1\n\nCommand Output: Error response from daemon: Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    /^the node's image could not be pulled/,
  ],
  [
    "image: disk full",
    'ERROR: failed to create cluster: failed to pull image "kindest/node:v1.34.0@sha256:74": command "docker pull" failed with error: exit status 1\n\nCommand Output: failed to register layer: write /usr/local/bin/kubelet: no space left on device',
    /^the disk is full/,
  ],
  [
    "node does not start",
    'ERROR: failed to create cluster: could not find a log line that matches "Reached target .*Multi-User System.*|detected cgroup v1"',
    /^the node did not start, .*fs\.inotify\.max_user_instances=512/,
  ],
  [
    "a folder that Docker from a snap may not see",
    "docker: Error response from daemon: error while creating mount source path '/home/me/.gatehouse/kind/x/gatehouse-0123': mkdir /home/me/.gatehouse: permission denied.",
    /^the container engine cannot read \/home\/me\/\.gatehouse\/kind\/x\/gatehouse-0123 .*export GATEHOUSE_HOME="\$HOME\/gatehouse"/,
  ],
  [
    "a folder that Docker Desktop does not share",
    "docker: Error response from daemon: Mounts denied: \nThe path /srv/clusters/kind/x/gatehouse-0123 is not shared from the host and is not known to Docker.",
    /^the container engine cannot read \/srv\/clusters\/kind\/x\/gatehouse-0123 /,
  ],
  ["inotify", "Failed to create control group inotify object: Too many open files", /inotify limits are too low/],
  [
    "kubeadm",
    'ERROR: failed to create cluster: failed to init node with kubeadm: command "docker exec --privileged x-control-plane kubeadm init --config=/kind/kubeadm.conf --skip-token-print --v=6" failed with error: exit status 1\n\nCommand Output: [init] Using Kubernetes version: v1.34.0\n[kubelet-check] The kubelet is not healthy after 4m0.0009s',
    /^Kubernetes did not come up in the node/,
  ],
  [
    "kubeconfig locked",
    "ERROR: failed to create cluster: failed to lock config file: open /home/me/.kube/config.lock: file exists",
    /^another program writes the kubeconfig: .* remove \/home\/me\/\.kube\/config\.lock$/,
  ],
  ["a flag that this kind does not know", "ERROR: unknown flag: --nam", undefined],
  ["a port in a sentence about something else", "Reconnecting, listen tcp4 127.0.0.1:80 is fine", undefined],
];

for (const [name, output, remedy] of cases) {
  test(`kind fails: ${name}`, () => {
    const text = failureText({ program: "kind", args: [] }, { code: 1, lines: output.split("\n") }, kindFailures);
    const found = /^remedy: (.*)$/m.exec(text)?.[1];
    if (remedy) assert.match(found ?? "none", remedy);
    else assert.equal(found, undefined);
  });
}
