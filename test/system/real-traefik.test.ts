// The gateway played by a Traefik binary of this machine: the real one where there is one, and always a stand-in that records
// how it was started and serves with our own gateway, which takes Traefik's flags.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { runSeedSuite } from "../providers/seed-suite.ts";
import { eventually } from "../until.ts";
import {
  findProgram,
  gatehouseProgram,
  pidOfPod,
  podOf,
  root,
  run,
  type RunResult,
  startTestCluster,
  temporaryHome,
  type TestCluster,
} from "./test-cluster.ts";

const real = process.env.GATEHOUSE_TEST_TRAEFIK ?? findProgram("traefik");
const external = process.env.GATEHOUSE_TEST_CONTEXT
  ? "only a cluster of its own runs a binary that it names"
  : undefined;
// Another process, maybe on a busy machine, is started and found ready by a probe every two seconds.
const restartMs = 30_000;

describe(
  "the real Traefik",
  { skip: external ?? (real ? false : "no traefik in PATH, and GATEHOUSE_TEST_TRAEFIK names none") },
  () => {
    let cluster: TestCluster;
    before(async () => {
      cluster = await startTestCluster("--gateway", "traefik", "--traefik-binary", real ?? "");
    });
    after(() => cluster?.remove());

    test("the seed's rows pass with it", async () => {
      await runSeedSuite({ ...cluster, flags: [] });
    });

    test("gatehouse diff finds it and the built-in gateway alike", async () => {
      const ports = ["--http-port", "0", "--https-port", "0"];
      try {
        const own = await cluster.gatehouse("up", "--name", "own", ...ports, "--hosts", "no");
        assert.equal(own.code, 0, own.stderr);
        const diff = await cluster.gatehouse("diff", "--context", cluster.context, "--context", "gatehouse-own");
        assert.equal(diff.code, 0, diff.stdout + diff.stderr);
        assert.match(diff.stdout, /\n9 objects and 7 requests compared: no differences/);
      } finally {
        await cluster.gatehouse("down", "--name", "own");
      }
    });

    test("its own log says who it is, and its API too", async () => {
      const logs = await cluster.kubectl("logs", "-n", "traefik", "daemonset/traefik");
      assert.match(logs.stdout, /Traefik version/);
      const version = await cluster.get("http://traefik.localhost/api/version");
      assert.match(version.body, /"Codename":"/);
    });

    test("a route and a pod made later are taken up", async () => {
      const patch = JSON.stringify([{ op: "replace", path: "/spec/hostnames", value: ["later.localhost"] }]);
      await cluster.kubectl("patch", "httproute", "whoami-host", "-n", "demo", "--type=json", "-p", patch);
      await eventually(async () => assert.equal((await cluster.get("http://later.localhost/")).status, 200), restartMs);
      await cluster.kubectl("scale", "deployment", "whoami-v1", "-n", "demo", "--replicas=3");
      const seen = new Set<string>();
      await eventually(async () => {
        seen.add(podOf(await cluster.get("http://later.localhost/")));
        assert.equal(seen.size, 3);
      }, restartMs);
    });
  },
);

describe("a stand-in for Traefik", { skip: external ?? (process.platform === "linux" ? false : "reads /proc") }, () => {
  let directory: string;
  let cluster: TestCluster;
  let binary: string;
  const recorded = (name: string): string => readFileSync(join(directory, name), "utf8");
  const runtimeFile = (): string => join(cluster.home, ".gatehouse/clusters/gatehouse/runtime.json");
  const podName = async (): Promise<string> => {
    const pods = await cluster.kubectl("get", "pods", "-n", "traefik", "-o", "jsonpath={.items[*].metadata.name}");
    return pods.stdout;
  };
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "gatehouse-traefik-"));
    binary = join(directory, "traefik");
    writeFileSync(binary, standIn(directory), { mode: 0o755 });
    cluster = await startTestCluster("--gateway", "traefik", "--traefik-binary", binary);
  });
  after(async () => {
    await cluster?.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  test("it gets the pod's flags, each entrypoint on the pod's address", () => {
    const flags = recorded("arguments").split("\n");
    for (const flag of ["--providers.kubernetesgateway=true", "--ping=true", "--api.insecure=true"])
      assert.ok(flags.includes(flag), flags.join(" "));
    const addresses = flags.filter((flag) => /\.address=/i.test(flag));
    assert.equal(addresses.length, 4);
    for (const address of addresses) assert.match(address, /\.address=127\.\d+\.1\.\d+:\d+\/tcp$/);
  });

  test("it finds the API server by KUBECONFIG, as the pod's ServiceAccount, and by nothing else", () => {
    const environment = recorded("environment");
    const kubeconfig = /^KUBECONFIG=(.*)$/m.exec(environment)?.[1] ?? "";
    assert.match(readFileSync(kubeconfig, "utf8"), /"tokenFile":".*\/api-access\/token"/);
    assert.doesNotMatch(environment, /^(KUBERNETES_SERVICE_|GATEHOUSE_|NODE_|TRAEFIK_)/m);
  });

  test("the demo is served through the host's port, from where it is carried to the pod", async () => {
    assert.equal((await cluster.get("http://whoami.localhost/")).status, 200);
    assert.match(podOf(await cluster.get("http://demo.localhost/v2")), /^whoami-v2-/);
    assert.equal((await cluster.get("http://nobody.localhost/")).status, 404);
    const page = await cluster.get("http://traefik.localhost/dashboard/");
    assert.match(page.body, /<html/i);
  });

  test("a pod spec cannot make it read the host's files", async () => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "reader", namespace: "default" },
      spec: {
        restartPolicy: "Never",
        containers: [{ name: "main", image: "traefik:v3.6", args: ["--providers.file.filename=/etc/passwd"] }],
      },
    };
    await applyText(cluster, JSON.stringify(pod));
    await eventually(async () => {
      const logs = await cluster.kubectl("logs", "-n", "default", "reader");
      assert.match(logs.stdout, /--providers\.file\.filename is refused: .*Leave it out\./);
    });
    await cluster.kubectl("delete", "pod", "reader", "-n", "default");
  });

  test("a pod that is deleted gives it SIGTERM, and the next one serves", async () => {
    const name = await podName();
    const pid = Number(recorded("pid"));
    rmSync(join(directory, "signal"), { force: true });
    const deleted = await cluster.kubectl("delete", "pod", name, "-n", "traefik");
    assert.equal(deleted.code, 0, deleted.stderr);
    assert.equal(recorded("signal"), "TERM\n");
    assert.equal(alive(pid), false);
    await eventually(async () => assert.equal((await cluster.get("http://whoami.localhost/")).status, 200), restartMs);
    assert.notEqual(Number(recorded("pid")), pid);
  });

  test("kill -9 of what starts it takes it along; the container is started again", async () => {
    const name = await podName();
    const pid = Number(recorded("pid"));
    process.kill(await pidOfPod(`traefik/${name}`), "SIGKILL");
    await eventually(() => assert.equal(alive(pid), false));
    await eventually(async () => {
      assert.notEqual(Number(recorded("pid")), pid);
      assert.equal((await cluster.get("http://whoami.localhost/")).status, 200);
    }, restartMs);
    assert.equal(await podName(), name);
  });

  test("one that dies leaves a pod in CrashLoopBackOff with its last words in the log", async () => {
    const name = await podName();
    writeFileSync(binary, "#!/bin/sh\necho these are my last words >&2\nexit 3\n");
    process.kill(Number(recorded("pid")), "SIGKILL");
    await eventually(async () => {
      const state = await cluster.kubectl(
        "get",
        "pod",
        name,
        "-n",
        "traefik",
        "-o",
        "jsonpath={.status.containerStatuses[0]}",
      );
      assert.match(state.stdout, /"reason":"CrashLoopBackOff"/);
      assert.match(state.stdout, /"exitCode":3/);
    }, restartMs);
    const logs = await cluster.kubectl("logs", "-n", "traefik", name);
    assert.match(logs.stdout, /^these are my last words$/m);
  });

  test("killed with -9, the cluster and what starts it leave it behind: `start` and `down` end it", async () => {
    const served = (): Promise<void> =>
      eventually(async () => assert.equal((await cluster.get("http://whoami.localhost/")).status, 200), restartMs);
    writeFileSync(binary, standIn(directory), { mode: 0o755 });
    await cluster.kubectl("delete", "pod", await podName(), "-n", "traefik");
    await served();
    for (const command of ["start", "down"]) {
      const pid = Number(recorded("pid"));
      const { pid: clusterPid } = JSON.parse(readFileSync(runtimeFile(), "utf8")) as { pid: number };
      const wrapper = await pidOfPod(`traefik/${await podName()}`);
      // Stopped first, it cannot notice that the other is gone.
      process.kill(clusterPid, "SIGSTOP");
      process.kill(wrapper, "SIGKILL");
      process.kill(clusterPid, "SIGKILL");
      assert.equal(alive(pid), true);
      const result = await cluster.gatehouse(command);
      assert.equal(result.code, 0, result.stderr);
      assert.equal(alive(pid), false);
      if (command === "start") await served();
    }
  });
});

