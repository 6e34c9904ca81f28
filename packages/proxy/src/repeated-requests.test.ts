// Requests that are the same to the byte, again and again, while all that they depend on changes: none may be answered by what
// was true for the one before.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Filter, Listener, Route } from "./routing-table.ts";
import { answerWith, startHttpBackend } from "./testing/http-backend.ts";
import { ok, RawClient, startBackend } from "./testing/sockets.ts";
import type { Backend } from "./testing/sockets.ts";
import { listener, route, service, table } from "./testing/tables.ts";
import { variantProxy } from "./testing/variant.ts";

/** Often enough for what is kept when it comes again. */
const TIMES = 5;

/** Answers with its name and the head it was sent. */
function telling(name: string): Promise<Backend> {
  const heads = new Map<number, number>();
  return startBackend((socket, received, connection) => {
    const all = received.split("\r\n\r\n").slice(0, -1);
    for (let at = heads.get(connection) ?? 0; at < all.length; at++) socket.write(ok(`${name}\n${all[at]}`), "latin1");
    heads.set(connection, all.length);
  });
}

const REQUEST = "GET /a?b=c HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-For: 192.0.2.1\r\nX-Test: repeated\r\n\r\n";

/** Sends the request `TIMES` times; all answers must be alike. */
async function asked(port: number, { request = REQUEST, from = "127.0.0.1" } = {}): Promise<string> {
  const client = new RawClient(port, { localAddress: from });
  const answers = new Set<string>();
  for (let time = 0; time < TIMES; time++) {
    client.received = "";
    client.send(request);
    answers.add(
      await client.until((received) => {
        const [head = "", body] = received.split(/\r\n\r\n([^]*)/);
        return body !== undefined && body.length === Number(/Content-Length: (\d+)/.exec(head)?.[1]);
      }),
    );
  }
  client.destroy();
  assert.equal(answers.size, 1, [...answers].join("\n---\n"));
  return [...answers][0]!;
}

const named = (name: string, more: Partial<Listener> = {}): Partial<Listener> => ({ name, ...more });
const setting = (value: string): Filter[] => [
  { type: "requestHeaders", set: [{ name: "X-Set", value }], add: [], remove: [] },
];

