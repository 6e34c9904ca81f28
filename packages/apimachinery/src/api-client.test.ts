import assert from "node:assert/strict";
import { type Duplex, duplexPair } from "node:stream";
import { test } from "node:test";
import { type ApiClient, createApiClient, text } from "./api-client.ts";
import { StatusError } from "./status-error.ts";
import { type Answer, type ScriptedServer, startScriptedServer } from "./testing/scripted-server.ts";
import { type Pod, pods } from "./types/core-v1.ts";
import { deployments } from "./types/apps-v1.ts";

async function withClient(answer: Answer, run: (client: ApiClient, server: ScriptedServer) => Promise<void>) {
  await using server = await startScriptedServer(answer);
  const client = await createApiClient({ server: server.url, token: "secret" });
  await run(client, server);
  client.close();
}

const pod = (name: string, extra = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "demo", ...extra },
  spec: { containers: [] },
});

const verbs: [
  what: string,
  call: (client: ApiClient) => Promise<unknown>,
  method: string,
  url: string,
  type?: string,
][] = [
  ["get", (c) => c.get(pods, "a", "demo"), "GET", "/api/v1/namespaces/demo/pods/a"],
  ["list everywhere", (c) => c.list(pods), "GET", "/api/v1/pods"],
  [
    "list with selectors",
    (c) =>
      c.list(pods, { namespace: "demo", labelSelector: "a in (b,c)", fieldSelector: "x=y", limit: 5, continue: "t" }),
    "GET",
    "/api/v1/namespaces/demo/pods?labelSelector=a+in+%28b%2Cc%29&fieldSelector=x%3Dy&limit=5&continue=t",
  ],
  ["create", (c) => c.create(pods, pod("a")), "POST", "/api/v1/namespaces/demo/pods", "application/json"],
  [
    "update",
    (c) => c.update(pods, pod("a"), { fieldManager: "m", dryRun: true, fieldValidation: "Strict" }),
    "PUT",
    "/api/v1/namespaces/demo/pods/a?fieldManager=m&dryRun=All&fieldValidation=Strict",
    "application/json",
  ],
  [
    "updateStatus",
    (c) => c.updateStatus(pods, pod("a")),
    "PUT",
    "/api/v1/namespaces/demo/pods/a/status",
    "application/json",
  ],
  [
    "patch",
    (c) => c.patch(deployments, { name: "a", namespace: "demo", subresource: "scale" }, "merge", { spec: {} }),
    "PATCH",
    "/apis/apps/v1/namespaces/demo/deployments/a/scale",
    "application/merge-patch+json",
  ],
  [
    "apply by force",
    (c) => c.patch(deployments, { name: "a", namespace: "demo" }, "apply", {}, { fieldManager: "m", force: true }),
    "PATCH",
    "/apis/apps/v1/namespaces/demo/deployments/a?fieldManager=m&force=true",
    "application/apply-patch+yaml",
  ],
  ["delete", (c) => c.delete(pods, "a", "demo"), "DELETE", "/api/v1/namespaces/demo/pods/a"],
  [
    "delete with options",
    (c) => c.delete(pods, "a", "demo", { gracePeriodSeconds: 0 }),
    "DELETE",
    "/api/v1/namespaces/demo/pods/a",
    "application/json",
  ],
];

for (const [what, call, method, url, contentType] of verbs) {
  test(`${what}: ${method} ${url}`, () =>
    withClient(
      () => [200, pod("a")],
      async (client, { requests }) => {
        await call(client);
        const [request] = requests;
        assert.deepEqual([request?.method, request?.url], [method, url]);
        assert.equal(request?.headers["content-type"], contentType);
        assert.equal(request?.headers.authorization, "Bearer secret");
      },
    ));
}

test("names are escaped, so that none can leave its path", () =>
  withClient(
    () => [200, {}],
    async (client, { requests }) => {
      await client.get(pods, "../a b", "x/y");
      assert.equal(requests[0]?.url, "/api/v1/namespaces/x%2Fy/pods/..%2Fa%20b");
    },
  ));

test("a Status answer is thrown as it came", () =>
  withClient(
    () => [
      404,
      { kind: "Status", reason: "NotFound", message: 'pods "a" not found', code: 404, details: { name: "a" } },
    ],
    async (client) => {
      await assert.rejects(client.get(pods, "a", "demo"), (error) => {
        assert.ok(error instanceof StatusError);
        assert.deepEqual([error.code, error.reason, error.message], [404, "NotFound", 'pods "a" not found']);
        assert.deepEqual(error.status.details, { name: "a" });
        return true;
      });
    },
  ));

test("a failure in other words keeps them", () =>
  withClient(
    (_, response) => void response.writeHead(502).end("bad gateway\n"),
    async (client) => {
      await assert.rejects(client.list(pods), { message: "bad gateway" });
    },
  ));

test("an answer that is no JSON is an error and not a crash", () =>
  withClient(
    (_, response) => void response.writeHead(200).end("<html>"),
    async (client) => {
      await assert.rejects(client.list(pods), SyntaxError);
    },
  ));

