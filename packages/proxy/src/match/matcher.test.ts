import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Route, VirtualServer } from "../routing-table.ts";
import { matchOn, route } from "../testing/tables.ts";
import { explain } from "./explain.ts";
import { bareHost } from "./hostname.ts";
import { Matcher } from "./matcher.ts";
import { comparePrecedence } from "./path-index.ts";

const compile = (hosts: Record<string, Route[]>): Matcher<string> => matcherOf([server("*", hosts)]);

const TARGETS = { acquire: (each: Route) => each.id, release: () => {} };

function matcherOf(servers: VirtualServer[]): Matcher<string> {
  const matcher: Matcher<string> = new Matcher();
  matcher.update(servers, TARGETS);
  return matcher;
}

function server(hostname: string, hosts: Record<string, Route[]>): VirtualServer {
  return { hostname, virtualHosts: Object.entries(hosts).map(([name, routes]) => ({ hostname: name, routes })) };
}

function ask(matcher: Matcher<string>, host: string, target: string, method = "GET", headers = {}): string {
  const found = explain(matcher, { listener: "web", method, host, target, headers });
  return found.route ?? found.outcome;
}

describe("virtual hosts", () => {
  const matcher = compile({
    "a.test": [route("/*", [], { id: "exact" })],
    "*.a.test": [route("/*", [], { id: "wide" })],
    "*.b.a.test": [route("/only", [], { id: "wider" })],
    "*": [route("/*", [], { id: "any" })],
  });
  const cases: [host: string, expected: string][] = [
    ["a.test", "exact"],
    ["A.Test", "exact"],
    ["a.test:8080", "exact"],
    ["a.test.", "exact"],
    ["a.test.:80", "exact"],
    ["x.a.test", "wide"],
    ["y.x.a.test", "wide"],
    ["xa.test", "any"],
    [".a.test", "any"],
    ["x.b.a.test", "wide"],
    ["b.a.test", "wide"],
    ["other", "any"],
    ["", "any"],
    ["[::1]:80", "any"],
  ];
  for (const [host, expected] of cases) {
    it(`${host || "(none)"} -> ${expected}`, () => assert.equal(ask(matcher, host, "/"), expected));
  }

  it("answers no-virtual-host when none fits", () => {
    assert.equal(ask(compile({ "a.test": [route("/*")] }), "b.test", "/"), "no-virtual-host");
  });

  it("reads IPv6 literals", () => {
    assert.equal(bareHost("[::1]:8080"), "[::1]");
    assert.equal(bareHost("[::1]"), "[::1]");
  });
});

describe("servers", () => {
  const matcher = matcherOf([
    server("*", { "*": [route("/*", [], { id: "any" })], "a.test": [route("/*", [], { id: "shielded" })] }),
    server("*.test", { "*.test": [route("/wide*", [], { id: "wide" })], "x.test": [route("/x*", [], { id: "x" })] }),
    server("b.test", {}),
  ]);
  const cases: [host: string, target: string, expected: string][] = [
    ["x.test", "/x", "x"],
    ["x.test", "/wide", "wide"],
    ["x.test", "/", "no-route"],
    ["a.test", "/", "no-route"],
    ["b.test", "/wide", "no-virtual-host"],
    ["other", "/", "any"],
  ];
  for (const [host, target, expected] of cases) {
    it(`${host}${target} -> ${expected}`, () => assert.equal(ask(matcher, host, target), expected));
  }

  it("refuses a host of another server than the one its TLS connection asked for", () => {
    const named = (host: string, serverName: string): string => {
      const found = explain(matcher, { listener: "web", method: "GET", host, target: "/wide", serverName });
      return found.route ?? found.outcome;
    };
    assert.equal(named("x.test", "x.test"), "wide");
    assert.equal(named("x.test", "y.test"), "wide");
    assert.equal(named("x.test", "b.test"), "misdirected-request");
    assert.equal(named("other", "x.test"), "misdirected-request");
  });

  it("explains a host that a more specific server shields", () => {
    const { candidates } = explain(matcher, { listener: "web", method: "GET", host: "a.test", target: "/" });
    const why = candidates.find(({ route: id }) => id === "shielded")?.why;
    assert.equal(why, "server is *.test, wanted *");
  });
});

