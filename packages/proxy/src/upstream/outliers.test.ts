import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { OutlierDetection, Service } from "../routing-table.ts";
import { answering, exchangeBytes, GET_CLOSE, inTurn, ok, startBackend } from "../testing/sockets.ts";
import type { Backend } from "../testing/sockets.ts";
import { service } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";
import { OutlierDetector, OutlierState } from "./outliers.ts";

const config: OutlierDetection = { consecutiveFailures: 3, ejectionTime: 1_000, maxEjectedPercent: 50 };

describe("outliers", () => {
  const failing = (): Promise<Backend> => answering("HTTP/1.1 500 Oops\r\nContent-Length: 1\r\n\r\nX");
  const breaking = (): Promise<Backend> => startBackend((socket) => socket.destroy());
  const hanging = (): Promise<Backend> => startBackend(() => {});

  for (const [name, start, timeouts] of [
    ["answer 5xx", failing, {}],
    ["break connections", breaking, {}],
    ["hang", hanging, { backendRequest: 1 }],
  ] as const) {
    it(`that ${name} are left out after so many failures in a row`, async () => {
      const [bad, good] = [await start(), await answering(ok("G"))];
      const outliers = { ...config, ejectionTime: 3_600_000 };
      await withProxy(
        [{ ...service("s", [bad.port, good.port]), outliers }],
        async ({ port, proxy }) => {
          for (let each = 0; each < 12; each++) await exchangeBytes(port, post);
          assert.equal((await inTurn(port, 8)).join(""), "GGGGGGGG");
          assert.equal(bad.received.join("").split("POST /").length - 1, 3);
          const counters = proxy.stats().endpoints;
          assert.equal(counters[`127.0.0.1:${bad.port}`]!.ejections, 1);
          assert.equal(counters[`127.0.0.1:${good.port}`]!.ejections, 0);
        },
        { route: { timeouts } },
      );
      await bad.close();
      await good.close();
    });
  }

  it("are not made by failures that are not in a row, nor by 4xx, nor without a policy", async () => {
    let count = 0;
    const flaky = await startBackend((socket) => {
      const status = ["500 Oops", "500 Oops", "404 Not Found"][count++ % 3];
      socket.write(`HTTP/1.1 ${status}\r\nContent-Length: 1\r\n\r\nX`);
    });
    const other = await answering(ok("G"));
    const bad = await failing();
    for (const [pods, outliers] of [
      [[flaky, other], config],
      [[bad, other], undefined],
    ] as [Backend[], Service["outliers"]][]) {
      const both = {
        ...service(
          "s",
          pods.map(({ port }) => port),
        ),
        ...(outliers !== undefined && { outliers }),
      };
      await withProxy([both], async ({ port, records, proxy }) => {
        for (let each = 0; each < 20; each++) await exchangeBytes(port, GET_CLOSE);
        assert.equal(records.filter(({ endpoint }) => endpoint.endsWith(`:${pods[0]!.port}`)).length, 10);
        assert.deepEqual(
          Object.values(proxy.stats().endpoints).map(({ ejections }) => ejections),
          [0, 0],
        );
      });
    }
    for (const backend of [flaky, other, bad]) await backend.close();
  });

  it("are never more than allowed, and never all", () => {
    for (const [percent, endpoints, most] of [
      [50, 4, 2],
      [49, 4, 1],
      [20, 4, 0],
      [100, 4, 3],
      [100, 1, 0],
    ] as const) {
      const detector = new OutlierDetector({ ...config, maxEjectedPercent: percent });
      const states = Array.from({ length: endpoints }, () => new OutlierState(detector, { ejections: 0 }));
      detector.watch(states);
      for (const state of states) for (let each = 0; each < 5; each++) state.report(true, 1);
      assert.equal(states.filter(({ ejectedUntil }) => ejectedUntil > 1).length, most, `${percent}% of ${endpoints}`);
    }
  });

  it("are out longer each time, until they did well for as long", () => {
    const detector = new OutlierDetector(config);
    const [state, other] = [1, 2].map(() => new OutlierState(detector, { ejections: 0 }));
    detector.watch([state!, other!]);
    const eject = (now: number): number => {
      for (let each = 0; each < 3; each++) state!.report(true, now);
      return state!.ejectedUntil - now;
    };
    assert.equal(eject(10_000), 1_000);
    assert.equal(eject(11_000), 2_000);
    assert.equal(eject(12_000), 1_000, "already out: further failures do not count");
    assert.equal(eject(13_000), 3_000);
    assert.equal(eject(16_000 + 3_001), 1_000);
    for (let each = 0, now = 20_001; each < 20; each++) now += eject(now);
    assert.equal(state!.ejectedUntil > 0 && eject(state!.ejectedUntil), 10_000, "ten times at most");
  });

  const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
});
