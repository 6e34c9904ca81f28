#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
// Stands in for kind (v0.30): the same words on the same streams as the real one says them without a terminal, and a real
// Kubernetes API in the end.

import { kubeconfigPaths } from "@gatehouse/apimachinery/kubeconfig";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { parse } from "yaml";
import {
  containers,
  fail,
  fault,
  type FakeContainer,
  parseFlags,
  recordCall,
  refuse,
  removeContainer,
  saveContainer,
} from "./fake-engine.ts";

const all = process.argv.slice(2);
const [command = "", ...args] = all;
const image = "kindest/node:v1.34.0";
const digest = `${image}@sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a`;
const daemonDown = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

interface KindConfig {
  kind: string;
  apiVersion: string;
  name: string;
  nodes: { role: string; extraPortMappings: PortMapping[]; extraMounts?: Mount[] }[];
}

interface Mount {
  hostPath: string;
  containerPath: string;
  readOnly: boolean;
}

interface PortMapping {
  containerPort: number;
  hostPort: number;
  listenAddress: string;
  protocol: string;
}

/** Fields that the real one would refuse ("field ... not found in type v1alpha4.Cluster") are refused. */
function readConfig(path: string): KindConfig {
  const config = parse(readFileSync(path, "utf8")) as KindConfig;
  const only = (object: object, fields: string[]): void => {
    const unknown = Object.keys(object).find((key) => !fields.includes(key));
    if (unknown !== undefined) refuse("kind", all, `unknown field ${unknown} in ${path}`);
  };
  only(config, ["kind", "apiVersion", "name", "nodes"]);
  if (config.kind !== "Cluster" || config.apiVersion !== "kind.x-k8s.io/v1alpha4")
    refuse("kind", all, "unknown config");
  for (const node of config.nodes) {
    only(node, ["role", "extraPortMappings", "extraMounts"]);
    for (const mount of node.extraMounts ?? []) {
      only(mount, ["hostPath", "containerPath", "readOnly"]);
      if (!existsSync(mount.hostPath) || !mount.readOnly) refuse("kind", all, `bad mount ${mount.hostPath}`);
    }
    if (node.role !== "control-plane") refuse("kind", all, `unknown role ${node.role}`);
    for (const mapping of node.extraPortMappings) {
      only(mapping, ["containerPort", "hostPort", "listenAddress", "protocol"]);
      const ports = [mapping.hostPort, mapping.containerPort];
      if (!ports.every((port) => Number.isInteger(port) && port > 0 && port < 65536)) refuse("kind", all, "bad port");
      if (mapping.listenAddress !== "127.0.0.1" || mapping.protocol !== "TCP") refuse("kind", all, "bad mapping");
    }
  }
  return config;
}

async function createCluster(): Promise<void> {
  const { flags, words } = parseFlags("kind", args, ["--config", "--wait", "--name"]);
  if (words.join(" ") !== "cluster") refuse("kind", all, "unknown command");
  if (!/^\d+[smh]$/.test(flags["--wait"] ?? "")) refuse("kind", all, "--wait is no duration");
  const config = readConfig(flags["--config"] ?? "");
  const name = flags["--name"] ?? "";
  if (config.name !== name) refuse("kind", all, `the config's name is ${config.name}`);
  needDaemon(
    `failed to create cluster: failed to get docker info: command "docker info --format '{{json .}}'"`,
    '{"ServerVersion":""}\n',
  );
  if (containers().some(({ cluster }) => cluster === name)) {
    fail(1, `ERROR: failed to create cluster: node(s) already exist for a cluster with the name "${name}"`);
  }
  say(`Creating cluster "${name}" ...`);
  pullImage();
  const container = await prepareNode(config);
  stage("Writing configuration 📜");
  await startControlPlane(container);
  for (const each of ["Installing CNI 🔌", "Installing StorageClass 💾", "Waiting ≤ 3m0s for control-plane = Ready ⏳"])
    stage(each);
  say(" • Ready after 15s 💚");
  await writeContext(name);
  say(`Set kubectl context to "kind-${name}"`);
  say(`You can now use your cluster with:\n\nkubectl cluster-info --context kind-${name}\n`);
  say("Have a nice day! 👋");
}

function begin(name: string): void {
  say(` • ${name}  ...`);
}

function stage(name: string): void {
  begin(name);
  say(` ✓ ${name}`);
}

