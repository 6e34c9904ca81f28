// The image traefik/whoami as a real process on a real socket.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { type RunningImage, runImage } from "./testing.ts";

let image: RunningImage;
before(async () => {
  image = await runImage("traefik/whoami", ["80/tcp"], { args: ["-name", "v1"], environment: { SECRET: "a<b" } });
});
after(() => image.close());

test("answers with itself and the request as Go prints it", async () => {
  const { response, body } = await image.send({
    path: "/v1/x?y=1",
    headers: { host: "demo.localhost", "x-forwarded-for": "10.0.0.1", "User-agent": "curl/8", "A-b": ["2", "1"] },
  });
  const lines = body.split(/\r?\n/);
  assert.match(lines[3] ?? "", /^RemoteAddr: 127\.0\.0\.1:\d+$/);
  lines.splice(3, 1);
  assert.deepEqual(lines, [
    "Name: v1",
    "Hostname: pod-1",
    "IP: 127.0.0.1",
    "GET /v1/x?y=1 HTTP/1.1",
    "Host: demo.localhost",
    "User-Agent: curl/8",
    "A-B: 2",
    "A-B: 1",
    "Connection: close",
    "X-Forwarded-For: 10.0.0.1",
    "",
    "",
  ]);
  assert.equal(response.headers["content-type"], "text/plain; charset=utf-8");
});

test("prints a body with its framing: length, chunks, or nothing for a GET", async () => {
  const post = await image.send({ method: "POST", headers: { "content-length": 5 } }, "hello");
  assert.match(post.body, /\r\nContent-Length: 5\r\n[^]*\r\n\r\nhello$/);
  const chunked = await image.send({ method: "PUT", headers: { "transfer-encoding": "chunked" } }, "hello");
  assert.match(chunked.body, /\r\nTransfer-Encoding: chunked\r\n[^]*\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/);
  assert.doesNotMatch((await image.send({})).body, /Content-Length/);
});

test("shows its environment only when asked", async () => {
  assert.match((await image.send({ path: "/?env=true" })).body, /^SECRET=a<b$/m);
  assert.doesNotMatch((await image.send({ path: "/?env=false" })).body, /SECRET/);
  assert.doesNotMatch((await image.send({ path: "/api" })).body, /SECRET/);
  assert.match((await image.send({ path: "/api?env=1" })).body, /"SECRET":"a\\u003cb"/);
});

test("/api tells the same as JSON", async () => {
  const { response, body } = await image.send({ path: "/api?x", headers: { host: "h", "x-b": "1" } });
  const { remoteAddr, ...rest } = JSON.parse(body) as Record<string, unknown>;
  assert.match(String(remoteAddr), /^127\.0\.0\.1:\d+$/);
  assert.deepEqual(rest, {
    hostname: "pod-1",
    ip: ["127.0.0.1"],
    headers: { Connection: ["close"], "X-B": ["1"] },
    url: "/api?x",
    host: "h",
    method: "GET",
    name: "v1",
  });
  assert.equal(response.headers["content-type"], "application/json");
});

test("/data has the asked size between two bars", async () => {
  const cases: [string, string | number][] = [
    ["size=5", "|ABC|"],
    ["size=30", "|ABCDEFGHIJKLMNOPQRSTUVWXYZ-A|"],
    ["size=1", ""],
    ["size=-3", ""],
    ["size=nonsense", ""],
    ["size=200&unit=KB", 200 * 1024],
  ];
  for (const [query, expected] of cases) {
    const { body } = await image.send({ path: `/data?${query}` });
    if (typeof expected === "string") assert.equal(body, expected, query);
    else assert.match(body.slice(-3), /^..\|$/, query);
    if (typeof expected === "number") assert.equal(body.length, expected, query);
  }
});

