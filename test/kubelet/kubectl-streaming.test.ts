// kubectl exec, cp, attach and port-forward against pods that are processes: over WebSockets, as it does by itself, and over
// SPDY, as older clients do.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pods } from "@gatehouse/apimachinery/types/core-v1";
import { type Kubectl, kubectlFor, kubectlSkip } from "../../packages/apiserver/src/kubectl.fixture.ts";
import { eventually } from "../until.ts";
import { type Cluster, httpGet, isReady, startCluster, testNamespace } from "./harness.ts";
import { childrenTitled } from "./child-processes.ts";
import { type KubectlResult, runKubectl, startKubectl } from "./kubectl-process.ts";

const skip = kubectlSkip();
const options = skip ? { skip } : {};
let cluster: Cluster;
let kubectl: Kubectl;
let directory: string;

before(async () => {
  if (skip) return;
  cluster = await startCluster();
  kubectl = await kubectlFor(cluster.api);
  directory = mkdtempSync(join(tmpdir(), "gatehouse-cp-"));
  const volumes = [{ name: "data", emptyDir: {} }];
  const env = [{ name: "COLOR", value: "blue" }];
  const volumeMounts = [{ name: "data", mountPath: "/data" }];
  const main = { name: "main", image: "traefik/whoami:v1.11", args: ["--verbose"], env, volumeMounts };
  const side = { name: "side", image: "traefik/whoami:v1.11", args: ["--port", "8081"], stdin: true };
  await cluster.createPod("web", { volumes, containers: [main] }, { labels: { app: "web" } });
  await cluster.createPod("two", { containers: [{ name: "main", image: "traefik/whoami:v1.11" }, side] });
  await cluster.until(pods, "web", isReady);
  await cluster.until(pods, "two", isReady);
});

after(async () => {
  if (skip) return;
  await kubectl.close();
  await cluster.close();
  rmSync(directory, { recursive: true, force: true });
});

