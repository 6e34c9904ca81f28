import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readPath, splitTarget } from "./path.ts";

describe("readPath", () => {
  const cases: [sent: string, path: string, lenient: string | null][] = [
    ["/", "/", null],
    ["/v1/x", "/v1/x", null],
    ["/v1/./x", "/v1/x", null],
    ["/v1/../x", "/x", null],
    ["/v1/%2e%2E/x", "/x", null],
    ["/v1/.%2e/x", "/x", null],
    ["/..", "/", null],
    ["/../../x", "/x", null],
    ["/v1/..", "/", null],
    ["/v1/x/.", "/v1/x/", null],
    ["/v1/...", "/v1/...", null],
    ["/v1/.well-known", "/v1/.well-known", null],
    ["/caf%C3%A9", "/caf%C3%A9", null],
    ["/a%20b", "/a%20b", null],
    ["/a%2Fb", "/a%2Fb", "/a/b"],
    ["/a%5cb", "/a%5cb", "/a/b"],
    ["/a\\b", "/a\\b", "/a/b"],
    ["//v1", "//v1", "/v1"],
    ["/%76%31", "/%76%31", "/v1"],
    ["/a%252Fb", "/a%252Fb", null],
    ["/a;b/c", "/a;b/c", null],
  ];
  for (const [sent, path, lenient] of cases) {
    it(sent, () => assert.deepEqual(readPath(sent), { path, lenient }));
  }

  for (const sent of ["/a/..%2fb", "/a%2f..%2fb", "/a%5c..", "/a/..\\b", "/a/..;/b", "/a/..;x=y/b", "/a/%2e%2e%2fb"]) {
    it(`refuses ${sent}`, () => assert.equal(readPath(sent), null));
  }
});

describe("splitTarget", () => {
  it("splits at the first question mark", () => {
    assert.deepEqual(splitTarget("/a?b?c"), { path: "/a", query: "?b?c" });
    assert.deepEqual(splitTarget("/a"), { path: "/a", query: "" });
  });
});
