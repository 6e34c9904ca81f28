import assert from "node:assert/strict";
import { test } from "node:test";
import { diagnose, obstacles } from "./diagnose.ts";
import type { EngineFact, EngineInfo, Facts, PortFact, ToolFact } from "./facts.ts";
import type { Finding, Need } from "./finding.ts";

const gibibyte = 1024 ** 3;
const overview: Need = { name: "gatehouse" };

const info: EngineInfo = {
  version: "28.2.2",
  containerOs: "linux",
  operatingSystem: "Ubuntu 24.04.2 LTS",
  cpus: 4,
  memoryBytes: 8 * gibibyte,
  cgroupVersion: 2,
  rootless: false,
  limits: true,
  hasProxy: false,
  disk: { path: "/var/lib/docker", freeBytes: 50 * gibibyte },
};

const docker = (answer: EngineFact["answer"], fields: Partial<EngineFact> = {}): EngineFact => ({
  name: "docker",
  answer,
  endpoint: "unix:///var/run/docker.sock",
  snap: false,
  others: [],
  ...fields,
});

const ready = (fields: Partial<EngineInfo> = {}): EngineFact =>
  docker({ state: "ready", info: { ...info, ...fields } });

const http = { containerPort: 80, preferred: 80, fallback: 8080, option: "--http-port" };
const https = { containerPort: 443, preferred: 443, fallback: 8443, option: "--https-port" };

/** A machine on which nothing is wrong. */
function healthy(fields: Partial<Facts> = {}): Facts {
  return {
    platform: "linux",
    architecture: "x64",
    nodeVersion: "24.1.0",
    tools: {
      kind: { state: "found", version: "0.30.0" },
      kubectl: { state: "found", version: "1.34.1" },
      helm: { state: "found", version: "3.19.0+g3d8990f" },
    },
    engine: ready(),
    ports: [
      { wish: http, port: 80 },
      { wish: https, port: 443 },
    ],
    names: { "whoami.localhost": ["127.0.0.1"], "demo.localhost": ["::1", "127.0.0.1"] },
    inotify: { watches: 524_288, instances: 512 },
    disk: { path: "/home/me", freeBytes: 50 * gibibyte },
    memory: { totalBytes: 16 * gibibyte, availableBytes: 8 * gibibyte },
    proxy: { servers: {}, exceptions: [] },
    ...fields,
  };
}

function finding(facts: Facts, id: string, need: Need = overview): Finding {
  const found = diagnose(facts, need).filter((each) => each.id === id);
  assert.equal(
    found.length,
    1,
    `${id} among ${diagnose(facts, need)
      .map((each) => each.id)
      .join()}`,
  );
  return found[0]!;
}

const withTool = (name: keyof Facts["tools"], tool: ToolFact): Facts => {
  const facts = healthy();
  return { ...facts, tools: { ...facts.tools, [name]: tool } };
};

const withPort = (fields: Partial<PortFact>, more: Partial<Facts> = {}): Facts =>
  healthy({ ports: [{ wish: http, port: 80, ...fields }], ...more });

test("a healthy machine has only ticks, in a fixed order, for every provider", () => {
  const findings = diagnose(healthy(), overview);
  assert.deepEqual(
    findings.filter(({ level }) => level !== "ok"),
    [],
  );
  assert.deepEqual(
    findings.map(({ id }) => id),
    [
      "node-version",
      "kind-version",
      "helm-version",
      "kubectl-version",
      "docker-daemon",
      "cgroup",
      "engine-cpus",
      "engine-memory",
      "engine-disk",
      "port-80",
      "port-443",
      "loopback-addresses",
      "localhost-names",
      "inotify-watches",
      "inotify-instances",
      "disk",
      "memory",
      "proxy",
    ],
  );
  assert.ok(findings.every(({ remedy }) => remedy === undefined));
});