for (const [transport, value] of [
  ["WebSockets", "true"],
  ["SPDY", "false"],
]) {
  const environment = (): NodeJS.ProcessEnv => ({
    ...kubectl.environment,
    KUBECTL_REMOTE_COMMAND_WEBSOCKETS: value,
    KUBECTL_PORT_FORWARD_WEBSOCKETS: value,
  });
  const run = (args: string[], input?: Buffer | string): Promise<KubectlResult> =>
    runKubectl(environment(), ["-n", testNamespace, ...args], input);
  const exec = (...command: string[]): Promise<KubectlResult> => run(["exec", "web", "--", ...command]);

  describe(`over ${transport}`, options, () => {
    it("exec shows the pod's environment, files and ports, and nothing of this host", async () => {
      const { stdout } = await exec("env");
      assert.match(stdout.toString(), /^COLOR=blue$/m);
      assert.doesNotMatch(stdout.toString(), /GATEHOUSE_|KUBECONFIG|gatehouse-/);
      const namespace = await exec("cat", "/var/run/secrets/kubernetes.io/serviceaccount/namespace");
      assert.equal(namespace.stdout.toString(), testNamespace);
      assert.match((await exec("wget", "-qO-", "http://localhost:80")).stdout.toString(), /^Hostname: web$/m);
      for (const path of ["/etc/passwd", "../../../../../../etc/passwd", "/proc/1/environ", "/0.log"]) {
        const refused = await exec("cat", path);
        assert.deepEqual([refused.code, refused.stdout.length], [1, 0], path);
        assert.match(refused.stderr, /No such file or directory/);
      }
    });

    it("exec ends with the command's exit code; what is no program is said to be none", async () => {
      assert.equal((await exec("true")).code, 0);
      const failed = await exec("false");
      assert.deepEqual([failed.code, failed.stderr], [1, "command terminated with exit code 1\n"]);
      const unknown = await exec("bash");
      assert.equal(unknown.code, 127);
      assert.match(unknown.stderr, /^bash: not in this container: .* Programs are: cat .*\n/);
      const mistake = await exec("sleep", "long");
      assert.deepEqual(mistake.code, 2);
      assert.match(mistake.stderr, /^sleep: invalid time interval 'long'$/m);
    });

    it("exec refuses pods and containers that are not there", async () => {
      const nowhere = await run(["exec", "nobody", "--", "true"]);
      assert.deepEqual([nowhere.code, nowhere.stderr], [1, 'Error from server (NotFound): pods "nobody" not found\n']);
      const wrong = await run(["exec", "web", "-c", "other", "--", "true"]);
      assert.equal(wrong.code, 1);
      assert.match(wrong.stderr, /container other is not valid for pod web/);
    });

    it("10 MB go in and come back, byte for byte", async () => {
      const sent = randomBytes(10 * 1024 * 1024);
      const { code, stdout, stderr } = await run(["exec", "-i", "web", "--", "cat"], sent);
      assert.equal(code, 0, stderr);
      assert.ok(sent.equals(stdout), `${stdout.length} bytes came back`);
    });

    it("cp copies a tree in and out", async () => {
      const [tree, back] = [join(directory, `tree-${value}`), join(directory, `back-${value}`)];
      const deep = join(tree, "deep", "x".repeat(120));
      mkdirSync(deep, { recursive: true });
      const content = randomBytes(300_000);
      writeFileSync(join(tree, "empty"), "");
      writeFileSync(join(tree, "grüße.txt"), "hello");
      writeFileSync(join(deep, "file"), content);
      const into = await run(["cp", tree, "web:/data/"]);
      assert.equal(into.code, 0, into.stderr);
      const listed = await exec("ls", `/data/tree-${value}`);
      assert.equal(listed.stdout.toString(), "deep\nempty\ngrüße.txt\n");
      const out = await run(["cp", `web:/data/tree-${value}`, back]);
      assert.equal(out.code, 0, out.stderr);
      assert.equal(readFileSync(join(back, "grüße.txt"), "utf8"), "hello");
      assert.equal(readFileSync(join(back, "empty"), "utf8"), "");
      assert.ok(readFileSync(join(back, "deep", "x".repeat(120), "file")).equals(content));
    });

    it("cp neither writes to a ServiceAccount's volume nor makes links", async () => {
      const tree = join(directory, `links-${value}`);
      mkdirSync(tree);
      symlinkSync("/etc/passwd", join(tree, "link"));
      const linked = await run(["cp", tree, "web:/data/"]);
      assert.match(linked.stderr, /link: links and special files are not made here/);
      assert.equal((await exec("cat", `/data/links-${value}/link`)).code, 1);
      const file = join(directory, `token-${value}`);
      writeFileSync(file, "mine");
      const refused = await run(["cp", file, "web:/var/run/secrets/kubernetes.io/serviceaccount/token"]);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /Read-only file system/);
    });

    it("attach shows what the container writes from now on, and ends when its client does", async (t) => {
      const attached = startKubectl(t, environment(), ["-n", testNamespace, "attach", "web"]);
      const pod = await cluster.client.get(pods, "web", testNamespace);
      const podIP = pod.status?.podIP ?? "";
      // Each request is a line of whoami's log; the first may come before the attachment.
      await eventually(async () => {
        await httpGet(podIP, 80, "/attached");
        assert.match(attached.output(), /GET \/attached/);
      });
      attached.child.kill("SIGINT");
      await attached.ended;
    });

    it("attach refuses input that the container does not have", async () => {
      const refused = await run(["attach", "-i", "web"]);
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /stdin/i);
    });

    it("port-forward carries connections side by side to declared and other ports, and names a closed one", async (t) => {
      const ports = ["0:80", "0:8081", "0:9"];
      const forward = startKubectl(t, environment(), ["-n", testNamespace, "port-forward", "pod/two", ...ports]);
      const [, web] = await forward.prints(/127\.0\.0\.1:(\d+) -> 80\n/);
      const [, side] = await forward.prints(/127\.0\.0\.1:(\d+) -> 8081\n/);
      const [, closed] = await forward.prints(/127\.0\.0\.1:(\d+) -> 9\n/);
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, at) => httpGet("127.0.0.1", Number(at % 2 ? web : side), `/?n=${at}`)),
      );
      for (const [at, answer] of answers.entries()) assert.match(answer, new RegExp(`GET /\\?n=${at} HTTP`));
      const large = await httpGet("127.0.0.1", Number(web), "/data?size=8&unit=MB");
      assert.equal(large.length, 8 * 1024 * 1024 + 0);
      await assert.rejects(httpGet("127.0.0.1", Number(closed)));
      await forward.prints(/error forwarding port 9 to pod two, uid .*: connect: connection refused/);
    });
  });
}

