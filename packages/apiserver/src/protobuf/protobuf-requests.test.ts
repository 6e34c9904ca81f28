// Protobuf bodies over HTTP: where they are read, and that answers are JSON.

import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { json } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { configMaps, namespaces, pods } from "@gatehouse/apimachinery/types/core-v1";
import { refusedWith, startTestServer, type TestServer } from "../testing.ts";
import { envelope, message } from "./wire-writer.fixture.ts";

interface Answer {
  code: number;
  contentType: string;
  body: Record<string, unknown>;
}

describe("requests in protobuf", () => {
  let server: TestServer;

  before(async () => {
    server = await startTestServer();
    const client = await server.client();
    await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "demo" } });
    await client.create(configMaps, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "old", namespace: "demo" },
      data: { a: "1" },
    });
  });

  after(() => server.close());

  async function send(method: string, path: string, body: Buffer): Promise<Answer> {
    const headers = {
      "content-type": "application/vnd.kubernetes.protobuf",
      // What typed Go clients send.
      accept: "application/vnd.kubernetes.protobuf,application/json",
      "content-length": body.length,
    };
    const call = request({ method, path, headers, createConnection: () => server.connect() });
    call.end(body);
    const [response] = (await once(call, "response")) as [IncomingMessage];
    return {
      code: response.statusCode ?? 0,
      contentType: response.headers["content-type"] ?? "",
      body: (await json(response)) as Record<string, unknown>,
    };
  }

  const collection = "/api/v1/namespaces/demo/configmaps";
  const named = (name: string) => message([1, name], [3, "demo"]);

  test("create, and get JSON back", async () => {
    const map = message([1, named("new")], [2, message([1, "key"], [2, "value"])]);
    const { code, contentType, body } = await send("POST", collection, envelope("v1", "ConfigMap", map));
    assert.equal(code, 201);
    assert.equal(contentType, "application/json");
    assert.deepEqual(body["data"], { key: "value" });
  });

  test("update", async () => {
    const map = message([1, named("old")], [2, message([1, "a"], [2, "2"])]);
    const { code, body } = await send("PUT", `${collection}/old`, envelope("v1", "ConfigMap", map));
    assert.equal(code, 200);
    assert.deepEqual(body["data"], { a: "2" });
  });

  test("delete with the preconditions of the body", async () => {
    const options = (uid: string) => envelope("v1", "DeleteOptions", message([2, message([1, uid])]));
    const refused = await send("DELETE", `${collection}/old`, options("another"));
    assert.equal(refused.code, 409);
    const client = await server.client();
    const { metadata } = await client.get(configMaps, "old", "demo");
    const deleted = await send("DELETE", `${collection}/old`, options(metadata.uid ?? ""));
    assert.equal(deleted.code, 200);
    await assert.rejects(client.get(configMaps, "old", "demo"), refusedWith(404));
  });

  test("evict a pod", async () => {
    const client = await server.client();
    await client.create(pods, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "demo" },
      spec: { containers: [{ name: "web", image: "x" }] },
    });
    const eviction = message([1, named("web")], [2, message([1, 0])]);
    const path = "/api/v1/namespaces/demo/pods/web/eviction";
    const { code, body } = await send("POST", path, envelope("policy/v1", "Eviction", eviction));
    assert.equal(code, 201, JSON.stringify(body));
    await assert.rejects(client.get(pods, "web", "demo"), refusedWith(404));
  });

  test("what cannot be read is refused with a Status", async () => {
    const cut = await send("POST", collection, envelope("v1", "ConfigMap", Buffer.from([0x0a, 0x05])));
    assert.deepEqual([cut.code, cut.body["kind"], cut.body["reason"]], [400, "Status", "BadRequest"]);
    const custom = await send("POST", collection, envelope("example.com/v1", "Thing", Buffer.alloc(0)));
    assert.deepEqual([custom.code, custom.body["reason"]], [415, "UnsupportedMediaType"]);
    const other = await send("POST", collection, envelope("v1", "Secret", Buffer.alloc(0)));
    assert.equal(other.code, 400);
    assert.match(String(other.body["message"]), /does not match the expected kind/);
  });
});
