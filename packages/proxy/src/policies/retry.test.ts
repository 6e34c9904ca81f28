// Retries as a route asks for them (GEP-1731), with the cases of the Gateway API's conformance tests on them.

import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import type { AccessRecord } from "../proxy.ts";
import type { Retry, Route, Service } from "../routing-table.ts";
import { answerWith, reset, startHttpBackend } from "../testing/http-backend.ts";
import type { HttpBackend } from "../testing/http-backend.ts";
import { closedPort, exchangeBytes, GET_CLOSE, RawClient, startBackend, until } from "../testing/sockets.ts";
import { service } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";
import type { Variations } from "../testing/with-proxy.ts";
import { RetryBudgetMeter } from "../upstream/retry-budget.ts";
import { BUDGET_SPENT, NO_MORE, RetryPlan } from "./retry-plan.ts";

const ALL = [500, 502, 503, 504];
const retry = (statuses: number[], attempts: number, backoff = 0): Retry => ({ statuses, attempts, backoff });

/** A backend that fails so many requests before it answers 200; `status` 0 resets the connection. */
const failing = (times: number, status: number): Promise<HttpBackend> =>
  startHttpBackend((response, { body }, before) => {
    if (before >= times) answerWith(response, 200, `got ${body}`);
    else if (status === 0) reset(response);
    else answerWith(response, status, "failed");
  });

interface Outcome {
  answer: string;
  /** Requests that reached the backend. */
  reached: number;
  record: AccessRecord;
}

async function ask(
  backend: HttpBackend,
  route: Partial<Route>,
  request: string = GET_CLOSE,
  more: Variations & { service?: Partial<Service> } = {},
): Promise<Outcome> {
  let answer = "";
  let record: AccessRecord | undefined;
  await withProxy(
    [{ ...service("s", [backend.port]), ...more.service }],
    async ({ port, records, proxy }) => {
      answer = await exchangeBytes(port, request);
      record = records[0]!;
      assert.equal(proxy.stats().services["s"]!.active, 0);
      assert.equal(Object.values(proxy.stats().endpoints)[0]!.active, 0);
    },
    { ...more, route },
  );
  await backend.close();
  return { answer, reached: backend.requests.length, record: record! };
}

describe("statuses", () => {
  const cases: [name: string, policy: Retry, fails: number, status: number, expected: number, reached: number][] = [
    ["500, twice, three retries", retry([500], 3), 2, 500, 200, 3],
    ["500, four times, three retries", retry([500], 3), 4, 500, 500, 4],
    ["503, which is not asked for", retry([500], 3), 2, 503, 503, 1],
    ...ALL.flatMap((status): typeof cases => [
      [`${status}, once, two retries`, retry(ALL, 2), 1, status, 200, 2],
      [`${status}, three times, two retries`, retry(ALL, 2), 3, status, status, 3],
    ]),
    ["429 when it is asked for", retry([429], 1), 1, 429, 200, 2],
  ];
  for (const [name, policy, fails, status, expected, reached] of cases) {
    it(`${name}: ${expected}`, async () => {
      const outcome = await ask(await failing(fails, status), { retry: policy });
      assert.equal(outcome.answer.slice(9, 12), String(expected));
      assert.equal(outcome.reached, reached);
      assert.equal(outcome.record.retries, reached - 1);
      assert.equal(outcome.record.reason, "");
    });
  }

  it("are not tried again without a policy", async () => {
    const outcome = await ask(await failing(1, 503), {});
    assert.deepEqual([outcome.answer.slice(9, 12), outcome.reached], ["503", 1]);
  });

  it("are tried again at another endpoint if there is one", async () => {
    const [bad, good] = [await failing(Infinity, 503), await failing(0, 0)];
    await withProxy(
      [service("s", [bad.port, good.port])],
      async ({ port, records }) => {
        for (let each = 0; each < 6; each++) assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 200 /);
        assert.deepEqual(new Set(records.map((record) => record.endpoint)), new Set([`127.0.0.1:${good.port}`]));
        assert.equal(bad.requests.length, 6);
        assert.equal(good.requests.length, 6);
      },
      { route: { retry: retry([503], 1) } },
    );
    await bad.close();
    await good.close();
  });
});

