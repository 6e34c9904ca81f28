// The seed's document, row by row, over real HTTP: what its reader would type and see.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { eventually } from "../until.ts";
import { podOf, startTestCluster, type TestCluster } from "./test-cluster.ts";

describe("the seed's demo", () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startTestCluster();
  });
  after(() => cluster?.remove());

  test("hostname-based routing: whoami.localhost alternates over both whoami-v1 pods", async () => {
    const answers = [];
    for (let index = 0; index < 6; index++) answers.push(await cluster.get("http://whoami.localhost/"));
    assert.deepEqual(
      answers.map((answer) => answer.status),
      Array(6).fill(200),
    );
    const pods = answers.map(podOf);
    assert.equal(new Set(pods).size, 2);
    pods.forEach((pod, index) => {
      assert.match(pod, /^whoami-v1-/);
      if (cluster.provider === "embedded" && index > 0) assert.notEqual(pod, pods[index - 1], "strictly in turn");
    });
  });

  const paths: [path: string, expected: string | 404][] = [
    ["/v1", "whoami-v1"],
    ["/v1/", "whoami-v1"],
    ["/v1/some/thing?x=1", "whoami-v1"],
    ["/v1?x=1", "whoami-v1"],
    ["/v2", "whoami-v2"],
    ["/v2/other", "whoami-v2"],
    ["/v10", 404],
    ["/v", 404],
    ["/", 404],
    ["/V1", 404],
  ];
  for (const [path, expected] of paths) {
    test(`path-based routing: demo.localhost${path} ${expected === 404 ? "is nobody's" : `reaches ${expected}`}`, async () => {
      const answer = await cluster.get(`http://demo.localhost${path}`);
      if (expected === 404) return assert.equal(answer.status, 404);
      assert.equal(answer.status, 200);
      assert.match(podOf(answer), new RegExp(`^${expected}-`));
      assert.match(answer.body, new RegExp(`^GET ${path.replaceAll("?", "\\?")} HTTP/1.1`, "m"));
    });
  }

  for (const host of ["nobody.localhost", "localhost", "127.0.0.1", "xwhoami.localhost", "whoami.localhost.example"]) {
    test(`any other host is 404: ${host}`, async () => {
      assert.equal((await cluster.get(`http://${host}/`)).status, 404);
    });
  }

  test("hosts are compared without case and port", async () => {
    assert.equal((await cluster.get("http://whoami.localhost/", { host: "WhoAmI.LocalHost:8080" })).status, 200);
  });

  test("the pod sees who asked: forwarding headers are set, the Host is kept", async () => {
    const { body } = await cluster.get("http://whoami.localhost/", { "x-own": "kept" });
    const port = cluster.provider === "embedded" ? String(cluster.entry.port) : "80";
    assert.match(body, /^Host: whoami\.localhost$/m);
    assert.match(body, /^X-Forwarded-For: \S+$/m);
    assert.match(body, /^X-Forwarded-Host: whoami\.localhost$/m);
    assert.match(body, /^X-Forwarded-Proto: http$/m);
    assert.match(body, new RegExp(`^X-Forwarded-Port: (${port}|80|8000)$`, "m"));
    assert.match(body, /^X-Forwarded-Server: \S+$/m);
    assert.match(body, /^X-Real-Ip: \S+$/m);
    assert.match(body, /^X-Own: kept$/m);
  });

  test("forwarding headers from outside are not believed", async () => {
    const spoofed = Object.fromEntries(
      ["For", "Host", "Proto", "Port", "Server"].map((name) => [`x-forwarded-${name.toLowerCase()}`, "spoofed"]),
    );
    const { body } = await cluster.get("http://whoami.localhost/", { ...spoofed, "x-real-ip": "spoofed" });
    assert.doesNotMatch(body, /spoofed/);
  });

  test("hop-by-hop headers end at the gateway", async () => {
    const { body } = await cluster.get("http://whoami.localhost/", {
      connection: "close, x-secret",
      "x-secret": "for the gateway only",
      "proxy-authorization": "Basic eA==",
      te: "trailers",
    });
    assert.doesNotMatch(body, /^(X-Secret|Proxy-Authorization|Keep-Alive|Connection: close)/m);
  });

  test("the dashboard is reached through the Gateway, with the routes it serves", async () => {
    const page = await cluster.get("http://traefik.localhost/dashboard/");
    // On a cluster of somebody's it has no route: it asks nobody for a password.
    if (cluster.flags?.includes("--context")) return assert.equal(page.status, 404);
    assert.equal(page.status, 200);
    assert.match(String(page.headers["content-type"]), /^text\/html/);
    const routers = JSON.parse((await cluster.get("http://traefik.localhost/api/http/routers")).body) as {
      rule: string;
      status: string;
    }[];
    const rules = routers.map((router) => router.rule).join("\n");
    for (const host of ["whoami.localhost", "demo.localhost", "traefik.localhost"])
      assert.match(rules, new RegExp(`Host\\(["\`]${host}["\`]\\)`));
    const services = JSON.parse((await cluster.get("http://traefik.localhost/api/http/services")).body) as {
      loadBalancer?: { servers?: { url: string }[] };
    }[];
    assert.ok(services.some((service) => (service.loadBalancer?.servers ?? []).length === 2));
  });

  const notFromHere = "GATEHOUSE_TEST_FLAGS does not say with which flags gatehouse installed the demo";

  test("gatehouse status: everything is ready, as text and as data", async (t) => {
    const { flags } = cluster;
    if (!flags) return t.skip(notFromHere);
    const text = await cluster.gatehouse("status", ...flags);
    assert.equal(text.code, 0, text.stdout + text.stderr);
    assert.match(text.stdout, /traefik\/traefik-gateway +traefik +\S+ +yes +[23]$/m);
    assert.match(text.stdout, /Everything is ready\./);
    const data = JSON.parse((await cluster.gatehouse("status", ...flags, "-o", "json")).stdout) as {
      provider: string;
      ready: boolean;
      pods: { namespace: string; ready: boolean }[];
      routes: { name: string; parents: { accepted: boolean }[] }[];
      memory?: { mebibytes: number };
    };
    assert.equal(data.ready, true);
    const demo = data.pods.filter(({ namespace }) => ["demo", "traefik"].includes(namespace));
    assert.equal(demo.length, 5);
    assert.deepEqual(data.routes.map((route) => route.name).toSorted(), [
      ...(flags.includes("--context") ? [] : ["traefik-dashboard"]),
      "whoami-host",
      "whoami-path",
    ]);
    if (data.provider === "embedded") assert.ok((data.memory?.mebibytes ?? 0) > 0);
    else assert.equal(data.memory, undefined, "it is not this machine's");
  });

  test("gatehouse status names what is not ready and why, with exit code 1", async (t) => {
    const { flags } = cluster;
    if (!flags) return t.skip(notFromHere);
    const manifest = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "unknown-image", namespace: "default" },
      spec: { containers: [{ name: "x", image: "example.com/not-built-in:1" }] },
    };
    await applyText(cluster, JSON.stringify(manifest));
    const status = await eventually(async () => {
      const result = await cluster.gatehouse("status", ...flags);
      assert.match(result.stdout, /pod\/default\/unknown-image: (ErrImagePull|ImagePullBackOff): \S/);
      if (cluster.provider === "embedded") assert.match(result.stdout, /unknown-image: .*built in/);
      return result;
    });
    assert.equal(status.code, 1);
    await cluster.gatehouse("delete", "pod", "unknown-image", "-n", "default", "--context", cluster.context);
  });
});

async function applyText(cluster: TestCluster, text: string): Promise<void> {
  const { run, gatehouseProgram } = await import("./test-cluster.ts");
  const result = await run(
    gatehouseProgram,
    ["apply", "--context", cluster.context, "-f", "-"],
    cluster.environment,
    text,
  );
  assert.equal(result.code, 0, result.stderr);
}