test("with a provider, only what matters to it is said", () => {
  const ids = (provider: Need["provider"]): string[] =>
    diagnose(healthy(), { name: "gatehouse", provider: provider! }).map(({ id }) => id);
  assert.deepEqual(ids("context"), ["node-version", "helm-version", "kubectl-version", "proxy"]);
  assert.ok(!ids("embedded").includes("docker-daemon"));
  assert.ok(!ids("kind").includes("loopback-addresses"));
});

test("what is missing for kind stands in nobody else's way", () => {
  const facts = healthy({ engine: docker({ state: "missing" }) });
  const findings = diagnose(withKindMissing(facts), overview);
  assert.deepEqual(
    obstacles(findings, "kind").map(({ id }) => id),
    ["kind-version", "docker-daemon"],
  );
  assert.deepEqual(obstacles(findings, "embedded"), []);
  assert.deepEqual(obstacles(findings, "context"), []);
});

const withKindMissing = (facts: Facts): Facts => ({ ...facts, tools: { ...facts.tools, kind: { state: "missing" } } });

test("tools: missing, too old, old, mute and hanging ones", () => {
  const cases: [keyof Facts["tools"], ToolFact, Finding["level"], RegExp, RegExp?][] = [
    [
      "kind",
      { state: "missing" },
      "problem",
      /not found in PATH/,
      /kind\.sigs\.k8s\.io\/dl\/v0\.30\.0\/kind-linux-amd64/,
    ],
    ["kind", { state: "found", version: "0.23.0" }, "problem", /0\.23\.0 is older than 0\.24/, /kind\.sigs\.k8s\.io/],
    ["kind", { state: "found", version: "0.26.0" }, "warning", /containerd 2/],
    ["kind", { state: "found", version: "0.24.0" }, "warning", /containerd 2/],
    ["kind", { state: "found", version: "0.27.0" }, "ok", /0\.27\.0/],
    ["kind", { state: "found", version: "0.31.0-alpha+dirty" }, "ok", /0\.31\.0-alpha/],
    ["kind", { state: "found", version: "1.0.0" }, "ok", /1\.0\.0/],
    ["kind", { state: "hung", limitMs: 10_000 }, "problem", /within 10 s/, /kind version by hand/],
    ["kind", { state: "broken", message: "exec format error" }, "problem", /exec format error/, /Install it anew/],
    ["helm", { state: "missing" }, "problem", /not found/, /get-helm-3 \| bash\nhttps:\/\/helm\.sh/],
    ["helm", { state: "found", version: "3.12.3" }, "problem", /older than 3\.13: .*--labels/],
    ["helm", { state: "found", version: "2.17.0" }, "problem", /older than 3\.13/],
    ["helm", { state: "found", version: "3.13.0" }, "ok", /3\.13\.0/],
    ["helm", { state: "found", version: "4.0.0" }, "ok", /4\.0\.0/],
    ["kubectl", { state: "missing" }, "warning", /gatehouse get/, /dl\.k8s\.io/],
    ["kubectl", { state: "found", version: "1.29.9" }, "warning", /version skew/],
    ["kubectl", { state: "hung", limitMs: 500 }, "warning", /within 0\.5 s/],
    ["kubectl", { state: "found", version: "1.30.0" }, "ok", /1\.30\.0/],
  ];
  for (const [name, tool, level, message, remedy] of cases) {
    const found = finding(withTool(name, tool), `${name}-version`);
    assert.equal(found.level, level, `${name} ${JSON.stringify(tool)}`);
    assert.match(found.message, message);
    if (remedy) assert.match(found.remedy ?? "", remedy);
    assert.equal(found.remedy === undefined, level === "ok");
  }
});

test("install lines are those of the machine's system", () => {
  const missing = withTool("kind", { state: "missing" });
  const page = "https://kind.sigs.k8s.io/docs/user/quick-start/#installation";
  const remedy = (platform: NodeJS.Platform, architecture: string): string =>
    finding({ ...missing, platform, architecture }, "kind-version").remedy ?? "";
  assert.match(remedy("linux", "arm64"), /kind-linux-arm64 /);
  assert.equal(remedy("darwin", "arm64"), `brew install kind\n${page}`);
  assert.equal(remedy("win32", "x64"), page);
});

