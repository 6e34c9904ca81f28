// External authorization (GEP-1494) over HTTP and over gRPC: what the service is asked, and what its answers do.

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import type { ExternalAuth, Filter, Service } from "../routing-table.ts";
import { answerWith, startHttpBackend } from "../testing/http-backend.ts";
import type { HttpBackend, ReceivedRequest } from "../testing/http-backend.ts";
import { answering, closedPort, exchangeBytes, ok, RawClient, startBackend, until } from "../testing/sockets.ts";
import { listener, route, service, table } from "../testing/tables.ts";
import { createProxy } from "../proxy.ts";
import { withProxy } from "../testing/with-proxy.ts";
import type { Setup, Variations } from "../testing/with-proxy.ts";
import { lastBytes, lastValue, readWire } from "./protobuf-wire.ts";

const authBy = (more: Partial<ExternalAuth>): ExternalAuth => ({
  type: "externalAuth",
  service: "auth",
  protocol: "http",
  path: "",
  allowedHeaders: [],
  allowedResponseHeaders: [],
  maxBodyBytes: 0,
  ...more,
});

interface Asked extends Setup {
  /** What reached the backend. */
  backend: HttpBackend;
}

/** A route to `s` behind `filter`, asked of `auth`. */
async function behind(
  auth: Partial<Service> & { port?: number },
  filters: Filter[],
  run: (setup: Asked) => Promise<void>,
  more: Variations = {},
): Promise<void> {
  const backend = await startHttpBackend((response, { body }) => answerWith(response, 200, `served ${body}`));
  const services = [
    service("s", [backend.port]),
    { ...service("auth", auth.port === undefined ? [] : [auth.port]), ...auth },
  ];
  const action = { type: "forward" as const, backends: [{ service: "s", weight: 1, filters: [] }] };
  try {
    await withProxy(services, (setup) => run({ ...setup, backend }), {
      ...more,
      route: { action, filters, ...more.route },
    });
  } finally {
    await backend.close();
  }
}

const request = (lines = "", method = "GET", body = ""): string =>
  `${method} /x/../y?q=1 HTTP/1.1\r\nHost: a.test:80\r\n${lines}Connection: close\r\n\r\n${body}`;

/** An auth service over HTTP. */
const authService = (answer: (response: ServerResponse, request: ReceivedRequest) => void): Promise<HttpBackend> =>
  startHttpBackend(answer);

