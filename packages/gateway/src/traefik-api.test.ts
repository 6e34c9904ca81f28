import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parseStaticConfiguration } from "./parse-static-configuration.ts";
import { createTraefikApi, type InternalParts, type TraefikApiSource } from "./traefik-api.ts";
import type { RouterView } from "./traefik-view.ts";

const router = (name: string, status: RouterView["status"]): RouterView => ({
  name: `${name}@kubernetesgateway`,
  provider: "kubernetesgateway",
  rule: `Host(\`${name}.localhost\`)`,
  priority: 1,
  priorityStr: "1",
  entryPoints: ["web"],
  using: ["web"],
  service: "s@kubernetesgateway",
  status,
});

let ready = true;
const dashboardDirectory = mkdtempSync(join(tmpdir(), "gatehouse-dashboard-"));
writeFileSync(join(dashboardDirectory, "index.html"), "<!doctype html><title>page</title>");
writeFileSync(join(dashboardDirectory, "app.js"), "export {};");
writeFileSync(join(dashboardDirectory, "notes.txt"), "not for the page");

const source: TraefikApiSource = {
  configuration: parseStaticConfiguration([
    "--entryPoints.web.address=:8000",
    "--entryPoints.traefik.address=:9000",
    "--api.insecure",
  ]).configuration,
  version: "1.2.3",
  startDate: new Date(0),
  view: () => ({
    http: {
      routers: [router("a", "enabled"), router("b", "disabled"), router("c", "warning")],
      services: [],
      middlewares: [],
    },
    tcp: { routers: [router("t", "warning")], services: [], middlewares: [] },
    udp: { routers: [], services: [] },
  }),
  stats: () => ({
    requests: 0,
    listeners: {},
    routes: {},
    services: {},
    endpoints: {},
    streams: {},
    streamServices: {},
  }),
  isReady: () => ready,
  addressesOf: () => ["127.0.0.1:8000"],
  dashboardDirectory,
};

