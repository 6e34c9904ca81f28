// `gatehouse up --context`: the demo on somebody's cluster, by real helm. An empty embedded cluster plays that cluster.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createApiClient } from "@gatehouse/apimachinery/api-client";
import { loadConnection } from "@gatehouse/apimachinery/kubeconfig";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { findProgram, gatehouseProgram, root, run, type RunResult, temporaryHome } from "../system/test-cluster.ts";
import { findHelm } from "../tools/find-helm.ts";
import { eventually } from "../until.ts";
import { runSeedSuite } from "./seed-suite.ts";

const helm = findHelm();
const chart = join(root, "test/helm/chart");
const context = "gatehouse";
const offline = ["--gateway-api-crds", "bundled", "--chart", chart];

interface Summary {
  provider: string;
  entry: { host: string; port: number };
  urls: string[];
}

describe("a cluster of somebody's", { skip: helm.skip, concurrency: false }, () => {
  const { home, environment } = temporaryHome();
  const programs = mkdtempSync(join(tmpdir(), "gatehouse-test-"));
  const inPath = { ...environment, PATH: `${programs}:${environment.PATH}` };
  const gatehouse = (...args: string[]): Promise<RunResult> => run(gatehouseProgram, args, inPath);
  const succeed = async (...args: string[]): Promise<string> => {
    const result = await gatehouse(...args);
    assert.equal(result.code, 0, `gatehouse ${args.join(" ")}: ${result.stderr}${result.stdout}`);
    return result.stdout;
  };
  const apply = async (text: string): Promise<void> => {
    const result = await run(gatehouseProgram, ["apply", "--context", context, "-f", "-"], inPath, text);
    assert.equal(result.code, 0, result.stderr);
  };
  const names = async (...query: string[]): Promise<string[]> =>
    (await succeed("get", ...query, "--context", context, "-o", "name")).split("\n").filter((line) => line !== "");
  const up = (...more: string[]): Promise<RunResult> => gatehouse("up", "--context", context, ...offline, ...more);
  const state = join(home, ".gatehouse/contexts");

  before(async () => {
    symlinkSync(helm.program, join(programs, "helm"));
    await succeed("up", "--bare", "--http-port", "0", "--https-port", "0", "--quiet");
  });
  after(async () => {
    await gatehouse("down");
    rmSync(home, { recursive: true, force: true });
    rmSync(programs, { recursive: true, force: true });
  });

  test("an empty cluster has no demo, and its summary no URLs", async () => {
    assert.deepEqual(
      await names("namespaces"),
      ["default", "kube-node-lease", "kube-public", "kube-system"].map((name) => `namespace/${name}`),
    );
    const { urls, entry } = JSON.parse(await succeed("up", "--bare", "-o", "json")) as Partial<Summary>;
    assert.deepEqual([urls, entry], [[], undefined]);
  });

  test("up installs the demo by helm, step by step, and what it prints answers", async () => {
    const output = await succeed("up", "--context", context, ...offline, "--verbose");
    const steps = [...output.matchAll(/^ ✓ ([^:(]+?)(?::| \()/gm)].map(([, name]) => name);
    assert.deepEqual(steps, [
      'Check the cluster of context "gatehouse"',
      "Install the Gateway API definitions",
      "Install the gateway",
      "Deploy whoami-v1 and whoami-v2",
      "Apply the Gateway and the HTTPRoutes",
      "Wait until pods, Gateway and routes are ready",
      "Send a request through every route",
    ]);
    assert.match(output, /^ {3}\$ helm upgrade --install traefik .* --wait /m, "--verbose shows what is run");
    assert.match(output, /STATUS: deployed/);
    const summary = JSON.parse(await succeed("up", "--context", context, "-o", "json")) as Summary;
    assert.equal(summary.provider, "context");
    assert.match(await get(summary.entry, "whoami.localhost", "/"), /^200 Hostname: whoami-v1-/);
    assert.match(await get(summary.entry, "demo.localhost", "/v2"), /^200 Hostname: whoami-v2-/);
    assert.match(await get(summary.entry, "demo.localhost", "/v10"), /^404/);
  });

  test("the seed's demo is the same on this provider", async () => {
    const { entry } = JSON.parse(await succeed("up", "--context", context, "-o", "json")) as Summary;
    await runSeedSuite({ context, entry, environment: inPath, flags: ["--context", context] });
  });

  test("the dashboard, which asks for no password, is not on the way in from outside", async () => {
    const summary = JSON.parse(await succeed("up", "--context", context, "-o", "json")) as Summary;
    assert.equal(summary.urls.length, 3);
    assert.match(await get(summary.entry, "traefik.localhost", "/dashboard/"), /^404/);
    assert.match(await get(summary.entry, "traefik.localhost", "/api/rawdata"), /^404/);
  });

  test("the load balancer has the ports 80 and 443 only: the dashboard's asks for no password", async () => {
    const text = await succeed("get", "services", "-n", "traefik", "--context", context, "-o", "json");
    const { items } = JSON.parse(text) as { items: { spec: { type: string; ports: { port: number }[] } }[] };
    const ports = items.filter(({ spec }) => spec.type === "LoadBalancer").flatMap(({ spec }) => spec.ports);
    assert.deepEqual(
      ports.map(({ port }) => port).toSorted((a, b) => a - b),
      [80, 443],
    );
  });

  test("a second up does nothing; status is that of the cluster; helm lists the release", async () => {
    assert.match(await succeed("up", "--context", context), /Already up: nothing to do/);
    assert.match(await succeed("status", "--context", context), /Everything is ready/);
    const list = await run(helm.program, ["list", "-n", "traefik", "--kube-context", context], environment);
    assert.match(list.stdout, /^traefik\s+traefik\s+1\s.*deployed/m);
  });

  test("another chart is asked for: the steps are gone through again, and helm upgrades", async () => {
    const output = await succeed("up", "--context", context, ...offline);
    assert.match(output, /✓ Install the Gateway API definitions: v1\.4\.0 \(standard channel\) are there already/);
    const list = await run(helm.program, ["list", "-n", "traefik", "--kube-context", context], environment);
    assert.match(list.stdout, /^traefik\s+traefik\s+2\s.*deployed/m);
  });

  test("down removes what up installed, and nothing else; definitions only when told to", async () => {
    await apply(JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "mine", namespace: "demo" } }));
    const output = await succeed("down", "--context", context);
    assert.match(output, /Delete the namespaces: traefik; kept, with what others put there: demo \(ConfigMap\/mine\)/);
    assert.match(output, /definitions stay: gatehouse down --context gatehouse --crds delete/);
    assert.deepEqual(await names("httproutes,gateways,gatewayclasses,deployments,daemonsets", "-A"), []);
    assert.deepEqual(await names("configmaps", "-n", "demo"), ["configmap/kube-root-ca.crt", "configmap/mine"]);
    assert.equal(existsSync(state), false, "nothing is kept of it here");
    // As from another machine: it is the labels in the cluster that count.
    assert.match(
      await succeed("down", "--context", context, "--crds", "delete"),
      /✓ Delete the demo's routes and applications: 0 objects[^]*✓ Delete the Gateway API definitions/,
    );
    assert.deepEqual(await names("customresourcedefinitions"), []);
    assert.deepEqual(
      (await names("namespaces")).filter((name) => /demo|traefik/.test(name)),
      ["namespace/demo"],
    );
    await succeed("delete", "namespace", "demo", "--context", context);
  });

  test("definitions that others use stay, and whose they are is said", async () => {
    assert.equal((await up()).code, 0);
    await apply(
      "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: theirs, namespace: default}, spec: {}}",
    );
    const output = await succeed("down", "--context", context, "--crds", "delete");
    assert.match(output, /definitions stay, because others use them: HTTPRoute default\/theirs\./);
    await succeed("delete", "httproute", "theirs", "-n", "default", "--context", context);
    await succeed("down", "--context", context, "--crds", "delete");
    assert.deepEqual(await names("customresourcedefinitions"), []);
  });

  test("status of an installation that was cut off says so", async () => {
    const { code } = await gatehouse(
      "up",
      "--context",
      context,
      "--gateway-api-crds",
      "bundled",
      "--chart",
      dirname(chart),
    );
    assert.equal(code, 1);
    const status = await gatehouse("status", "--context", context);
    assert.equal(status.code, 1);
    assert.match(status.stdout, /not all is installed: run gatehouse up --context gatehouse again/);
    await succeed("down", "--context", context, "--crds", "delete");
  });

  test("newer definitions are kept unless told otherwise, and never removed by a down that did not install them", async () => {
    const newer = customResourceDefinitions({ version: "v1.6.1", channel: "standard" });
    await apply(JSON.stringify({ apiVersion: "v1", kind: "List", items: newer }));
    assert.match((await up()).stdout, /✓ Install the Gateway API definitions: kept v1\.6\.1 \(standard channel\)/);
    const replaced = await up("--crds", "replace");
    assert.match(
      replaced.stdout,
      /✓ Install the Gateway API definitions: v1\.4\.0 \(standard channel\) \(/,
      replaced.stderr,
    );
    await succeed("down", "--context", context, "--crds", "delete");
    assert.equal((await names("customresourcedefinitions")).length, newer.length, "they were there before");
    await succeed("delete", "crd", "--all", "--context", context);
  });

  test("what has the demo's names and is not from here is refused before anything is written", async () => {
    await apply("{apiVersion: v1, kind: Namespace, metadata: {name: demo}}");
    await apply(
      "{apiVersion: v1, kind: Service, metadata: {name: whoami-v1, namespace: demo}, spec: {ports: [{port: 80}]}}",
    );
    const refused = await up();
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /there already, and not from here: Service demo\/whoami-v1; remove them, or use another/,
    );
    assert.deepEqual(await names("customresourcedefinitions"), []);
    await succeed("delete", "namespace", "demo", "--context", context);
  });

  test("a Helm release of that name which is not ours is refused, and stays", async () => {
    const values = ["--set", "ports.web.hostPort=null,ports.websecure.hostPort=null,gatewayClass.enabled=false"];
    const others = ["--namespace", "traefik", "--kube-context", context];
    const installed = await run(
      helm.program,
      ["install", "traefik", chart, ...values, ...others, "--create-namespace"],
      environment,
    );
    assert.equal(installed.code, 0, installed.stderr);
    const refused = await up();
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /Helm release traefik\/traefik \(traefik-39\.\S+\) is there already, and not from here/,
    );
    assert.match((await run(helm.program, ["list", ...others], environment)).stdout, /deployed/);
    await run(helm.program, ["uninstall", "traefik", ...others, "--wait"], environment);
    await succeed("delete", "namespace", "traefik", "--context", context);
    await succeed("delete", "crd", "--all", "--context", context);
  });

  test("an installation whose helm was killed is begun anew by the next up", async (t) => {
    const broken = mkdtempSync(join(tmpdir(), "gatehouse-test-"));
    t.after(() => rmSync(broken, { recursive: true }));
    cpSync(chart, broken, { recursive: true });
    // Helm waits for it, and is killed while it does.
    writeFileSync(join(broken, "templates/stuck.yaml"), stuck);
    const args = ["up", "--context", context, "--gateway-api-crds", "bundled", "--chart", broken];
    const first = spawn(gatehouseProgram, args, { env: inPath, detached: true, stdio: "ignore" });
    await eventually(async () =>
      assert.match((await gatehouse("get", "pods", "-n", "traefik", "--context", context)).stdout, /stuck-/),
    );
    process.kill(-(first.pid ?? 0), "SIGKILL");
    await once(first, "exit");
    const list = await run(
      helm.program,
      ["list", "--pending", "-n", "traefik", "--kube-context", context],
      environment,
    );
    assert.match(list.stdout, /pending-install/);
    const finished = await up();
    assert.equal(finished.code, 0, finished.stderr + finished.stdout);
    assert.deepEqual(await names("deployments", "-n", "traefik"), []);
    await succeed("down", "--context", context, "--crds", "delete");
  });

  test("a cluster made anew under the same context is another one: the demo is installed again", async () => {
    assert.equal((await up()).code, 0);
    await succeed("down");
    await succeed("up", "--bare", "--http-port", "0", "--https-port", "0", "--quiet");
    const again = await up();
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /✓ Deploy whoami-v1 and whoami-v2/);
    await succeed("down", "--context", context, "--crds", "delete");
  });

  test("a context that is gone is forgotten by down", async () => {
    assert.equal((await up()).code, 0);
    const kubeconfig = join(home, ".kube/config");
    const before = readFileSync(kubeconfig, "utf8");
    writeFileSync(
      kubeconfig,
      before.replaceAll("name: gatehouse", "name: renamed").replaceAll(/: gatehouse$/gm, ": renamed"),
    );
    const output = await succeed("down", "--context", context);
    assert.match(output, /no context "gatehouse" any more: what is known of it here is forgotten/);
    writeFileSync(kubeconfig, before);
    assert.equal(existsSync(state), false);
    // It is the label in the cluster that counts.
    assert.equal((await up()).code, 0);
    await succeed("down", "--context", context, "--crds", "delete");
  });

  test("failures: which command, its exit code, its last lines, the remedy, the log", async () => {
    const { code, stderr } = await gatehouse(
      "up",
      "--context",
      context,
      "--gateway-api-crds",
      "bundled",
      "--chart",
      dirname(chart),
    );
    assert.equal(code, 1);
    assert.match(stderr, /^error: helm upgrade --install traefik .* failed with exit code 1$/m);
    assert.match(stderr, /^ {2}\| Error: .*Chart\.yaml/m);
    const log = /^log: (.*)$/m.exec(stderr)?.[1] ?? "";
    assert.match(readFileSync(log, "utf8"), /\$ helm upgrade --install traefik[^]*\| Error: .*Chart\.yaml/);
    await succeed("down", "--context", context, "--crds", "delete");
  });

  test("rights that are missing are named, and nothing is written", async () => {
    await apply("{apiVersion: v1, kind: ServiceAccount, metadata: {name: reader, namespace: default}}");
    const directory = mkdtempSync(join(home, "reader-"));
    const kubeconfig = join(directory, "config");
    writeFileSync(kubeconfig, await readerConfig(environment));
    const result = await run(gatehouseProgram, ["up", "--context", context, ...offline], {
      ...inPath,
      KUBECONFIG: kubeconfig,
    });
    assert.equal(result.code, 1);
    assert.match(result.stderr, /this user may not: get\/create\/delete namespaces, .*ask the cluster's administrator/);
    assert.deepEqual(await names("customresourcedefinitions"), []);
  });

  test("mistakes on the command line are one line each", async () => {
    const mistakes: [args: string[], message: RegExp][] = [
      [["--context", "nope"], /error: context "nope" is not in /],
      [["--context", context, "--gateway", "builtin"], /--gateway builtin runs in embedded clusters only/],
      [["--context", context, "--http-port", "8080"], /--http-port makes no sense for a cluster that is not made here/],
      [["--context", context, "--bare"], /--bare makes a new cluster/],
      [
        ["--context", context, "--chart", "no/such"],
        /--chart no\/such: there is no such folder or archive, and it is no version/,
      ],
      [
        ["--context", context, "--gateway-api-crds", "no/such"],
        /--gateway-api-crds no\/such: there is no such file or folder/,
      ],
      [["--chart", chart], /--chart makes no sense for an embedded cluster/],
      [["--traefik-binary", "/bin/true"], /--traefik-binary goes with --gateway traefik/],
    ];
    for (const [args, message] of mistakes) {
      const { code, stderr } = await gatehouse("up", ...args);
      assert.match(stderr, message);
      assert.notEqual(code, 0, args.join(" "));
      assert.equal(stderr.trim().split("\n").length, 1, stderr);
    }
  });

  test("without helm the check says how to get it", async () => {
    const without = mkdtempSync(join(tmpdir(), "gatehouse-test-"));
    for (const name of ["bash", "sh", "env", "node", "npm", "dirname", "readlink", "find", "mkdir", "touch", "uname"]) {
      const program = findProgram(name);
      if (program) symlinkSync(program, join(without, name));
    }
    const result = await run(gatehouseProgram, ["up", "--context", context], { ...environment, PATH: without });
    rmSync(without, { recursive: true });
    assert.equal(result.code, 1);
    assert.match(result.stderr, /✗ helm: not found in PATH\n.*helm/);
  });
});

