// What can go wrong with `up --context`: what the user reads then, and that the same command goes on from there.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { createApiClient } from "@gatehouse/apimachinery/api-client";
import { loadConnection } from "@gatehouse/apimachinery/kubeconfig";
import { neededRights, type Right } from "@gatehouse/cli/providers/context/cluster-checks";
import { findProgram, gatehouseProgram, run } from "../system/test-cluster.ts";
import { eventually } from "../until.ts";
import { chart, context, copyOfChart, helm, somebodysCluster } from "./context-fixture.ts";

describe("what is in the way on a cluster of somebody's", { skip: helm.skip, concurrency: false }, () => {
  const { home, environment, gatehouse, succeed, up, upWith, down, apply, names, runHelm } = somebodysCluster();

  test("status of an installation that was cut off says so", async () => {
    const { code } = await upWith(dirname(chart));
    assert.equal(code, 1);
    const status = await gatehouse("status", "--context", context);
    assert.equal(status.code, 1);
    assert.match(status.stdout, /not all is installed: run gatehouse up --context gatehouse again/);
    await down();
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
    const installed = await runHelm("install", "traefik", chart, ...values, "--create-namespace");
    assert.equal(installed.code, 0, installed.stderr);
    const refused = await up();
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /Helm release traefik\/traefik \(traefik-39\.\S+\) is there already, and not from here/,
    );
    assert.match((await runHelm("list")).stdout, /deployed/);
    await runHelm("uninstall", "traefik", "--wait");
    await succeed("delete", "namespace", "traefik", "--context", context);
    await succeed("delete", "crd", "--all", "--context", context);
  });

  /** `up` with a chart for whose Deployment Helm waits, killed with its helm while it does. */
  async function killWhileWaiting(t: TestContext): Promise<void> {
    const broken = copyOfChart(t);
    writeFileSync(join(broken, "templates/stuck.yaml"), stuck);
    const args = ["up", "--context", context, "--gateway-api-crds", "bundled", "--chart", broken];
    const first = spawn(gatehouseProgram, args, { env: environment, detached: true, stdio: "ignore" });
    await eventually(async () =>
      assert.match((await gatehouse("get", "pods", "-n", "traefik", "--context", context)).stdout, /stuck-/),
    );
    process.kill(-(first.pid ?? 0), "SIGKILL");
    await once(first, "exit");
  }

  test("an installation whose helm was killed is begun anew by the next up", async (t) => {
    await killWhileWaiting(t);
    assert.match((await runHelm("list", "--pending")).stdout, /pending-install/);
    const finished = await up("--verbose");
    assert.equal(finished.code, 0, finished.stderr + finished.stdout);
    assert.match(finished.stdout, /^ +\$ helm uninstall traefik --wait/m);
    assert.deepEqual(await names("deployments", "-n", "traefik"), []);
    await down();
  });

  test("an upgrade whose helm was killed is taken back by the next up, and done", async (t) => {
    assert.equal((await up()).code, 0);
    await killWhileWaiting(t);
    assert.match((await runHelm("list", "--pending")).stdout, /pending-upgrade/);
    const finished = await up("--verbose");
    assert.equal(finished.code, 0, finished.stderr + finished.stdout);
    assert.match(finished.stdout, /^ +\$ helm rollback traefik --wait/m);
    assert.match((await runHelm("list")).stdout, /^traefik\s.*\sdeployed\s/m);
    assert.deepEqual(await names("deployments", "-n", "traefik"), []);
    await down();
  });

  test("a chart whose Traefik waits for newer definitions says which, and goes on with them", async (t) => {
    const newer = copyOfChart(t);
    const about = readFileSync(join(newer, "Chart.yaml"), "utf8");
    writeFileSync(join(newer, "Chart.yaml"), about.replace(/appVersion: .*/, "appVersion: v3.7.11"));
    const { code, stdout, stderr } = await upWith(newer);
    assert.equal(code, 1);
    assert.match(stdout, /^ ✗ Install the gateway \(traefik\)/m);
    assert.match(
      stderr,
      /^error: Traefik 3\.7\.11 serves nothing before the cluster has TLSRoute v1, .*: run it again with --gateway-api v1\.6\.1, or without --chart \(Traefik 3\.6\)\nlog: /,
    );
    assert.equal((await upWith(newer, "--gateway-api", "v1.6.1")).code, 0);
    await down();
  });

  test("failures: which command, its exit code, its last lines, the remedy, the log", async () => {
    const { code, stderr } = await upWith(dirname(chart));
    assert.equal(code, 1);
    assert.match(stderr, /^error: helm upgrade --install traefik .* failed with exit code 1$/m);
    assert.match(stderr, /^ {2}\| Error: .*Chart\.yaml/m);
    const log = /^log: (.*)$/m.exec(stderr)?.[1] ?? "";
    assert.match(readFileSync(log, "utf8"), /\$ helm upgrade --install traefik[^]*\| Error: .*Chart\.yaml/);
    await down();
  });

  test("rights that are missing are named, and nothing is written", async () => {
    await apply("{apiVersion: v1, kind: ServiceAccount, metadata: {name: reader, namespace: default}}");
    const directory = mkdtempSync(join(home, "reader-"));
    const kubeconfig = join(directory, "config");
    writeFileSync(kubeconfig, await configOf("reader", environment));
    const result = await run(gatehouseProgram, ["up", "--context", context], {
      ...environment,
      KUBECONFIG: kubeconfig,
    });
    assert.equal(result.code, 1);
    assert.match(
      result.stderr,
      /this user may not: get\/list\/watch\/create\/patch\/delete namespaces, .*ask the cluster's administrator/,
    );
    assert.deepEqual(await names("customresourcedefinitions"), []);
  });

  test("the rights that are asked for are enough: up, up again, down", async () => {
    await apply("{apiVersion: v1, kind: ServiceAccount, metadata: {name: installer, namespace: default}}");
    await apply(roleOf("installer", neededRights));
    const kubeconfig = join(home, "installer");
    writeFileSync(kubeconfig, await configOf("installer", environment));
    const withConfig = { ...environment, KUBECONFIG: kubeconfig };
    const asInstaller = async (...args: string[]): Promise<string> => {
      const result = await run(gatehouseProgram, [...args, "--context", context], withConfig);
      assert.equal(result.code, 0, result.stderr + result.stdout);
      return result.stdout;
    };
    const upArguments = ["up", "--gateway-api-crds", "bundled", "--chart", chart];
    await asInstaller(...upArguments);
    await asInstaller(...upArguments);
    const output = await asInstaller("down", "--crds", "delete");
    // What this user may not see may be somebody's.
    assert.match(output, /Delete the namespaces: none; kept, with what others put there: demo \(\w+ that could not/);
    assert.match(output, /definitions stay, because others use them, or may: .*grpcroutes \(may not be listed\)/);
    assert.deepEqual(await names("deployments,daemonsets,services", "-n", "traefik"), []);
    assert.deepEqual(await names("deployments,services", "-n", "demo"), []);
    await down();
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

/** A ClusterRole of these rights and of that to give others, and its binding. */
function roleOf(name: string, rights: readonly Right[]): string {
  const apiGroup = "rbac.authorization.k8s.io";
  const apiVersion = `${apiGroup}/v1`;
  const rules = [
    ...rights.map(({ verbs, group, resource }) => ({ verbs, apiGroups: [group], resources: [resource] })),
    { verbs: ["escalate", "bind"], apiGroups: [apiGroup], resources: ["clusterroles"] },
  ];
  const subjects = [{ kind: "ServiceAccount", name, namespace: "default" }];
  const items = [
    { apiVersion, kind: "ClusterRole", metadata: { name }, rules },
    {
      apiVersion,
      kind: "ClusterRoleBinding",
      metadata: { name },
      subjects,
      roleRef: { apiGroup, kind: "ClusterRole", name },
    },
  ];
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

const stuck = `apiVersion: apps/v1
kind: Deployment
metadata: { name: stuck, namespace: {{ .Release.Namespace }} }
spec:
  selector: { matchLabels: { app: stuck } }
  template:
    metadata: { labels: { app: stuck } }
    spec: { containers: [{ name: stuck, image: nobody/has-this }] }
`;

/** The user's kubeconfig, with a ServiceAccount of namespace default in the administrator's place. */
async function configOf(serviceAccount: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const connection = await loadConnection(context, environment);
  const client = await createApiClient(connection);
  try {
    const { status } = await client.json<{ status: { token: string } }>({
      method: "POST",
      path: `/api/v1/namespaces/default/serviceaccounts/${serviceAccount}/token`,
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
