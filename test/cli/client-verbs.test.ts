// `gatehouse get|describe|apply|delete|logs` as processes against a real API server: what they print and how they end.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { startScriptedServer, type ScriptedServer } from "@gatehouse/apimachinery/testing/scripted-server";
import { configMaps, namespaces, nodes, type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { type CliCluster, startCli, startCliCluster } from "./run-cli.ts";

const root = new URL("../../", import.meta.url).pathname;

let cluster: CliCluster;
let client: ApiClient;
let kubelet: ScriptedServer;
/** The answers of logs that are being followed, to go on writing to. */
const following: { write(text: string): unknown; end(): unknown }[] = [];
const followed = Promise.withResolvers<void>();

before(async () => {
  kubelet = await startScriptedServer(({ path, query }, response) => {
    if (path.includes("/broken/")) return void response.writeHead(400).end("container is waiting to start");
    response.write(`log of ${path.split("/").slice(3).join("/")} ${query.toString()}\n`);
    if (query.get("follow") !== "true") return void response.end();
    if (following.push(response) === 2) followed.resolve();
    return undefined;
  });
  cluster = await startCliCluster({
    nodeProxy: (_node, path, signal) =>
      new Promise((resolve, reject) => void get(kubelet.url + path, { signal }, resolve).on("error", reject)),
  });
  client = await cluster.client();
  await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "traefik" } });
  await client.create(nodes, { apiVersion: "v1", kind: "Node", metadata: { name: "node" } });
  const directory = join(cluster.directory, "crds");
  await mkdir(directory);
  const bundle = customResourceDefinitions({ version: "v1.4.0", channel: "standard" });
  await writeFile(join(directory, "crds.json"), JSON.stringify({ apiVersion: "v1", kind: "List", items: bundle }));
  const applied = await cluster.run(["apply", "-f", directory]);
  assert.equal(applied.code, 0, applied.stderr);
});
after(async () => {
  await cluster.close();
  await kubelet[Symbol.asyncDispose]();
});

async function createPod(name: string, labels: Record<string, string> = {}): Promise<Pod> {
  return client.create(pods, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "demo", labels },
    spec: { nodeName: "node", terminationGracePeriodSeconds: 0, containers: [{ name: "c", image: "traefik/whoami" }] },
  });
}

test("apply of the demo's manifests leaves the Helm values out and says so; again changes nothing; delete takes all back", async () => {
  const manifests = join(root, "manifests");
  const first = await cluster.run(["apply", "-f", manifests]);
  assert.match(first.stdout, /^httproute\.gateway\.networking\.k8s\.io\/whoami-host created$/m);
  assert.match(first.stdout, /^deployment\.apps\/whoami-v1 created$/m);
  assert.match(first.stdout, /^gateway\.gateway\.networking\.k8s\.io\/traefik-gateway created$/m);
  assert.match(
    first.stderr,
    /^note: .*traefik-values\.yaml is no Kubernetes object \(Helm values\?\) and was left out\n$/,
  );
  assert.equal(first.code, 0);
  const named = await cluster.run(["apply", "-f", join(manifests, "traefik-values.yaml")]);
  assert.match(named.stderr, /^error: error validating .*\[apiVersion not set, kind not set\]: [^\n]*\n$/);
  assert.equal(named.code, 1);
  const second = await cluster.run(["apply", "-f", manifests]);
  assert.doesNotMatch(second.stdout, /created|configured/);
  assert.equal(second.stdout.split("\n").length, first.stdout.split("\n").length);
});

test("apply from standard input, as a dry run, and of kind's configuration", async () => {
  const text = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: piped }\ndata: { a: b }\n";
  const dry = await cluster.run(["apply", "-f", "-", "--dry-run=server", "-n", "demo"], text);
  assert.deepEqual([dry.stdout, dry.code], ["configmap/piped created (server dry run)\n", 0]);
  await assert.rejects(client.get(configMaps, "piped", "demo"), (error) => hasReason(error, "NotFound"));
  const wet = await cluster.run(["apply", "-f", "-", "-n", "demo"], text);
  assert.deepEqual([wet.stdout, wet.code], ["configmap/piped created\n", 0]);
  const kind = await cluster.run(["apply", "-f", join(root, "kind/cluster.yaml")]);
  assert.equal(kind.code, 1);
  assert.match(
    kind.stderr,
    /^error: error when applying ".*kind\/cluster\.yaml".*no matches for kind "Cluster" in version "kind\.x-k8s\.io\/v1alpha4"/,
  );
  const mismatch = await cluster.run(["apply", "-f", join(root, "manifests/whoami-v1.yaml"), "-n", "other"]);
  assert.deepEqual([mismatch.stdout, mismatch.code], ["", 1]);
  assert.match(mismatch.stderr, /the namespace from the provided object "demo".*pass --namespace=demo/);
});