test("Node", () => {
  assert.equal(finding(healthy({ nodeVersion: "22.18.0" }), "node-version").level, "ok");
  const old = finding(healthy({ nodeVersion: "22.17.1" }), "node-version");
  assert.equal(old.level, "problem");
  assert.deepEqual(old.neededFor, ["embedded", "kind", "context"]);
});

test("an engine that does not answer: why, and the line that starts this very one", () => {
  const down = { state: "down", message: "Cannot connect to the Docker daemon at unix:///x. Is it running?" } as const;
  const cases: [Partial<Facts>, RegExp, RegExp][] = [
    [
      { engine: docker({ state: "missing" }) },
      /neither docker nor podman nor nerdctl/,
      /get\.docker\.com \| sh\nhttps:\/\/docs\.docker\.com/,
    ],
    [{ engine: docker({ state: "missing" }), platform: "darwin" }, /neither/, /^brew install --cask docker-desktop\n/],
    [{ engine: docker({ state: "missing" }, { name: "podman" }) }, /^podman was not found/, /^https:\/\/podman\.io/],
    [{ engine: docker(down) }, /^Cannot connect/, /^sudo systemctl start docker$/],
    [{ engine: docker(down), platform: "darwin" }, /^Cannot connect/, /^open -a Docker$/],
    [{ engine: docker(down), platform: "win32" }, /^Cannot connect/, /^Start Docker Desktop\.$/],
    [
      { engine: docker(down, { endpoint: "unix:///run/user/1000/docker.sock" }) },
      /./,
      /^systemctl --user start docker$/,
    ],
    [
      { engine: docker(down, { endpoint: "unix:///home/me/.docker/desktop/docker.sock" }) },
      /./,
      /^systemctl --user start docker-desktop$/,
    ],
    [
      { engine: docker(down, { endpoint: "unix:///Users/me/.colima/default/docker.sock" }), platform: "darwin" },
      /./,
      /^colima start$/,
    ],
    [
      { engine: docker(down, { endpoint: "tcp://10.0.0.9:2375" }) },
      /./,
      /tcp:\/\/10\.0\.0\.9:2375 has to run.*unset DOCKER_HOST/,
    ],
    [{ engine: docker(down, { name: "podman" }), platform: "darwin" }, /./, /^podman machine start$/],
    [{ engine: docker(down, { name: "nerdctl" }) }, /./, /^sudo systemctl start containerd$/],
    [{ engine: docker(down, { name: "finch" }), platform: "darwin" }, /./, /^finch vm start$/],
    [{ engine: docker(down, { name: "finch" }) }, /./, /^sudo systemctl start finch$/],
    [{ engine: docker(down, { name: "nerdctl.lima" }), platform: "darwin" }, /./, /^limactl start$/],
    [
      { engine: docker({ state: "missing" }, { name: "nerdctl.lima" }), platform: "darwin" },
      /^nerdctl\.lima was not found/,
      /^brew install lima\n/,
    ],
    [
      { engine: docker(down, { others: ["podman"] }) },
      /./,
      /^sudo systemctl start docker\nor let kind use podman: export KIND_EXPERIMENTAL_PROVIDER=podman$/,
    ],
    [
      { engine: docker({ state: "denied", message: "permission denied while trying to connect" }) },
      /^permission denied/,
      /^sudo usermod -aG docker "\$USER" && newgrp docker\nhttps:/,
    ],
    [
      { engine: docker({ state: "denied", message: "permission denied" }), platform: "darwin" },
      /^permission denied/,
      /^Run docker info/,
    ],
    [
      { engine: docker({ state: "hung", limitMs: 10_000 }) },
      /within 10 s at unix:\/\/\/var\/run\/docker\.sock/,
      /^sudo systemctl restart docker$/,
    ],
    [
      { engine: docker({ state: "broken", message: "no such host" }) },
      /does not work: no such host/,
      /^Run docker info/,
    ],
  ];
  for (const [fields, message, remedy] of cases) {
    const found = finding(healthy(fields), "docker-daemon");
    assert.equal(found.level, "problem");
    assert.match(found.message, message);
    assert.match(found.remedy ?? "", remedy);
    assert.deepEqual(found.neededFor, ["kind"]);
  }
});

