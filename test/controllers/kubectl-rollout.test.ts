// kubectl's rollout commands against the controllers: status, restart, history, undo, pause and resume, scale.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { daemonSets, deployments } from "@gatehouse/apimachinery/types/apps-v1";
import { pods } from "@gatehouse/apimachinery/types/core-v1";
import { deployment, labelsOf, podTemplate, startTestCluster, type TestCluster } from "./cluster.ts";

const skip = hasKubectl() ? false : "kubectl is not installed";
const directory = mkdtempSync(join(tmpdir(), "gatehouse-rollout-"));
let cluster: TestCluster;

before(async () => {
  if (skip) return;
  cluster = await startTestCluster({ tls: true });
  cluster.actAsKubelet();
  const { url, ca, token } = cluster.server;
  writeFileSync(join(directory, "ca.pem"), ca);
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server: url, "certificate-authority": join(directory, "ca.pem") } }],
    users: [{ name: "test", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test", namespace: "demo" } }],
    "current-context": "test",
  };
  writeFileSync(join(directory, "config"), JSON.stringify(config), { mode: 0o600 });
});
after(async () => {
  await cluster?.close();
  rmSync(directory, { recursive: true, force: true });
});

function hasKubectl(): boolean {
  try {
    execFileSync("kubectl", ["version", "--client"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function kubectl(...parameters: string[]): Promise<string> {
  const options = {
    env: { ...process.env, KUBECONFIG: join(directory, "config"), KUBECACHEDIR: join(directory, "cache") },
  };
  return (await promisify(execFile)("kubectl", parameters, options)).stdout;
}

const images = async (app: string): Promise<(string | undefined)[]> => {
  const { items } = await cluster.client.list(pods, { namespace: "demo", labelSelector: `app=${app}` });
  return items.filter(({ metadata }) => !metadata.deletionTimestamp).map(({ spec }) => spec.containers[0]?.image);
};

test("a Deployment's rollout: status, set image, history, undo, restart", { skip }, async () => {
  await cluster.client.create(deployments, deployment("web"));
  assert.match(await kubectl("rollout", "status", "deployment/web", "--timeout=10s"), /successfully rolled out/);
  await kubectl("set", "image", "deployment/web", "main=traefik/whoami:v2");
  await kubectl("rollout", "status", "deployment/web", "--timeout=10s");
  assert.match(await kubectl("rollout", "history", "deployment/web"), /^1 .*\n2 /m);
  assert.match(await kubectl("rollout", "history", "deployment/web", "--revision=1"), /Image:\s+traefik\/whoami\n/);
  await kubectl("rollout", "undo", "deployment/web");
  await kubectl("rollout", "status", "deployment/web", "--timeout=10s");
  assert.deepEqual(await images("web"), ["traefik/whoami", "traefik/whoami"]);
  const before = (await cluster.client.list(pods, { namespace: "demo" })).items.map(({ metadata }) => metadata.uid);
  await kubectl("rollout", "restart", "deployment/web");
  await kubectl("rollout", "status", "deployment/web", "--timeout=10s");
  const restarted = await cluster.until(pods, (all) => all.length === 2, "demo");
  assert.ok(restarted.every(({ metadata }) => !before.includes(metadata.uid)));
  await kubectl("scale", "deployment/web", "--replicas=3");
  await kubectl("wait", "deployment/web", "--for=jsonpath={.status.availableReplicas}=3", "--timeout=10s");
  await kubectl("delete", "deployment", "web", "--timeout=10s", "--cascade=foreground");
  await cluster.until(pods, (all) => all.length === 0, "demo");
});

test("a DaemonSet's rollout: status, set image, history, undo, restart", { skip }, async () => {
  await cluster.client.create(daemonSets, {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "agent", namespace: "demo" },
    spec: { selector: { matchLabels: labelsOf("agent") }, template: podTemplate("agent") },
  });
  assert.match(await kubectl("rollout", "status", "daemonset/agent", "--timeout=10s"), /successfully rolled out/);
  await kubectl("set", "image", "daemonset/agent", "main=traefik/whoami:v2");
  await kubectl("rollout", "status", "daemonset/agent", "--timeout=10s");
  assert.deepEqual(await images("agent"), ["traefik/whoami:v2"]);
  assert.match(await kubectl("rollout", "history", "daemonset/agent"), /^1 .*\n2 /m);
  assert.match(await kubectl("rollout", "history", "daemonset/agent", "--revision=1"), /Image:\s+traefik\/whoami\n/);
  await kubectl("rollout", "undo", "daemonset/agent");
  await kubectl("rollout", "status", "daemonset/agent", "--timeout=10s");
  assert.deepEqual(await images("agent"), ["traefik/whoami"]);
  await kubectl("rollout", "restart", "daemonset/agent");
  assert.match(await kubectl("rollout", "status", "daemonset/agent", "--timeout=10s"), /successfully rolled out/);
});
