// Expressions of routes are RE2's, in traffic and in explanations, and keep nobody waiting.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RouteMatch } from "../routing-table.ts";
import { answering, exchangeBytes, ok } from "../testing/sockets.ts";
import { matchOn, service } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";
import { compilePattern } from "./pattern.ts";

interface Asked {
  target?: string;
  headers?: Record<string, string>;
}

/** Whether a route with this match takes the request; traffic and explanation must agree. */
async function takes(match: RouteMatch, { target = "/", headers = {} }: Asked): Promise<boolean> {
  const backend = await answering(ok("x"));
  let taken = false;
  await withProxy(
    [service("s", [backend.port])],
    async ({ port, proxy }) => {
      const lines = Object.entries(headers).map(
        ([name, value]) => `${name}: ${Buffer.from(value).toString("latin1")}\r\n`,
      );
      const answer = await exchangeBytes(
        port,
        `GET ${target} HTTP/1.1\r\nHost: a.test\r\n${lines.join("")}Connection: close\r\n\r\n`,
      );
      taken = answer.startsWith("HTTP/1.1 200 ");
      const explained = proxy.match({ listener: "web", method: "GET", host: "a.test", target, headers });
      assert.equal(explained.outcome === "matched", taken);
    },
    { route: { match } },
  );
  await backend.close();
  return taken;
}

const onHeader = (value: string, type: "regex" | "exact" = "regex"): RouteMatch =>
  matchOn("/*", { headers: [{ name: "X", type, value }] });
const onQuery = (value: string): RouteMatch => matchOn("/*", { query: [{ name: "q", type: "regex", value }] });

describe("expressions", () => {
  const cases: [name: string, match: RouteMatch, asked: Asked, expected: boolean][] = [
    ["are searched for in paths", matchOn("~[0-9]{2}"), { target: "/a/12/b" }, true],
    ["need not fit", matchOn("~^/[0-9]{2}$"), { target: "/a/12/b" }, false],
    ["have RE2's flags", matchOn("~(?i)/ADMIN"), { target: "/admin" }, true],
    ["have RE2's end of text, which is no `z`", matchOn("~^/x\\z"), { target: "/xz" }, false],
    ["read headers as UTF-8", onHeader("^c.fé$"), { headers: { X: "café" } }, true],
    ["read a character as one, however many bytes it has", onHeader("^..$"), { headers: { X: "é" } }, false],
    ["decode query parameters", onQuery("^a b/é$"), { target: "/?q=a+b%2F%C3%A9" }, true],
    ["with look-around take nothing", matchOn("~(?=/)"), { target: "/" }, false],
    ["that are too large take nothing", onHeader("(a{100}){50}"), { headers: { X: "a".repeat(5_000) } }, false],
    ["are not meant by exact matches, which read UTF-8, too", onHeader("é.", "exact"), { headers: { X: "éa" } }, false],
    ["do not keep exact matches from UTF-8", onHeader("é.", "exact"), { headers: { X: "é." } }, true],
  ];
  for (const [name, match, asked, expected] of cases) {
    it(name, async () => assert.equal(await takes(match, asked), expected));
  }

  // Each of these would keep a backtracking engine busy beyond any timeout.
  const hostile: [name: string, match: RouteMatch, asked: Asked][] = [
    ["in a path", matchOn("~^/(a+)+$"), { target: `/${"a".repeat(8_000)}!` }],
    ["in a header", onHeader("^(a|aa)+$"), { headers: { X: `${"a".repeat(8_000)}!` } }],
    ["in a query parameter", onQuery("^(([a-z])+.)+[A-Z]$"), { target: `/?q=${"a".repeat(8_000)}` }],
    ["with counted repetitions", matchOn("~^/(.*){1,50}[0-9]$"), { target: `/${"a".repeat(8_000)}` }],
    ["with nested counts", onHeader("^(?:(?:a?){30}){20}b$"), { headers: { X: "a".repeat(8_000) } }],
    ["with overlapping counts", matchOn("~^/(x+x+){1,9}y"), { target: `/${"x".repeat(8_000)}` }],
  ];
  for (const [name, match, asked] of hostile) {
    it(`that are hostile ${name} are answered`, async () => assert.equal(await takes(match, asked), false));
  }

  it("are refused with RE2's words", () => {
    assert.throws(() => compilePattern("(a"), /^SyntaxError: error parsing regexp: missing closing \): `\(a`$/);
    assert.throws(() => compilePattern("(a{100}){50}"), /expression too large/);
    assert.doesNotThrow(() => compilePattern("^[a-z0-9-]{1,253}(\\.[a-z0-9-]{1,63}){1,10}$"));
  });
});