test("an engine that answers and yet is none for kind", () => {
  const cases: [EngineFact, string, Finding["level"], RegExp][] = [
    [ready({ rootless: true }), "docker-daemon", "ok", /28\.2\.2, Ubuntu 24\.04\.2 LTS, rootless/],
    [ready({ version: "19.03.15" }), "docker-daemon", "problem", /older than 20\.10/],
    [ready({ version: "dev" }), "docker-daemon", "ok", /dev/],
    [ready({ containerOs: "windows" }), "docker-daemon", "problem", /windows containers/],
    [ready({ cgroupVersion: 1 }), "cgroup", "warning", /1\.35/],
    [ready({ cgroupVersion: 1, rootless: true }), "cgroup", "problem", /needs version 2/],
    [ready({ rootless: true, limits: false }), "cgroup", "problem", /delegated/],
    [ready({ rootless: false, limits: false }), "cgroup", "ok", /version 2/],
    [ready({ cgroupVersion: 0 }), "cgroup", "skipped", /does not say/],
    [ready({ cpus: 1 }), "engine-cpus", "warning", /wants 2/],
    [ready({ cpus: 0 }), "engine-cpus", "skipped", /does not say/],
    [ready({ memoryBytes: 0.9 * gibibyte }), "engine-memory", "problem", /922 MiB; .*at least 1 GiB/],
    [ready({ memoryBytes: 1.9 * gibibyte }), "engine-memory", "warning", /1\.9 GiB/],
    [ready({ memoryBytes: 0 }), "engine-memory", "skipped", /does not say/],
    [ready({ disk: { path: "/d", freeBytes: gibibyte } }), "engine-disk", "problem", /1\.0 GiB free at \/d/],
    [ready({ disk: { path: "/d", freeBytes: 5 * gibibyte } }), "engine-disk", "warning", /less than 6 GiB/],
  ];
  for (const [engine, id, level, message] of cases) {
    const found = finding(healthy({ engine }), id);
    assert.equal(found.level, level, `${id}: ${found.message}`);
    assert.match(found.message, message);
  }
});

test("cgroup v1 is in the way once kind's own node image refuses it", () => {
  const facts = withTool("kind", { state: "found", version: "0.31.0" });
  assert.equal(finding({ ...facts, engine: ready({ cgroupVersion: 1 }) }, "cgroup").level, "problem");
});

test("memory that this machine has no more counts against an engine here, not against one in a virtual machine", () => {
  const memory = { totalBytes: 16 * gibibyte, availableBytes: 0.5 * gibibyte };
  assert.equal(finding(healthy({ memory }), "engine-memory").level, "problem");
  const { disk: _, ...elsewhere } = info;
  const engine = docker({ state: "ready", info: elsewhere });
  assert.equal(finding(healthy({ memory, engine }), "engine-memory").level, "ok");
  assert.equal(finding(healthy({ engine }), "engine-disk").level, "skipped");
});