const stuck = `apiVersion: apps/v1
kind: Deployment
metadata: { name: stuck, namespace: {{ .Release.Namespace }} }
spec:
  selector: { matchLabels: { app: stuck } }
  template:
    metadata: { labels: { app: stuck } }
    spec: { containers: [{ name: stuck, image: nobody/has-this }] }
`;

/** The user's kubeconfig, with a ServiceAccount without rights in the administrator's place. */
async function readerConfig(environment: NodeJS.ProcessEnv): Promise<string> {
  const connection = await loadConnection(context, environment);
  const client = await createApiClient(connection);
  try {
    const { status } = await client.json<{ status: { token: string } }>({
      method: "POST",
      path: "/api/v1/namespaces/default/serviceaccounts/reader/token",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} }),
    });
    const certificate = Buffer.from(connection.certificateAuthority ?? "").toString("base64");
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server: connection.server, "certificate-authority-data": certificate } }],
      users: [{ name: "u", user: { token: status.token } }],
      contexts: [{ name: context, context: { cluster: "c", user: "u" } }],
      "current-context": context,
    });
  } finally {
    client.close();
  }
}

/** `200 first line of the body`. */
function get(entry: { host: string; port: number }, host: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ ...entry, path, headers: { host }, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.once("end", () =>
        resolve(`${response.statusCode} ${body.split("\n").find((line) => line.startsWith("Hostname")) ?? ""}`),
      );
    })
      .once("error", reject)
      .end();
  });
}