describe("paths", () => {
  const matcher = compile({
    "*": [
      route("/v1*"),
      route("/v1/x*"),
      route("/v2/*", [], { id: "/v2/*" }),
      route("/v1/x/y"),
      route("~^/r[0-9]+$"),
      route("/a%2Fb"),
    ],
  });
  const cases: [path: string, expected: string][] = [
    ["/v1", "/v1*"],
    ["/v1/", "/v1*"],
    ["/v1/a", "/v1*"],
    ["/v1?x=/v1/x", "/v1*"],
    ["/v10", "no-route"],
    ["/V1", "no-route"],
    ["/v1/x", "/v1/x*"],
    ["/v1/xy", "/v1*"],
    ["/v1/x/y", "/v1/x/y"],
    ["/v1/x/y/", "/v1/x*"],
    ["/v2", "/v2/*"],
    ["/v2/z", "/v2/*"],
    ["/r12", "~^/r[0-9]+$"],
    ["/r", "no-route"],
    ["/v1/../v2", "/v2/*"],
    ["/a%2Fb", "/a%2Fb"],
    ["/v2%2Fx", "no-route"],
  ];
  for (const [path, expected] of cases) {
    it(`${path} -> ${expected}`, () => assert.equal(ask(matcher, "h", path), expected));
  }

  it("refuses a path a backend could decode into another route's", () => {
    const guarded = compile({ "*": [route("/*"), route("/admin*")] });
    for (const path of ["/x%2f..%2fadmin", "/%61dmin", "//admin", "/admin%2fx"]) {
      assert.match(ask(guarded, "h", path), /^path-/, path);
    }
    assert.equal(ask(guarded, "h", "/group%2Fproject"), "/*");
    assert.equal(ask(guarded, "h", "/admin/group%2Fproject"), "/admin*");
  });

  it("survives an expression that cannot be compiled", () => {
    assert.equal(ask(compile({ "*": [route("~(")] }), "h", "/("), "no-route");
  });
});

describe("precedence", () => {
  const header = (name: string, value: string, type: "exact" | "regex" = "exact") => ({ name, type, value });
  const matcher = compile({
    "*": [
      route("/*", [], { id: "plain" }),
      route("/*", [], { id: "later" }),
      route("/*", [], { id: "one", match: matchOn("/*", { headers: [header("A", "1")] }) }),
      route("/*", [], { id: "two", match: matchOn("/*", { headers: [header("a", "1"), header("b", "2")] }) }),
      route("/*", [], { id: "query", match: matchOn("/*", { query: [header("q", "a b")] }) }),
      route("/*", [], { id: "post", match: matchOn("/*", { method: "POST" }) }),
      route("/*", [], { id: "pattern", match: matchOn("/*", { headers: [header("c", "^x+$", "regex")] }) }),
      route("/long*", [], { id: "long", match: matchOn("/long*", { method: "PUT" }) }),
    ],
  });
  const cases: [string, string, string, Record<string, string>, string][] = [
    ["order decides at last", "GET", "/", {}, "plain"],
    ["a header beats none", "GET", "/", { a: "1" }, "one"],
    ["more headers beat fewer", "GET", "/", { A: "1", B: "2" }, "two"],
    ["header values are compared exactly", "GET", "/", { a: "11" }, "plain"],
    ["a method beats headers", "POST", "/", { a: "1", b: "2" }, "post"],
    ["headers beat query", "GET", "/?q=a+b", { a: "1" }, "one"],
    ["query beats nothing", "GET", "/?q=a%20b", {}, "query"],
    ["the first query value counts", "GET", "/?q=x&q=a+b", {}, "plain"],
    ["expressions on headers", "GET", "/", { c: "xxx" }, "pattern"],
    ["expressions are anchored only by their author", "GET", "/", { c: "xxy" }, "plain"],
    ["the longest prefix goes first", "PUT", "/long", { a: "1" }, "long"],
    ["a longer prefix that does not fit gives way", "GET", "/long", { a: "1" }, "one"],
  ];
  for (const [name, method, target, headers, expected] of cases) {
    it(name, () => assert.equal(ask(matcher, "h", target, method, headers), expected));
  }

  it("counts only the first of several conditions on one name", () => {
    const twice = matchOn("/*", { headers: [header("A", "1"), header("a", "2")] });
    assert.equal(ask(compile({ "*": [route("/*", [], { id: "r", match: twice })] }), "h", "/", "GET", { a: "1" }), "r");
  });
});