test("an engine on another machine is refused, on this one not", () => {
  const at = (endpoint: string): Finding[] =>
    diagnose(healthy({ engine: docker({ state: "ready", info }, { endpoint }) }), overview).filter(
      ({ id }) => id === "docker-remote",
    );
  for (const endpoint of [
    "tcp://10.0.0.9:2375",
    "ssh://me@build.example",
    "tcp://docker:2376",
    "tcp://[fd00::1]:2375",
  ]) {
    assert.equal(at(endpoint)[0]?.level, "problem", endpoint);
    assert.match(at(endpoint)[0]?.remedy ?? "", /unset DOCKER_HOST DOCKER_CONTEXT/);
  }
  for (const endpoint of [
    "unix:///var/run/docker.sock",
    "tcp://127.0.0.1:2375",
    "tcp://localhost:2375",
    "tcp://[::1]:2375",
    "npipe:////./pipe/docker_engine",
  ])
    assert.deepEqual(at(endpoint), [], endpoint);
});

test("a client from a snap reads neither /tmp nor hidden folders", () => {
  const found = finding(healthy({ engine: docker({ state: "ready", info }, { snap: true }) }), "docker-snap");
  assert.match(found?.remedy ?? "", /^export GATEHOUSE_HOME="\$HOME\/gatehouse"$/m);
  assert.equal(found.level, "warning");
  assert.match(found.remedy ?? "", /export TMPDIR="\$HOME\/tmp"/);
});

test("a held port: another is taken for one that is only preferred, a chosen one is refused", () => {
  const holder = { what: "process", name: "nginx (pid 12)" } as const;
  const preferred = finding(withPort({ refusal: "EADDRINUSE", holder }), "port-80");
  assert.equal(preferred.level, "warning");
  assert.match(preferred.message, /^held by nginx \(pid 12\); 8080 or the next free one is taken instead$/);
  assert.equal(preferred.remedy, "stop nginx (pid 12)\nor choose another: --http-port PORT (0 = any free one)");
  assert.deepEqual(preferred.neededFor, ["embedded", "kind"]);
  const chosen = withPort({ wish: { ...http, chosen: 81 }, port: 81, refusal: "EADDRINUSE", holder });
  assert.deepEqual(
    obstacles(diagnose(chosen, overview), "kind").map(({ title, message }) => `${title}: ${message}`),
    ["port 81: held by nginx (pid 12)"],
  );
});

test("who holds a port, and how each is made to let go", () => {
  const cases: [PortFact["holder"], RegExp, RegExp][] = [
    [undefined, /held by another process/, /^sudo ss -ltnp 'sport = :80' /],
    [{ what: "container", name: "web", engine: "podman" }, /held by the container "web"/, /^podman stop web\n/],
    [
      { what: "cluster", provider: "embedded", name: "other" },
      /embedded cluster "other"/,
      /^gatehouse stop --name other\n/,
    ],
    [{ what: "cluster", provider: "kind", name: "old" }, /kind cluster "old"/, /^kind delete cluster --name old\n/],
  ];
  for (const [holder, message, remedy] of cases) {
    const found = finding(withPort({ refusal: "EADDRINUSE", ...(holder ? { holder } : {}) }), "port-80");
    assert.equal(found.level, "warning");
    assert.match(found.message, message);
    assert.match(found.remedy ?? "", remedy);
  }
  const mac = withPort({ refusal: "EADDRINUSE" }, { platform: "darwin" });
  assert.match(finding(mac, "port-80").remedy ?? "", /^sudo lsof -nP -iTCP:80 -sTCP:LISTEN/);
});

test("a port that the cluster in question holds is not in its way; that of the same name and another kind is", () => {
  const held = (provider: "embedded" | "kind"): Facts =>
    withPort({ refusal: "EADDRINUSE", holder: { what: "cluster", provider, name: "gatehouse" } });
  assert.equal(finding(held("embedded"), "port-80").level, "ok");
  assert.equal(finding(held("kind"), "port-80", { name: "gatehouse", provider: "kind" }).level, "ok");
  assert.equal(finding(held("embedded"), "port-80", { name: "gatehouse", provider: "kind" }).level, "warning");
  assert.equal(finding(held("kind"), "port-80", { name: "two", provider: "kind" }).level, "warning");
});

