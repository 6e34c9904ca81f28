// A cluster's life as its user sees it: up, again, stop, start, several side by side, ports that are taken, down.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parse } from "yaml";
import { eventually } from "../until.ts";
import { gatehouseProgram, missing, root, run, temporaryHome } from "./test-cluster.ts";

type Home = ReturnType<typeof temporaryHome> & {
  gatehouse(...args: string[]): ReturnType<typeof run>;
  up(...args: string[]): Promise<Summary>;
};
interface Summary {
  context: string;
  ports: { containerPort: number; hostPort: number }[];
  urls: string[];
}

const anyPorts = ["--http-port", "0", "--https-port", "0", "--hosts", "no"];

function useHome(t: TestContext, names: string[] = ["gatehouse"]): Home {
  const { home, environment } = temporaryHome();
  const gatehouse = (...args: string[]) => run(gatehouseProgram, args, environment);
  t.after(async () => {
    for (const name of names) await gatehouse("down", "--name", name);
    rmSync(home, { recursive: true, force: true });
  });
  return {
    home,
    environment,
    gatehouse,
    up: async (...args) => {
      const result = await gatehouse("up", ...anyPorts, "-o", "json", ...args);
      assert.equal(result.code, 0, result.stderr);
      return JSON.parse(result.stdout) as Summary;
    },
  };
}

function portOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(true));
    server.listen({ host: "127.0.0.1", port }, () => server.close(() => resolve(false)));
  });
}

async function ourProcesses(home: string): Promise<string[]> {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").includes(home);
    } catch {
      return false;
    }
  });
}

test("up, up again, down: the second is a no-op that says so, and nothing is left behind", async (t) => {
  const home = useHome(t);
  const first = await home.gatehouse("up", ...anyPorts);
  assert.equal(first.code, 0, first.stderr);
  for (const expected of [
    /✓ Start the cluster/,
    /✓ Send a request through every route/,
    /http:\/\/whoami\.localhost:\d+/,
    /kubectl --context gatehouse/,
  ]) {
    assert.match(first.stdout, expected);
  }
  assert.ok(!first.stdout.includes("\u001b["), "no colour when it is not a terminal");
  const config = join(home.home, ".kube/config");
  assert.equal(statSync(config).mode & 0o777, 0o600);
  assert.equal(statSync(join(home.home, ".gatehouse/clusters/gatehouse")).mode & 0o777, 0o700);

  const second = await home.gatehouse("up", ...anyPorts);
  assert.equal(second.code, 0);
  assert.match(second.stdout, /Already up: nothing to do\./);
  assert.equal(second.stderr, "");

  assert.equal((await home.gatehouse("delete", "httproute", "whoami-host", "-n", "demo")).code, 0);
  const third = await home.gatehouse("up", ...anyPorts);
  assert.equal(third.code, 0);
  assert.match(third.stderr, /^note: deleted since: httproute\/demo\/whoami-host; gatehouse apply/);

  const port = Number(/whoami\.localhost:(\d+)/.exec(first.stdout)?.[1]);
  assert.equal(await portOpen(port), true);
  const down = await home.gatehouse("down");
  assert.equal(down.code, 0, down.stderr);
  assert.equal(await portOpen(port), false);
  assert.deepEqual(readdirSync(home.home), [], "the kubeconfig file, its directory and the state were of its making");
  if (process.platform === "linux") assert.deepEqual(await ourProcesses(home.home), []);

  const again = await home.gatehouse("down");
  assert.equal(again.code, 0);
  assert.match(again.stdout, /nothing to do/);
});

test("stop keeps the state, start brings it back, and a crash loses nothing", async (t) => {
  const home = useHome(t);
  const { ports } = await home.up();
  const configMap = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "kept", namespace: "demo" },
    data: { a: "1" },
  };
  const applied = await run(gatehouseProgram, ["apply", "-f", "-"], home.environment, JSON.stringify(configMap));
  assert.equal(applied.code, 0, applied.stderr);

  assert.equal((await home.gatehouse("stop")).code, 0);
  const stopped = await home.gatehouse("status");
  assert.equal(stopped.code, 1);
  assert.match(stopped.stdout, /not running: start it with gatehouse start/);
  const refused = await home.gatehouse("get", "pods");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /gatehouse start/);

  assert.equal((await home.gatehouse("start")).code, 0);
  assert.equal((await home.gatehouse("status")).code, 0);
  assert.match((await home.gatehouse("get", "configmap", "kept", "-n", "demo", "-o", "yaml")).stdout, /a: "1"/);
  assert.equal(await portOpen(ports[0]?.hostPort ?? 0), true, "the same ports");

  const runtime = join(home.home, ".gatehouse/clusters/gatehouse/runtime.json");
  const { pid } = JSON.parse(readFileSync(runtime, "utf8")) as { pid: number };
  process.kill(pid, "SIGKILL");
  await eventually(async () => assert.equal((await home.gatehouse("status")).code, 1));
  if (process.platform === "linux") {
    await eventually(async () => assert.deepEqual(await ourProcesses(home.home), [], "pods end with their cluster"));
  }
  const up = await home.gatehouse("up", ...anyPorts);
  assert.equal(up.code, 0, up.stderr);
  assert.match((await home.gatehouse("get", "configmap", "kept", "-n", "demo", "-o", "yaml")).stdout, /a: "1"/);
});