describe("over HTTP", () => {
  it("shows what is essential, nothing else, and lets 200 pass", async () => {
    const auth = await authService((response) => answerWith(response, 200, "ignored"));
    await behind(auth, [authBy({ path: "/check/" })], async ({ port, backend, records }) => {
      const lines = "Authorization: Bearer t\r\nCookie: c\r\nX-Other: 1\r\nContent-Length: 5\r\n";
      assert.match(await exchangeBytes(port, request(lines, "POST", "hello")), /^HTTP\/1\.1 200 [^]*served hello$/);
      const { method, url, headers, body } = auth.requests[0]!;
      assert.deepEqual([method, url, body], ["POST", "/check/y?q=1", ""]);
      assert.deepEqual(headers, { host: "a.test:80", authorization: "Bearer t", "content-length": "0" });
      assert.equal(backend.requests[0]!.headers.cookie, "c");
      assert.equal(records[0]!.reason, "");
    });
    await auth.close();
  });

  it("shows further headers by name; those on forwarding are not the client's to make up", async () => {
    const auth = await authService((response) => answerWith(response, 200));
    const filter = authBy({
      allowedHeaders: ["X-Other", "cookie", "X-Forwarded-For", "Content-Length", "Host", "X-Hop"],
    });
    await behind(auth, [filter], async ({ port }) => {
      const lines =
        "x-other: 1\r\nX-Other: 2\r\nX-Forwarded-For: 6.6.6.6\r\nX-Hop: 1\r\nConnection: X-Hop\r\nX-Secret: 1\r\n";
      await exchangeBytes(port, request(lines));
      const { host, "x-other": other, "x-forwarded-for": from, ...rest } = auth.requests[0]!.headers;
      assert.deepEqual([host, other, from], ["a.test:80", "1, 2", "127.0.0.1"]);
      assert.deepEqual(rest, { "content-length": "0" });
    });
    await auth.close();
  });

  it("gives any other answer to the client", async () => {
    const cases: [status: number, expected: string][] = [
      [401, "401 Unauthorized"],
      [403, "403 Forbidden"],
      [302, "302 Found"],
      [500, "500 Internal Server Error"],
      [204, "403 Forbidden"],
      [206, "403 Forbidden"],
    ];
    for (const [status, expected] of cases) {
      const auth = await authService((response) => {
        response.writeHead(status, { "WWW-Authenticate": "Basic", "Content-Type": "text/html", Location: "/login" });
        response.end(status === 204 ? undefined : "<p>no");
      });
      await behind(auth, [authBy({})], async ({ port, backend, records, proxy }) => {
        const got = await exchangeBytes(port, request());
        assert.match(
          got,
          new RegExp(
            `^HTTP/1\\.1 ${expected}\r\nContent-Type: text/html\r\n`.slice(0, status === 204 ? 25 : undefined),
          ),
        );
        assert.match(got, /\r\nwww-authenticate: Basic\r\nlocation: \/login\r\n/);
        if (status !== 204) assert.match(got, /\r\nContent-Length: 5\r\n[^]*\r\n\r\n<p>no$/);
        assert.equal(backend.requests.length, 0);
        const [record] = records;
        assert.deepEqual([record!.reason, record!.service, record!.endpoint], ["external-auth-denied", "", ""]);
        assert.equal(proxy.stats().services["s"]!.requests, 0);
      });
      await auth.close();
    }
  });

  it("takes listed headers of the answer into the request, in place of the client's", async () => {
    const auth = await authService((response) => {
      response
        .writeHead(200, { "X-User": "alice", "X-More": "1", Connection: "X-Hop", "X-Hop": "1", "Content-Length": 0 })
        .end();
    });
    const filter = authBy({ allowedResponseHeaders: ["x-user", "X-Role", "Host", "Content-Length", "X-Hop"] });
    await behind(auth, [filter], async ({ port, backend }) => {
      await exchangeBytes(port, request("X-User: mallory\r\nx-role: admin\r\nX-More: 0\r\nX-Hop: 0\r\n"));
      const { headers } = backend.requests[0]!;
      assert.deepEqual([headers["x-user"], headers["x-role"], headers["x-more"]], ["alice", undefined, "0"]);
      assert.deepEqual(
        [headers.host, headers["content-length"], headers["x-hop"]],
        ["a.test:80", undefined, undefined],
      );
    });
    await auth.close();
  });

  it("takes all headers without a list, but none that are about the answer itself", async () => {
    const auth = await authService((response) => {
      const fields = { "X-User": "alice", Authority: "evil", "Content-Type": "text/evil", "Content-Encoding": "gzip" };
      response.writeHead(200, { ...fields, "Content-Length": 2 }).end("ok");
    });
    await behind(auth, [authBy({})], async ({ port, backend }) => {
      const lines = "x-user: mallory\r\nContent-Type: text/plain\r\nContent-Length: 1\r\nAuthority: x\r\n";
      assert.match(await exchangeBytes(port, request(lines, "POST", "b")), /served b$/);
      const { headers } = backend.requests[0]!;
      assert.deepEqual(
        [headers["x-user"], headers["content-type"], headers["content-encoding"], headers["authority"]],
        ["alice", "text/plain", undefined, "x"],
      );
    });
    await auth.close();
  });

  it("shows the body up to the bound, and refuses longer ones", async () => {
    const auth = await authService((response, { body }) => answerWith(response, body === "hello" ? 200 : 403));
    await behind(auth, [authBy({ maxBodyBytes: 5 })], async ({ port, backend }) => {
      const chunked = "Transfer-Encoding: chunked\r\n";
      assert.match(await exchangeBytes(port, request("Content-Length: 5\r\n", "POST", "hello")), /served hello$/);
      assert.match(await exchangeBytes(port, request(chunked, "POST", "5\r\nhello\r\n0\r\n\r\n")), /served hello$/);
      assert.match(await exchangeBytes(port, request("Content-Length: 5\r\n", "POST", "other")), /^HTTP\/1\.1 403 /);
      assert.match(await exchangeBytes(port, request("Content-Length: 6\r\n", "POST", "hello!")), /^HTTP\/1\.1 413 /);
      assert.match(await exchangeBytes(port, request(chunked, "POST", "6\r\nhello!\r\n0\r\n\r\n")), /^HTTP\/1\.1 413 /);
      assert.deepEqual(
        auth.requests.map(({ headers }) => headers["content-length"]),
        ["5", "5", "5"],
      );
      assert.equal(backend.requests.length, 2);
    });
    await auth.close();
  });

  it("streams a body that it need not show, and asks before it is read", async () => {
    const auth = await authService((response) => answerWith(response, 200));
    await behind(auth, [authBy({})], async ({ port, backend }) => {
      const client = new RawClient(port).send(request("Content-Length: 10\r\n", "POST", "hello"));
      await until(() => auth.requests.length === 1);
      client.send("world");
      assert.match(await client.untilEnd(), /served helloworld$/);
      assert.equal(backend.requests.length, 1);
    });
    await auth.close();
  });

  it("asks several services in turn, each of which must let it pass", async () => {
    const yes = await authService((response) => {
      response.writeHead(200, { "X-User": "alice", "Content-Length": 0 }).end();
    });
    const no = await authService((response) => answerWith(response, 403));
    const backend = await answering(ok("served"));
    const proxy = createProxy();
    const services = [service("s", [backend.port]), service("yes", [yes.port]), service("no", [no.port])];
    const by = (...ids: string[]) => ids.map((id) => authBy({ service: id }));
    const ports: number[] = [];
    for (const filters of [by("yes", "yes"), by("yes", "no", "yes")]) {
      const [state] = await proxy.apply(table([listener({ "*": [route("/*", "s", { filters })] })], services));
      ports.push(state!.port);
      await exchangeBytes(state!.port, request());
    }
    assert.deepEqual([yes.requests.length, no.requests.length, backend.received.length], [3, 1, 1]);
    assert.match(backend.received[0]!, /\r\nx-user: alice\r\n/);
    assert.equal(backend.received[0]!.split("x-user").length, 2, "once, though both said so");
    await proxy.close({ graceMs: 0 });
    await Promise.all([yes.close(), no.close(), backend.close()]);
  });

  it("answers preflights without asking, and says to pages of other origins that they were denied", async () => {
    const auth = await authService((response) => {
      response.writeHead(403, { "Access-Control-Allow-Origin": "*", "Content-Length": 0 }).end();
    });
    const cors: Filter = {
      type: "cors",
      allowOrigins: ["https://a.test"],
      allowCredentials: false,
      allowMethods: [],
      allowHeaders: [],
      exposeHeaders: [],
      maxAge: 5,
    };
    await behind(auth, [cors, authBy({})], async ({ port }) => {
      const origin = "Origin: https://a.test\r\n";
      const preflight = await exchangeBytes(
        port,
        request(`${origin}Access-Control-Request-Method: GET\r\n`, "OPTIONS"),
      );
      assert.match(preflight, /^HTTP\/1\.1 204 /);
      assert.equal(auth.requests.length, 0);
      const denied = await exchangeBytes(port, request(origin));
      assert.deepEqual(denied.match(/access-control-allow-origin: .*/gi), [
        "Access-Control-Allow-Origin: https://a.test",
      ]);
    });
    await auth.close();
  });
});