describe("requests that come again", () => {
  it("go where the table in force says, as it says", async () => {
    const [a, b] = [await telling("A"), await telling("B")];
    const proxy = variantProxy();
    const services = [service("a", [a.port]), service("b", [b.port])];
    const apply = async (...routes: Route[]): Promise<number> => {
      const [state] = await proxy.apply(table([listener({ "a.test": routes })], services));
      return state!.port;
    };
    const port = await apply(route("/*", "a"));
    assert.match(await asked(port), /\nA$|\r\n\r\nA\nGET \/a\?b=c HTTP\/1\.1/);
    await apply(route("/*", "b"));
    assert.match(await asked(port), /\r\n\r\nB\nGET \/a\?b=c /);
    await apply(route("/a*", "a"), route("/*", "b"));
    assert.match(await asked(port), /\r\n\r\nA\n/);
    await apply(route("/a*", "a", { filters: setting("1") }), route("/*", "b"));
    assert.match(await asked(port), /X-Set: 1/);
    await apply(route("/a*", "a", { filters: setting("2") }));
    assert.match(await asked(port), /X-Set: 2/);
    await apply(route("/a*", "a", { filters: [{ type: "rewrite", path: { type: "prefix", value: "/z" } }] }));
    assert.match(await asked(port), /GET \/z\?b=c /);
    await apply(route("/a*", "a", { filters: [{ type: "rewrite", hostname: "other.test" }] }));
    assert.match(await asked(port), /Host: other\.test/);
    await apply(route("/a*", "a"));
    assert.doesNotMatch(await asked(port), /X-Set|other\.test/);
    await apply();
    assert.match(await asked(port), /^HTTP\/1\.1 404 /);
    await proxy.close({ graceMs: 0 });
    await a.close();
    await b.close();
  });

  it("mean another thing at each listener, and to each client", async () => {
    const [a, b] = [await telling("A"), await telling("B")];
    const proxy = variantProxy({ serverName: "gateway" });
    const listeners = [
      listener({ "*": [route("/*", "a")] }, named("plain")),
      listener({ "*": [route("/*", "b")] }, named("other")),
      listener({ "*": [route("/*", "a")] }, named("trusting", { trustedProxies: ["127.0.0.2"] })),
    ];
    const states = await proxy.apply(table(listeners, [service("a", [a.port]), service("b", [b.port])]));
    const [plain, other, trusting] = states.map(({ port }) => port);
    const forwardedFor = (answer: string): string | undefined => /X-Forwarded-For: (.*)\r/.exec(answer)?.[1];
    for (let round = 0; round < 3; round++) {
      assert.match(await asked(plain!), /\r\n\r\nA\n/);
      assert.match(await asked(other!), /\r\n\r\nB\n/);
      assert.equal(forwardedFor(await asked(plain!)), "127.0.0.1");
      assert.equal(forwardedFor(await asked(plain!, { from: "127.0.0.2" })), "127.0.0.2");
      assert.equal(forwardedFor(await asked(trusting!)), "127.0.0.1");
      assert.equal(forwardedFor(await asked(trusting!, { from: "127.0.0.2" })), "192.0.2.1, 127.0.0.2");
    }
    await proxy.close({ graceMs: 0 });
    await a.close();
    await b.close();
  });

  it("carry the PROXY header of their own connection", async () => {
    const backend = await telling("A");
    const proxy = variantProxy();
    const services = [{ ...service("a", [backend.port]), proxyProtocol: 1 as const }];
    const [state] = await proxy.apply(table([listener({ "*": [route("/*", "a")] })], services));
    const request = REQUEST.replace("repeated", "proxied");
    for (const from of ["127.0.0.1", "127.0.0.1", "127.0.0.2"]) {
      const client = new RawClient(state!.port, { localAddress: from });
      for (let time = 1; time <= TIMES; time++) {
        client.send(request);
        await client.until((received) => received.split("proxied").length > time);
      }
      const starts = [...client.received.matchAll(/PROXY TCP4 (\S+) 127\.0\.0\.1 (\d+) (\d+)/g)];
      assert.equal(starts.length, TIMES);
      assert.deepEqual(new Set(starts.map(([, address]) => address)), new Set([from]));
      assert.deepEqual(new Set(starts.map(([, , port]) => port)), new Set([String(client.socket.localPort)]));
      client.destroy();
    }
    await proxy.close({ graceMs: 0 });
    await backend.close();
  });

  it("and differ only in their target or their fields are told apart", async () => {
    const [a, b] = [await telling("A"), await telling("B")];
    const proxy = variantProxy();
    const marked = route("/*", "b");
    marked.match.headers = [{ name: "x-test", type: "exact", value: "b" }];
    const routes = [route("/b", "b"), marked, route("/*", "a")];
    const services = [service("a", [a.port]), service("b", [b.port])];
    const [state] = await proxy.apply(table([listener({ "a.test": routes })], services));
    const request = (target: string, mark: string): string =>
      `GET ${target} HTTP/1.1\r\nHost: a.test\r\nX-Test: ${mark}\r\n\r\n`;
    for (let round = 0; round < 3; round++) {
      for (const [target, mark, name] of [
        ["/a", "a", "A"],
        ["/b", "a", "B"],
        ["/a", "b", "B"],
        ["/c", "a", "A"],
      ] as const) {
        const answer = await asked(state!.port, { request: request(target, mark) });
        assert.match(answer, new RegExp(`\r\n\r\n${name}\nGET ${target} [^]*X-Test: ${mark}`));
      }
    }
    await proxy.close({ graceMs: 0 });
    await a.close();
    await b.close();
  });
  it("say what a service that is asked about them has to say, and not what the client makes up", async () => {
    let answers = 0;
    const auth = await startHttpBackend((response) => {
      response.writeHead(200, { "X-User": `user-${answers++}`, "Content-Length": 0 }).end();
    });
    const backend = await startHttpBackend((response) => answerWith(response, 200, "served"));
    const proxy = variantProxy();
    const asks = { service: "auth", protocol: "http", path: "", maxBodyBytes: 0 } as const;
    const headers = { allowedHeaders: [], allowedResponseHeaders: ["x-user", "x-role"] };
    const filters: Filter[] = [{ type: "externalAuth", ...asks, ...headers }];
    const services = [service("s", [backend.port]), service("auth", [auth.port])];
    const [state] = await proxy.apply(table([listener({ "*": [route("/*", "s", { filters })] })], services));
    const request = REQUEST.replace("X-Test", "X-User: mallory\r\nX-Role: admin\r\nX-Test");
    await asked(state!.port, { request });
    assert.deepEqual(
      backend.requests.map(({ headers }) => [headers["x-user"], headers["x-role"], headers["x-test"]]),
      Array.from({ length: TIMES }, (_, time) => [`user-${time}`, undefined, "repeated"]),
    );
    await proxy.close({ graceMs: 0 });
    await Promise.all([auth.close(), backend.close()]);
  });

  it("are framed as their bodies are sent", async () => {
    const backend = await startHttpBackend((response, { body }) => answerWith(response, 200, `got ${body}`));
    const proxy = variantProxy();
    const filters: Filter[] = [{ type: "buffer", maxBytes: 10 }];
    const services = [service("s", [backend.port])];
    const [state] = await proxy.apply(table([listener({ "*": [route("/*", "s", { filters })] })], services));
    const head = "POST /a HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n";
    const client = new RawClient(state!.port);
    for (let time = 0; time < TIMES; time++) {
      client.received = "";
      client.send(head);
      await client.until((received) => received.endsWith("100 Continue\r\n\r\n"));
      client.received = "";
      client.send("5\r\nhello\r\n0\r\n\r\n");
      const answer = await client.until((received) => /^HTTP\/1\.1 (?:[^2]|[^]*got hello$)/.test(received));
      assert.match(answer, /^HTTP\/1\.1 200 /);
    }
    client.destroy();
    assert.deepEqual(
      backend.requests.map(({ headers }) => [headers["content-length"], headers["transfer-encoding"], headers.expect]),
      Array.from({ length: TIMES }, () => ["5", undefined, undefined]),
    );
    await proxy.close({ graceMs: 0 });
    await backend.close();
  });
});
