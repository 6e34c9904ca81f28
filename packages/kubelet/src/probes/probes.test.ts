// Probes: verdicts over results, the schedule, and the attempts themselves over real sockets.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { mock, test, type TestContext } from "node:test";
import type { Container, Probe } from "@gatehouse/apimachinery/types/core-v1";
import { runHandler, unsupportedHandler } from "./probe-handler.ts";
import { createProbeState } from "./probe-state.ts";
import { startProbe } from "./probe-worker.ts";

test("verdicts need their thresholds in a row", () => {
  const cases: [Probe, string, string][] = [
    [{}, "s", "success"],
    [{}, "ff", "unknown"],
    [{}, "fff", "failure"],
    [{}, "sff", "success"],
    [{}, "sffsff", "success"],
    [{}, "sfff", "failure"],
    [{}, "sfffs", "success"],
    [{ failureThreshold: 1 }, "sf", "failure"],
    [{ successThreshold: 2 }, "s", "unknown"],
    [{ successThreshold: 2 }, "sfs", "unknown"],
    [{ successThreshold: 2 }, "ss", "success"],
  ];
  for (const [probe, results, expected] of cases) {
    const state = createProbeState(probe);
    for (const result of results) state.observe(result === "s");
    assert.equal(state.verdict, expected, `${JSON.stringify(probe)} ${results}`);
  }
});

test("a change is reported once", () => {
  const state = createProbeState({ failureThreshold: 2 });
  assert.deepEqual(
    [true, true, false, false, false, true].map((success) => state.observe(success)),
    [true, false, false, true, false, true],
  );
});

/** A probe over scripted results, under a clock the test moves. */
function scripted(
  context: TestContext,
  probe: Probe,
  results: string,
  options: { eager?: boolean; startedMsAgo?: number } = {},
) {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const log: string[] = [];
  let at = 0;
  const worker = startProbe({
    probe,
    eager: options.eager ?? false,
    startedMsAgo: options.startedMsAgo ?? 0,
    run: () => {
      log.push(`probe@${Date.now()}`);
      return Promise.resolve({ success: results[at++] === "s", message: "no" });
    },
    onVerdict: (verdict) => log.push(verdict),
    onFailure: (message) => log.push(message),
  });
  const advance = async (milliseconds: number): Promise<string[]> => {
    context.mock.timers.tick(milliseconds);
    // The attempt's promise settles within a turn.
    await new Promise(setImmediate);
    return log.splice(0);
  };
  return { worker, advance };
}

test("without a delay the first probe runs at once, the next after the period", async (context) => {
  const { worker, advance } = scripted(context, { periodSeconds: 5 }, "sf");
  assert.deepEqual(await advance(0), ["probe@0", "success"]);
  assert.deepEqual(await advance(4_999), []);
  assert.deepEqual(await advance(1), ["probe@5000", "no"]);
  worker.stop();
  assert.deepEqual(await advance(60_000), []);
});

test("the initial delay counts from the container's start", async (context) => {
  const { worker, advance } = scripted(context, { initialDelaySeconds: 3 }, "s", { startedMsAgo: 1_000 });
  assert.deepEqual(await advance(1_999), []);
  assert.deepEqual(await advance(1), ["probe@2000", "success"]);
  worker.stop();
});

test("an eager first probe is repeated every 25 ms for a second, without counting", async (context) => {
  const { worker, advance } = scripted(context, { failureThreshold: 1 }, "ffs", { eager: true });
  assert.deepEqual(await advance(0), ["probe@0"]);
  assert.deepEqual(await advance(25), ["probe@25"]);
  assert.deepEqual(await advance(25), ["probe@50", "success"]);
  assert.deepEqual(await advance(25), []);
  worker.stop();
});

test("after the eager second failures count, and after a success as well", async (context) => {
  const { worker, advance } = scripted(context, { failureThreshold: 1, periodSeconds: 1 }, "f".repeat(100), {
    eager: true,
  });
  await advance(0);
  for (let at = 0; at < 39; at++) assert.deepEqual((await advance(25)).length, 1);
  assert.deepEqual(await advance(25), ["probe@1000", "no", "failure"]);
  assert.deepEqual(await advance(25), []);
  worker.stop();
  mock.timers.reset();
});

const container: Container = { name: "c", image: "i", ports: [{ name: "web", containerPort: 80 }] };

test("httpGet: codes, headers, named ports, timeouts", async () => {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    if (request.url !== "/never") response.writeHead(Number(request.url?.slice(1)), { location: "/" }).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const locate = (wanted: number) => ({ host: "127.0.0.1", port: wanted === 80 ? port : wanted });
  const get = (path: string, extra = {}) =>
    runHandler({ httpGet: { path, port: "web", ...extra } }, container, locate, 100);
  for (const [path, success] of [
    ["/200", true],
    ["/302", true],
    ["/399", true],
    ["/400", false],
    ["/503", false],
  ] as const) {
    assert.equal((await get(path)).success, success, path);
  }
  assert.deepEqual(await get("/500"), { success: false, message: "HTTP probe failed with statuscode: 500" });
  await get("/200", {
    httpHeaders: [
      { name: "Host", value: "x.example" },
      { name: "X-A", value: "1" },
    ],
  });
  assert.equal(seen.at(-1)?.headers.host, "x.example");
  assert.equal(seen.at(-1)?.headers["x-a"], "1");
  assert.match(seen.at(-1)?.headers["user-agent"] ?? "", /^kube-probe\//);
  assert.match((await get("/never")).message, /context deadline exceeded/);
  assert.match((await get("/200", { port: "nope" })).message, /no port named "nope"/);
  assert.match((await get("/200", { scheme: "HTTPS" })).message, /^Get "https:/);
  const tcp = (at: number | string) => runHandler({ tcpSocket: { port: at } }, container, locate, 100);
  assert.equal((await tcp("web")).success, true);
  server.closeAllConnections();
  server.close();
  await once(server, "close");
  assert.match((await tcp(80)).message, /dial tcp 127\.0\.0\.1:\d+: connect ECONNREFUSED/);
  assert.match((await get("/200")).message, /ECONNREFUSED/);
});

test("what cannot be carried out is refused by name", () => {
  assert.match(unsupportedHandler({ exec: { command: ["true"] } }) ?? "", /^exec is not supported/);
  assert.match(unsupportedHandler({ grpc: { port: 1 } }) ?? "", /^grpc is not supported yet/);
  assert.equal(unsupportedHandler({ tcpSocket: { port: 1 } }), undefined);
});