test("/health answers as it was told to, and refuses nonsense", async () => {
  const status = async (method: string, body?: string): Promise<number | undefined> =>
    (await image.send({ method, path: "/health" }, body)).response.statusCode;
  assert.equal(await status("GET"), 200);
  assert.equal(await status("POST", "503"), 200);
  assert.equal(await status("GET"), 503);
  assert.equal(await status("POST", '"no"'), 400);
  assert.equal(await status("GET"), 503);
  assert.equal(await status("POST", "200"), 200);
});

test("/echo sends WebSocket messages back", async () => {
  const key = randomBytes(16).toString("base64");
  const socket = connect(image.port, "127.0.0.1");
  socket.write(
    `GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  );
  const [head] = (await once(socket, "data")) as [Buffer];
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  assert.match(head.toString(), /^HTTP\/1\.1 101 /);
  assert.ok(head.toString().includes(`Sec-WebSocket-Accept: ${accept}\r\n`));
  // "Hello", masked: the example of RFC 6455, 5.7, cut in two.
  socket.write(Buffer.from("818537fa213d7f9f", "hex"));
  socket.write(Buffer.from("4d5158", "hex"));
  assert.equal(((await once(socket, "data")) as [Buffer])[0].toString("hex"), "810548656c6c6f");
  socket.write(Buffer.from("8882000000000388".replace("0388", "03e8"), "hex"));
  assert.equal(((await once(socket, "data")) as [Buffer])[0].toString("hex"), "880203e8");
  socket.destroy();
});

test("an unmasked WebSocket frame ends the connection with 1002", async () => {
  const socket = connect(image.port, "127.0.0.1");
  socket.write(
    "GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: eA==\r\n\r\n",
  );
  await once(socket, "data");
  socket.write(Buffer.from("810548656c6c6f", "hex"));
  assert.equal(((await once(socket, "data")) as [Buffer])[0].toString("hex"), "880203ea");
  await once(socket, "end");
  socket.destroy();
});

test("an upgrade that is not for /echo is answered like any request", async () => {
  const { response, body } = await image.send({ path: "/", headers: { connection: "Upgrade", upgrade: "h2c" } });
  assert.equal(response.statusCode, 200);
  assert.match(body, /^Upgrade: h2c\r$/m);
  assert.equal((await image.send({ path: "/echo" })).response.statusCode, 400);
});

test("announces its port like the original", () => {
  assert.match(
    readFileSync(image.log.path, "utf8"),
    /stderr F \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d Starting up on port 80$/m,
  );
});

test("an unknown flag ends it with 2", async () => {
  const failing = await runImage("traefik/whoami", ["80/tcp"], { args: ["-bogus"] });
  assert.equal((await failing.process.exited).exitCode, 2);
  await failing.log.end();
  assert.match(readFileSync(failing.log.path, "utf8"), /flag provided but not defined: -bogus/);
  await failing.close();
});

test("told to stop, it finishes what is under way, closes connections, and exits with 0", async () => {
  const stopping = await runImage("traefik/whoami", ["8080/tcp"], { environment: { WHOAMI_PORT_NUMBER: "8080" } });
  const slow = stopping.send({ path: "/?wait=300ms" });
  const { promise: received, resolve } = Promise.withResolvers<void>();
  // The slow request is under way when a later one has been answered.
  void stopping.send({}).then(() => resolve());
  await received;
  stopping.process.terminate();
  const { response } = await slow;
  assert.equal(response.statusCode, 200);
  assert.equal((await stopping.process.exited).exitCode, 0);
  await assert.rejects(stopping.send({}), /ECONNREFUSED/);
  await stopping.close();
});

test("while it drains it still takes requests, and asks to close", async () => {
  const stopping = await runImage("traefik/whoami", ["80/tcp"]);
  stopping.process.terminate();
  const answers = await Promise.all([0, 1, 2].map(() => stopping.send({ headers: { connection: "keep-alive" } })));
  for (const { response } of answers) assert.equal(response.statusCode, 200);
  assert.equal((await stopping.process.exited).exitCode, 0);
  await stopping.close();
});