test("a privileged port is the embedded cluster's concern, and a rootless engine's, not a daemon's", () => {
  const facts = withPort({ refusal: "EACCES" });
  const seen = finding(facts, "port-80");
  assert.equal(seen.level, "warning");
  assert.deepEqual(seen.neededFor, ["embedded"]);
  assert.match(seen.remedy ?? "", /^sudo sysctl net\.ipv4\.ip_unprivileged_port_start=80\n/);
  const forKind: Need = { name: "gatehouse", provider: "kind" };
  assert.equal(finding(facts, "port-80", forKind).level, "ok");
  assert.equal(finding({ ...facts, engine: ready({ rootless: true }) }, "port-80", forKind).level, "warning");
  const chosen = withPort({ wish: { ...http, chosen: 80 }, refusal: "EACCES" }, { platform: "darwin" });
  assert.equal(finding(chosen, "port-80").level, "problem");
  assert.equal(finding(chosen, "port-80").remedy, "choose another: --http-port PORT (0 = any free one)");
});

test("the line that allows privileged ports allows both", () => {
  const facts = healthy({
    ports: [
      { wish: http, port: 80, refusal: "EACCES" },
      { wish: https, port: 443, refusal: "EACCES" },
    ],
  });
  for (const id of ["port-80", "port-443"]) {
    assert.match(finding(facts, id).remedy ?? "", /^sudo sysctl net\.ipv4\.ip_unprivileged_port_start=80\n/);
  }
});

test("the same port twice, any port, and a port that fails otherwise", () => {
  const twice = (port: number): Facts =>
    healthy({
      ports: [
        { wish: { ...http, chosen: port }, port },
        { wish: { ...https, chosen: port }, port },
      ],
    });
  assert.equal(finding(twice(8080), "port-80").level, "ok");
  assert.equal(finding(twice(8080), "port-443").level, "problem");
  assert.equal(finding(twice(0), "port-443").level, "ok");
  assert.match(finding(withPort({ refusal: "EPERM" }), "port-80").message, /cannot be opened \(EPERM\)/);
});

test("inotify: the exact lines, for now and for good", () => {
  const facts = healthy({ inotify: { watches: 8192, instances: 128 } });
  assert.deepEqual(
    diagnose(facts, overview)
      .filter(({ id }) => id.startsWith("inotify"))
      .map(({ level, remedy, neededFor }) => ({ level, remedy, neededFor })),
    [
      {
        level: "warning",
        remedy:
          "sudo sysctl fs.inotify.max_user_watches=524288\nto keep it: echo 'fs.inotify.max_user_watches = 524288' | sudo tee -a /etc/sysctl.d/99-inotify.conf",
        neededFor: ["kind"],
      },
      {
        level: "warning",
        remedy:
          "sudo sysctl fs.inotify.max_user_instances=512\nto keep it: echo 'fs.inotify.max_user_instances = 512' | sudo tee -a /etc/sysctl.d/99-inotify.conf",
        neededFor: ["kind"],
      },
    ],
  );
  assert.equal(finding(healthy({ inotify: { watches: 8192, instances: 512 } }), "inotify-instances").level, "ok");
  const { inotify: _, ...unknown } = healthy();
  assert.equal(finding(unknown, "inotify-watches").level, "skipped");
  assert.equal(finding({ ...facts, platform: "darwin" }, "inotify-watches").level, "skipped");
  const desktop = { ...facts, engine: ready({ operatingSystem: "Docker Desktop" }) };
  assert.equal(finding(desktop, "inotify-watches").level, "skipped");
});

