// The cases of the Gateway API's conformance test HTTPRouteCORS, and what the specification says beside them.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Cors, Filter, Route } from "../routing-table.ts";
import { answering, exchangeBytes, ok } from "../testing/sockets.ts";
import { service } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";
import { CorsPolicy } from "./cors.ts";

const cors = (more: Partial<Cors>): Cors => ({
  type: "cors",
  allowOrigins: [],
  allowCredentials: false,
  allowMethods: [],
  allowHeaders: [],
  exposeHeaders: [],
  maxAge: 5,
  ...more,
});

const named = cors({
  allowOrigins: ["https://www.foo.com", "https://*.bar.com"],
  allowCredentials: true,
  allowMethods: ["GET", "OPTIONS"],
  allowHeaders: ["x-header-1", "x-header-2"],
  exposeHeaders: ["x-header-3", "x-header-4"],
  maxAge: 3600,
});
const anything = cors({ allowOrigins: ["*"], allowMethods: ["*"], allowHeaders: ["*"], exposeHeaders: ["*"] });

/** Lower-case field -> combined value of an answer, `:status` among them. */
type Answer = Record<string, string>;

function parse(text: string): Answer {
  const fields: Answer = { ":status": text.slice(9, 12) };
  for (const line of text.split("\r\n\r\n")[0]!.split("\r\n").slice(1)) {
    const [name = "", value = ""] = line.split(/: ?(.*)/);
    fields[name.toLowerCase()] = [fields[name.toLowerCase()], value].filter((each) => each !== undefined).join(", ");
  }
  return fields;
}

/** Only what CORS is about. */
function corsOf(answer: Answer): Answer {
  return Object.fromEntries(
    Object.entries(answer)
      .filter(([name]) => name.startsWith("access-control-"))
      .map(([name, value]) => [name.slice("access-control-".length), value]),
  );
}

interface Asked {
  method?: string;
  headers?: Record<string, string>;
  route?: Partial<Route>;
  /** Lines of the backend's answer. */
  backend?: string;
}

/** Asks a route with `filter` once; `reached` is what its backend got. */
async function ask(
  filter: Cors,
  { method = "GET", headers = {}, route = {}, backend: lines = "" }: Asked,
): Promise<{ answer: Answer; reached: string; reason: string }> {
  const backend = await answering(ok("x", lines));
  let result = { answer: {} as Answer, reached: "", reason: "" };
  const filters: Filter[] = [filter, ...(route.filters ?? [])];
  await withProxy(
    [service("s", [backend.port])],
    async ({ port, records }) => {
      const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const text = await exchangeBytes(
        port,
        `${method} / HTTP/1.1\r\nHost: a.test\r\n${fields.join("")}Connection: close\r\n\r\n`,
      );
      result = { answer: parse(text), reached: backend.received[0] ?? "", reason: records[0]!.reason };
    },
    { route: { ...route, filters } },
  );
  await backend.close();
  return result;
}

const preflight = (origin: string, method = "GET", headers?: string): Asked => ({
  method: "OPTIONS",
  headers: {
    Origin: origin,
    "access-control-request-method": method,
    ...(headers !== undefined && { "access-control-request-headers": headers }),
  },
});

