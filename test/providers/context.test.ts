// `gatehouse up --context`: the demo on somebody's cluster, and off it again.

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { describe, test } from "node:test";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { context, helm, somebodysCluster } from "./context-fixture.ts";
import { runSeedSuite } from "./seed-suite.ts";

interface Summary {
  provider: string;
  entry: { host: string; port: number };
  urls: string[];
}

describe("a cluster of somebody's", { skip: helm.skip, concurrency: false }, () => {
  const { home, environment, succeed, up, down, apply, names, runHelm } = somebodysCluster();
  const state = join(home, ".gatehouse/contexts");

  test("an empty cluster has no demo, and its summary no URLs", async () => {
    assert.deepEqual(
      await names("namespaces"),
      ["default", "kube-node-lease", "kube-public", "kube-system"].map((name) => `namespace/${name}`),
    );
    const { urls, entry } = JSON.parse(await succeed("up", "--bare", "-o", "json")) as Partial<Summary>;
    assert.deepEqual([urls, entry], [[], undefined]);
  });

  test("up installs the demo by helm, step by step, and what it prints answers", async () => {
    const { code, stdout: output, stderr } = await up("--verbose");
    assert.equal(code, 0, stderr + output);
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
    await runSeedSuite({ context, entry, environment, flags: ["--context", context] });
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
    const list = await runHelm("list");
    assert.match(list.stdout, /^traefik\s+traefik\s+1\s.*deployed/m);
  });

  test("another chart is asked for: the steps are gone through again, and helm upgrades", async () => {
    const { code, stdout: output, stderr } = await up();
    assert.equal(code, 0, stderr + output);
    assert.match(output, /✓ Install the Gateway API definitions: v1\.4\.0 \(standard channel\) are there already/);
    const list = await runHelm("list");
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
    assert.match(output, /definitions stay, because others use them, or may: HTTPRoute default\/theirs\./);
    await succeed("delete", "httproute", "theirs", "-n", "default", "--context", context);
    await down();
    assert.deepEqual(await names("customresourcedefinitions"), []);
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
    await down();
    assert.equal((await names("customresourcedefinitions")).length, newer.length, "they were there before");
    await succeed("delete", "crd", "--all", "--context", context);
  });

  test("a cluster made anew under the same context is another one: the demo is installed again", async () => {
    assert.equal((await up()).code, 0);
    await succeed("down");
    await succeed("up", "--bare", "--http-port", "0", "--https-port", "0", "--quiet");
    const again = await up();
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /✓ Deploy whoami-v1 and whoami-v2/);
    await down();
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
    await down();
  });
});

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
