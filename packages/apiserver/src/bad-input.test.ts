// Clients that send too much, too slowly, or never anything: each gets a Status or a clean close, and nobody else notices.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { text } from "@gatehouse/apimachinery/api-client";
import { type ApiConnection, createApiConnection } from "@gatehouse/apimachinery/api-connection";
import { createLog } from "@gatehouse/apimachinery/log";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { BodyBudget } from "./http/body-budget.ts";
import { stateCopyPath } from "./storage/state-copy.ts";
import { startTestServer, type TestServer } from "./testing.ts";

const collection = "/api/v1/namespaces/default/configmaps";
const idleConnections = 300;

describe("bad input", () => {
  let server: TestServer;
  let connection: ApiConnection;
  const logged: string[] = [];
  const log = createLog("apiserver", (line) => void logged.push(line));

  before(async () => {
    server = await startTestServer({ tls: true, log });
    connection = await createApiConnection({
      server: server.url,
      certificateAuthority: server.ca,
      token: server.token,
    });
  });
  after(async () => {
    connection.close();
    await server.close();
  });

  const ask = async (method: string, path: string, body?: string, type = "application/json") => {
    const headers = { "content-type": type };
    const answer = await connection.request({ method, path, headers, ...(body === undefined ? {} : { body }) });
    return { code: answer.statusCode ?? 0, text: await text(answer) };
  };

  /** A socket of one's own; `head` and the bearer token are sent on it. */
  function open(head = "", options: object = {}): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const port = server.server.port;
      const socket = connect({ host: "127.0.0.1", port, ca: server.ca, ...options }, () => {
        if (head) socket.write(`${head}\r\nhost: x\r\nauthorization: Bearer ${server.token}\r\n`);
        resolve(socket);
      });
      socket.once("error", reject);
    });
  }

  /** Everything until the server closes, however it does. */
  function ending(socket: TLSSocket): Promise<string> {
    return new Promise((resolve) => {
      let received = "";
      socket.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
      socket.on("error", () => {});
      socket.on("close", () => resolve(received));
    });
  }

  const answers = async (): Promise<void> => assert.equal((await ask("GET", `${collection}?limit=1`)).code, 200);

  it("a body of more than 3 MiB is 413, with or without its length", async () => {
    const big = JSON.stringify({ data: { a: "x".repeat(3 * 1024 * 1024) } });
    const known = await open(`POST ${collection} HTTP/1.1`);
    known.write(`content-type: application/json\r\ncontent-length: ${big.length}\r\n\r\n${big}`);
    assert.match(await ending(known), /^HTTP\/1\.1 413 [^]*"reason":"RequestEntityTooLarge"/);
    const endless = await open(`POST ${collection} HTTP/1.1`);
    endless.write("content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n");
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const more = (): void => void (endless.destroyed || endless.write(chunk, () => setImmediate(more)));
    const closed = ending(endless);
    more();
    assert.match(await closed, /^HTTP\/1\.1 413 /);
    await answers();
  });

  it("deep nesting is 400 in every encoding", async () => {
    const deep = (open: string, close: string): string => open.repeat(100_000) + close.repeat(100_000);
    for (const [type, body] of [
      ["application/json", `{"data":${deep('{"a":', "}").replace(":}", ":1}")}}`],
      ["application/json", deep("[", "]")],
      ["application/yaml", deep("[", "]")],
      ["application/yaml", deep("{a: ", "}")],
      ["application/yaml", "- ".repeat(100_000)],
    ] as const) {
      const { code, text: answer } = await ask("POST", collection, body, type);
      assert.equal(code, 400, answer.slice(0, 200));
    }
  });

  it("a label selector of ten thousand requirements is answered, a URL beyond 256 KiB refused", async () => {
    const selector = Array.from({ length: 10_000 }, (_, index) => `k${index}!=v`).join(",");
    assert.equal((await ask("GET", `${collection}?labelSelector=${encodeURIComponent(selector)}`)).code, 200);
    const long = await open(`GET ${collection}?labelSelector=${"x".repeat(300_000)} HTTP/1.1`);
    assert.match(await ending(long), /^HTTP\/1\.1 431 /);
    await answers();
  });

  it("selectors of many spaces, or of anything else, take time in proportion", async () => {
    for (const unit of [" ", "\t", "a", "!", "=", "a=", "a ", "(", "a in (", "\\", ",", "a>", "-1"]) {
      const text = encodeURIComponent(unit.repeat(60_000 / unit.length)).slice(0, 200_000);
      for (const parameter of ["fieldSelector", "labelSelector"]) {
        const { code } = await ask("GET", `${collection}?${parameter}=${text}a`);
        assert.ok(code === 400 || code === 200, `${parameter} of ${JSON.stringify(unit)}: ${code}`);
      }
    }
  });

  it("names lead to no other path", async () => {
    for (const name of ["..", "%2e%2e", "..%2f..%2fstate.db", "a%2fb", "%00", "a%00b"]) {
      for (const path of [`${collection}/${name}`, `/api/v1/namespaces/${name}/configmaps`]) {
        const { code, text: answer } = await ask("GET", path);
        assert.ok(code === 404 || code === 400 || answer.includes('"items":[]'), `${path}: ${code} ${answer}`);
      }
      const metadata = { name: decodeURIComponent(name) };
      const created = await ask("POST", collection, JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata }));
      assert.equal(created.code, 422, `${name}: ${created.text}`);
    }
  });

  it("bodies take a bounded place, which is free again after each", async () => {
    const budget = new BodyBudget(10);
    budget.take(6);
    assert.throws(
      () => budget.take(5),
      (error) => error instanceof StatusError && error.code === 429 && error.status.details?.retryAfterSeconds === 1,
    );
    budget.give(6);
    budget.take(10);
    const large = `{${" ".repeat(3 * 1024 * 1024 - 10)}`;
    for (let sent = 0; sent < 100; sent++) assert.equal((await ask("POST", collection, large)).code, 400);
  });

  it("heads and bodies that do not end, watches that nobody reads, and idle connections hold nobody up", async () => {
    const sockets = await Promise.all([
      open("GET /api/v1/configmaps HTTP/1.1"),
      open(`POST ${collection} HTTP/1.1`).then((socket) => {
        socket.write("content-type: application/json\r\ncontent-length: 1000\r\n\r\n{");
        return socket;
      }),
      open("GET /api/v1/configmaps?watch=1 HTTP/1.1").then((socket) => {
        socket.write("\r\n");
        return socket.pause();
      }),
      ...Array.from({ length: idleConnections }, () => open()),
    ]);
    await answers();
    for (const socket of sockets) socket.on("error", () => {}).destroy();
    await answers();
  });

  it("TLS before 1.2 and plain HTTP get nowhere", async () => {
    await assert.rejects(open("", { maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" }));
    await assert.rejects(fetch(`http://127.0.0.1:${server.server.port}/version`));
  });

  it("strangers and false tokens are 401", async () => {
    const socket = await open();
    socket.write("GET /api/v1/secrets HTTP/1.1\r\nhost: x\r\nauthorization: Bearer wrong\r\nconnection: close\r\n\r\n");
    assert.match(await ending(socket), /^HTTP\/1\.1 401 [^]*"reason":"Unauthorized"/);
  });

  it("the copy of the state, with all Secrets in it, is for administrators and for nobody else", async () => {
    const jane = { user: "jane", groups: ["system:authenticated"] };
    const hers = await createApiConnection({ connect: () => server.connect(jane) });
    const refused = await hers.request({ method: "GET", path: stateCopyPath });
    hers.close();
    assert.equal(refused.statusCode, 403, await text(refused));
    const { code, text: copy } = await ask("GET", stateCopyPath);
    assert.equal(code, 200);
    assert.match(copy, /^SQLite format 3/);
  });

  it("what Secrets hold is in no line of the log, whatever goes wrong with them", async () => {
    const secret = "c3dvcmRmaXNoLWluLW5vLWxvZw==";
    const path = "/api/v1/namespaces/default/secrets";
    const body = (name: string, rest: object) =>
      JSON.stringify({ apiVersion: "v1", kind: "Secret", metadata: { name }, data: { password: secret }, ...rest });
    assert.equal((await ask("POST", path, body("kept", {}))).code, 201);
    assert.equal((await ask("POST", path, body("kept", {}))).code, 409);
    assert.equal((await ask("POST", path, body("Wrong Name", {}))).code, 422);
    assert.equal((await ask("POST", path, body("typed", { type: "kubernetes.io/tls" }))).code, 422);
    assert.equal((await ask("POST", path, `${body("cut", {})}}`)).code, 400);
    assert.equal(
      (await ask("PATCH", `${path}/kept`, `{"data":{"password":"${secret}`, "application/merge-patch+json")).code,
      400,
    );
    assert.ok(!logged.some((line) => line.includes(secret)), logged.join("\n"));
  });
});
