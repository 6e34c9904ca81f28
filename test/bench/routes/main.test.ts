// The bench itself, run as a user runs it, with few routes and against a cluster that is there already.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type ApiClient, createApiClient } from "@gatehouse/apimachinery/api-client";
import { loadConnection } from "@gatehouse/apimachinery/kubeconfig";
import { namespaces } from "@gatehouse/apimachinery/types/core-v1";
import { root, startTestCluster, type TestCluster } from "../../system/test-cluster.ts";
import { eventually } from "../../until.ts";

describe("npm run bench -- routes --context", () => {
  let cluster: TestCluster;
  let client: ApiClient;
  before(async () => {
    cluster = await startTestCluster();
    client = await createApiClient(await loadConnection(cluster.context, cluster.environment));
  });
  after(async () => {
    client.close();
    await cluster.remove();
  });

  const start = (...args: string[]) => {
    const program = [join(root, "scripts/bench.ts"), "routes", "--context", cluster.context, ...args];
    const bench = spawn(process.execPath, program, { stdio: ["ignore", "pipe", "pipe"], env: cluster.environment });
    const output = { out: "", errors: "" };
    bench.stdout.setEncoding("utf8").on("data", (text: string) => (output.out += text));
    bench.stderr.setEncoding("utf8").on("data", (text: string) => (output.errors += text));
    return { bench, output, ended: once(bench, "close") };
  };
  const left = async (): Promise<string[]> =>
    (await client.list(namespaces)).items
      .map(({ metadata }) => metadata.name)
      .filter((name) => name.startsWith("bench-"));

  it("measures what it is asked to, and leaves nothing behind", async () => {
    const run = start("--scenarios", "attached,probe,flips", "--routes", "20", "--seconds", "1", "-o", "json");
    const [code] = await run.ended;
    assert.equal(code, 0, run.output.errors);
    const report = JSON.parse(run.output.out) as {
      scenarios: { name: string; figures: { name: string; value: number; met?: boolean }[] }[];
    };
    assert.deepEqual(
      report.scenarios.map(({ name }) => name),
      ["attached", "probe", "flips"],
    );
    const figures = report.scenarios.flatMap((scenario) => scenario.figures);
    const verdictOf = (name: string): boolean | undefined => figures.find((figure) => figure.name === name)?.met;
    assert.equal(verdictOf("attachedRoutes once all are attached"), true);
    assert.equal(verdictOf("attachedRoutes once all are gone"), true);
    assert.equal(verdictOf("answers before it that were not 404"), true);
    const backends = figures.filter(({ name }) => name.endsWith("backends that answered"));
    assert.deepEqual(
      backends.map(({ value }) => value),
      [2, 2],
    );
    const flips = figures.filter(({ name }) => name.endsWith("answers that were not 200"));
    assert.deepEqual(
      flips.map(({ value }) => value),
      [0, 0],
    );
    assert.deepEqual(await left(), []);
  });

  it("takes away what it made when it is interrupted", async () => {
    const run = start("--scenarios", "probe");
    await eventually(async () => assert.deepEqual(await left(), ["bench-routes-probe"]));
    run.bench.kill("SIGINT");
    const [code] = await run.ended;
    assert.equal(code, 130, run.output.errors);
    assert.deepEqual(await left(), []);
  });

  it("says which classes there are when the one it was told is not", async () => {
    const run = start("--class", "other");
    const [code] = await run.ended;
    assert.equal(code, 1);
    assert.equal(run.output.errors, 'error: there is no GatewayClass "other": name one of traefik by --class\n');
  });
});
