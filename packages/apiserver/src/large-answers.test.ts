// A connection that carries large bodies both ways, one right behind the other, over TLS.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { connect } from "node:tls";
import { configMaps } from "@gatehouse/apimachinery/types/core-v1";
import { startTestServer } from "./testing.ts";

test("a large request right behind a large answer is answered on the same connection", async (t) => {
  const server = await startTestServer({ tls: true });
  t.after(() => server.close());
  const large = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "large", namespace: "default" },
    data: { text: "x".repeat(900_000) },
  };
  await (await server.client()).create(configMaps, large);
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port), ca: server.ca });
  t.after(() => socket.destroy());
  await once(socket, "secureConnect");
  const path = "/api/v1/namespaces/default/configmaps";
  const headers = `Host: x\r\nAuthorization: Bearer ${server.token}\r\n`;
  const body = JSON.stringify({ ...large, metadata: { name: "second" } });
  const post = `POST ${path}?dryRun=All HTTP/1.1\r\n${headers}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  socket.write(`GET ${path}/large HTTP/1.1\r\n${headers}\r\n`);
  socket.write(post.slice(0, 20));
  setImmediate(() => socket.write(post.slice(20) + body));
  let answers = "";
  for await (const chunk of socket.setEncoding("latin1") as AsyncIterable<string>) {
    answers += chunk;
    if (/HTTP\/1\.1 201 Created/.test(answers)) break;
  }
  assert.match(answers, /^HTTP\/1\.1 200 OK/);
  assert.match(answers, /HTTP\/1\.1 201 Created/);
});