test("several clusters live side by side by name, each with its context", async (t) => {
  const home = useHome(t, ["gatehouse", "second"]);
  const [first, second] = [await home.up(), await home.up("--name", "second")];
  assert.equal(first.context, "gatehouse");
  assert.equal(second.context, "gatehouse-second");
  const ports = [...first.ports, ...second.ports].map((mapping) => mapping.hostPort);
  assert.equal(new Set(ports).size, 4);
  const config = parse(readFileSync(join(home.home, ".kube/config"), "utf8"));
  assert.equal(config["current-context"], "gatehouse-second");
  assert.equal((await home.gatehouse("down")).code, 0);
  assert.equal((await home.gatehouse("status", "--name", "second")).code, 0);
  assert.equal((await home.gatehouse("status")).code, 1);
});

test("what only a new cluster could have is said of one that is there, whether it runs or not", async (t) => {
  const home = useHome(t);
  const demo = /the cluster is bare, as it was made: gatehouse down first for one with the demo\n/;
  const gateway = /the gateway of a cluster that is there stays as it is: gatehouse down first\n/;
  const first = await home.gatehouse("up", "--bare", ...anyPorts);
  assert.doesNotMatch(first.stdout + first.stderr, /note|down first/);
  const running = await home.gatehouse("up", "--gateway", "traefik");
  assert.deepEqual([demo.test(running.stderr), gateway.test(running.stderr)], [true, true], running.stderr);
  assert.equal((await home.gatehouse("stop")).code, 0);
  const stopped = await home.gatehouse("up", "--gateway", "traefik");
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.deepEqual([demo.test(stopped.stdout), gateway.test(stopped.stdout)], [true, true], stopped.stdout);
  const same = await home.gatehouse("up", "--bare", "--gateway", "builtin");
  assert.equal(same.stderr, "");
});

test("KUBECONFIG is respected, and entries of others survive", async (t) => {
  const home = useHome(t);
  const path = join(home.home, "elsewhere", "config");
  mkdirSync(join(home.home, "elsewhere"));
  const others =
    "apiVersion: v1\nkind: Config\ncurrent-context: work\nclusters:\n  - name: work\n    cluster: { server: https://work.invalid }\nusers: []\ncontexts:\n  - name: work\n    context: { cluster: work, user: me }\n";
  writeFileSync(path, others);
  home.environment.KUBECONFIG = path;
  await home.up();
  assert.equal(parse(readFileSync(path, "utf8")).contexts.length, 2);
  assert.equal(existsSync(join(home.home, ".kube")), false);
  assert.equal((await home.gatehouse("down")).code, 0);
  assert.deepEqual(parse(readFileSync(path, "utf8")), parse(others));
});

test("a taken port the user asked for is refused with its holder and the remedy, and nothing is started", async (t) => {
  const home = useHome(t);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  t.after(() => server.close());
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  const result = await home.gatehouse("up", "--http-port", String(port), "--https-port", "0", "--hosts", "no");
  assert.equal(result.code, 1);
  assert.match(result.stderr, new RegExp(`^error: port ${port} is held by .*--http-port PORT`, "m"));
  assert.equal(existsSync(join(home.home, ".gatehouse/clusters/gatehouse")), false);
});

const mistakes: [args: string[], code: number, message: RegExp][] = [
  [["up", "--name", "Not_A_Label"], 2, /^error: cluster name "Not_A_Label" is not usable: .*--name dev/],
  [["up", "--http-port", "eighty"], 2, /a port is a number from 0 to 65535/],
  [["up", "--hosts", "maybe"], 2, /yes, no/],
  [["bring-up"], 2, /unknown command 'bring-up'/],
  [["stop"], 1, /^error: there is no cluster "gatehouse": bring one up with gatehouse up/],
  [["start", "--name", "other"], 1, /there is no cluster "other"/],
];
for (const [args, code, message] of mistakes) {
  test(`a mistake gets one line with the remedy: gatehouse ${args.join(" ")}`, async (t) => {
    const result = await useHome(t, []).gatehouse(...args);
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, message);
    assert.doesNotMatch(result.stderr, /^\s+at /m, "no stack");
  });
}

