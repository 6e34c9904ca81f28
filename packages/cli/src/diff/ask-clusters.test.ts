import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import type { FoundEntry } from "../entry-address.ts";
import { UserError } from "../user-error.ts";
import { askClusters } from "./ask-clusters.ts";
import { type ClusterEntries, parseEntries } from "./cluster-entries.ts";
import type { PlannedRequest } from "./planned-request.ts";
import { mostBodyBytes, sendRequest } from "./send-request.ts";

function planned(path: string, more: Partial<PlannedRequest> = {}): PlannedRequest {
  return {
    method: "GET",
    scheme: "http",
    host: "a.test",
    path,
    headers: {},
    times: 1,
    conclusive: true,
    responseHeaders: [],
    ignoreBody: false,
    origin: "test",
    targets: {},
    ...more,
  };
}

async function serve(t: TestContext, listener: RequestListener): Promise<{ host: string; port: number }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

async function closedEntry(): Promise<FoundEntry> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return { host: "127.0.0.1", port, how: "test" };
}

const side = (context: string, entry: FoundEntry): { context: string; entries: ClusterEntries } => ({
  context,
  entries: {
    of: () => entry,
    heading: "tried" in entry ? [] : [{ for: "http", address: `x:${entry.port}`, how: "test" }],
  },
});

const options = { timeoutMs: 10_000, parallel: 2 };

test("each request goes to both, with its own Host and target, never more at a time than allowed", async (t) => {
  let open = 0;
  let most = 0;
  const seen: string[] = [];
  const listener =
    (name: string): RequestListener =>
    (request, response) => {
      most = Math.max(most, ++open);
      seen.push(
        `${name} ${request.method} ${request.headers.host} ${request.url} ${[request.headers["x-a"] ?? ""].flat().join()}`,
      );
      setImmediate(() => {
        open--;
        response.end(name === "b" && request.url === "/two" ? "other" : "same");
      });
    };
  const a = side("a", { ...(await serve(t, listener("a"))), how: "test" });
  const b = side("b", { ...(await serve(t, listener("b"))), how: "test" });
  const requests = [
    planned("/one/../x", { headers: { "X-A": "1" } }),
    planned("/two"),
    planned("/three", { times: 3 }),
  ];
  const { findings, skipped } = await askClusters(requests, a, b, options);
  assert.deepEqual(
    findings.map(({ request, differences }) => [request, differences.length]),
    [
      ["GET http://a.test/one/../x (X-A: 1)", 0],
      ["GET http://a.test/two", 1],
      ["GET http://a.test/three", 0],
    ],
  );
  assert.deepEqual(skipped, []);
  assert.ok(most <= 4, `${most} at a time`);
  for (const name of ["a", "b"]) {
    const own = seen.filter((line) => line.startsWith(name)).sort();
    assert.deepEqual(own, [
      `${name} GET a.test /one/../x 1`,
      ...Array(3).fill(`${name} GET a.test /three `),
      `${name} GET a.test /two `,
    ]);
  }
});

test("a cluster that takes no connection at all is not compared", async (t) => {
  const a = side("a", { ...(await serve(t, (_, response) => void response.end())), how: "test" });
  const b = side("b", await closedEntry());
  await assert.rejects(askClusters([planned("/")], a, b, options), (error) => {
    assert.ok(error instanceof UserError && error.exitCode === 2);
    assert.match(error.message, /^the entry of context "b" takes no connection any more: x:\d+$/);
    return true;
  });
});

test("requests without an entry are left out, and all of them are an error", async (t) => {
  const open: FoundEntry = { ...(await serve(t, (_, response) => void response.end())), how: "test" };
  const entries: ClusterEntries = {
    of: ({ scheme }) => (scheme === "https" ? { tried: ["nothing"] } : open),
    heading: [],
  };
  const [a, b] = [side("a", open), { context: "b", entries }];
  const secure = planned("/", { scheme: "https" });
  const { findings, skipped } = await askClusters([planned("/"), secure, secure, secure], a, b, options);
  assert.equal(findings.length, 1);
  assert.deepEqual(skipped, [
    {
      what: "GET https://a.test/ and 2 more",
      why: 'no https entry of context "b" is reachable from here: nothing; give one with --entry',
    },
  ]);
  await assert.rejects(askClusters([secure], a, b, options), /give one with --entry, or compare .* --no-requests/);
});

test("a request: redirects are not followed, long bodies are cut, silence ends", async (t) => {
  const entry = await serve(t, (request, response) => {
    if (request.url === "/silent") return;
    if (request.url === "/long") return void response.end(Buffer.alloc(mostBodyBytes * 2, "x"));
    response.writeHead(302, { location: "http://elsewhere.invalid/", "x-twice": ["1", "2"] }).end();
  });
  const redirect = await sendRequest(planned("/"), entry, 10_000);
  assert.ok("status" in redirect);
  assert.deepEqual([redirect.status, redirect.headers["x-twice"]], [302, "1, 2"]);
  const long = await sendRequest(planned("/long"), entry, 10_000);
  assert.ok("status" in long);
  assert.deepEqual([long.truncated, long.body.length], [true, mostBodyBytes]);
  assert.deepEqual(await sendRequest(planned("/silent"), entry, 50), {
    failure: "none within 0.05 s",
    unreachable: false,
  });
});

test("entries of the user", () => {
  const contexts = ["a", "x=y"];
  const texts = ["a=[::1]:80", "x=y=http://host.test:8080", "a=https://10.0.0.1:443"];
  assert.deepEqual(
    [...parseEntries(texts, contexts)],
    [
      [
        "a",
        [
          { scheme: "http", host: "::1", port: 80 },
          { scheme: "https", host: "10.0.0.1", port: 443 },
        ],
      ],
      ["x=y", [{ scheme: "http", host: "host.test", port: 8080 }]],
    ],
  );
  for (const text of ["a", "a=host", "a=host:0", "a=host:70000", "a=ftp://host:1", "a=::1:80"]) {
    assert.throws(() => parseEntries([text], contexts), /write CONTEXT=HOST:PORT/, text);
  }
  assert.throws(() => parseEntries(["b=host:80"], contexts), /the contexts compared are a and x=y/);
});
