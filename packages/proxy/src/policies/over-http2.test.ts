// What routes and services ask for holds whatever version clients and endpoints speak.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Filter, RouteAction, Service } from "../routing-table.ts";
import { answerWith, startHttpBackend } from "../testing/http-backend.ts";
import { startHttp2Backend } from "../testing/http2-backend.ts";
import type { Http2Backend } from "../testing/http2-backend.ts";
import { ask, withSession } from "../testing/http2-client.ts";
import { exchangeBytes, until } from "../testing/sockets.ts";
import { service } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";

const post = (body: string): string =>
  `POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;

const h2c = (id: string, ports: number[]): Service => ({ ...service(id, ports), protocol: "h2c" });

const forwardTo = (id: string): RouteAction => ({
  type: "forward",
  backends: [{ service: id, weight: 1, filters: [] }],
});

/** Answers with statuses in turn, the last one from then on; the body is what was sent. */
async function inTurn(...statuses: number[]): Promise<Http2Backend & { bodies: string[] }> {
  const bodies: string[] = [];
  const backend = await startHttp2Backend((stream) => {
    let body = "";
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => (body += text));
    stream.on("end", () => {
      const status = statuses[bodies.push(body) - 1] ?? statuses.at(-1);
      stream.respond({ ":status": status });
      stream.end(`got ${body}`);
    });
  });
  return Object.assign(backend, { bodies });
}

describe("endpoints over HTTP/2", () => {
  it("are tried again, with the body", async () => {
    const backend = await inTurn(503, 503, 200);
    await withProxy(
      [h2c("s", [backend.port])],
      async ({ port, records }) => {
        assert.match(await exchangeBytes(port, post("hello")), /^HTTP\/1\.1 200 [^]*got hello/);
        assert.equal(records[0]!.retries, 2);
      },
      { route: { retry: { statuses: [503], attempts: 2, backoff: 0 } } },
    );
    assert.deepEqual(backend.bodies, ["hello", "hello", "hello"]);
    await backend.close();
  });

  it("are mirrors, and are checked", async () => {
    const [main, mirror] = [await inTurn(200), await inTurn(200)];
    const filters: Filter[] = [{ type: "mirror", service: "m" }];
    const healthCheck = { path: "/", interval: 1, timeout: 1_000, unhealthyAfter: 1, healthyAfter: 1 };
    await withProxy(
      [h2c("s", [main.port]), { ...h2c("m", [mirror.port]), healthCheck }],
      async ({ port, proxy }) => {
        assert.match(await exchangeBytes(port, post("hello")), /got hello/);
        await until(() => proxy.stats().services["m"]!.mirrored.answered === 1);
        const checks = mirror.bodies.length;
        await until(() => mirror.bodies.length > checks + 2);
        assert.equal(proxy.stats().endpoints[`127.0.0.1:${mirror.port}`]!.failedChecks, 0);
      },
      { route: { filters, action: forwardTo("s") } },
    );
    assert.ok(mirror.bodies.includes("hello"));
    await main.close();
    await mirror.close();
  });

  it("are given so many requests at a time and no more", async () => {
    const open: { end: () => void }[] = [];
    const backend = await startHttp2Backend((stream) => {
      open.push({
        end: () => {
          stream.respond({ ":status": 200 });
          stream.end("x");
        },
      });
    });
    await withProxy([{ ...h2c("s", [backend.port]), limits: { connections: 2, queue: 1 } }], async (setup) => {
      const active = (): number => setup.proxy.stats().services["s"]!.active;
      const answers: Promise<string>[] = [];
      for (const count of [1, 2, 3]) {
        answers.push(exchangeBytes(setup.port, post("")));
        await until(() => active() === count);
      }
      assert.match(await exchangeBytes(setup.port, post("")), /^HTTP\/1\.1 503 /);
      await until(() => open.length === 2);
      for (const count of [3, 3, 3]) {
        open.shift()!.end();
        if (answers.length > 2) await until(() => open.length === count - 1);
        await answers.shift();
      }
    });
    await backend.close();
  });

  it("say whether requests may pass, over gRPC", async () => {
    let message = "0a00";
    const paths: string[] = [];
    const auth = await startHttp2Backend((stream, headers) => {
      paths.push(headers[":path"]!);
      stream.resume();
      stream.on("end", () => {
        const bytes = Buffer.from(message, "hex");
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, bytes.length]), bytes]));
      });
    });
    const backend = await startHttpBackend((response, { body }) => answerWith(response, 200, body));
    const filters: Filter[] = [
      {
        type: "externalAuth",
        service: "auth",
        protocol: "grpc",
        path: "",
        allowedHeaders: [],
        allowedResponseHeaders: [],
        maxBodyBytes: 9,
      },
    ];
    await withProxy(
      [service("s", [backend.port]), h2c("auth", [auth.port])],
      async ({ port, records }) => {
        assert.match(await exchangeBytes(port, post("hello")), /^HTTP\/1\.1 200 [^]*hello$/);
        message = "0a020807";
        assert.match(await exchangeBytes(port, post("hello")), /^HTTP\/1\.1 403 /);
        await auth.close();
        assert.match(await exchangeBytes(port, post("hello")), /^HTTP\/1\.1 503 /);
        assert.match(records[2]!.reason, /^external-auth-failed: /);
      },
      { route: { filters, action: forwardTo("s") } },
    );
    assert.deepEqual(
      paths,
      Array.from({ length: 2 }, () => "/envoy.service.auth.v3.Authorization/Check"),
    );
    assert.equal(backend.requests.length, 1);
    await backend.close();
  });
});

describe("clients over HTTP/2", () => {
  it("have their preflights answered", async () => {
    const cors: Filter = {
      type: "cors",
      allowOrigins: ["https://a.test"],
      allowCredentials: false,
      allowMethods: ["PUT"],
      allowHeaders: [],
      exposeHeaders: [],
      maxAge: 5,
    };
    const run = ({ port }: { port: number }): Promise<void> =>
      withSession(port, async (session) => {
        const asked = { ":method": "OPTIONS", origin: "https://a.test", "access-control-request-method": "PUT" };
        const { status, headers } = await ask(session, asked);
        assert.deepEqual([status, headers["access-control-allow-methods"]], [204, "PUT"]);
      });
    await withProxy([service("s", [1])], run, { route: { filters: [cors] } });
  });

  it("have their bodies gathered, refused when too long, and sent again", async () => {
    let count = 0;
    const backend = await startHttpBackend((response, { body }) =>
      answerWith(response, count++ % 2 === 0 ? 503 : 200, `got ${body}`),
    );
    const retry = { statuses: [503], attempts: 1, backoff: 0 };
    await withProxy(
      [service("s", [backend.port])],
      ({ port, records }) =>
        withSession(port, async (session) => {
          const whole = await ask(session, { ":method": "POST" }, "hello");
          assert.deepEqual([whole.status, whole.body], [200, "got hello"]);
          const long = await ask(session, { ":method": "POST" }, "hello world");
          assert.equal(long.status, 413);
          const declared = await ask(session, { ":method": "POST", "content-length": 11 }, "hello world");
          assert.equal(declared.status, 413);
          assert.deepEqual(
            records.map(({ reason }) => reason),
            ["", "request-body-too-long", "request-body-too-long"],
          );
        }),
      { route: { retry, filters: [{ type: "buffer", maxBytes: 5 }] } },
    );
    assert.deepEqual(
      backend.requests.map(({ headers }) => headers["content-length"]),
      ["5", "5"],
    );
    await backend.close();
  });

  it("keep their sessions", async () => {
    const [a, b] = [
      await startHttpBackend((response) => answerWith(response, 200, "A")),
      await startHttpBackend((response) => answerWith(response, 200, "B")),
    ];
    await withProxy(
      [service("s", [a.port, b.port])],
      ({ port }) =>
        withSession(port, async (session) => {
          const first = await ask(session, {});
          const cookie = first.headers["set-cookie"]![0]!.split(";")[0]!;
          for (let each = 0; each < 3; each++) {
            assert.equal((await ask(session, { cookie: ["x=1", cookie] })).body, first.body);
          }
        }),
      { route: { sessionPersistence: { type: "cookie", name: "s" } } },
    );
    await a.close();
    await b.close();
  });
});