test("get: the documented table of all Gateway API objects", async () => {
  await cluster.run(["apply", "-f", join(root, "manifests")]);
  const { stdout, code } = await cluster.run(["get", "gateway,httproute", "-A"]);
  const table = stdout.replace(/\d+s$/gm, "AGE");
  assert.equal(
    table.split("\n").slice(3).join("\n"),
    `NAMESPACE   NAME                                                    HOSTNAMES               AGE
demo        httproute.gateway.networking.k8s.io/whoami-host         ["whoami.localhost"]    AGE
demo        httproute.gateway.networking.k8s.io/whoami-path         ["demo.localhost"]      AGE
traefik     httproute.gateway.networking.k8s.io/traefik-dashboard   ["traefik.localhost"]   AGE
`,
  );
  assert.match(
    table,
    /^NAMESPACE +NAME +CLASS +ADDRESS +PROGRAMMED +AGE\ntraefik +gateway\.gateway\.networking\.k8s\.io\/traefik-gateway /,
  );
  assert.equal(code, 0);
});

test("get: whole objects, names, templates, and nothing found", async () => {
  await createPod("whole", { app: "whole" });
  const yaml = await cluster.run(["get", "pod", "whole", "-n", "demo", "-o", "yaml"]);
  assert.match(yaml.stdout, /^apiVersion: v1\nkind: Pod\nmetadata:\n {2}creationTimestamp: /);
  assert.match(yaml.stdout, /^ {2}containers:\n {2}- image: traefik\/whoami$/m);
  const list = await cluster.run(["get", "po", "-n", "demo", "-l", "app=whole", "-o", "json"]);
  const parsed = JSON.parse(list.stdout) as {
    kind: string;
    items: { kind: string; metadata: Record<string, unknown> }[];
  };
  assert.deepEqual([parsed.kind, parsed.items.map(({ kind }) => kind)], ["List", ["Pod"]]);
  assert.equal(parsed.items[0]?.metadata.managedFields, undefined);
  const name = await cluster.run(["get", "pod/whole", "-n", "demo", "-o", "name"]);
  assert.equal(name.stdout, "pod/whole\n");
  const template = await cluster.run([
    "get",
    "pods",
    "whole",
    "-n",
    "demo",
    "-o",
    "jsonpath={.spec.containers[*].name}",
  ]);
  assert.equal(template.stdout, "c");
  const none = await cluster.run(["get", "pods", "-n", "demo", "-l", "app=none"]);
  assert.deepEqual([none.stdout, none.stderr, none.code], ["", "No resources found in demo namespace.\n", 0]);
});