describe("preflights", () => {
  for (const origin of ["https://www.foo.com", "https://www.bar.com", "https://xpto.www.bar.com"]) {
    it(`of ${origin} are answered by the proxy`, async () => {
      const { answer, reached, reason } = await ask(named, preflight(origin, "GET", "x-header-1, x-header-2"));
      assert.equal(answer[":status"], "204");
      assert.equal(reached, "");
      assert.equal(reason, "cors-preflight");
      assert.equal(answer["vary"], "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
      assert.deepEqual(corsOf(answer), {
        "allow-origin": origin,
        "allow-credentials": "true",
        "expose-headers": "x-header-3, x-header-4",
        "allow-methods": "GET, OPTIONS",
        "allow-headers": "x-header-1, x-header-2",
        "max-age": "3600",
      });
    });
  }

  for (const origin of [
    "https://foobar.com",
    "http://www.foo.com",
    "https://bar.com",
    "null",
    "https://www.foo.com:1",
  ]) {
    it(`of ${origin} are refused without a word on CORS`, async () => {
      const { answer, reached, reason } = await ask(named, preflight(origin));
      assert.equal(answer[":status"], "403");
      assert.equal(reason, "cors-origin-not-allowed");
      assert.deepEqual(corsOf(answer), {});
      assert.equal(reached, "");
    });
  }

  it("of any origin, method and headers: the wildcard, as browsers take it without credentials", async () => {
    const { answer } = await ask(anything, preflight("https://foobar.com:12345", "PUT"));
    assert.deepEqual(corsOf(answer), {
      "allow-origin": "*",
      "expose-headers": "*",
      "allow-methods": "*",
      "allow-headers": "*",
      "max-age": "5",
    });
  });

  it("of any origin, method and headers with credentials: what was asked for", async () => {
    const withCredentials = { ...anything, allowCredentials: true };
    const { answer } = await ask(withCredentials, preflight("https://other.foo.com", "PUT", "x-header-1, x-header-2"));
    assert.deepEqual(corsOf(answer), {
      "allow-origin": "https://other.foo.com",
      "allow-credentials": "true",
      "allow-methods": "PUT",
      "allow-headers": "x-header-1, x-header-2",
      "max-age": "5",
    });
    const without = await ask(withCredentials, preflight("https://other.foo.com", "PUT"));
    assert.equal("allow-headers" in corsOf(without.answer), false);
  });

  it("come before redirects and need no usable backend", async () => {
    const redirect: Filter = { type: "redirect", scheme: "https", status: 301 };
    const redirected = await ask(named, { ...preflight("https://www.foo.com"), route: { filters: [redirect] } });
    assert.equal(redirected.answer[":status"], "204");
    const respond = { type: "respond" as const, status: 500, reason: "none" };
    const broken = await ask(named, { ...preflight("https://www.foo.com"), route: { action: respond } });
    assert.equal(broken.answer[":status"], "204");
  });

  it("are only OPTIONS requests that name an origin and a method", async () => {
    const { headers } = preflight("https://www.foo.com");
    assert.match((await ask(named, { headers: headers! })).reached, /^GET /);
    const options = await ask(named, { method: "OPTIONS", headers: { Origin: "https://www.foo.com" } });
    assert.match(options.reached, /^OPTIONS /);
    const asking = await ask(named, { method: "OPTIONS", headers: { "Access-Control-Request-Method": "GET" } });
    assert.match(asking.reached, /^OPTIONS /);
  });
});

describe("answers", () => {
  const backend =
    "Access-Control-Allow-Origin: https://evil.test\r\nAccess-Control-Expose-Headers: x\r\nAccess-Control-Allow-Methods: GET\r\nVary: Accept\r\n";
  const from = (Origin: string): Asked => ({ headers: { Origin }, backend });

  it("to an allowed origin carry the policy instead of the backend's", async () => {
    const { answer } = await ask(named, from("https://www.bar.com"));
    assert.equal(answer[":status"], "200");
    assert.deepEqual(corsOf(answer), {
      "allow-origin": "https://www.bar.com",
      "allow-credentials": "true",
      "expose-headers": "x-header-3, x-header-4",
    });
    assert.equal(answer["vary"], "Accept, Origin");
  });

  it("to other origins, and to none, carry nothing of the kind", async () => {
    for (const asked of [from("https://foobar.com"), { backend }]) {
      const { answer, reached } = await ask(named, asked);
      assert.match(reached, /^GET /);
      assert.deepEqual(corsOf(answer), {});
      assert.equal(answer["vary"], "Accept, Origin");
    }
  });

  it("to any origin: the wildcard, or the origin with credentials", async () => {
    const { answer } = await ask(anything, from("https://foobar.com:12345"));
    assert.deepEqual(corsOf(answer), { "allow-origin": "*", "expose-headers": "*" });
    assert.equal(answer["vary"], "Accept");
    const withCredentials = await ask({ ...anything, allowCredentials: true }, from("https://foobar.com"));
    assert.deepEqual(corsOf(withCredentials.answer), {
      "allow-origin": "https://foobar.com",
      "allow-credentials": "true",
    });
  });

  it("of the proxy itself carry it as well", async () => {
    const redirect: Filter = { type: "redirect", scheme: "https", status: 301 };
    const redirected = await ask(named, { ...from("https://www.foo.com"), route: { filters: [redirect] } });
    assert.equal(corsOf(redirected.answer)["allow-origin"], "https://www.foo.com");
    const respond = { type: "respond" as const, status: 500, reason: "none" };
    const broken = await ask(named, { ...from("https://www.foo.com"), route: { action: respond } });
    assert.deepEqual([broken.answer[":status"], corsOf(broken.answer)["allow-origin"]], ["500", "https://www.foo.com"]);
    const action = { type: "forward" as const, backends: [{ service: "s", weight: 0, filters: [] }] };
    const weightless = await ask(named, { ...from("https://www.foo.com"), route: { action } });
    assert.equal(corsOf(weightless.answer)["allow-origin"], "https://www.foo.com");
    await withProxy(
      [service("s", [])],
      async ({ port }) => {
        const got = await exchangeBytes(
          port,
          "GET / HTTP/1.1\r\nHost: a\r\nOrigin: https://www.foo.com\r\nConnection: close\r\n\r\n",
        );
        assert.match(got, /^HTTP\/1\.1 503 [^]*\r\nAccess-Control-Allow-Origin: https:\/\/www\.foo\.com\r\n/);
      },
      { route: { filters: [named] } },
    );
  });

  it("are not said twice by a header filter", async () => {
    const set = [{ name: "Access-Control-Allow-Origin", value: "*" }];
    const filters: Filter[] = [{ type: "responseHeaders", set, add: [], remove: [] }];
    const { answer } = await ask(named, { ...from("https://www.foo.com"), route: { filters } });
    assert.equal(corsOf(answer)["allow-origin"], "https://www.foo.com");
  });

  it("of one share with the policy and one without follow their own", async () => {
    const backends = [
      { service: "s", weight: 1, filters: [named] as Filter[] },
      { service: "s", weight: 1, filters: [] },
    ];
    const server = await answering(ok("x", backend));
    await withProxy(
      [service("s", [server.port])],
      async ({ port }) => {
        const request = "GET / HTTP/1.1\r\nHost: a\r\nOrigin: https://www.foo.com\r\nConnection: close\r\n\r\n";
        const origins = [await exchangeBytes(port, request), await exchangeBytes(port, request)].map(
          (text) => corsOf(parse(text))["allow-origin"],
        );
        assert.deepEqual(origins, ["https://www.foo.com", "https://evil.test"]);
      },
      { route: { action: { type: "forward", backends } } },
    );
    await server.close();
  });
});

describe("origins", () => {
  const cases: [allowed: string, origin: string, fits: boolean][] = [
    ["https://a.test", "https://a.test:443", true],
    ["https://a.test:443", "https://a.test", true],
    ["http://a.test", "http://a.test:80", true],
    ["http://a.test:8080", "http://a.test:8080", true],
    ["http://a.test:8080", "http://a.test", false],
    ["https://A.test", "https://a.test", true],
    ["https://*", "https://a.b.test", true],
    ["https://*", "http://a.test", false],
    ["https://*:8443", "https://a.test:8443", true],
    ["https://*:8443", "https://a.test", false],
    ["https://*.a.test", "https://evil.test#.a.test", false],
    ["https://*.a.test", "https://evil.test/.a.test", false],
    ["https://*.a.test", "https://a.test", false],
    ["https://*.a.test", "https://.a.test", false],
    ["https://x*.a.test", "https://xy.a.test", true],
    ["https://x*.a.test", "https://y.a.test", false],
    ["https://*.a.*.test", "https://x.a.y.test", true],
    ["https://*.a.*.test", "https://x.b.y.test", false],
    ["https://a.test", "https://a.test.evil", false],
    ["https://a.test", "https://a.test, https://b.test", false],
    ["https://[::1]:1", "https://[::1]:1", true],
    ["nonsense", "nonsense", false],
  ];
  for (const [allowed, origin, fits] of cases) {
    it(`${allowed} ${fits ? "takes" : "does not take"} ${origin}`, () => {
      const policy = new CorsPolicy(cors({ allowOrigins: [allowed] }));
      const head = { get: (name: string) => (name === "origin" ? origin : undefined) };
      assert.equal(policy.lines(head).includes("Allow-Origin"), fits);
    });
  }
});

describe("direct responses", () => {
  it("have the body and type they were given, sized in bytes", async () => {
    const action = {
      type: "respond" as const,
      status: 200,
      reason: "x",
      body: '{"é":1}',
      contentType: "application/json",
    };
    const { text } = await respond(action);
    assert.match(text, /^HTTP\/1\.1 200 OK\r\nContent-Type: application\/json\r\n/);
    assert.match(text, /\r\nContent-Length: 8\r\n/);
    assert.equal(Buffer.from(text.split("\r\n\r\n")[1]!, "latin1").toString(), '{"é":1}');
  });

  it("cannot break out of their head, nor send a body where there is none", async () => {
    const evil = { type: "respond" as const, status: 200, reason: "x", body: "b", contentType: "a\r\nEvil: 1" };
    assert.doesNotMatch((await respond(evil)).text, /Evil/);
    const { text } = await respond({ type: "respond", status: 204, reason: "x", body: "b" });
    assert.match(text, /^HTTP\/1\.1 204 No Content\r\n(?!Content)[^]*\r\n\r\n$/);
  });

  async function respond(action: Route["action"]): Promise<{ text: string }> {
    let text = "";
    const run = async ({ port }: { port: number }): Promise<void> => {
      text = await exchangeBytes(port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    };
    await withProxy([service("s", [])], run, { route: { action } });
    return { text };
  }
});
