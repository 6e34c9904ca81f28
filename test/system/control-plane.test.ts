// The control plane is alive: whatever changes in the cluster, traffic and status follow, and what stays healthy never
// fails a request meanwhile.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually } from "../until.ts";
import {
  continuousRequests,
  gatehouseProgram,
  pidOfPod,
  podOf,
  root,
  run,
  startTestCluster,
  type TestCluster,
} from "./test-cluster.ts";

interface PodRow {
  name: string;
  namespace: string;
  ready: boolean;
  restarts: number;
}

describe("the control plane", () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startTestCluster();
  });
  after(() => cluster?.remove());

  const apply = async (manifest: object | string): Promise<void> => {
    const text = typeof manifest === "string" ? manifest : JSON.stringify(manifest);
    const result = await run(gatehouseProgram, ["apply", "-f", "-"], cluster.environment, text);
    assert.equal(result.code, 0, result.stderr);
  };
  const remove = async (...args: string[]): Promise<void> => {
    const result = await cluster.gatehouse("delete", ...args);
    assert.equal(result.code, 0, result.stderr);
  };
  const manifest = (name: string): string => readFileSync(join(root, "manifests", name), "utf8");
  const pods = async (prefix: string): Promise<PodRow[]> => {
    const status = JSON.parse((await cluster.gatehouse("status", "-o", "json")).stdout) as { pods: PodRow[] };
    return status.pods.filter((pod) => pod.name.startsWith(prefix));
  };
  const podsAnswering = async (url: string, requests = 8): Promise<Set<string>> => {
    const names = new Set<string>();
    for (let index = 0; index < requests; index++) names.add(podOf(await cluster.get(url)));
    return names;
  };

  test("scaling up and down: new pods get traffic, gone ones none, no request fails", async (t) => {
    const requests = continuousRequests(t, cluster, "http://whoami.localhost/");
    await apply(manifest("whoami-v1.yaml").replace("replicas: 2", "replicas: 4"));
    await eventually(async () => assert.equal((await podsAnswering("http://whoami.localhost/")).size, 4));
    await apply(manifest("whoami-v1.yaml"));
    await eventually(async () => assert.equal((await podsAnswering("http://whoami.localhost/")).size, 2));
    await eventually(async () => assert.equal((await pods("whoami-v1")).length, 2));
    const { answered, failures } = await requests.stop();
    assert.deepEqual(failures, []);
    assert.ok(answered > 20);
  });

  test("scaling to zero answers 503, back to two serves again", async () => {
    await apply(manifest("whoami-v2.yaml").replace("replicas: 2", "replicas: 0"));
    await eventually(async () => assert.equal((await cluster.get("http://demo.localhost/v2")).status, 503));
    await apply(manifest("whoami-v2.yaml"));
    await eventually(async () => assert.equal((await cluster.get("http://demo.localhost/v2")).status, 200));
  });

  test("a deleted pod is replaced without a failed request", async (t) => {
    const requests = continuousRequests(t, cluster, "http://whoami.localhost/");
    const [victim] = await pods("whoami-v1");
    assert.ok(victim);
    await remove("pod", victim.name, "-n", "demo");
    await eventually(async () => {
      const present = await pods("whoami-v1");
      assert.equal(present.filter((pod) => pod.ready).length, 2);
      assert.ok(present.every((pod) => pod.name !== victim.name));
    });
    assert.deepEqual((await requests.stop()).failures, []);
  });

  test("a pod's killed process is started again without a failed request", async (t) => {
    const [victim] = await pods("whoami-v1");
    assert.ok(victim);
    const pid = await pidOfPod(victim.name);
    const requests = continuousRequests(t, cluster, "http://whoami.localhost/");
    process.kill(pid, "SIGKILL");
    await eventually(async () => {
      const pod = (await pods("whoami-v1")).find((candidate) => candidate.name === victim.name);
      assert.ok(pod?.ready && pod.restarts === victim.restarts + 1, JSON.stringify(pod));
    });
    assert.deepEqual((await requests.stop()).failures, []);
  });

  test("a changed HTTPRoute takes effect, without a failed request to other routes", async (t) => {
    const requests = continuousRequests(t, cluster, "http://demo.localhost/v1");
    await apply(manifest("httproute-host.yaml").replaceAll("whoami.localhost", "renamed.localhost"));
    await eventually(async () => assert.equal((await cluster.get("http://renamed.localhost/")).status, 200));
    assert.equal((await cluster.get("http://whoami.localhost/")).status, 404);
    await apply(manifest("httproute-host.yaml"));
    await eventually(async () => assert.equal((await cluster.get("http://whoami.localhost/")).status, 200));
    assert.deepEqual((await requests.stop()).failures, []);
  });

  test("a Service that points elsewhere moves its traffic", async () => {
    await apply(
      manifest("whoami-v1.yaml").replace(
        "selector:\n    app: whoami-v1\n  ports",
        "selector:\n    app: whoami-v2\n  ports",
      ),
    );
    await eventually(async () => assert.match(podOf(await cluster.get("http://whoami.localhost/")), /^whoami-v2-/));
    await apply(manifest("whoami-v1.yaml"));
    await eventually(async () => assert.match(podOf(await cluster.get("http://whoami.localhost/")), /^whoami-v1-/));
  });

  test("a route in a new namespace is served, and gone with its namespace", async () => {
    const text = (name: string): string =>
      manifest(name).replaceAll("namespace: demo", "namespace: team").replace("name: demo", "name: team");
    await apply(
      [
        text("demo-namespace.yaml"),
        text("whoami-v1.yaml"),
        text("httproute-host.yaml").replaceAll("whoami.localhost", "team.localhost"),
      ].join("---\n"),
    );
    await eventually(async () => assert.equal((await cluster.get("http://team.localhost/")).status, 200));
    await remove("namespace", "team");
    await eventually(async () => assert.equal((await cluster.get("http://team.localhost/")).status, 404));
    assert.equal((await pods("whoami-v1")).length, 2, "the other namespace's pods stay");
  });

  const mistakes: [
    what: string,
    change: (text: string) => string,
    condition: string,
    reason: string,
    message: RegExp,
  ][] = [
    [
      "a missing Service",
      (text) => text.replace("name: whoami-v1", "name: whoami-v3"),
      "ResolvedRefs",
      "BackendNotFound",
      /whoami-v3.*not found/,
    ],
    ["a wrong port", (text) => text.replace("port: 80", "port: 8080"), "ResolvedRefs", "BackendNotFound", /8080/],
    [
      "no matching listener",
      (text) => text.replace("sectionName: web", "sectionName: wep"),
      "Accepted",
      "NoMatchingParent",
      /wep/,
    ],
    [
      "a backend elsewhere without a ReferenceGrant",
      (text) => text.replace("name: whoami-v1\n", "name: traefik\n          namespace: traefik\n"),
      "ResolvedRefs",
      "RefNotPermitted",
      /ReferenceGrant/,
    ],
  ];
  for (const [what, change, type, reason, message] of mistakes) {
    test(`${what} is said in the route's status, with what to change`, async () => {
      const name = `mistake-${reason.toLowerCase()}-${what.length}`;
      await apply(
        change(
          manifest("httproute-host.yaml")
            .replaceAll("whoami-host", name)
            .replaceAll("whoami.localhost", `${name}.localhost`),
        ),
      );
      await eventually(async () => {
        const { stdout } = await cluster.gatehouse("get", "httproute", name, "-n", "demo", "-o", "json");
        const route = JSON.parse(stdout) as {
          status?: { parents?: { conditions: { type: string; status: string; reason: string; message: string }[] }[] };
        };
        const condition = route.status?.parents?.[0]?.conditions.find((candidate) => candidate.type === type);
        assert.equal(condition?.status, "False", stdout);
        assert.equal(condition?.reason, reason);
        assert.match(condition?.message ?? "", message);
      });
      await remove("httproute", name, "-n", "demo");
    });
  }

  test("a Gateway of an unknown class is left alone", async () => {
    await apply(
      manifest("gateway.yaml")
        .replace("name: traefik-gateway", "name: foreign")
        .replace("gatewayClassName: traefik", "gatewayClassName: nobody"),
    );
    const { stdout } = await cluster.gatehouse("get", "gateway", "foreign", "-n", "traefik", "-o", "json");
    const gateway = JSON.parse(stdout) as { status?: { addresses?: unknown[]; conditions?: { status: string }[] } };
    assert.ok((gateway.status?.conditions ?? []).every((condition) => condition.status === "Unknown"));
    assert.deepEqual(gateway.status?.addresses ?? [], []);
    await remove("gateway", "foreign", "-n", "traefik");
  });

  test("a deleted Gateway serves nothing; applied again, everything serves", async () => {
    await remove("gateway", "traefik-gateway", "-n", "traefik");
    await eventually(async () => assert.equal((await cluster.get("http://whoami.localhost/")).status, 404));
    await apply(manifest("gateway.yaml"));
    await eventually(async () => assert.equal((await cluster.get("http://whoami.localhost/")).status, 200));
    await eventually(async () => assert.equal((await cluster.gatehouse("status")).code, 0));
  });
});