test("names: known, unknown, astray, [::1] only, and no answer", () => {
  const cases: [Facts["names"], Finding["level"], RegExp, RegExp?][] = [
    [{ "a.localhost": ["::1", "127.0.0.1"] }, "ok", /this machine/],
    [
      { "a.localhost": "ENOTFOUND", "b.localhost": ["127.0.0.1"] },
      "warning",
      /does not know a\.localhost;/,
      /^echo '127\.0\.0\.1 a\.localhost' \| sudo tee -a /,
    ],
    [
      { "a.localhost": ["203.0.113.7"] },
      "warning",
      /a\.localhost is 203\.0\.113\.7: .*elsewhere/,
      /127\.0\.0\.1 a\.localhost/,
    ],
    [{ "a.localhost": ["::1"] }, "warning", /\[::1\] only/],
    [undefined, "warning", /did not answer in time/, /gatehouse up --hosts yes/],
  ];
  for (const [names, level, message, remedy] of cases) {
    const found = finding(healthy({ names }), "localhost-names");
    assert.equal(found.level, level);
    assert.match(found.message, message);
    if (remedy) assert.match(found.remedy ?? "", remedy);
  }
});

test("loopback addresses, disk and memory of the embedded cluster", () => {
  const mebibytes = (count: number): number => count * 1024 ** 2;
  const cases: [Partial<Facts>, string, Finding["level"], RegExp][] = [
    [{ loopbackRefusal: "EADDRNOTAVAIL" }, "loopback-addresses", "ok", /only 127\.0\.0\.1/],
    [{ loopbackRefusal: "EPERM" }, "loopback-addresses", "problem", /EPERM/],
    [{ disk: { path: "/h", freeBytes: mebibytes(99) } }, "disk", "problem", /99 MiB free at \/h/],
    [{ disk: { path: "/h", freeBytes: mebibytes(499) } }, "disk", "warning", /499 MiB/],
    [{ memory: { totalBytes: gibibyte, availableBytes: mebibytes(100) } }, "memory", "problem", /100 MiB of 1\.0 GiB/],
    [{ memory: { totalBytes: gibibyte, availableBytes: mebibytes(300) } }, "memory", "warning", /150 MiB/],
    [{ memory: { totalBytes: gibibyte } }, "memory", "ok", /1\.0 GiB in all/],
  ];
  for (const [fields, id, level, message] of cases) {
    const found = finding(healthy(fields), id);
    assert.equal(found.level, level, `${id}: ${found.message}`);
    assert.match(found.message, message);
    assert.deepEqual(found.neededFor, ["embedded"]);
  }
  const { disk: _, ...unknown } = healthy();
  assert.equal(finding(unknown, "disk").level, "skipped");
});

test("proxies: what NO_PROXY lacks, what a node cannot reach, and an engine without one", () => {
  const proxied = (exceptions: string[], server = "proxy.example:3128", engine = ready()): Facts =>
    healthy({ proxy: { servers: { HTTPS_PROXY: server }, exceptions }, engine });
  const lacking = finding(proxied(["corp.example", "localhost"]), "proxy");
  assert.equal(lacking.level, "warning");
  assert.match(lacking.message, /proxy\.example:3128 .*lacks 127\.0\.0\.1, ::1$/);
  assert.equal(
    lacking.remedy,
    'export NO_PROXY="corp.example,localhost,.localhost,127.0.0.1,::1"; export no_proxy="$NO_PROXY"',
  );
  for (const exceptions of [["*"], ["localhost", "127.0.0.1"], [".localhost", "127.0.0.0/8"]]) {
    assert.equal(finding(proxied(exceptions), "proxy").level, "ok", exceptions.join());
  }
  assert.match(finding(proxied(["*"], "127.0.0.1:3128"), "node-proxy").message, /^HTTPS_PROXY name.* the node itself/);
  const ids = (facts: Facts): string[] => diagnose(facts, overview).map(({ id }) => id);
  assert.ok(!ids(proxied(["*"])).includes("node-proxy"));
  assert.match(finding(proxied(["*"]), "engine-proxy").remedy ?? "", /docs\.docker\.com/);
  assert.ok(!ids(proxied(["*"], "proxy.example:3128", ready({ hasProxy: true }))).includes("engine-proxy"));
  assert.ok(!ids(healthy()).includes("engine-proxy"));
});
