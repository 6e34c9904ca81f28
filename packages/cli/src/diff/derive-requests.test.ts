import assert from "node:assert/strict";
import { test } from "node:test";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { HTTPRoute } from "@gatehouse/gateway-api/http-route";
import { commonHostnames } from "./attached-listeners.ts";
import { deriveRequests } from "./derive-requests.ts";
import { requestTitle } from "./planned-request.ts";

const safe = { unsafeMethods: false };
const nothing = { routes: [], gateways: [] };

function gateway(...listeners: object[]): Gateway {
  return { metadata: { name: "web", namespace: "infra" }, spec: { gatewayClassName: "x", listeners } } as never;
}

function route(rules: object[], spec: object = {}): HTTPRoute {
  const parentRefs = [{ name: "web", namespace: "infra" }];
  return {
    metadata: { name: "r", namespace: "demo" },
    spec: { parentRefs, hostnames: ["a.test"], rules, ...spec },
  } as never;
}

const http = { name: "http", protocol: "HTTP", port: 8000 };
const source = (rules: object[], spec: object = {}, listeners: object[] = [http]) => ({
  routes: [route(rules, spec)],
  gateways: [gateway(...listeners)],
});

/** The requests of one cluster's routes, without the one for an unknown host. */
function titles(from: ReturnType<typeof source>, options = safe): string[] {
  return deriveRequests(from, nothing, options)
    .requests.map(requestTitle)
    .filter((title) => !title.includes("no-such-host"));
}

const prefix = (value: string) => ({ path: { type: "PathPrefix", value } });

const cases: [what: string, rules: object[], spec: object, expected: string[]][] = [
  [
    "a prefix, and what only looks like it",
    [{ matches: [prefix("/v1")] }],
    {},
    ["GET http://a.test/v1", "GET http://a.test/v10"],
  ],
  [
    "a prefix with a slash at its end",
    [{ matches: [prefix("/v1/")] }],
    {},
    ["GET http://a.test/v1/", "GET http://a.test/v10"],
  ],
  ["everything: nothing lies beside it", [{ matches: [prefix("/")] }], {}, ["GET http://a.test/"]],
  ["no match at all is everything", [{}], {}, ["GET http://a.test/"]],
  [
    "method, headers and query",
    [
      {
        matches: [
          {
            path: { type: "Exact", value: "/x" },
            method: "OPTIONS",
            headers: [{ type: "Exact", name: "X-Env", value: "canary" }],
            queryParams: [{ name: "q", value: "a b&c" }],
          },
        ],
      },
    ],
    {},
    ["OPTIONS http://a.test/x?q=a%20b%26c (X-Env: canary)", "OPTIONS http://a.test/x0?q=a%20b%26c (X-Env: canary)"],
  ],
  [
    "each hostname",
    [{}],
    { hostnames: ["a.test", "*.b.test"] },
    ["GET http://a.test/", "GET http://gatehouse-diff.b.test/"],
  ],
  ["no hostname", [{}], { hostnames: undefined }, ["GET http://any-host.gatehouse.invalid/"]],
  ["a parent that is not there", [{}], { parentRefs: [{ name: "gone" }] }, ["GET http://a.test/"]],
  [
    "a section that is not there",
    [{}],
    { parentRefs: [{ name: "web", namespace: "infra", sectionName: "x" }] },
    ["GET http://a.test/"],
  ],
];

for (const [what, rules, spec, expected] of cases) {
  test(`derived: ${what}`, () => assert.deepEqual(titles(source(rules, spec)), expected));
}

test("the listener decides on scheme, port and hostname", () => {
  const listeners = [
    { ...http, hostname: "*.test" },
    { name: "https", protocol: "HTTPS", port: 8443 },
    { name: "tcp", protocol: "TCP", port: 9000 },
    { name: "other", protocol: "HTTP", port: 8001, hostname: "other.test" },
  ];
  const { requests } = deriveRequests(source([{}], {}, listeners), nothing, safe);
  const known = requests.filter(({ host }) => host === "a.test");
  assert.deepEqual(
    known.map(({ scheme, targets }) => [scheme, targets.a?.listenerPort, targets.b]),
    [
      ["http", 8000, undefined],
      ["https", 8443, undefined],
    ],
  );
});