const failures: [what: string, args: string[], code: number, stderr: RegExp][] = [
  ["an unknown type", ["get", "foo"], 1, /^error: the server doesn't have a resource type "foo"\n$/],
  ["a missing object", ["get", "cm", "gone"], 1, /^Error from server \(NotFound\): configmaps "gone" not found\n$/],
  [
    "a missing pod to describe",
    ["describe", "pod", "gone"],
    1,
    /^Error from server \(NotFound\): pods "gone" not found\n$/,
  ],
  [
    "a name across namespaces",
    ["get", "pod", "a", "-A"],
    2,
    /^error: a resource cannot be retrieved by name across all namespaces\n$/,
  ],
  [
    "an unknown output form",
    ["get", "ns", "-o", "foo"],
    2,
    /unable to match a printer suitable for the output format "foo"/,
  ],
  ["no type", ["get"], 2, /missing required argument/],
  ["a watch of two types", ["get", "pods,svc", "-w"], 2, /single resource type/],
  ["deleting without saying what", ["delete", "pods"], 2, /no name was specified: name them, or use -l or --all/],
  ["deleting by name and selector", ["delete", "pod", "a", "-l", "a=b"], 2, /name cannot be provided when a selector/],
  ["a file that is not there", ["apply", "-f", "/gone.yaml"], 1, /^error: the path "\/gone\.yaml" does not exist\n$/],
  ["logs of nothing", ["logs"], 2, /expected a POD, a TYPE\/NAME or a selector/],
  ["a bad duration", ["logs", "p", "--since=soon"], 2, /invalid --since "soon"/],
  ["a bad selector", ["get", "ns", "-l", "a=b=c"], 1, /^Error from server \(BadRequest\): .*"a=b=c"/],
];

for (const [what, args, code, stderr] of failures) {
  test(`${what} is one plain line and exit code ${code}`, async () => {
    const result = await cluster.run(args);
    assert.match(result.stderr, stderr);
    assert.deepEqual([result.stdout, result.code], ["", code]);
  });
}

test("get -w shows what is there, then every change, and Ctrl-C ends it quietly with 130", async () => {
  await createPod("watched", { app: "watched" });
  const watch = cluster.start(["get", "pods", "-n", "demo", "-l", "app=watched", "-w"]);
  await watch.until(/^watched +0\/1 /m);
  const present = await client.get(pods, "watched", "demo");
  await client.updateStatus(pods, { ...present, status: { ...present.status, phase: "Failed" } });
  await watch.until(/^watched .*(Failed|Error)/m);
  await createPod("newcomer", { app: "watched" });
  await watch.until(/^newcomer /m);
  watch.signal("SIGINT");
  const { stdout, stderr, code } = await watch.done;
  assert.deepEqual([stderr, code], ["", 130]);
  assert.equal(stdout.match(/NAME/g)?.length, 1, "one header");
});

test("a reader that goes away is no failure", async () => {
  const watch = cluster.start(["get", "cm", "-n", "demo", "-w"]);
  await watch.until(/NAME/);
  watch.closeStdout();
  await client.create(configMaps, {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "unread", namespace: "demo" },
  });
  const { stderr, code } = await watch.done;
  assert.deepEqual([stderr, code], ["", 0]);
});

test("describe finds a pod by the beginning of its name", async () => {
  await createPod("prefixed-abc");
  const { stdout, code } = await cluster.run(["describe", "pod", "prefixed", "-n", "demo"]);
  assert.match(stdout, /^Name: +prefixed-abc\nNamespace: +demo\n/);
  assert.equal(code, 0);
});

test("delete by name, selector and manifest, waiting until they are gone", async () => {
  await createPod("one", { app: "gone" });
  await createPod("two", { app: "gone" });
  const byName = await cluster.run(["delete", "pod/one", "-n", "demo", "--force"]);
  assert.deepEqual([byName.stdout, byName.code], ['pod "one" force deleted\n', 0]);
  const bySelector = await cluster.run(["delete", "po", "-n", "demo", "-l", "app=gone", "--now", "--wait=false"]);
  assert.deepEqual([bySelector.stdout, bySelector.code], ['pod "two" deleted\n', 0]);
  const file = join(cluster.directory, "cm.yaml");
  await writeFile(file, "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: filed, namespace: demo }\n");
  await cluster.run(["apply", "-f", file]);
  assert.equal((await cluster.run(["delete", "-f", file])).stdout, 'configmap "filed" deleted\n');
  const again = await cluster.run(["delete", "-f", file]);
  assert.deepEqual(
    [again.stdout, again.stderr, again.code],
    ["", 'Error from server (NotFound): configmaps "filed" not found\n', 1],
  );
  assert.equal((await cluster.run(["delete", "-f", file, "--ignore-not-found"])).code, 0);
});

test("delete returns only when finalizers have let go, or says what it waited for in vain", async () => {
  const held = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "held", namespace: "demo", finalizers: ["example.com/hold"] },
  };
  await client.create(configMaps, held);
  const impatient = await cluster.run(["delete", "cm", "held", "-n", "demo", "--timeout=50ms"]);
  assert.match(impatient.stderr, /^error: timed out waiting for the condition on configmap\/held\n$/);
  assert.equal(impatient.code, 1);
  const patient = cluster.start(["delete", "cm", "held", "-n", "demo"]);
  await patient.until(/configmap "held" deleted/);
  await client.patch(configMaps, { name: "held", namespace: "demo" }, "merge", { metadata: { finalizers: null } });
  assert.equal((await patient.done).code, 0);
});

