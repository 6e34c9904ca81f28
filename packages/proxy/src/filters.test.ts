import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileFilters, redirectLocation, rewritePath } from "./filters.ts";
import type { RedirectFilter } from "./filters.ts";
import { route } from "./testing/tables.ts";

describe("prefix rewrite", () => {
  // The table at HTTPPathModifier.replacePrefixMatch.
  const cases: [path: string, prefix: string, replacement: string, expected: string][] = [
    ["/foo/bar", "/foo", "/xyz", "/xyz/bar"],
    ["/foo/bar", "/foo", "/xyz/", "/xyz/bar"],
    ["/foo/bar", "/foo/", "/xyz", "/xyz/bar"],
    ["/foo/bar", "/foo/", "/xyz/", "/xyz/bar"],
    ["/foo", "/foo", "/xyz", "/xyz"],
    ["/foo/", "/foo", "/xyz", "/xyz/"],
    ["/foo/bar", "/foo", "", "/bar"],
    ["/foo/", "/foo", "", "/"],
    ["/foo", "/foo", "", "/"],
    ["/foo/", "/foo", "/", "/"],
    ["/foo", "/foo", "/", "/"],
    ["/foo/bar", "/foo", "/", "/bar"],
    ["/bar", "/", "/xyz", "/xyz/bar"],
    ["/", "/", "/xyz", "/xyz/"],
    ["/foo/a%2Fb", "/foo", "/xyz", "/xyz/a%2Fb"],
  ];
  for (const [path, prefix, value, expected] of cases) {
    it(`${path}: ${prefix} -> ${value || "(empty)"} = ${expected}`, () => {
      assert.equal(rewritePath(path, { type: "prefix", value }, route(`${prefix}*`)), expected);
    });
  }

  it("replaces the whole path", () => {
    assert.equal(rewritePath("/a/b", { type: "full", value: "/c" }, route("/a*")), "/c");
  });

  it("leaves the path of a route without a prefix, and the asterisk", () => {
    assert.equal(rewritePath("/a", { type: "prefix", value: "/b" }, route("/a")), "/a");
    assert.equal(rewritePath("*", { type: "full", value: "/b" }, route("/*")), "*");
  });
});

describe("redirect", () => {
  const request = { scheme: "http" as const, host: "a.test:8080", port: 8080, path: "/v1/x", query: "?q=1" };
  const cases: [name: string, filter: Partial<RedirectFilter>, request: object, expected: string][] = [
    ["scheme empty: listener port", {}, {}, "http://a.test:8080/v1/x?q=1"],
    ["listener port 80 is not written", {}, { port: 80 }, "http://a.test/v1/x?q=1"],
    ["scheme https: port 443, not written", { scheme: "https" }, {}, "https://a.test/v1/x?q=1"],
    ["port alone", { port: 8443 }, {}, "http://a.test:8443/v1/x?q=1"],
    ["scheme and port", { scheme: "https", port: 8443 }, {}, "https://a.test:8443/v1/x?q=1"],
    ["https with port 443", { scheme: "https", port: 443 }, {}, "https://a.test/v1/x?q=1"],
    ["https with port 80", { scheme: "https", port: 80 }, {}, "https://a.test:80/v1/x?q=1"],
    ["TLS listener on 443", {}, { scheme: "https", port: 443 }, "https://a.test/v1/x?q=1"],
    ["hostname", { hostname: "b.test" }, { port: 80 }, "http://b.test/v1/x?q=1"],
    ["full path", { path: { type: "full", value: "/new" } }, { port: 80 }, "http://a.test/new?q=1"],
    ["prefix", { path: { type: "prefix", value: "/v2" } }, { port: 80 }, "http://a.test/v2/x?q=1"],
    ["IPv6 literal", {}, { host: "[::1]:8080", port: 80 }, "http://[::1]/v1/x?q=1"],
  ];
  for (const [name, filter, more, expected] of cases) {
    it(name, () => {
      const full: RedirectFilter = { type: "redirect", status: 302, ...filter };
      assert.equal(redirectLocation(full, { ...request, ...more }, route("/v1*")), expected);
    });
  }
});

describe("header filters", () => {
  it("come to one set of edits, later filters acting on earlier ones", () => {
    const { request } = compileFilters([
      { type: "requestHeaders", set: [{ name: "A", value: "1" }], add: [{ name: "B", value: "2" }], remove: ["C"] },
      { type: "requestHeaders", set: [{ name: "a", value: "3" }], add: [], remove: ["b"] },
    ]);
    assert.deepEqual([...request!.drop].toSorted(), ["a", "b", "c"]);
    assert.equal(request!.append, "a: 3\r\n");
  });

  it("cannot touch framing, nor break out of a line", () => {
    const { request } = compileFilters([
      {
        type: "requestHeaders",
        set: [{ name: "Content-Length", value: "0" }],
        add: [
          { name: "X", value: "a\r\nEvil: 1" },
          { name: "Y\r\nEvil", value: "1" },
        ],
        remove: ["Transfer-Encoding"],
      },
    ]);
    assert.equal(request, null);
  });

  it("write non-ASCII values as UTF-8 bytes", () => {
    const add = [{ name: "X", value: "é" }];
    assert.equal(compileFilters([{ type: "responseHeaders", set: [], add, remove: [] }]).response!.append, "X: Ã©\r\n");
  });
});

describe("hosts and paths of filters", () => {
  const evil = " HTTP/1.1\r\nX: 1\r\n\r\n";

  it("cannot break out of the request line or Host, nor by characters whose low byte ends a line", () => {
    const { path } = compileFilters([{ type: "rewrite", path: { type: "full", value: `/é${evil}\u010d\u010a#` } }]);
    assert.deepEqual(path, { type: "full", value: "/%C3%A9%20HTTP/1.1%0D%0AX:%201%0D%0A%0D%0A%C4%8D%C4%8A%23" });
    const set = [{ name: "Host", value: `a.test${evil}` }];
    assert.equal(compileFilters([{ type: "requestHeaders", set, add: [], remove: [] }]).hostname, null);
    assert.equal(compileFilters([{ type: "rewrite", hostname: "a.test\u010d\u010aX:1" }]).hostname, null);
    assert.equal(compileFilters([{ type: "rewrite", hostname: "a.test:80" }]).hostname, "a.test:80");
  });

  it("cannot break out of Location", () => {
    const filter: RedirectFilter = {
      type: "redirect",
      status: 302,
      hostname: `b.test${evil}`,
      path: { type: "full", value: `/${evil}` },
    };
    const { redirect } = compileFilters([filter]);
    const request = { scheme: "http" as const, host: "a.test", port: 80, path: "/", query: "" };
    const location = redirectLocation(redirect!, request, route("/*"));
    assert.equal(location, "http://a.test/%20HTTP/1.1%0D%0AX:%201%0D%0A%0D%0A");
  });
});

it("gives routes that edit the same fields one set of their names, and others their own", () => {
  const dropped = (name: string, value: string) =>
    compileFilters([{ type: "requestHeaders", set: [{ name, value }], add: [], remove: [] }]).request;
  const [one, same, other] = [dropped("x-a", "1"), dropped("X-A", "2"), dropped("x-b", "1")];
  assert.equal(one?.drop, same?.drop);
  assert.deepEqual([same?.append, [...(other?.drop ?? [])]], ["X-A: 2\r\n", ["x-b"]]);
});
