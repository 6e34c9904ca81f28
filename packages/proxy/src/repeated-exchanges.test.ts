// Whatever the proxy does to a request, it does it to one that comes again as to the first, of which nothing was known.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Filter, Route } from "./routing-table.ts";
import { answerWith, startHttpBackend } from "./testing/http-backend.ts";
import { exchangeBytes } from "./testing/sockets.ts";
import { listener, route, service, table } from "./testing/tables.ts";
import { variantProxy } from "./testing/variant.ts";

/** Often enough for what is kept when it comes again. */
const TIMES = 5;

const cors = { allowCredentials: true, allowMethods: ["*"], allowHeaders: ["*"], exposeHeaders: [], maxAge: 5 };
const auth = (maxBodyBytes: number): Filter => ({
  type: "externalAuth",
  service: "auth",
  protocol: "http",
  path: "",
  allowedHeaders: ["x-user"],
  allowedResponseHeaders: ["x-user"],
  maxBodyBytes,
});

const WAYS: Record<string, Partial<Route>> = {
  nothing: {},
  authorization: { filters: [auth(0)] },
  authorizedBodies: { filters: [auth(100)] },
  buffer: { filters: [{ type: "buffer", maxBytes: 100 }] },
  authorizationAndBuffer: { filters: [auth(0), { type: "buffer", maxBytes: 100 }] },
  edits: {
    filters: [{ type: "requestHeaders", set: [{ name: "X-Set", value: "1" }], add: [], remove: ["x-user"] }],
  },
  rewrite: { filters: [{ type: "rewrite", path: { type: "full", value: "/z" }, hostname: "other.test" }] },
  origins: { filters: [{ type: "cors", allowOrigins: ["https://a.test"], ...cors }] },
  retries: { retry: { attempts: 1, backoff: 0, statuses: [503] } },
};

/** Method, what follows the prefix of the path, field lines, body. */
const REQUESTS: [method: string, path: string, lines: string, body: string][] = [
  ["GET", "/plain?a=b", "", ""],
  ["HEAD", "/head", "", ""],
  ["GET", "/unavailable", "X-Status: 503\r\n", ""],
  ["GET", "/unchanged", "X-Status: 304\r\n", ""],
  ["GET", "/trailers", "TE: trailers\r\n", ""],
  ["GET", "/upgrade", "Connection: upgrade\r\nUpgrade: foo\r\n", ""],
  ["GET", "/options", "Connection: x-user\r\n", ""],
  ["GET", "/origin", "Origin: https://a.test\r\n", ""],
  ["GET", "/other-origin", "Origin: https://b.test\r\n", ""],
  ["OPTIONS", "/preflight", "Origin: https://a.test\r\nAccess-Control-Request-Method: PUT\r\n", ""],
  ["POST", "/length", "Content-Length: 5\r\n", "hello"],
  ["POST", "/continue", "Content-Length: 5\r\nExpect: 100-continue\r\n", "hello"],
  ["POST", "/empty", "Content-Length: 0\r\n", ""],
  ["POST", "/chunks", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"],
  ["POST", "/chunks-and-trailers", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"],
];

const withoutDate = (answer: string): string => answer.replace(/^Date: .*\r\n/im, "");

describe("what comes again is sent and answered as the first time", () => {
  for (const [way, more] of Object.entries(WAYS))
    it(`by a route with ${way}`, async () => {
      const authorizing = await startHttpBackend((response) => {
        response.writeHead(200, { "X-User": "alice", "Content-Length": 0 }).end();
      });
      const backend = await startHttpBackend((response, { headers, body }) =>
        answerWith(response, Number(headers["x-status"] ?? 200), `got ${body}`),
      );
      const proxy = variantProxy();
      const services = [service("s", [backend.port]), service("auth", [authorizing.port])];
      const [state] = await proxy.apply(table([listener({ "a.test": [route(`/${way}*`, "s", more)] })], services));
      for (const [method, path, lines, body] of REQUESTS) {
        const target = `/${way}${path}`;
        const head = `${method} ${target} HTTP/1.1\r\nHost: a.test\r\nX-User: mallory\r\nConnection: close\r\n${lines}\r\n`;
        const outcomes: unknown[] = [];
        for (let time = 0; time < TIMES; time++) {
          const before = [backend.requests.length, authorizing.requests.length];
          const answer = await exchangeBytes(state!.port, head + body);
          const [sent, asked] = [backend.requests.slice(before[0]), authorizing.requests.slice(before[1])];
          outcomes.push({ answer: withoutDate(answer), sent, asked });
        }
        for (const outcome of outcomes) assert.deepEqual(outcome, outcomes[0], `${method} ${target}`);
      }
      await proxy.close({ graceMs: 0 });
      await Promise.all([authorizing.close(), backend.close()]);
    });
});