test("warnings of a write reach the caller, unescaped and each by itself", () =>
  withClient(
    (_, response) =>
      void response
        .setHeader("warning", ['299 - "first \\"quoted\\""', '299 - "second"'])
        .end(JSON.stringify(pod("a"))),
    async (client) => {
      const warnings: string[] = [];
      await client.update(pods, pod("a"), { onWarning: (warning) => warnings.push(warning) });
      assert.deepEqual(warnings, ['first "quoted"', "second"]);
    },
  ));

test("a watch yields events that arrive in any pieces, until the server ends it", () =>
  withClient(
    (_, response) => {
      const first = Buffer.from(`${JSON.stringify({ type: "ADDED", object: pod("größe") })}\n`);
      const cut = first.indexOf(0xc3) + 1;
      response.write(first.subarray(0, cut));
      setImmediate(() => {
        response.write(first.subarray(cut));
        response.end(`${JSON.stringify({ type: "DELETED", object: pod("b") })}\n`);
      });
      return undefined;
    },
    async (client, { requests }) => {
      const events: string[] = [];
      for await (const event of client.watch(pods, {
        namespace: "demo",
        resourceVersion: "7",
        sendInitialEvents: true,
      })) {
        events.push(`${event.type} ${event.object.metadata.name}`);
      }
      assert.deepEqual(events, ["ADDED größe", "DELETED b"]);
      assert.deepEqual(Object.fromEntries(requests[0]?.query ?? []), {
        watch: "true",
        allowWatchBookmarks: "true",
        resourceVersion: "7",
        sendInitialEvents: "true",
        resourceVersionMatch: "NotOlderThan",
      });
    },
  ));

test("an aborted watch ends quietly, a cut one throws", () =>
  withClient(
    (request, response) => {
      response.write(`${JSON.stringify({ type: "ADDED", object: pod("a") })}\n`, () => {
        if (request.query.get("fieldSelector") === "cut") response.destroy();
      });
      return undefined;
    },
    async (client) => {
      const abort = new AbortController();
      for await (const event of client.watch(pods, { signal: abort.signal })) {
        assert.equal(event.type, "ADDED");
        abort.abort();
      }
      await assert.rejects(async () => {
        for await (const event of client.watch(pods, { fieldSelector: "cut" })) assert.equal(event.type, "ADDED");
      });
    },
  ));

test("a refused watch throws the Status", () =>
  withClient(
    () => [410, { kind: "Status", reason: "Expired", message: "too old", code: 410 }],
    async (client) => {
      await assert.rejects(client.watch(pods, {}).next(), { reason: "Expired" });
    },
  ));

test("connections in memory are used and kept", async () => {
  await using server = await startScriptedServer((request) => [200, { path: request.path }]);
  const streams: Duplex[] = [];
  const client = await createApiClient({
    connect: () => {
      const [ours, theirs] = duplexPair();
      streams.push(ours);
      server.accept(theirs);
      return ours;
    },
  });
  const get = async (path: string) => assert.deepEqual(await client.json({ method: "GET", path }), { path });
  await get("/a");
  const listeners = streams[0]?.listenerCount("error");
  for (const path of ["/b", "/c", "/d"]) await get(path);
  assert.equal(streams.length, 1);
  assert.equal(streams[0]?.listenerCount("error"), listeners, "no listener is left behind by a request");
  client.close();
});

test("closing the client cuts no answer under way", () =>
  withClient(
    (_, response) => {
      response.write("first ");
      setImmediate(() => response.end("last"));
      return undefined;
    },
    async (client) => {
      const stream = await client.stream({ method: "GET", path: "/log" });
      client.close();
      assert.equal(await text(stream), "first last");
    },
  ));

test("a kept connection that the server has closed is replaced for a read", async () => {
  let closeAfter = false;
  await using server = await startScriptedServer((request, response) => {
    if (closeAfter && request.path === "/second" && server.requests.length === 2) {
      response.socket?.resetAndDestroy();
      return undefined;
    }
    return [200, { path: request.path }];
  });
  const client = await createApiClient({ server: server.url });
  await client.json({ method: "GET", path: "/first" });
  closeAfter = true;
  assert.deepEqual(await client.json({ method: "GET", path: "/second" }), { path: "/second" });
  assert.equal(server.requests.length, 3);
  client.close();
});

test("a write is never sent twice", async () => {
  await using server = await startScriptedServer((request, response) => {
    if (request.method === "POST") {
      response.socket?.resetAndDestroy();
      return undefined;
    }
    return [200, {}];
  });
  const client = await createApiClient({ server: server.url });
  await client.json({ method: "GET", path: "/first" });
  await assert.rejects(client.create(pods, pod("a")), { code: "ECONNRESET" });
  assert.equal(server.requests.filter((request) => request.method === "POST").length, 1);
  client.close();
});

test("without an address there is nothing to connect to", async () => {
  await assert.rejects(createApiClient({}), /no server address/);
});