describe("connections that fail without an answer", () => {
  it("are tried again under a policy, whatever the method", async () => {
    for (const method of ["GET", "POST"]) {
      const request = `${method} / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
      const outcome = await ask(await failing(2, 0), { retry: retry([], 3) }, request);
      assert.deepEqual([outcome.answer.slice(9, 12), outcome.reached], ["200", 3]);
    }
  });

  it("as often as the policy says and no more", async () => {
    const outcome = await ask(await failing(4, 0), { retry: retry([], 3) });
    assert.deepEqual([outcome.answer.slice(9, 12), outcome.reached, outcome.record.retries], ["502", 4, 3]);
    assert.match(outcome.record.reason, /^backend-/);
  });

  it("are tried again when an answer had begun, but not when it had been passed on", async () => {
    const inHead = await startBackend((socket, _received, connection) => {
      socket.end(connection === 0 ? "HTTP/1.1 200 OK\r\nX: " : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    const inBody = await startBackend((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbroken"));
    for (const [backend, expected, connections] of [
      [inHead, /^HTTP\/1\.1 200 [^]*ok$/, 2],
      [inBody, /^HTTP\/1\.1 200 [^]*broken$/, 1],
    ] as const) {
      await withProxy(
        [service("s", [backend.port])],
        async ({ port }) => assert.match(await exchangeBytes(port, GET_CLOSE), expected),
        { route: { retry: retry(ALL, 3) } },
      );
      assert.equal(backend.received.length, connections);
      await backend.close();
    }
  });

  it("because nobody listens: every endpoint, then as often as the policy says", async () => {
    await withProxy(
      [service("s", [await closedPort(), await closedPort()])],
      async ({ port, proxy, records }) => {
        assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 502 /);
        const failures = Object.values(proxy.stats().endpoints).map((counters) => counters.connectFailures);
        assert.deepEqual(failures, [2, 2]);
        assert.equal(records[0]!.reason, "connect-econnrefused");
      },
      { route: { retry: retry([], 1) } },
    );
  });

  it("are not tried again when what came was not HTTP", async () => {
    const backend = await startBackend((socket) => socket.end("SSH-2.0-x\r\n"));
    await withProxy(
      [service("s", [backend.port])],
      async ({ port }) => assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 502 /),
      { route: { retry: retry([502], 3) } },
    );
    assert.equal(backend.received.length, 1);
    await backend.close();
  });
});

describe("bodies", () => {
  const post = (framing: string, body: string): string =>
    `POST / HTTP/1.1\r\nHost: a.test\r\n${framing}\r\nConnection: close\r\n\r\n${body}`;

  it("with a length are sent again", async () => {
    const backend = await failing(2, 503);
    const outcome = await ask(backend, { retry: retry([503], 2) }, post("Content-Length: 5", "hello"));
    assert.match(outcome.answer, /got hello$/);
    assert.deepEqual(
      backend.requests.map(({ body }) => body),
      ["hello", "hello", "hello"],
    );
  });

  it("in chunks are sent again, trailers too", async () => {
    const backend = await failing(1, 0);
    const chunks = "3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n";
    const outcome = await ask(backend, { retry: retry([], 1) }, post("Transfer-Encoding: chunked", chunks));
    assert.match(outcome.answer, /got abcde$/);
    assert.deepEqual(
      backend.requests.map(({ body, trailers }) => [body, trailers["x-t"]]),
      [
        ["abcde", "1"],
        ["abcde", "1"],
      ],
    );
  });

  it("of up to the bound are sent again, longer ones go once", async () => {
    for (const [length, reached, expected] of [
      [1000, 2, "200"],
      [1001, 1, "503"],
    ] as const) {
      const request = post(`Content-Length: ${length}`, "x".repeat(length));
      const outcome = await ask(await failing(1, 503), { retry: retry([503], 3) }, request, {
        limits: { replayBytes: 1000 },
      });
      assert.deepEqual([outcome.answer.slice(9, 12), outcome.reached], [expected, reached]);
    }
  });

  it("that are still coming in go on at the next attempt", async () => {
    const first = Promise.withResolvers<void>();
    const backend = await startBackend((socket, received, connection) => {
      if (connection === 0) {
        if (!received.endsWith("hel")) return;
        socket.write("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
        first.resolve();
      } else if (received.endsWith("hello")) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    const second = once(backend.server, "connection").then(() => once(backend.server, "connection"));
    await withProxy(
      [service("s", [backend.port])],
      async ({ port }) => {
        const client = new RawClient(port).send(post("Content-Length: 5", "hel"));
        await first.promise;
        await second;
        client.send("lo");
        assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 [^]*ok$/);
      },
      { route: { retry: retry([503], 1) } },
    );
    assert.match(backend.received[1]!, /\r\n\r\nhello$/);
    await backend.close();
  });
});

describe("time", () => {
  const hanging = (times: number): Promise<HttpBackend> =>
    startHttpBackend((response, _request, before) => {
      if (before >= times) answerWith(response, 200, "ok");
    });

  it("of one attempt is up: the next, within the policy", async () => {
    const route = { retry: retry([], 2), timeouts: { backendRequest: 60 } };
    const outcome = await ask(await hanging(2), route);
    assert.deepEqual([outcome.answer.slice(9, 12), outcome.reached], ["200", 3]);
    const given = await ask(await hanging(3), route);
    assert.deepEqual([given.answer.slice(9, 12), given.reached], ["504", 3]);
    assert.equal(given.record.reason, "backend-request-timeout");
  });

  it("of one attempt is up: 504 without a policy", async () => {
    const outcome = await ask(await hanging(1), { timeouts: { backendRequest: 60 } });
    assert.deepEqual([outcome.answer.slice(9, 12), outcome.reached], ["504", 1]);
  });

  it("of the request is up: no further attempt, nor a longer wait", async () => {
    const waiting = { retry: retry([503], 9, 3_600_000), timeouts: { request: 60 } };
    const outcome = await ask(await failing(1, 503), waiting);
    assert.deepEqual([outcome.answer.slice(9, 12), outcome.reached], ["504", 1]);
    assert.equal(outcome.record.reason, "request-timeout");
    const trying = { retry: retry([], 1_000_000), timeouts: { request: 60 } };
    const tried = await ask(await failing(Infinity, 0), trying);
    assert.deepEqual([tried.answer.slice(9, 12), tried.record.reason], ["504", "request-timeout"]);
    assert.ok(tried.reached > 1);
  });

  it("between attempts: a client that leaves is not waited for", async () => {
    const backend = await failing(1, 503);
    await withProxy(
      [service("s", [backend.port])],
      async ({ port, proxy, records }) => {
        // The attempt's connection is given up before the wait for the next begins.
        const givenUp = once(backend.server, "connection").then(([socket]) => once(socket, "close"));
        const client = new RawClient(port).send(GET_CLOSE);
        await givenUp;
        client.destroy();
        await until(() => records.length > 0);
        assert.deepEqual([records[0]!.status, records[0]!.reason], [499, "client-closed-connection"]);
        assert.equal(proxy.stats().services["s"]!.active, 0);
        assert.equal(backend.requests.length, 1);
      },
      { route: { retry: retry([503], 1, 3_600_000) } },
    );
    await backend.close();
  });

  it("between attempts grows from what the policy says, bounded, with something added at random", () => {
    const plan = new RetryPlan(retry([], 8, 100), null, null);
    for (const least of [100, 200, 400, 800, 1000, 1000, 1000, 1000]) {
      const wait = plan.next(0);
      assert.ok(wait >= least && wait <= least * 1.25, `${wait} instead of ${least}`);
    }
    assert.equal(plan.next(0), NO_MORE);
  });
});

describe("budgets", () => {
  const budget = { percent: 20, interval: 10_000, minPerSecond: 0 };

  it("that are spent answer 503", async () => {
    const none = { ...budget, percent: 0 };
    const outcome = await ask(await failing(1, 500), { retry: retry([500], 3) }, GET_CLOSE, {
      service: { retryBudget: none },
    });
    assert.deepEqual([outcome.answer.slice(9, 12), outcome.reached], ["503", 1]);
    assert.equal(outcome.record.reason, "retry-budget-spent");
    const some = { ...none, minPerSecond: 1 };
    const served = await ask(await failing(1, 500), { retry: retry([500], 3) }, GET_CLOSE, {
      service: { retryBudget: some },
    });
    assert.deepEqual([served.answer.slice(9, 12), served.reached], ["200", 2]);
  });

  it("survive a table swap, and are the service's, not the route's", () => {
    const meter = new RetryBudgetMeter(budget);
    for (let each = 0; each < 10; each++) meter.onRequest(0);
    const plans = [1, 2, 3].map(() => new RetryPlan(retry([], 1), meter, null));
    assert.deepEqual(
      plans.map((plan) => plan.next(0)),
      [0, 0, BUDGET_SPENT],
    );
  });

  it("are a share of the requests of the last interval", () => {
    const meter = new RetryBudgetMeter(budget);
    assert.equal(meter.take(0), false, "nothing was asked yet");
    for (let each = 0; each < 50; each++) meter.onRequest(each * 100);
    const taken = Array.from({ length: 20 }, () => meter.take(5_000)).filter(Boolean).length;
    assert.equal(taken, 10);
    // The first three seconds' requests are forgotten by then, the retries count still.
    for (let each = 0; each < 80; each++) meter.onRequest(12_500);
    assert.equal(Array.from({ length: 20 }, () => meter.take(12_600)).filter(Boolean).length, 10);
    assert.equal(meter.take(100_000), false, "everything is forgotten");
  });

  it("always allow a few per second", () => {
    const meter = new RetryBudgetMeter({ ...budget, minPerSecond: 2 });
    assert.deepEqual([meter.take(0), meter.take(10), meter.take(20)], [true, true, false]);
    assert.deepEqual([meter.take(1_500), meter.take(1_500), meter.take(1_500)], [true, true, false]);
  });
});