const servers = new Map<string, ReturnType<typeof createTraefikApi>>();
async function open(name: string, parts: InternalParts): Promise<void> {
  const server = createTraefikApi(source, parts);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.set(name, server);
}
function portOf(name: string): number {
  const address = servers.get(name)?.address();
  assert.ok(address && typeof address === "object");
  return address.port;
}
const ask = (path: string, server = "all", init: RequestInit = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${portOf(server)}${path}`, {
    redirect: "manual",
    ...init,
  });

before(async () => {
  await open("all", { api: true, ping: true, metrics: true });
  await open("ping", { api: false, ping: true, metrics: false });
});
after(() => {
  for (const server of servers.values()) server.close().closeAllConnections();
});

test("ping is OK only while the gateway is ready", async () => {
  assert.equal((await ask("/ping")).status, 200);
  ready = false;
  assert.equal((await ask("/ping")).status, 503);
  ready = true;
});

test("an entrypoint that is not insecure answers ping and nothing else", async () => {
  assert.equal((await ask("/ping", "ping")).status, 200);
  for (const path of ["/api/version", "/api/http/routers", "/dashboard/", "/", "/metrics"]) {
    assert.equal((await ask(path, "ping")).status, 404, path);
  }
});

test("lists are filtered and cut into pages as in Traefik", async () => {
  const names = async (query: string): Promise<[string[], string | null]> => {
    const response = await ask(`/api/http/routers${query}`);
    const list = (await response.json()) as RouterView[];
    return [list.map(({ name }) => name[0] ?? ""), response.headers.get("x-next-page")];
  };
  assert.deepEqual(await names(""), [["a", "b", "c"], "1"]);
  assert.deepEqual(await names("?per_page=2"), [["a", "b"], "2"]);
  assert.deepEqual(await names("?per_page=2&page=2"), [["c"], "1"]);
  assert.deepEqual(await names("?status=disabled"), [["b"], "1"]);
  assert.deepEqual(await names("?search=C.localhost"), [["c"], "1"]);
  assert.equal((await ask("/api/http/routers?page=9")).status, 400);
  assert.equal((await ask("/api/http/routers?page=x")).status, 400);
});

test("TCP and UDP have lists of their own, and UDP no middlewares", async () => {
  const list = async (path: string) => (await (await ask(path)).json()) as { name: string }[];
  assert.deepEqual(
    (await list("/api/tcp/routers")).map(({ name }) => name),
    ["t@kubernetesgateway"],
  );
  assert.deepEqual(await list("/api/tcp/routers?search=none"), []);
  assert.deepEqual(await list("/api/tcp/routers?status=enabled"), []);
  assert.deepEqual(await list("/api/tcp/middlewares"), []);
  assert.deepEqual(await list("/api/udp/routers"), []);
  assert.equal((await ask("/api/tcp/routers/t%40kubernetesgateway")).status, 200);
  const missing = await ask("/api/tcp/routers/a%40kubernetesgateway");
  assert.equal(missing.status, 404);
  assert.deepEqual(await missing.json(), { message: "router not found: a@kubernetesgateway" });
  for (const path of [
    "/api/udp/routers/t%40kubernetesgateway",
    "/api/udp/middlewares",
    "/api/tcp",
    "/api/sctp/routers",
  ]) {
    assert.equal((await ask(path)).status, 404, path);
  }
});

test("single objects are found by their name, others are 404", async () => {
  assert.equal(
    ((await (await ask("/api/http/routers/a%40kubernetesgateway")).json()) as RouterView).rule,
    "Host(`a.localhost`)",
  );
  assert.equal(((await (await ask("/api/entrypoints/web")).json()) as { address: string }).address, ":8000/tcp");
  for (const path of [
    "/api/http/routers/none",
    "/api/http/constructor",
    "/api/entrypoints/none",
    "/api/nothing",
    "/api/version/x",
  ]) {
    assert.equal((await ask(path)).status, 404, path);
  }
  assert.equal((await ask("/api/http/routers/%ff")).status, 400);
});

test("the overview counts by status", async () => {
  const overview = (await (await ask("/api/overview")).json()) as Record<string, unknown>;
  const none = { total: 0, warnings: 0, errors: 0 };
  assert.deepEqual(overview.http, { routers: { total: 3, warnings: 1, errors: 1 }, services: none, middlewares: none });
  assert.deepEqual(overview.tcp, { routers: { total: 1, warnings: 1, errors: 0 }, services: none, middlewares: none });
  assert.deepEqual(overview.udp, { routers: none, services: none });
});

test("the raw data has what there is of each protocol under Traefik's names", async () => {
  const raw = (await (await ask("/api/rawdata")).json()) as Record<string, Record<string, unknown>>;
  assert.deepEqual(Object.keys(raw), ["routers", "services", "middlewares", "tcpRouters"]);
  assert.deepEqual(Object.keys(raw["tcpRouters"] ?? {}), ["t@kubernetesgateway"]);
});

test("the dashboard is served with a policy that allows its own files only", async () => {
  const root = await ask("/");
  assert.equal(root.status, 301);
  assert.match(root.headers.get("location") ?? "", /^http:\/\/127\.0\.0\.1:\d+\/dashboard\/$/);
  const bare = await ask("/dashboard");
  assert.deepEqual([bare.status, bare.headers.get("location")], [302, "/dashboard/"]);
  const page = await ask("/dashboard/");
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'; script-src 'self';/);
  assert.doesNotMatch(page.headers.get("content-security-policy") ?? "", /unsafe/);
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  assert.equal((await ask("/dashboard/app.js")).headers.get("content-type"), "text/javascript; charset=utf-8");
});

for (const path of [
  "/dashboard/notes.txt",
  "/dashboard/..%2findex.html",
  "/dashboard/.hidden.js",
  "/dashboard/none.js",
  "/dashboard/a/app.js",
]) {
  test(`${path} is not served`, async () => assert.equal((await ask(path)).status, 404));
}

test("a target that is no path is refused, and nothing breaks", async () => {
  const status = await new Promise<number>((resolve, reject) => {
    request({ host: "127.0.0.1", port: portOf("all"), path: "//" }, (response) =>
      resolve(response.resume().statusCode ?? 0),
    )
      .on("error", reject)
      .end();
  });
  assert.equal(status, 400);
  assert.equal((await ask("/ping")).status, 200);
});

test("only reading is allowed", async () => {
  const response = await ask("/api/version", "all", { method: "POST", body: "x" });
  assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
});