describe("services that cannot say yes", () => {
  const cases: [name: string, start: () => Promise<{ port?: number; close?: () => Promise<void> }>, reason: RegExp][] =
    [
      ["have no endpoints", () => Promise.resolve({}), /no-ready-endpoint/],
      ["refuse", async () => ({ port: await closedPort() }), /connect-econnrefused/],
      ["break off", () => startBackend((socket) => socket.destroy()), /backend-connection-closed|closed-without/],
      ["talk nonsense", () => startBackend((socket) => socket.end("SSH-2.0-x\r\n")), /status-line-invalid/],
      ["never answer", () => startBackend(() => {}), /timeout/],
      [
        "switch protocols",
        () => answering("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"),
        /switched-protocols/,
      ],
      [
        "break off in the middle of a yes",
        () => startBackend((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")),
        /closed-mid-response/,
      ],
    ];
  for (const [name, start, reason] of cases) {
    it(`because they ${name} let nothing pass: 503`, async () => {
      const auth = await start();
      await behind(
        auth.port === undefined ? {} : { port: auth.port },
        [authBy({})],
        async ({ port, backend, records }) => {
          assert.match(await exchangeBytes(port, request()), /^HTTP\/1\.1 503 /);
          assert.match(records[0]!.reason, /^external-auth-failed: /);
          assert.match(records[0]!.reason, reason);
          assert.equal(backend.requests.length, 0);
        },
        { limits: { authTimeout: 60 } },
      );
      await auth.close?.();
    });
  }

  it("because they are unknown let nothing pass", async () => {
    await behind({}, [authBy({ service: "absent" })], async ({ port, records }) => {
      assert.match(await exchangeBytes(port, request()), /^HTTP\/1\.1 503 /);
      assert.equal(records[0]!.reason, "external-auth-failed: service-unknown: absent");
    });
  });

  it("in the route's time: 504", async () => {
    const auth = await startBackend(() => {});
    await behind(
      { port: auth.port },
      [authBy({})],
      async ({ port, records }) => {
        assert.match(await exchangeBytes(port, request()), /^HTTP\/1\.1 504 /);
        assert.equal(records[0]!.reason, "request-timeout");
      },
      { route: { timeouts: { request: 60 } } },
    );
    await auth.close();
  });

  it("are asked at another endpoint when one refuses, and again when an idle connection had been closed", async () => {
    const auth = await startBackend((socket, received) => {
      if (received.split("\r\n\r\n").length > 2) socket.destroy();
      else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    const endpoints = [await closedPort(), auth.port].map((port) => ({ host: "127.0.0.1", port }));
    await behind({ endpoints }, [authBy({})], async ({ port }) => {
      for (let each = 0; each < 4; each++) assert.match(await exchangeBytes(port, request()), /^HTTP\/1\.1 200 /);
    });
    await auth.close();
  });

  it("are not waited for by clients that leave", async () => {
    const auth = await startBackend(() => {});
    await behind({ port: auth.port }, [authBy({})], async ({ port, records, proxy }) => {
      const client = new RawClient(port).send(request());
      await until(() => auth.received.length === 1 && auth.received[0] !== "");
      client.destroy();
      await until(() => records.length === 1 && auth.sockets.size === 0);
      assert.equal(records[0]!.status, 499);
      assert.equal(proxy.stats().endpoints[`127.0.0.1:${auth.port}`]!.active, 0);
    });
    await auth.close();
  });
});

// CheckResponses as the Go library of the Envoy API writes them.
const OK =
  "0a001ac70112110a0f0a06582d557365721205616c69636512150a0f0a06582d526f6c65120561646d696e1202080112110a0d0a07582d476976656e" +
  "12026e6f180112150a110a0b582d4e6f742d546865726512026e6f180312100a0e0a05582d5261771a05636166c3a9120e0a0c0a04486f7374120465" +
  "76696c12170a150a05582d426164120c610d0a582d4576696c3a20312a0d417574686f72697a6174696f6e2a04486f73742a0e636f6e74656e742d6c" +
  "656e67746832110a0f0a09582d53657373696f6e12027331";
const DENIED =
  "0a0f0810120b77686f2061726520796f75126a0a03089103121b0a190a105757572d41757468656e7469636174651205426173696312220a200a0c43" +
  "6f6e74656e742d5479706512106170706c69636174696f6e2f6a736f6e12180a160a0e436f6e74656e742d4c656e6774681204393939391a087b22c3" +
  "a9223a317d";
const PLAINLY_DENIED = "0a020807";

interface Grpc {
  message?: string;
  status?: string;
  /** Replaces the frame. */
  frame?: Buffer;
  type?: string;
}

const framed = (message: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};

/** gRPC as its messages are, over HTTP/1.1 with trailers: what is asked does not depend on the version. */
const grpcService = ({ message = "", status = "0", frame, type = "application/grpc" }: Grpc): Promise<HttpBackend> =>
  startHttpBackend((response) => {
    response.writeHead(200, { "Content-Type": type, Trailer: "grpc-status" });
    response.write(frame ?? framed(Buffer.from(message, "hex")));
    response.addTrailers({ "grpc-status": status });
    response.end();
  });

describe("over gRPC", () => {
  const grpc = (more: Partial<ExternalAuth> = {}): ExternalAuth => authBy({ protocol: "grpc", ...more });

  it("asks Check with what the request says, all headers included", async () => {
    const auth = await grpcService({ message: OK });
    await behind(auth, [grpc({ maxBodyBytes: 100 })], async ({ port }) => {
      const lines = "X-A: 1\r\nx-a: 2\r\nCookie: a=b\r\nX-Odd: \xe9\xc3\xa9\r\nContent-Length: 6\r\n";
      await exchangeBytes(port, request(lines, "POST", "h\xc3\xa9llo"));
      const { method, url, headers, body } = auth.requests[0]!;
      assert.deepEqual([method, url], ["POST", "/envoy.service.auth.v3.Authorization/Check"]);
      assert.deepEqual(
        [headers["content-type"], headers.te, headers["grpc-timeout"]],
        ["application/grpc", "trailers", "10000m"],
      );
      const frame = Buffer.from(body, "latin1");
      assert.equal(frame.readUInt32BE(1), frame.length - 5);
      const attributes = readWire(lastBytes(readWire(frame.subarray(5)), 1)!);
      const socket = readWire(lastBytes(readWire(lastBytes(readWire(lastBytes(attributes, 1)!), 1)!), 1)!);
      assert.equal(lastBytes(socket, 2)!.toString(), "127.0.0.1");
      const http = readWire(lastBytes(readWire(lastBytes(attributes, 4)!), 2)!);
      assert.deepEqual(
        [2, 4, 5, 6, 10, 11].map((number) => lastBytes(http, number)?.toString()),
        ["POST", "/y?q=1", "a.test:80", "http", "HTTP/1.1", "héllo"],
      );
      assert.equal(lastValue(http, 9), 6);
      const shown = http
        .filter(({ number }) => number === 3)
        .map(({ bytes }) => {
          const entry = readWire(bytes!);
          return [lastBytes(entry, 1)!.toString(), lastBytes(entry, 2)!.toString()];
        });
      const {
        "x-a": a,
        cookie,
        "x-forwarded-for": from,
        "x-odd": odd,
      } = Object.fromEntries(shown) as Record<string, string>;
      assert.deepEqual([a, cookie, from, odd], ["1,2", "a=b", "127.0.0.1", "\ufffdé"]);
    });
    await auth.close();
  });

  it("shows listed headers only, and bytes that are no text as bytes", async () => {
    const auth = await grpcService({ message: OK });
    await behind(auth, [grpc({ maxBodyBytes: 100, allowedHeaders: ["X-A"] })], async ({ port }) => {
      await exchangeBytes(port, request("X-A: 1\r\nX-B: 2\r\nContent-Length: 2\r\n", "POST", "\xff\xfe"));
      const frame = Buffer.from(auth.requests[0]!.body, "latin1").subarray(5);
      const http = readWire(lastBytes(readWire(lastBytes(readWire(lastBytes(readWire(frame), 1)!), 4)!), 2)!);
      assert.equal(http.filter(({ number }) => number === 3).length, 1);
      assert.deepEqual([lastBytes(http, 11), lastBytes(http, 12)?.toString("latin1")], [null, "\xff\xfe"]);
    });
    await auth.close();
  });

  it("lets OK pass with what it says of headers", async () => {
    const auth = await grpcService({ message: OK });
    await behind(auth, [grpc()], async ({ port, backend }) => {
      const lines = "x-user: mallory\r\nx-role: user\r\nX-Given: yes\r\nAuthorization: t\r\n";
      const got = await exchangeBytes(port, request(lines));
      assert.match(got, /^HTTP\/1\.1 200 [^]*\r\nx-session: s1\r\n[^]*served $/);
      const { headers } = backend.requests[0]!;
      assert.deepEqual(
        [headers["x-user"], headers["x-role"], headers["x-given"], headers["x-not-there"], headers.authorization],
        ["alice", "user, admin", "yes", undefined, undefined],
      );
      assert.equal(Buffer.from(headers["x-raw"] as string, "latin1").toString(), "café");
      assert.deepEqual([headers.host, headers["x-bad"], headers["x-evil"]], ["a.test:80", undefined, undefined]);
    });
    await auth.close();
  });

  it("gives the client what it says when it denies", async () => {
    const auth = await grpcService({ message: DENIED });
    await behind(auth, [grpc()], async ({ port, backend, records }) => {
      const got = await exchangeBytes(port, request());
      assert.match(
        got,
        /^HTTP\/1\.1 401 Unauthorized\r\nContent-Type: application\/json\r\nwww-authenticate: Basic\r\n/,
      );
      assert.match(got, /\r\nContent-Length: 8\r\n/);
      assert.equal(Buffer.from(got.split("\r\n\r\n")[1]!, "latin1").toString(), '{"é":1}');
      assert.equal(backend.requests.length, 0);
      assert.equal(records[0]!.reason, "external-auth-denied");
    });
    await auth.close();
    const plain = await grpcService({ message: PLAINLY_DENIED });
    await behind(plain, [grpc()], async ({ port }) => {
      assert.match(await exchangeBytes(port, request()), /^HTTP\/1\.1 403 Forbidden\r\n[^]*external-auth-denied\n$/);
    });
    await plain.close();
  });

  const broken: [name: string, answer: Grpc, reason: RegExp][] = [
    ["fails", { status: "13" }, /grpc-status-13$/],
    ["is not gRPC", { message: OK, type: "text/plain" }, /answer-not-grpc$/],
    ["has no frame", { frame: Buffer.from("abc") }, /answer-not-grpc$/],
    ["is compressed", { frame: Buffer.from([1, 0, 0, 0, 0]) }, /answer-not-grpc$/],
    ["is cut off", { frame: framed(Buffer.from(OK, "hex")).subarray(0, 40) }, /answer-not-grpc$/],
    ["is no message", { message: "0aff" }, /answer-not-protobuf$/],
    ["is too long", { frame: Buffer.alloc(300_000) }, /answer-too-long$/],
  ];
  for (const [name, answer, reason] of broken) {
    it(`lets nothing pass when the answer ${name}`, async () => {
      const auth = await grpcService(answer);
      await behind(auth, [grpc()], async ({ port, backend, records }) => {
        assert.match(await exchangeBytes(port, request()), /^HTTP\/1\.1 503 /);
        assert.match(records[0]!.reason, reason);
        assert.equal(backend.requests.length, 0);
      });
      await auth.close();
    });
  }

  it("lets nothing pass without a status, which may be in the head when there is no message", async () => {
    for (const [head, reason] of [
      ["", /grpc-status-missing$/],
      ["Grpc-Status: 14\r\n", /grpc-status-14$/],
    ] as const) {
      const auth = await answering(
        `HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\n${head}Content-Length: 0\r\n\r\n`,
      );
      const asGrpc = await startBackend((socket, received) => {
        if (received.endsWith("0\r\n\r\n"))
          socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\n${head}Content-Length: 0\r\n\r\n`);
      });
      await behind({ port: asGrpc.port }, [grpc()], async ({ port, records }) => {
        assert.match(await exchangeBytes(port, request()), /^HTTP\/1\.1 503 /);
        assert.match(records[0]!.reason, reason);
      });
      await Promise.all([auth.close(), asGrpc.close()]);
    }
  });
});