const skippedCases: [what: string, match: object, why: RegExp][] = [
  [
    "a regular expression as path",
    { path: { type: "RegularExpression", value: "/.*" } },
    /path is a regular expression/,
  ],
  ["one as header", { headers: [{ type: "RegularExpression", name: "x", value: ".*" }] }, /header or query/],
  [
    "one as query parameter",
    { queryParams: [{ type: "RegularExpression", name: "x", value: ".*" }] },
    /header or query/,
  ],
  ["a method that changes something", { method: "DELETE" }, /DELETE only.*--unsafe-methods/],
  ["a match on Host", { headers: [{ name: "host", value: "x" }] }, /Host header/],
];

for (const [what, match, why] of skippedCases) {
  test(`left out and said: ${what}`, () => {
    const { requests, skipped } = deriveRequests(source([{ matches: [match] }]), nothing, safe);
    assert.deepEqual(
      requests.filter(({ host }) => host === "a.test"),
      [],
    );
    assert.equal(skipped[0]?.what, "HTTPRoute demo/r, rule 1, match 1");
    assert.match(skipped[0]?.why ?? "", why);
  });
}

test("left out and said: a route of a mesh", () => {
  const { requests, skipped } = deriveRequests(
    source([{}], { parentRefs: [{ kind: "Service", name: "s" }] }),
    nothing,
    safe,
  );
  assert.deepEqual([requests, skipped.map(({ what }) => what)], [[], ["HTTPRoute demo/r"]]);
});

test("other methods only when they are allowed", () => {
  const from = source([{ matches: [{ method: "POST", ...prefix("/") }] }]);
  assert.deepEqual(titles(from, { unsafeMethods: true }), ["POST http://a.test/"]);
  const shared = source([
    { matches: [{ method: "POST", ...prefix("/") }], backendRefs: [{ name: "s" }, { name: "t" }] },
  ]);
  const [first] = deriveRequests(shared, nothing, { unsafeMethods: true }).requests;
  assert.deepEqual([first?.times, first?.conclusive], [1, false]);
});

test("what both clusters suggest is sent once, and enters each by its own listener", () => {
  const a = source([{}]);
  const b = source([{}], {}, [{ ...http, port: 80 }]);
  const { requests } = deriveRequests(a, b, safe);
  assert.deepEqual(requests.map(requestTitle), ["GET http://a.test/", "GET http://no-such-host.gatehouse.invalid/"]);
  for (const { targets } of requests) assert.deepEqual([targets.a?.listenerPort, targets.b?.listenerPort], [8000, 80]);
});

test("backends that share requests are asked until each must have been met", () => {
  const weighted = (...weights: (number | undefined)[]) => {
    const backendRefs = weights.map((weight, index) => ({
      name: `s${index}`,
      ...(weight === undefined ? {} : { weight }),
    }));
    const [first] = deriveRequests(source([{ backendRefs }]), nothing, safe).requests;
    return [first?.times, first?.conclusive];
  };
  assert.deepEqual(weighted(undefined), [1, true]);
  assert.deepEqual(weighted(undefined, undefined), [10, true]);
  assert.deepEqual(weighted(1, 0), [1, true]);
  assert.deepEqual(weighted(9, 1), [66, true]);
  assert.deepEqual(weighted(999, 1), [200, false]);
});

test("headers that filters set are compared", () => {
  const filters = [
    { type: "ResponseHeaderModifier", responseHeaderModifier: { set: [{ name: "X-A", value: "1" }], remove: ["X-B"] } },
  ];
  const [first] = deriveRequests(source([{ filters }]), nothing, safe).requests;
  assert.deepEqual(first?.responseHeaders, ["x-a", "x-b"]);
});

test("the hostnames that a route and a listener share", () => {
  const table: [route: string[], listener: string | undefined, common: string[]][] = [
    [[], undefined, ["*"]],
    [[], "a.test", ["a.test"]],
    [["a.test"], undefined, ["a.test"]],
    [["a.test", "b.test"], "a.test", ["a.test"]],
    [["a.test", "test"], "*.test", ["a.test"]],
    [["x.y.test"], "*.test", ["x.y.test"]],
    [["*.test"], "a.test", ["a.test"]],
    [["*.y.test"], "*.test", ["*.y.test"]],
    [["*.test"], "*.y.test", ["*.y.test"]],
    [["*.a.test"], "*.b.test", []],
  ];
  for (const [route, listener, common] of table) assert.deepEqual(commonHostnames(route, listener), common);
});