function pullImage(): void {
  const name = `Ensuring node image (${image}) 🖼`;
  const reasons = {
    "image-rate-limit":
      "Error response from daemon: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
    "image-no-network":
      'Error response from daemon: Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io on 127.0.0.53:53: server misbehaving',
    "image-disk-full": `failed to register layer: write /usr/local/bin/kubelet: no space left on device`,
  };
  const found = Object.entries(reasons).find(([reason]) => fault(reason) !== undefined);
  if (!found) return stage(name);
  begin(name);
  say(` ✗ ${name}`);
  fail(
    1,
    `ERROR: failed to create cluster: failed to pull image "${digest}": command "docker pull ${digest}" failed with error: exit status 1`,
    "",
    `Command Output: ${found[1]}`,
  );
}

/** The container, its ports open or refused as by Docker. */
async function prepareNode({ name: cluster, nodes: [node] }: KindConfig): Promise<FakeContainer> {
  const stageName = "Preparing nodes 📦  ";
  begin(stageName);
  const name = `${cluster}-control-plane`;
  const ports = node?.extraPortMappings.map(({ hostPort, containerPort }) => ({ hostPort, containerPort })) ?? [];
  const mounts = node?.extraMounts?.map(({ hostPath, containerPath }) => ({ hostPath, containerPath })) ?? [];
  const id = randomBytes(32).toString("hex");
  const container: FakeContainer = { id, name, cluster, status: "Created", ports, mounts };
  saveContainer(container);
  for (const { hostPort } of ports) {
    if (fault("port-allocated") === String(hostPort) || (await isTaken(hostPort)))
      portAllocated(container, stageName, hostPort);
  }
  if (fault("too-many-open-files") !== undefined) {
    say(` ✗ ${stageName}`);
    removeNodes(cluster);
    fail(
      1,
      'ERROR: failed to create cluster: could not find a log line that matches "Reached target .*Multi-User System.*|detected cgroup v1"',
    );
  }
  saveContainer({ ...container, status: "Up 2 minutes" });
  say(` ✓ ${stageName}`);
  return { ...container, status: "Up 2 minutes" };
}

function portAllocated({ id, name, cluster }: FakeContainer, stageName: string, port: number): never {
  say(` ✗ ${stageName}`);
  removeNodes(cluster);
  const published = `--publish=127.0.0.1:${port}:80/TCP --publish=127.0.0.1:37865:6443/TCP`;
  fail(
    1,
    `ERROR: failed to create cluster: command "docker run --name ${name} --hostname ${name} --label io.x-k8s.kind.role=control-plane --privileged --security-opt seccomp=unconfined --security-opt apparmor=unconfined --tmpfs /tmp --tmpfs /run --volume /var --volume /lib/modules:/lib/modules:ro -e KIND_EXPERIMENTAL_CONTAINERD_SNAPSHOTTER --detach --tty --label io.x-k8s.kind.cluster=${cluster} --net kind --restart=on-failure:1 --init=false --cgroupns=private ${published} -e KUBECONFIG=/etc/kubernetes/admin.conf ${digest}" failed with error: exit status 125`,
    "",
    `Command Output: ${id}`,
    `docker: Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint ${name} (${id}): Bind for 127.0.0.1:${port} failed: port is already allocated`,
    "",
    "Run 'docker run --help' for more information",
  );
}

async function startControlPlane(container: FakeContainer): Promise<void> {
  const name = "Starting control-plane 🕹️";
  begin(name);
  // Somebody ends kind while its node starts: nothing is tidied up then.
  if (fault("stuck") !== undefined) await new Promise(() => setInterval(() => {}, 1_000));
  if (fault("kubeadm") !== undefined) {
    say(` ✗ ${name}`);
    removeNodes(container.cluster);
    fail(1, ...kubeadmOutput(container.name));
  }
  const { startNode } = await import("./fake-node.ts");
  await startNode(container);
  say(` ✓ ${name}`);
}

/** Much of it, as with the real one's --v=6. */
function kubeadmOutput(node: string): string[] {
  const asked = Array.from(
    { length: 60 },
    (_, index) =>
      `I1122 10:15:${String(index).padStart(2, "0")}.000000     209 with_retry.go:132] "Retrying" attempt=${index} url="https://${node}:6443/livez?timeout=10s"`,
  );
  return [
    `ERROR: failed to create cluster: failed to init node with kubeadm: command "docker exec --privileged ${node} kubeadm init --config=/kind/kubeadm.conf --skip-token-print --v=6" failed with error: exit status 1`,
    "",
    'Command Output: I1122 10:15:00.000000     209 initconfiguration.go:261] loading configuration from "/kind/kubeadm.conf"',
    ...asked,
    "[kubelet-check] The kubelet is not healthy after 4m0.000957386s",
    "",
    "Unfortunately, an error has occurred, likely caused by:",
    "\t- The kubelet is not running",
    "error execution phase wait-control-plane",
  ];
}

