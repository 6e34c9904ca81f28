// Commands on the same cluster at the same time, and commands that are interrupted or find it damaged.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { eventually } from "../until.ts";
import { gatehouseProgram, run, type RunResult, temporaryHome } from "./test-cluster.ts";

const up = ["up", "--http-port", "0", "--https-port", "0", "--hosts", "no"];

interface Home {
  home: string;
  state: string;
  gatehouse(...args: string[]): Promise<RunResult>;
  /** The same, but told of the output as it comes. */
  follow(args: string[], onOutput: (child: ChildProcess, output: string) => void): Promise<RunResult>;
}

function useHome(t: TestContext): Home {
  const { home, environment } = temporaryHome();
  const gatehouse = (...args: string[]) => run(gatehouseProgram, args, environment);
  t.after(async () => {
    await gatehouse("down");
    rmSync(home, { recursive: true, force: true });
  });
  const follow: Home["follow"] = (args, onOutput) => {
    const child = spawn(gatehouseProgram, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      onOutput(child, stdout);
    });
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
    });
  };
  return { home, state: join(home, ".gatehouse"), gatehouse, follow };
}

/** Processes that know this home: the commands, the cluster and its pods. */
function processesOf(home: string): string[] {
  if (process.platform !== "linux") return [];
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").includes(home);
    } catch {
      return false;
    }
  });
}

function assertNothingLeft({ home, state }: Home): void {
  assert.equal(existsSync(state), false, "state");
  assert.equal(existsSync(join(home, ".kube/config")), false, "kubeconfig");
  assert.deepEqual(processesOf(home), []);
}

test("two `up` at once: one cluster, and both return when it serves", async (t) => {
  const home = useHome(t);
  const outcomes = await Promise.all([home.gatehouse(...up), home.gatehouse(...up)]);
  for (const { code, stderr } of outcomes) assert.equal(code, 0, stderr);
  const texts = outcomes.map(({ stdout }) => stdout);
  assert.equal(texts.filter((text) => /another gatehouse command \(pid \d+\) is at work/.test(text)).length, 1);
  assert.equal(texts.filter((text) => text.includes("Already up")).length, 1);
  assert.equal((await home.gatehouse("status")).code, 0);
});

test("`down` while `up` is at work waits for it, and then leaves nothing", async (t) => {
  const home = useHome(t);
  let down: Promise<RunResult> | undefined;
  const started = await home.follow(up, () => {
    down ??= home.gatehouse("down");
  });
  assert.equal(started.code, 0, started.stderr);
  assert.equal((await down)?.code, 0);
  assertNothingLeft(home);
});

for (const step of ["Choose ports", "Start the cluster", "Install the gateway", "Apply the Gateway"]) {
  test(`Ctrl-C after the step "${step}" takes away what there is`, async (t) => {
    const home = useHome(t);
    let sent = false;
    const { code, stdout, stderr } = await home.follow(up, (child, output) => {
      if (!sent && output.includes(`✓ ${step}`)) sent = child.kill("SIGINT");
    });
    assert.equal(code, 130, stdout);
    assert.equal(stderr.trim(), "interrupted: removing what was started");
    assert.doesNotMatch(stdout, /✗/);
    assertNothingLeft(home);
  });
}

test("`up` goes on when nobody reads its steps any more", async (t) => {
  const home = useHome(t);
  const { code, stderr } = await home.follow(up, (child) => child.stdout?.destroy());
  assert.equal(code, 0, stderr);
  assert.equal((await home.gatehouse("status")).code, 0);
});

test("a command that died with the lock is in nobody's way", async (t) => {
  const home = useHome(t);
  await home.follow(up, (child, output) => {
    if (output.includes("✓ Start the cluster")) child.kill("SIGKILL");
  });
  const again = await home.gatehouse(...up);
  assert.equal(again.code, 0, again.stderr);
  assert.doesNotMatch(again.stdout, /is at work/);
});

test("a cluster whose file is damaged is said, and removed by `down` with its context", async (t) => {
  const home = useHome(t);
  assert.equal((await home.gatehouse(...up)).code, 0);
  writeFileSync(join(home.state, "clusters/gatehouse/cluster.json"), '{"na');
  const status = await home.gatehouse("status");
  assert.equal(status.code, 1);
  assert.match(status.stderr, /^error: .*cluster\.json is damaged .*gatehouse down/);
  const down = await home.gatehouse("down");
  assert.equal(down.code, 0, down.stderr);
  assert.equal(existsSync(home.state), false);
  assert.doesNotMatch(readFileSync(join(home.home, ".kube/config"), "utf8"), /name: gatehouse/);
  assert.deepEqual(processesOf(home.home), []);
});

test("a cluster whose state somebody removed ends by itself, pods included", async (t) => {
  const home = useHome(t);
  assert.equal((await home.gatehouse(...up)).code, 0);
  rmSync(home.state, { recursive: true });
  await eventually(() => assert.deepEqual(processesOf(home.home), []));
});

test("an API port taken while the cluster was stopped: it gets another, and the kubeconfig follows", async (t) => {
  const home = useHome(t);
  assert.equal((await home.gatehouse(...up)).code, 0);
  const file = join(home.state, "clusters/gatehouse/cluster.json");
  const { apiPort } = JSON.parse(readFileSync(file, "utf8")) as { apiPort: number };
  assert.equal((await home.gatehouse("stop")).code, 0);
  const other = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => other.listen({ host: "127.0.0.1", port: apiPort }, resolve));
  t.after(() => other.close());
  const start = await home.gatehouse("start");
  assert.equal(start.code, 0, start.stderr);
  const pods = await home.gatehouse("get", "pods", "-n", "demo");
  assert.equal(pods.code, 0, pods.stderr);
});