test("--help has examples on every command", async (t) => {
  const home = useHome(t, []);
  for (const command of ["up", "down", "stop", "start", "status", "get", "describe", "apply", "delete", "logs"]) {
    const { code, stdout } = await home.gatehouse(command, "--help");
    assert.equal(code, 0);
    assert.match(stdout, /Examples:\n {2}gatehouse /, command);
  }
});

test("a user without rights gets a working cluster: no privileged port is needed", async (t) => {
  if (process.getuid?.() !== 0) return t.skip("needs root, to become another user");
  if (missing("setpriv")) return t.skip("setpriv is not installed");
  const { home, environment } = temporaryHome();
  const user = 65534;
  const shell = (command: string) =>
    run("setpriv", [`--reuid=${user}`, `--regid=${user}`, "--clear-groups", "bash", "-c", command], environment);
  t.after(async () => {
    await shell(`${gatehouseProgram} down`);
    rmSync(home, { recursive: true, force: true });
  });
  await run("chown", ["-R", `${user}:${user}`, home], environment);
  const reachable = await shell(`test -x ${gatehouseProgram} && test -r ${join(root, "dist/gatehouse.js")}`);
  if (reachable.code !== 0) return t.skip("the checkout is not readable for other users");
  const up = await shell(`NODE_COMPILE_CACHE=${home}/cache ${gatehouseProgram} up --https-port 0 --hosts no`);
  assert.equal(up.code, 0, up.stderr + up.stdout);
  assert.match(up.stdout, /port 80 (needs administrator rights on this machine|is held by .*); using \d+ instead/);
  const status = await shell(`${gatehouseProgram} status`);
  assert.equal(status.code, 0, status.stdout);
});

/** Runs a shell command in a mount namespace of its own, where the hosts file is a copy. */
async function withOwnHostsFile(t: TestContext, home: string, environment: NodeJS.ProcessEnv, command: string) {
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    t.skip("needs root on Linux, to give the command a hosts file of its own");
    return undefined;
  }
  const absent = missing("unshare") || (command.includes("script ") && missing("script"));
  if (absent) {
    t.skip(absent);
    return undefined;
  }
  const hosts = join(home, "hosts");
  writeFileSync(hosts, "127.0.0.1 localhost\n# kept\n");
  const result = await run(
    "unshare",
    ["--mount", "bash", "-c", `mount --bind ${hosts} /etc/hosts && ${command}`],
    environment,
  );
  if (/unshare failed|Operation not permitted/.test(result.stderr)) {
    t.skip(`no mount namespaces here: ${result.stderr.trim()}`);
    return undefined;
  }
  return { ...result, hosts: () => readFileSync(hosts, "utf8") };
}

test("--hosts yes writes a marked block, and teardown takes it out again", async (t) => {
  const { home, environment } = useHome(t);
  const during = join(home, "hosts-during");
  const done = await withOwnHostsFile(
    t,
    home,
    environment,
    `${gatehouseProgram} up --http-port 0 --https-port 0 --hosts yes && cp /etc/hosts ${during} && ${gatehouseProgram} down`,
  );
  if (!done) return;
  assert.equal(done.code, 0, done.stderr);
  assert.match(readFileSync(during, "utf8"), /^127\.0\.0\.1 whoami\.localhost demo\.localhost traefik\.localhost$/m);
  assert.match(readFileSync(during, "utf8"), /^# kept$/m);
  assert.equal(done.hosts(), "127.0.0.1 localhost\n# kept\n");
});

test("at a terminal the hosts file is asked about, and no is no", async (t) => {
  const { home, environment } = useHome(t);
  const asked = await withOwnHostsFile(
    t,
    home,
    { ...environment, TERM: "xterm" },
    `echo n | script --quiet --return --command '${gatehouseProgram} up --http-port 0 --https-port 0' /dev/null`,
  );
  if (!asked) return;
  assert.equal(asked.code, 0, asked.stdout);
  assert.match(asked.stdout, /Add whoami\.localhost demo\.localhost traefik\.localhost to \/etc\/hosts\?.*\[y\/N\]/);
  assert.equal(asked.hosts(), "127.0.0.1 localhost\n# kept\n");
});
