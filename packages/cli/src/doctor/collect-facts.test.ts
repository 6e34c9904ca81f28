import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isAlive } from "../process-liveness.ts";
import { collectFacts } from "./collect-facts.ts";
import type { Facts, ToolFact } from "./facts.ts";

const patientMs = 30_000;
const shortMs = 1_000;
const windows = process.platform === "win32" && "the stand-ins are shell scripts";

/** A machine with these programs and no others; each is the body of a shell script without external commands. */
function machine(t: TestContext, programs: Record<string, string> = {}): NodeJS.ProcessEnv {
  const directory = mkdtempSync(join(tmpdir(), "doctor-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  return { PATH: directory, HOME: directory, GATEHOUSE_HOME: join(directory, "home") };
}

function collect(environment: NodeJS.ProcessEnv, limitMs = patientMs, ports: number[] = []): Promise<Facts> {
  const portWishes = ports.map((preferred) => ({
    containerPort: 80,
    preferred,
    fallback: 8080,
    option: "--http-port",
  }));
  return collectFacts({ environment, limitMs, portWishes });
}

/** Each answer: what the arguments begin with, what is printed, to where, and the exit code. */
function script(...answers: { to: string; out?: string; err?: string; code?: number }[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  const branches = answers.map(({ to, out, err, code = 0 }) => {
    const print = [
      ...(out === undefined ? [] : [`printf '%s\\n' ${quoted(out)}`]),
      ...(err === undefined ? [] : [`printf '%s\\n' ${quoted(err)} >&2`]),
    ];
    return `  ${quoted(to)}*) ${[...print, `exit ${code}`].join("; ")} ;;`;
  });
  return `case "$*" in\n${branches.join("\n")}\nesac\necho "unexpected: $*" >&2\nexit 64`;
}

const dockerBanner = { to: "-v", out: "Docker version 28.2.2, build e6534b4" };
const dockerContext = { to: "context inspect", out: "unix:///var/run/docker.sock" };
const dockerInfo = {
  ServerVersion: "28.2.2",
  OSType: "linux",
  OperatingSystem: "Ubuntu 24.04.2 LTS",
  NCPU: 4,
  MemTotal: 8_000_000_000,
  CgroupDriver: "systemd",
  CgroupVersion: "2",
  MemoryLimit: true,
  PidsLimit: true,
  CPUShares: true,
  SecurityOptions: ["name=seccomp,profile=builtin", "name=cgroupns"],
  HttpProxy: "",
  DockerRootDir: tmpdir(),
};
const answering = (info: object = dockerInfo, ps = ""): string =>
  script(dockerBanner, dockerContext, { to: "info", out: JSON.stringify(info) }, { to: "ps", out: ps });

test("a machine without any of the tools", async (t) => {
  const facts = await collect(machine(t));
  assert.deepEqual(facts.tools, {
    kind: { state: "missing" },
    kubectl: { state: "missing" },
    helm: { state: "missing" },
  });
  assert.deepEqual(facts.engine, { name: "docker", answer: { state: "missing" }, snap: false, others: [] });
  assert.equal(facts.nodeVersion, process.versions.node);
  assert.ok((facts.disk?.freeBytes ?? 0) > 0, "the nearest directory that exists is measured");
  assert.ok(facts.memory.totalBytes > 0);
});

test("versions as the tools print them", { skip: windows }, async (t) => {
  const cases: { tool: keyof Facts["tools"]; to: string; out: string; version: string }[] = [
    { tool: "kind", to: "version", out: "kind v0.30.0 go1.24.6 linux/amd64", version: "0.30.0" },
    {
      tool: "kind",
      to: "version",
      out: "kind v0.31.0-alpha+d5a8b3 go1.25 darwin/arm64",
      version: "0.31.0-alpha+d5a8b3",
    },
    { tool: "helm", to: "version --short", out: "v3.19.0+g3d8990f", version: "3.19.0+g3d8990f" },
    { tool: "helm", to: "version --short", out: "v4.0", version: "4.0" },
    { tool: "helm", to: "version --short", out: "Client: v2.17.0+ga690bad", version: "2.17.0+ga690bad" },
    {
      tool: "kubectl",
      to: "version --client --output=json",
      out: JSON.stringify({ clientVersion: { major: "1", minor: "34", gitVersion: "v1.34.1" } }, null, 2),
      version: "1.34.1",
    },
  ];
  for (const { tool, to, out, version } of cases) {
    const facts = await collect(machine(t, { [tool]: script({ to, out }) }));
    assert.deepEqual(facts.tools[tool], { state: "found", version });
  }
});

test("tools that fail, babble, say nothing or cannot be run", { skip: windows }, async (t) => {
  const cases: [string, ToolFact][] = [
    ["echo one >&2; echo 'Error: no such thing' >&2; exit 3", { state: "broken", message: "Error: no such thing" }],
    ["echo '<html>hello'", { state: "broken", message: "<html>hello" }],
    ["exit 7", { state: "broken", message: "it ended with exit code 7 and it printed nothing" }],
    ["kill -9 $$", { state: "broken", message: "a signal ended it and it printed nothing" }],
  ];
  for (const [body, expected] of cases) {
    assert.deepEqual((await collect(machine(t, { kind: body }))).tools.kind, expected);
  }
  const environment = machine(t, { kind: "exit 0" });
  chmodSync(join(environment.PATH!, "kind"), 0o644);
  assert.deepEqual((await collect(environment)).tools.kind, {
    state: "broken",
    message: "the system does not run it (EACCES)",
  });
});

test("tools that hang are given up on, with all they started", { skip: windows }, async (t) => {
  // The child holds the pipes: who waits for the end of the output waits ten minutes.
  const hang = '/bin/sleep 600 &\necho $! > "$0.child"\nwait';
  const environment = machine(t, { kind: hang, docker: hang, helm: "while :; do /bin/sleep 600; done" });
  const facts = await collect(environment, shortMs);
  assert.deepEqual(facts.tools.kind, { state: "hung", limitMs: shortMs });
  assert.deepEqual(facts.tools.helm, { state: "hung", limitMs: shortMs });
  assert.deepEqual(facts.engine.answer, { state: "hung", limitMs: shortMs });
  assert.equal(facts.engine.name, "docker");
  const child = Number(readFileSync(join(environment.PATH!, "kind.child"), "utf8"));
  assert.ok(child > 0 && !isAlive(child), "what the tool had started is gone, too");
});

test("Docker that does not answer: the client's own words, and what they mean", { skip: windows }, async (t) => {
  const cases: [string, string][] = [
    ["down", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"],
    [
      "down",
      "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory",
    ],
    [
      "down",
      'error during connect: Get "http://10.0.0.9:2375/v1.50/info": dial tcp 10.0.0.9:2375: connect: connection refused',
    ],
    [
      "denied",
      'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/info": dial unix /var/run/docker.sock: connect: permission denied',
    ],
    ["denied", "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock"],
    [
      "broken",
      'context "nope": context not found: open /home/me/.docker/contexts/meta/x/meta.json: no such file or directory',
    ],
    ["broken", "open /home/me/.docker/config.json: permission denied"],
  ];
  for (const [state, message] of cases) {
    // The client prints an empty description even so.
    const info = { to: "info", out: '{"ServerVersion":""}', err: message, code: 1 };
    const { engine } = await collect(machine(t, { docker: script(dockerBanner, dockerContext, info) }));
    assert.deepEqual(engine, {
      name: "docker",
      answer: { state, message },
      endpoint: "unix:///var/run/docker.sock",
      snap: false,
      others: [],
    });
  }
});

test("the real Docker client, and nobody at the other end", async (t) => {
  const environment = { ...machine(t), PATH: process.env.PATH, DOCKER_HOST: "unix:///nowhere/docker.sock" };
  const { engine } = await collect({ ...environment, KIND_EXPERIMENTAL_PROVIDER: "docker" });
  if (engine.answer.state === "missing") return t.skip("no docker in PATH");
  assert.equal(engine.answer.state, "down", JSON.stringify(engine));
  assert.equal(engine.endpoint, "unix:///nowhere/docker.sock");
});

test("Docker's description of itself", { skip: windows }, async (t) => {
  const { engine } = await collect(machine(t, { docker: answering() }));
  assert.ok(engine.answer.state === "ready");
  const { disk, ...info } = engine.answer.info;
  assert.deepEqual(info, {
    version: "28.2.2",
    containerOs: "linux",
    operatingSystem: "Ubuntu 24.04.2 LTS",
    cpus: 4,
    memoryBytes: 8_000_000_000,
    cgroupVersion: 2,
    rootless: false,
    limits: true,
    hasProxy: false,
  });
  if (process.platform === "linux") assert.equal(disk?.path, tmpdir());
  const rootless = { ...dockerInfo, SecurityOptions: ["name=rootless", "name=cgroupns"], CgroupDriver: "none" };
  const other = (await collect(machine(t, { docker: answering(rootless) }))).engine.answer;
  assert.ok(other.state === "ready" && other.info.rootless && !other.info.limits);
});

test(
  "an engine's directory in a virtual machine or on another machine is not looked for here",
  { skip: windows },
  async (t) => {
    const desktop = { ...dockerInfo, OperatingSystem: "Docker Desktop" };
    const remote = script(
      dockerBanner,
      { to: "context inspect", out: "ssh://me@build.example" },
      { to: "info", out: JSON.stringify(dockerInfo) },
      { to: "ps" },
    );
    for (const docker of [answering(desktop), remote]) {
      const { answer } = (await collect(machine(t, { docker }))).engine;
      assert.ok(answer.state === "ready" && answer.info.disk === undefined);
    }
  },
);

test("garbage instead of a description is no engine", { skip: windows }, async (t) => {
  for (const out of ["not json", "null", "[]", "{}", '{"ServerVersion":""}']) {
    const docker = script(dockerBanner, dockerContext, { to: "info", out });
    const { answer } = (await collect(machine(t, { docker }))).engine;
    assert.equal(answer.state, "broken", out);
  }
});

test("the engine is the one that kind would take", { skip: windows }, async (t) => {
  const podmanInfo = {
    version: { Version: "5.4.0" },
    host: {
      cpus: 2,
      memTotal: 4_000_000_000,
      os: "linux",
      cgroupVersion: "v2",
      cgroupControllers: ["cpu", "memory", "pids"],
      distribution: { distribution: "fedora", version: "42" },
      security: { rootless: true },
    },
    store: { graphRoot: tmpdir() },
  };
  const podman = script(
    { to: "-v", out: "podman version 5.4.0" },
    { to: "info --format json", out: JSON.stringify(podmanInfo) },
    { to: "ps --format json", out: "[]" },
  );
  // podman's stand-in for docker says who it is.
  const alone = (await collect(machine(t, { podman, docker: podman }))).engine;
  assert.equal(alone.name, "podman");
  assert.deepEqual(alone.others, []);
  assert.ok(alone.answer.state === "ready" && alone.answer.info.rootless && alone.answer.info.limits);
  assert.equal(alone.answer.info.operatingSystem, "fedora 42");
  const both = machine(t, { podman, docker: answering() });
  const first = (await collect(both)).engine;
  assert.deepEqual([first.name, first.others], ["docker", ["podman"]]);
  const named = (await collect({ ...both, KIND_EXPERIMENTAL_PROVIDER: "podman" })).engine;
  assert.deepEqual([named.name, named.others], ["podman", ["docker"]]);
  assert.equal((await collect({ ...both, KIND_EXPERIMENTAL_PROVIDER: "lxc" })).engine.name, "docker");
});

test("engines that kind uses on request only", { skip: windows }, async (t) => {
  const script = answering();
  for (const name of ["finch", "nerdctl.lima"]) {
    const there = machine(t, { [name]: script });
    assert.equal((await collect(there)).engine.answer.state, "missing");
    const { engine } = await collect({ ...there, KIND_EXPERIMENTAL_PROVIDER: name });
    assert.deepEqual([engine.name, engine.answer.state], [name, "ready"]);
  }
});

/** A port that somebody holds, namely this test. */
async function heldPort(t: TestContext): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

test("a held port and its holder: a process, a container, a kind node", { skip: windows }, async (t) => {
  const port = await heldPort(t);
  const [byProcess] = (await collect(machine(t), patientMs, [port])).ports;
  assert.equal(byProcess?.refusal, "EADDRINUSE");
  if (process.platform === "linux") {
    assert.ok(byProcess?.holder?.what === "process");
    assert.match(byProcess.holder.name, new RegExp(`\\(pid ${process.pid}\\)$`));
  }
  const row = (Names: string, Ports: string, Labels = ""): string => JSON.stringify({ Names, Ports, Labels });
  const ports = `0.0.0.0:${port - 1}-${port + 1}->80-82/tcp, [::]:9->9/udp`;
  const rows = (last: string): string =>
    [row("idle", "80/tcp"), row("udp", `0.0.0.0:${port}->80/udp`), last].join("\n");
  const holders = [
    { last: row("web", ports), holder: { what: "container", name: "web", engine: "docker" } },
    {
      last: row("dev-control-plane", `127.0.0.1:${port}->80/tcp`, "a=b,io.x-k8s.kind.cluster=dev,c=d"),
      holder: { what: "cluster", name: "dev", provider: "kind" },
    },
  ];
  for (const { last, holder } of holders) {
    const environment = machine(t, { docker: answering(dockerInfo, rows(last)) });
    assert.deepEqual((await collect(environment, patientMs, [port])).ports[0]?.holder, holder);
  }
});

test("a held port of podman's", { skip: windows }, async (t) => {
  const port = await heldPort(t);
  const containers = [
    {
      Names: ["dev-control-plane"],
      Labels: { "io.x-k8s.kind.cluster": "dev" },
      Ports: [{ host_port: port, range: 1, protocol: "tcp" }],
    },
    { Names: ["idle"], Labels: null, Ports: null },
  ];
  const info = { version: { Version: "5.4.0" }, host: {} };
  const podman = script(
    { to: "-v", out: "podman version 5.4.0" },
    { to: "info", out: JSON.stringify(info) },
    { to: "ps", out: JSON.stringify(containers) },
  );
  const [fact] = (await collect(machine(t, { podman }), patientMs, [port])).ports;
  assert.deepEqual(fact?.holder, { what: "cluster", name: "dev", provider: "kind" });
});

test("a port that an embedded cluster maps is its own, as long as its process lives", async (t) => {
  if (process.platform !== "linux") return t.skip("a cluster's process is known by its environment on Linux only");
  const port = await heldPort(t);
  const environment = machine(t);
  const directory = join(environment.GATEHOUSE_HOME!, "clusters", "dev");
  mkdirSync(directory, { recursive: true });
  mkdirSync(join(directory, "..", "damaged"));
  writeFileSync(join(directory, "..", "damaged", "cluster.json"), "{");
  writeFileSync(
    join(directory, "cluster.json"),
    JSON.stringify({ name: "dev", portMappings: [{ containerPort: 80, hostPort: port }] }),
  );
  const child = spawn(process.execPath, ["-e", "console.log(1); setInterval(() => {}, 1e6)"], {
    env: { GATEHOUSE_CLUSTER_DIRECTORY: directory },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  writeFileSync(join(directory, "runtime.json"), JSON.stringify({ pid: child.pid }));
  const cluster = { what: "cluster", name: "dev", provider: "embedded" };
  assert.deepEqual((await collect(environment, patientMs, [port])).ports[0]?.holder, cluster);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  assert.equal((await collect(environment, patientMs, [port])).ports[0]?.holder?.what, "process");
});

test("a free port has neither refusal nor holder, and 0 is not tried", async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const { ports } = await collect(machine(t), patientMs, [port, 0]);
  assert.deepEqual(
    ports.map(({ port, refusal, holder }) => ({ port, refusal, holder })),
    [
      { port, refusal: undefined, holder: undefined },
      { port: 0, refusal: undefined, holder: undefined },
    ],
  );
});

test("the resolver is asked for the demo's names", async (t) => {
  const { names } = await collect(machine(t));
  assert.deepEqual(Object.keys(names ?? {}), ["whoami.localhost", "demo.localhost", "traefik.localhost"]);
  for (const answer of Object.values(names ?? {})) {
    assert.ok(typeof answer === "string" ? /^E[A-Z_]+$/.test(answer) : answer.length > 0, JSON.stringify(names));
  }
});

test("proxies in both spellings, without their passwords", async (t) => {
  const { proxy } = await collect({
    ...machine(t),
    HTTP_PROXY: "http://me:p@ss@proxy.example:3128/",
    https_proxy: "proxy.example:3129",
    HTTPS_PROXY: "",
    NO_PROXY: "localhost, .corp.example",
    no_proxy: "localhost,10.0.0.0/8",
  });
  assert.deepEqual(proxy, {
    servers: { HTTP_PROXY: "proxy.example:3128", https_proxy: "proxy.example:3129" },
    exceptions: ["localhost", ".corp.example", "10.0.0.0/8"],
  });
});