describe("gatehouse up --gateway traefik starts nothing without a usable binary", () => {
  const { home, environment } = temporaryHome();
  after(() => rmSync(home, { recursive: true, force: true }));
  const up = (env: NodeJS.ProcessEnv, ...args: string[]): Promise<RunResult> =>
    run(
      gatehouseProgram,
      ["up", "--http-port", "0", "--https-port", "0", "--hosts", "no", "--gateway", "traefik", ...args],
      env,
    );
  const refused = (result: RunResult, message: RegExp): void => {
    assert.notEqual(result.code, 0);
    assert.match(result.stdout, /^ ✗ Find Traefik \(/m);
    assert.match(result.stderr, message);
    assert.equal(result.stderr.trim().split("\n").length, 1, result.stderr);
    assert.equal(existsSync(join(home, ".gatehouse")), false);
  };

  test("none there", async () => {
    refused(
      await up(environment, "--traefik-binary", join(home, "traefik")),
      /^error: .*no such file: get Traefik 3 from/,
    );
  });

  test("a folder", async () => {
    refused(await up(environment, "--traefik-binary", home), /^error: .*: not a file: name the traefik program itself/);
  });

  test("an older Traefik", async () => {
    const old = join(home, "traefik-2");
    writeFileSync(old, '#!/bin/sh\necho "Version:      2.11.2"\n', { mode: 0o755 });
    refused(await up(environment, "--traefik-binary", old), /^error: .*is Traefik 2\.11\.2, and .* needs Traefik 3/);
  });
});

describe("a Traefik that waits for newer definitions", { skip: external }, () => {
  const { home, environment } = temporaryHome();
  const binary = join(home, "traefik");
  const gatehouse = (...args: string[]): Promise<RunResult> => run(gatehouseProgram, args, environment);
  after(async () => {
    await gatehouse("down");
    rmSync(home, { recursive: true, force: true });
  });
  const choices = ["--gateway", "traefik", "--traefik-binary", binary, "--http-port", "0", "--https-port", "0"];

  test("up says which, instead of waiting with it; with them the same command goes on", async () => {
    writeFileSync(binary, standIn(home, "3.7.11"), { mode: 0o755 });
    const { code, stdout, stderr } = await gatehouse("up", "--hosts", "no", ...choices);
    assert.equal(code, 1);
    assert.match(stdout, /^ ✗ Install the gateway \(traefik\)/m);
    assert.match(
      stderr,
      /^error: Traefik 3\.7\.11 serves nothing before the cluster has TLSRoute v1, which is in the Gateway API since v1\.5: run it again with --gateway-api v1\.6\.1, or gatehouse down and take Traefik 3\.6\n$/,
    );
    const again = await gatehouse("up", "--hosts", "no", ...choices, "--gateway-api", "v1.6.1");
    assert.equal(again.code, 0, again.stderr);
  });

  test("start says so of one that became newer while the cluster was stopped", async () => {
    writeFileSync(binary, standIn(home, "3.6.15"), { mode: 0o755 });
    await gatehouse("down");
    assert.equal((await gatehouse("up", "--hosts", "no", ...choices)).code, 0);
    for (const [version, note] of [
      ["3.6.16", /^(?!.*serves nothing)/s],
      [
        "3.7.0",
        /^ +Traefik 3\.7\.0 serves nothing .*: gatehouse crds --version v1\.6\.1 \| gatehouse apply --context gatehouse -f -/m,
      ],
    ] as const) {
      assert.equal((await gatehouse("stop")).code, 0);
      writeFileSync(binary, standIn(home, version), { mode: 0o755 });
      const start = await gatehouse("start");
      assert.equal(start.code, 0, start.stderr);
      assert.match(start.stdout, note);
    }
  });
});

/** Notes its arguments, environment, pid and the signal that ends it; all else is done by our own gateway, whose output goes
 * to a file: it would end by itself when nobody reads that. */
function standIn(directory: string, version = "3.6.0"): string {
  const gateway = `"${process.execPath}" "${join(root, "dist/images/traefik.js")}"`;
  return `#!/bin/sh
if [ "$1" = version ]; then echo "Version:      ${version}"; exit 0; fi
printf '%s\\n' "$@" > "${directory}/arguments"
env > "${directory}/environment"
${gateway} "$@" > "${directory}/output" 2>&1 &
gateway=$!
trap 'echo TERM > "${directory}/signal"; kill -TERM $gateway' TERM
echo $$ > "${directory}/pid"
wait $gateway
wait $gateway
`;
}

function alive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function applyText(cluster: TestCluster, text: string): Promise<void> {
  const result = await run(
    gatehouseProgram,
    ["apply", "--context", cluster.context, "-f", "-"],
    cluster.environment,
    text,
  );
  assert.equal(result.code, 0, result.stderr);
}