/** Precedence written down naively, to hold the index against. */
function bySpecificity(a: Route, b: Route): number {
  const kinds = ["exact", "prefix", "regex", "every path"];
  const kind = ({ match: { path } }: Route): number =>
    kinds.indexOf(path.type === "prefix" && path.value === "/" ? "every path" : path.type);
  const length = ({ match: { path } }: Route): number =>
    path.type === "prefix" ? path.value.replace(/\/$/, "").length : 0;
  return kind(a) - kind(b) || length(b) - length(a) || comparePrecedence(a, b);
}

describe("expressions for paths", () => {
  const keyed = { match: matchOn("/*", { method: "GET", headers: [{ name: "k", type: "exact", value: "1" }] }) };
  const matcher = compile({
    "*": [route("~^/a"), route("/*", [], { id: "every", ...keyed }), route("/ab*"), route("/*")],
  });
  it("go before the prefix of every path, whatever else that asks for", () => {
    assert.equal(ask(matcher, "h", "/a", "GET", { k: "1" }), "~^/a");
    assert.equal(ask(matcher, "h", "/b", "GET", { k: "1" }), "every");
  });
  it("go behind any other prefix, and leave to the prefix of every path what they do not fit", () => {
    assert.equal(ask(matcher, "h", "/ab"), "/ab*");
    assert.equal(ask(matcher, "h", "/b"), "/*");
  });
});

describe("explain", () => {
  it("names what kept each candidate out, nearest first", () => {
    const matcher = compile({
      "a.test": [
        route("/v1*"),
        route("/*", [], { id: "root" }),
        route("/v1*", [], { id: "posted", match: matchOn("/v1*", { method: "POST" }) }),
        route("/v1*", [], {
          id: "keyed",
          match: matchOn("/v1*", { headers: [{ name: "K", type: "exact", value: "v" }] }),
        }),
      ],
      "b.test": [route("/v1*", [], { id: "elsewhere" })],
    });
    const found = explain(matcher, { listener: "web", method: "GET", host: "A.test:80", target: "/v1/x" });
    assert.equal(found.outcome, "matched");
    assert.equal(found.virtualHost, "a.test");
    assert.deepEqual(
      found.candidates.map(({ route: id, result, why }) => [id, result, why]),
      [
        ["/v1*", "chosen", "takes the request"],
        ["root", "outranked", "/v1* has the longer prefix /v1"],
        ["posted", "mismatch", "method is GET, wanted POST"],
        ["keyed", "mismatch", "header k is absent, wanted v"],
        ["elsewhere", "mismatch", "host is a.test, wanted b.test"],
      ],
    );
  });

  it("agrees with the matcher on random tables", () => {
    let seed = 7;
    const pick = <T>(items: T[]): T => items[(seed = (seed * 48271) % 2147483647) % items.length]!;
    const paths = ["/", "/a", "/a/", "/a/b", "/ab", "/a/b/c", "/b"];
    for (let round = 0; round < 300; round++) {
      const routes = Array.from({ length: 8 }, (_, index) =>
        route("", [], {
          id: `r${index}`,
          match: {
            path: { type: pick(["exact", "prefix", "regex"] as const), value: pick(paths) },
            ...(pick([true, false]) && { method: pick(["GET", "POST"]) }),
            headers: pick([[], [{ name: "k", type: "exact" as const, value: pick(["1", "2"]) }]]),
            query: [],
          },
        }),
      );
      const request = { listener: "web", method: "GET", host: "h", target: pick(paths), headers: { k: "1" } };
      const found = explain(compile({ "*": routes }), request);
      const fitting = found.candidates.filter((candidate) => candidate.mismatches.length === 0);
      const best = fitting.map(({ route: id }) => routes.find((each) => each.id === id)!).toSorted(bySpecificity)[0];
      assert.equal(found.route, best?.id, JSON.stringify([request, routes]));
    }
  });
});

describe("expressions", () => {
  it("do not hold up the process when they backtrack without end", { timeout: 10_000 }, () => {
    const matcher = compile({ "*": [route("~^/(a+)+$")] });
    assert.equal(ask(matcher, "a.test", `/${"a".repeat(60)}!`), "no-route");
    assert.equal(ask(matcher, "a.test", `/${"a".repeat(60)}`), "~^/(a+)+$");
  });
});