describe("logs", options, () => {
  const logs = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runKubectl(kubectl.environment, ["-n", testNamespace, "logs", ...args]);
    assert.equal(code, 0, stderr);
    return stdout.toString();
  };
  const talk = async (podName: string, path: string): Promise<void> => {
    const pod = await cluster.client.get(pods, podName, testNamespace);
    await httpGet(pod.status?.podIP ?? "", 80, path);
    await eventually(async () => assert.match(await logs(podName), new RegExp(`GET ${path} `)));
  };

  it("tail, since, timestamps and limits choose from what is there", async () => {
    await talk("web", "/one");
    await talk("web", "/two");
    assert.match(await logs("web", "--tail=1"), /^[^\n]*GET \/two [^\n]*\n$/);
    assert.equal(await logs("web", "--tail=0"), "");
    const [, time = ""] = /^(\S+Z) .*GET \/two /m.exec(await logs("web", "--timestamps")) ?? [];
    assert.ok(Date.parse(time) > 0, time);
    assert.match(await logs("web", `--since-time=${time}`), /GET \/two /);
    const later = new Date(Date.parse(time) + 3_600_000).toISOString();
    assert.equal(await logs("web", `--since-time=${later}`), "");
    assert.match(await logs("web", "--since=1h"), /GET \/one /);
    assert.equal((await logs("web", "--limit-bytes=7")).length, 7);
  });

  it("all containers, by label, with their names before the lines", async () => {
    const both = await logs("two", "--all-containers", "--prefix");
    assert.match(both, /^\[pod\/two\/main\] /m);
    assert.match(both, /^\[pod\/two\/side\] /m);
    assert.match(await logs("-l", "app=web", "--prefix"), /^\[pod\/web\/main\] /m);
    const unnamed = await runKubectl(kubectl.environment, ["-n", testNamespace, "logs", "two", "-c", "third"]);
    assert.match(unnamed.stderr, /container third is not valid for pod two/);
    const none = await runKubectl(kubectl.environment, ["-n", testNamespace, "logs", "web", "--previous"]);
    assert.match(none.stderr, /previous terminated container "main" in pod "web" not found/);
  });

  it("following several pods shows new lines of each, until the client leaves", async (t) => {
    await cluster.createPod(
      "other",
      { containers: [{ name: "main", image: "traefik/whoami:v1.11", args: ["--verbose"] }] },
      { labels: { app: "web" } },
    );
    await cluster.until(pods, "other", isReady);
    const follow = startKubectl(t, kubectl.environment, [
      "-n",
      testNamespace,
      "logs",
      "-f",
      "-l",
      "app=web",
      "--prefix",
    ]);
    await talk("web", "/followed");
    await talk("other", "/followed");
    await follow.prints(/\[pod\/web\/main\] .*GET \/followed /);
    await follow.prints(/\[pod\/other\/main\] .*GET \/followed /);
  });
});

describe("streams and what ends them", options, () => {
  it("a client that leaves ends its command", async (t) => {
    const running = startKubectl(t, kubectl.environment, ["-n", testNamespace, "exec", "web", "--", "sleep", "600"]);
    const titled = `whoami ${testNamespace}/web exec sleep`;
    await eventually(async () => assert.equal((await childrenTitled(titled)).length, 1));
    running.child.kill("SIGKILL");
    await running.ended;
    await eventually(async () => assert.deepEqual(await childrenTitled(titled), []));
  });

  it("the end of the pod ends exec, attach and port-forward", async (t) => {
    await cluster.createPod("brief", { terminationGracePeriodSeconds: 0 });
    await cluster.until(pods, "brief", isReady);
    const start = (...args: string[]) => startKubectl(t, kubectl.environment, ["-n", testNamespace, ...args]);
    const command = start("exec", "brief", "--", "sleep", "600");
    const attached = start("attach", "brief");
    const forward = start("port-forward", "brief", "0:80");
    await forward.prints(/Forwarding/);
    await eventually(async () =>
      assert.equal((await childrenTitled(`whoami ${testNamespace}/brief exec sleep`)).length, 1),
    );
    await cluster.client.delete(pods, "brief", testNamespace);
    assert.equal(await command.ended, 137);
    await attached.ended;
    await forward.ended;
  });

  it("50 execs leave no process and no socket behind", async () => {
    const sockets = (): number =>
      process.getActiveResourcesInfo().filter((name) => /Socket|TLS|TCPWRAP|PipeWrap/i.test(name)).length;
    const one = (): Promise<KubectlResult> =>
      runKubectl(kubectl.environment, ["-n", testNamespace, "exec", "web", "--", "true"]);
    await one();
    const before = await eventually(() => sockets());
    for (let round = 0; round < 10; round++) {
      const results = await Promise.all(Array.from({ length: 5 }, one));
      for (const { code, stderr } of results) assert.equal(code, 0, stderr);
    }
    await eventually(async () => {
      assert.deepEqual(await childrenTitled(`whoami ${testNamespace}/web exec`), []);
      // kubectl's ordinary connections may come and go.
      assert.ok(sockets() <= before + 2, `${before} before, ${sockets()} after`);
    });
  });
});