/** `docker rm -f -v` of the nodes, as kind does it when it gives up or deletes. */
function removeNodes(cluster: string): string[] {
  const names = containers()
    .filter((container) => container.cluster === cluster)
    .map(({ name }) => name);
  names.forEach(removeContainer);
  if (names.length > 0) say(`Deleted nodes: [${names.map((name) => JSON.stringify(name)).join(" ")}]`);
  return names;
}

async function deleteCluster(): Promise<void> {
  const { flags, words } = parseFlags("kind", args, ["--name"]);
  if (words.join(" ") !== "cluster") refuse("kind", all, "unknown command");
  const name = flags["--name"] ?? "";
  say(`Deleting cluster "${name}" ...`);
  const list = `command "docker ps -a --filter label=io.x-k8s.kind.cluster=${name} --format '{{.Names}}'"`;
  needDaemon(`failed to delete cluster "${name}": error listing nodes: failed to list nodes: ${list}`);
  if (fault("delete-fails") !== undefined) {
    fail(
      1,
      `ERROR: failed to delete cluster "${name}": failed to delete nodes: command "docker rm -f -v ${name}-control-plane" failed with error: exit status 1`,
      "",
      `Command Output: Error response from daemon: cannot remove container "${name}-control-plane": could not kill container: permission denied`,
    );
  }
  removeFromKubeconfigs(`kind-${name}`);
  for (const container of containers().filter(({ cluster }) => cluster === name)) {
    const { removeNode } = await import("./fake-node.ts");
    await removeNode(container);
  }
  removeNodes(name);
}

async function exportKubeconfig(): Promise<void> {
  const { flags, words } = parseFlags("kind", args, ["--name"]);
  if (words.join(" ") !== "kubeconfig") refuse("kind", all, "unknown command");
  const name = flags["--name"] ?? "";
  const list = `command "docker ps -a --filter label=io.x-k8s.kind.cluster=${name} --format '{{.Names}}'"`;
  needDaemon(`failed to list nodes: ${list}`);
  if (!containers().some(({ cluster }) => cluster === name)) {
    fail(
      1,
      `ERROR: could not locate any control plane nodes for cluster named '${name}'. Use the --name option to select a different cluster`,
    );
  }
  await writeContext(name);
  say(`Set kubectl context to "kind-${name}"`);
}

const userKubeconfigs = kubeconfigPaths();

async function writeContext(cluster: string): Promise<void> {
  const [{ addContext, pathToMerge }, { nodeCredentials }] = await Promise.all([
    import("../../../packages/cli/src/kubeconfig-file.ts"),
    import("./fake-node.ts"),
  ]);
  addContext(pathToMerge(userKubeconfigs), nodeCredentials(cluster));
}

/** From every file; one that becomes empty stays, and the current context is none. The lock makes the directory. */
function removeFromKubeconfigs(context: string): void {
  for (const path of userKubeconfigs) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.lock`, "", { flag: "wx" });
    try {
      if (existsSync(path)) removeFrom(path, context);
    } finally {
      rmSync(`${path}.lock`);
    }
  }
}

function removeFrom(path: string, context: string): void {
  const config = parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const keep = ({ name }: { name: string }): boolean => name !== context;
  for (const list of ["clusters", "users", "contexts"]) {
    const kept = ((config[list] ?? []) as { name: string }[]).filter(keep);
    if (kept.length > 0) config[list] = kept;
    else delete config[list];
  }
  if (config["current-context"] === context) delete config["current-context"];
  writeFileSync(path, JSON.stringify(config));
}

/** `printed` by docker before it failed. */
function needDaemon(attempted: string, printed = ""): void {
  if (fault("daemon-down") === undefined) return;
  fail(1, `ERROR: ${attempted} failed with error: exit status 1`, "", `Command Output: ${printed}${daemonDown}`);
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(true));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(false)));
  });
}

recordCall("kind", all);
switch (command) {
  case "version":
    process.stdout.write(`kind v0.30.0 go1.24.6 ${process.platform}/amd64\n`);
    break;
  case "get": {
    if (args.join(" ") !== "clusters") refuse("kind", all, "unknown command");
    needDaemon(
      `failed to list clusters: command "docker ps -a --filter label=io.x-k8s.kind.cluster --format '{{.Label "io.x-k8s.kind.cluster"}}'"`,
    );
    const names = [...new Set(containers().map(({ cluster }) => cluster))];
    if (names.length === 0) say("No kind clusters found.");
    else process.stdout.write(`${names.toSorted().join("\n")}\n`);
    break;
  }
  case "create":
    await createCluster();
    break;
  case "delete":
    await deleteCluster();
    break;
  case "export":
    await exportKubeconfig();
    break;
  default:
    refuse("kind", all, "unknown command");
}
