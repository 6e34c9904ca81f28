// The seed's kubectl commands and the obvious ones, with the real kubectl.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { endChild, missing, run, startTestCluster, type TestCluster } from "../system/test-cluster.ts";
import { eventually } from "../until.ts";

describe("kubectl", { skip: missing("kubectl") }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startTestCluster();
  });
  after(() => cluster?.remove());

  const kubectl = async (...args: string[]): Promise<string> => {
    const result = await cluster.kubectl(...args);
    assert.equal(result.code, 0, `kubectl ${args.join(" ")}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  };
  const rows = (text: string): string[][] =>
    text
      .trim()
      .split("\n")
      .map((line) => line.split(/ {2,}/));

  /** Runs a command that goes on until its output matches, then ends it. `act` runs after the first output. */
  const untilOutput = async (args: string[], pattern: RegExp, act?: () => Promise<unknown>): Promise<string> => {
    const child = spawn("kubectl", ["--context", cluster.context, ...args], { env: cluster.environment });
    const timer = setTimeout(() => child.kill(), 20_000);
    let output = "";
    let acted: Promise<unknown> | undefined;
    for await (const text of child.stdout.setEncoding("utf8") as AsyncIterable<string>) {
      output += text;
      if (pattern.test(output)) break;
      acted ??= act?.();
    }
    clearTimeout(timer);
    await Promise.all([endChild(child), acted]);
    assert.match(output, pattern);
    return output;
  };

  test("get gatewayclass,gateway,httproute -A shows the definitions' columns", async () => {
    const text = await kubectl("get", "gatewayclass,gateway,httproute", "-A");
    assert.match(
      text,
      /NAME +CONTROLLER +ACCEPTED +AGE\n\S*gatewayclass.gateway.networking.k8s.io\/traefik +traefik.io\/gateway-controller +True/,
    );
    assert.match(
      text,
      /NAMESPACE +NAME +CLASS +ADDRESS +PROGRAMMED +AGE\ntraefik +gateway.gateway.networking.k8s.io\/traefik-gateway +traefik +127\.\d+\.\d+\.\d+ +True/,
    );
    assert.match(text, /demo +httproute.gateway.networking.k8s.io\/whoami-path +\["demo.localhost"\]/);
  });

  test("get pods -o wide shows where pods are", async () => {
    const [header, ...pods] = rows(await kubectl("get", "pods", "-n", "demo", "-o", "wide"));
    assert.deepEqual(header?.slice(0, 7), ["NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE"]);
    assert.equal(pods.length, 4);
    for (const pod of pods) assert.deepEqual([pod[1], pod[2]], ["1/1", "Running"]);
  });

  test("describe httproute shows Accepted and ResolvedRefs", async () => {
    for (const [name, namespace] of [
      ["whoami-host", "demo"],
      ["whoami-path", "demo"],
      ["traefik-dashboard", "traefik"],
    ] as const) {
      const text = await kubectl("describe", "httproute", name, "-n", namespace);
      assert.match(text, /Reason: +Accepted\n +Status: +True\n +Type: +Accepted/);
      assert.match(text, /Type: +ResolvedRefs/);
      assert.match(text, /Controller Name: +traefik.io\/gateway-controller/);
    }
  });

  test("logs -l app.kubernetes.io/name=traefik -f shows requests as they come", async () => {
    const marker = `marker-${process.pid}`;
    const output = await untilOutput(
      ["logs", "-n", "traefik", "-l", "app.kubernetes.io/name=traefik", "-f"],
      new RegExp(`"GET /v1/${marker} HTTP/1.1" 200 `),
      () => cluster.get(`http://demo.localhost/v1/${marker}`),
    );
    assert.match(output, /whoami-path/);
  });

  test("logs --tail and --since limit what is shown", async () => {
    const pod = (await kubectl("get", "pods", "-n", "demo", "-l", "app=whoami-v1", "-o", "name")).split("\n")[0] ?? "";
    assert.match(await kubectl("logs", "-n", "demo", pod), /Starting up on port 80/);
    assert.equal((await kubectl("logs", "-n", "demo", pod, "--tail=0")).trim(), "");
    const missingPod = await cluster.kubectl("logs", "-n", "demo", "nobody");
    assert.notEqual(missingPod.code, 0);
    assert.match(missingPod.stderr, /pods "nobody" not found/);
  });

  test("apply of the demo's manifests again changes nothing, delete and apply bring it back", async () => {
    const files = [
      "demo-namespace",
      "whoami-v1",
      "whoami-v2",
      "gateway",
      "httproute-host",
      "httproute-path",
      "httproute-dashboard",
    ].flatMap((name) => ["-f", `manifests/${name}.yaml`]);
    const generations = () =>
      kubectl("get", "deployment,service,gateway,httproute", "-A", "-o", "jsonpath={.items[*].metadata.generation}");
    const before = await generations();
    const again = await kubectl("apply", ...files);
    const lines = again.trim().split("\n");
    // kubectl compares the lists of custom resources as a whole: routes, whose lists get defaults, are "configured" on
    // any cluster, although nothing changes.
    assert.equal(lines.filter((line) => line.endsWith(" unchanged")).length, 6, again);
    assert.equal(lines.filter((line) => /httproute.* configured$/.test(line)).length, 3, again);
    assert.equal(await generations(), before);
    assert.match(await kubectl("delete", "-f", "manifests/httproute-host.yaml"), /whoami-host" deleted/);
    await eventually(async () => assert.equal((await cluster.get("http://whoami.localhost/")).status, 404));
    assert.match(await kubectl("apply", "-f", "manifests/httproute-host.yaml"), /whoami-host created/);
    await eventually(async () => assert.equal((await cluster.get("http://whoami.localhost/")).status, 200));
  });

  test("apply -f manifests/ applies every object; the one file of Helm values is named as what it is", async () => {
    const { code, stdout, stderr } = await cluster.kubectl("apply", "-f", "manifests/");
    assert.equal(stdout.trim().split("\n").length, 9, stdout);
    assert.equal(code, 1);
    assert.match(stderr, /traefik-values\.yaml.*(apiVersion not set|Object 'Kind' is missing)/s);
  });

  test("delete -f manifests/ finds every object, and applying them again brings the demo back", async () => {
    const gone = await cluster.kubectl("delete", "-f", "manifests/");
    assert.equal(gone.stdout.trim().split("\n").length, 9, gone.stdout + gone.stderr);
    assert.doesNotMatch(gone.stderr, /NotFound/);
    // After the complaint about the Helm values kubectl does not wait.
    await kubectl("wait", "--for=delete", "namespace/demo", "--timeout=20s");
    await cluster.kubectl("apply", "-f", "manifests/");
    await eventually(async () => assert.equal((await cluster.get("http://whoami.localhost/")).status, 200));
    await eventually(async () => assert.equal((await cluster.get("http://demo.localhost/v2")).status, 200));
  });

  test("scale, rollout status, rollout restart, wait", async () => {
    await kubectl("scale", "deployment/whoami-v2", "-n", "demo", "--replicas=3");
    assert.match(
      await kubectl("rollout", "status", "deployment/whoami-v2", "-n", "demo", "--timeout=20s"),
      /successfully rolled out/,
    );
    await kubectl("wait", "--for=condition=Available", "deployment/whoami-v2", "-n", "demo", "--timeout=20s");
    const before = await kubectl("get", "pods", "-n", "demo", "-l", "app=whoami-v2", "-o", "name");
    await kubectl("rollout", "restart", "deployment/whoami-v2", "-n", "demo");
    await kubectl("rollout", "status", "deployment/whoami-v2", "-n", "demo", "--timeout=30s");
    const ready = await kubectl(
      "get",
      "deployment",
      "whoami-v2",
      "-n",
      "demo",
      "-o",
      "jsonpath={.status.readyReplicas}",
    );
    assert.equal(ready, "3");
    const now = await kubectl(
      "get",
      "pods",
      "-n",
      "demo",
      "-l",
      "app=whoami-v2",
      "--field-selector=status.phase=Running",
      "-o",
      "name",
    );
    assert.notEqual(now, before);
    await kubectl("scale", "deployment/whoami-v2", "-n", "demo", "--replicas=2");
    await kubectl("wait", "--for=jsonpath={.status.replicas}=2", "deployment/whoami-v2", "-n", "demo", "--timeout=20s");
    const never = await cluster.kubectl(
      "wait",
      "--for=condition=Nonsense",
      "deployment/whoami-v2",
      "-n",
      "demo",
      "--timeout=1s",
    );
    assert.notEqual(never.code, 0);
  });

  test("rollout restart of the gateway's daemon set ends with a serving gateway", async () => {
    await kubectl("rollout", "restart", "daemonset/traefik", "-n", "traefik");
    await kubectl("rollout", "status", "daemonset/traefik", "-n", "traefik", "--timeout=30s");
    await eventually(async () => assert.equal((await cluster.get("http://whoami.localhost/")).status, 200));
  });

  test("get -w shows changes as they happen", async () => {
    const output = await untilOutput(["get", "deployment", "whoami-v2", "-n", "demo", "-w"], /whoami-v2 +1\/1/, () =>
      kubectl("scale", "deployment/whoami-v2", "-n", "demo", "--replicas=1"),
    );
    assert.match(output, /whoami-v2 +2\/2/);
    await kubectl("scale", "deployment/whoami-v2", "-n", "demo", "--replicas=2");
  });

  test("edits by patch, label and annotate; wrong input is refused in kubectl's words", async () => {
    await kubectl("label", "deployment", "whoami-v1", "-n", "demo", "tier=web");
    assert.match(await kubectl("get", "deployment", "-n", "demo", "-l", "tier=web", "-o", "name"), /whoami-v1/);
    await kubectl("label", "deployment", "whoami-v1", "-n", "demo", "tier-");
    await kubectl("annotate", "service", "whoami-v1", "-n", "demo", "note=here");
    const wrong = await cluster.kubectl(
      "patch",
      "httproute",
      "whoami-host",
      "-n",
      "demo",
      "--type=merge",
      "-p",
      '{"spec":{"hostnames":["Not A Host"]}}',
    );
    assert.notEqual(wrong.code, 0);
    assert.match(wrong.stderr, /The HTTPRoute "whoami-host" is invalid: .*spec\.hostnames\[0\]/s);
    const unknown = await run(
      "kubectl",
      ["--context", cluster.context, "apply", "-f", "-"],
      cluster.environment,
      JSON.stringify({
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        metadata: { name: "typo", namespace: "demo" },
        spec: { parentRefs: [{ name: "traefik-gateway", namspace: "traefik" }] },
      }),
    );
    assert.match(unknown.stderr, /unknown field "spec\.parentRefs\[0\]\.namspace"/);
  });

  test("explain, api-resources, events and top-level questions answer", async () => {
    assert.match(await kubectl("explain", "httproute.spec.hostnames"), /FIELD: hostnames/);
    assert.match(
      await kubectl("api-resources", "--api-group=gateway.networking.k8s.io"),
      /httproutes +gateway\.networking\.k8s\.io\/v1 +true +HTTPRoute/,
    );
    assert.match(await kubectl("version"), /Server Version: v1\.\d+/);
    assert.match(await kubectl("cluster-info"), /is running at/);
    assert.match(await kubectl("get", "nodes"), /control-plane +Ready|Ready +control-plane/);
    assert.match(await kubectl("auth", "can-i", "create", "httproutes"), /yes/);
    assert.match(await kubectl("get", "events", "-n", "demo"), /Started/);
  });

  test("a stranger gets nothing but the version and health", async () => {
    const server = await kubectl("config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}");
    const anonymous = await run(
      "kubectl",
      [
        "--server",
        server.trim(),
        "--insecure-skip-tls-verify",
        "--kubeconfig",
        "/dev/null",
        "--username=x",
        "--password=y",
        "get",
        "pods",
      ],
      cluster.environment,
    );
    assert.notEqual(anonymous.code, 0);
    assert.match(anonymous.stderr, /[Uu]nauthorized|must be logged in/);
  });
});
