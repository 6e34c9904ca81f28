#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
// Stands in for the docker command line (28): the few commands that Gatehouse gives it, with the real one's words.

import {
  containers,
  fail,
  fault,
  type FakeContainer,
  parseFlags,
  recordCall,
  refuse,
  saveContainer,
} from "./fake-engine.ts";

const [command = "", ...args] = process.argv.slice(2);
const clusterLabel = "io.x-k8s.kind.cluster";
const socket = "unix:///var/run/docker.sock";

const info = {
  ServerVersion: "28.2.2",
  OSType: "linux",
  // A machine of its own, as on a Mac: what is free on this one says nothing of it.
  OperatingSystem: "Docker Desktop",
  NCPU: 4,
  MemTotal: 16 * 1024 ** 3,
  CgroupVersion: "2",
  CgroupDriver: "systemd",
  MemoryLimit: true,
  PidsLimit: true,
  CPUShares: true,
  SecurityOptions: ["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"],
  HttpProxy: "",
  HttpsProxy: "",
  DockerRootDir: "/var/lib/docker",
};

function needDaemon(...more: string[]): void {
  if (fault("daemon-down") !== undefined) {
    fail(1, `Cannot connect to the Docker daemon at ${socket}. Is the docker daemon running?`, ...more);
  }
  if (fault("permission-denied") !== undefined) {
    fail(
      1,
      `permission denied while trying to connect to the Docker daemon socket at ${socket}: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/${command}": dial unix /var/run/docker.sock: connect: permission denied`,
      ...more,
    );
  }
}

function onlyFormat(expected: string): void {
  const { flags, words } = parseFlags("docker", args, ["--format"]);
  if (words.length > 0 || flags["--format"] !== expected) refuse("docker", process.argv.slice(2), "unknown format");
}

/** What may be asked: all running ones by doctor, one cluster's by the provider, and what kind itself asks. */
const listings: { args: RegExp; row: (container: FakeContainer) => string }[] = [
  { args: /^--format \{\{json \.\}\}$/, row: asJson },
  {
    args: /^--all --filter label=io\.x-k8s\.kind\.cluster=(\S+) --format \{\{\.Names\}\}\t\{\{\.Status\}\}$/,
    row: ({ name, status }) => `${name}\t${status}`,
  },
  {
    args: /^-a --filter label=io\.x-k8s\.kind\.cluster=(\S+) --format \{\{\.Names\}\}$/,
    row: ({ name }) => name,
  },
  {
    args: /^-a --filter label=io\.x-k8s\.kind\.cluster --format \{\{\.Label "io\.x-k8s\.kind\.cluster"\}\}$/,
    row: ({ cluster }) => cluster,
  },
];

function ps(): void {
  const asked = args.join(" ");
  const listing = listings.find((candidate) => candidate.args.test(asked));
  if (!listing) refuse("docker", process.argv.slice(2), "unknown filter or format");
  needDaemon();
  const of = listing.args.exec(asked)?.[1];
  for (const container of containers()) {
    const wanted =
      of === undefined ? asked.includes("-a ") || container.status.startsWith("Up") : container.cluster === of;
    if (wanted) print(listing.row(container));
  }
}

function asJson({ id, name, cluster, ports, status }: FakeContainer): string {
  return JSON.stringify({
    ID: id.slice(0, 12),
    Names: name,
    Labels: `${clusterLabel}=${cluster},io.x-k8s.kind.role=control-plane`,
    Ports: ports.map(({ hostPort, containerPort }) => `127.0.0.1:${hostPort}->${containerPort}/tcp`).join(", "),
    Status: status,
  });
}

/** The named containers, each printed when it is done. */
async function each(what: string, work: (container: FakeContainer) => Promise<void>): Promise<void> {
  if (args.length === 0 || args.some((word) => word.startsWith("-"))) {
    refuse("docker", process.argv.slice(2), "names of containers are expected");
  }
  needDaemon(...(what === "start" ? [`Error: failed to start containers: ${args.join(" ")}`] : []));
  for (const name of args) {
    const container = containers().find((candidate) => candidate.name === name);
    if (!container) fail(1, `Error response from daemon: No such container: ${name}`);
    await work(container);
    print(name);
  }
}

/** Where a container's mounts come from and are. */
function inspect(): void {
  const { flags, words } = parseFlags("docker", args, ["--format"]);
  const wanted = "{{range .Mounts}}{{.Source}} {{.Destination}} {{end}}";
  if (words.length !== 1 || flags["--format"] !== wanted) refuse("docker", process.argv.slice(2), "unknown format");
  needDaemon();
  const container = containers().find(({ name }) => name === words[0]);
  if (!container) fail(1, `Error: No such object: ${words[0]}`);
  print(container.mounts.map(({ hostPath, containerPath }) => `${hostPath} ${containerPath} `).join(""));
}

async function start(container: FakeContainer): Promise<void> {
  if (container.status.startsWith("Up")) return;
  const taken = fault("start-port-taken");
  if (taken !== undefined) {
    fail(
      1,
      `Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint ${container.name} (${container.id}): failed to bind host port for 127.0.0.1:${taken}:172.18.0.2:80/tcp: address already in use`,
      `Error: failed to start containers: ${container.name}`,
    );
  }
  const { startNode } = await import("./fake-node.ts");
  await startNode(container);
  saveContainer({ ...container, status: "Up 2 minutes" });
}

async function stop(container: FakeContainer): Promise<void> {
  const { stopNode } = await import("./fake-node.ts");
  await stopNode(container);
  saveContainer({ ...container, status: "Exited (137) 2 minutes ago" });
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

recordCall("docker", process.argv.slice(2));
switch (command) {
  case "-v":
    print("Docker version 28.2.2, build e6534b4");
    break;
  case "info":
    onlyFormat("{{json .}}");
    // The real one prints what it knows of itself all the same.
    if (fault("daemon-down") !== undefined || fault("permission-denied") !== undefined) print('{"ServerVersion":""}');
    needDaemon();
    print(JSON.stringify(info));
    break;
  case "context":
    if (args.shift() !== "inspect") refuse("docker", process.argv.slice(2), "unknown command");
    onlyFormat("{{.Endpoints.docker.Host}}");
    print(socket);
    break;
  case "ps":
    ps();
    break;
  case "inspect":
    inspect();
    break;
  case "start":
    await each("start", start);
    break;
  case "stop":
    await each("stop", stop);
    break;
  default:
    refuse("docker", process.argv.slice(2), "unknown command");
}