test("logs: options reach the kubelet, selectors take several pods, broken ones do not stop the others", async () => {
  await createPod("log-a", { app: "log" });
  await createPod("log-b", { app: "log" });
  const one = await cluster.run(["logs", "log-a", "-n", "demo", "--tail=5", "--since=90s", "--timestamps", "-p"]);
  const query = new URLSearchParams(one.stdout.trim().split(" ").at(-1));
  assert.deepEqual(Object.fromEntries(query), {
    tailLines: "5",
    sinceSeconds: "90",
    timestamps: "true",
    previous: "true",
  });
  const both = await cluster.run(["logs", "-n", "demo", "-l", "app=log", "--prefix"]);
  assert.equal(both.stdout, "[pod/log-a/c] log of log-a/c tailLines=10\n[pod/log-b/c] log of log-b/c tailLines=10\n");
  await createPod("broken", { app: "log" });
  const some = await cluster.run(["logs", "-n", "demo", "-l", "app=log"]);
  assert.equal(some.stdout.split("\n").length, 3);
  assert.match(some.stderr, /^Error from server \(BadRequest\): container is waiting to start\n$/);
  assert.equal(some.code, 1);
});

test("logs -f follows several pods and goes on when one of them ends", async () => {
  await createPod("follow-a", { app: "follow" });
  await createPod("follow-b", { app: "follow" });
  const logs = cluster.start(["logs", "-n", "demo", "-l", "app=follow", "-f", "--prefix"]);
  await followed.promise;
  following[0]?.end();
  following[1]?.write("half");
  following[1]?.write(" line\n");
  await logs.until(/^\[pod\/follow-[ab]\/c\] half line$/m);
  logs.signal("SIGINT");
  const { stderr, code } = await logs.done;
  assert.deepEqual([stderr, code], ["", 130]);
  const tooMany = await cluster.run(["logs", "-n", "demo", "-l", "app=follow", "-f", "--max-log-requests=1"]);
  assert.match(
    tooMany.stderr,
    /attempting to follow 2 log streams, but maximum allowed concurrency is 1: use --max-log-requests=2/,
  );
});

test("a cluster that is not there is said with the remedy", async () => {
  const kubeconfig = join(cluster.directory, "stopped");
  const config = {
    clusters: [{ name: "c", cluster: { server: "https://127.0.0.1:1" } }],
    contexts: [{ name: "gatehouse", context: { cluster: "c" } }],
    "current-context": "gatehouse",
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const { stderr, code } = await startCli(["get", "pods", "--kubeconfig", kubeconfig], {}).done;
  assert.match(
    stderr,
    /^error: cluster of context "gatehouse" does not answer at https:\/\/127\.0\.0\.1:1 \(ECONNREFUSED\): start it with `gatehouse start`[^\n]*\n$/,
  );
  assert.equal(code, 1);
});

for (const verb of ["get", "describe", "apply", "delete", "logs"]) {
  test(`${verb} --help shows examples`, async () => {
    const { stdout, code } = await startCli([verb, "--help"], {}).done;
    assert.match(stdout, new RegExp(`Examples:\n(.*\n)*  .*gatehouse ${verb} `));
    assert.equal(code, 0);
  });
}

const run = promisify(execFile);
const kubectl = await run("kubectl", ["version", "--client"]).then(
  () => true,
  () => false,
);

test(
  "what gatehouse applied is unchanged for kubectl, and the other way round",
  { skip: kubectl ? false : "kubectl is not installed" },
  async () => {
    const file = join(cluster.directory, "both.yaml");
    await writeFile(
      file,
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: both, namespace: demo }\ndata: { html: "<a>&</a>", n: "1" }\n',
    );
    const environment = { ...process.env, KUBECONFIG: cluster.kubeconfig, HOME: cluster.directory };
    assert.equal((await cluster.run(["apply", "-f", file])).stdout, "configmap/both created\n");
    assert.equal(
      (await run("kubectl", ["apply", "-f", file], { env: environment })).stdout,
      "configmap/both unchanged\n",
    );
    await run("kubectl", ["delete", "-f", file], { env: environment });
    await run("kubectl", ["apply", "-f", file], { env: environment });
    assert.equal((await cluster.run(["apply", "-f", file])).stdout, "configmap/both unchanged\n");
  },
);
