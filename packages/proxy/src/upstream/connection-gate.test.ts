// So many requests are with an endpoint at a time, so many wait, the others are told to come back later.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createProxy } from "../proxy.ts";
import type { Proxy } from "../proxy.ts";
import type { Filter, Service } from "../routing-table.ts";
import { answering, exchangeBytes, GET_CLOSE, ok, RawClient, startBackend, until } from "../testing/sockets.ts";
import type { Backend } from "../testing/sockets.ts";
import { listener, route, service, table } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";
import type { Setup } from "../testing/with-proxy.ts";

const limited = (ports: number[], connections: number, queue: number): Service => ({
  ...service("s", ports),
  limits: { connections, queue },
});

/** Answers when told to: the requests it has not answered yet, in order. */
async function patient(name = "A"): Promise<Backend & { asked: number; answer: () => void }> {
  const waiting: (() => void)[] = [];
  const backend = await startBackend((socket) => {
    result.asked++;
    waiting.push(() => socket.write(ok(name)));
  });
  const result = Object.assign(backend, { asked: 0, answer: () => waiting.shift()!() });
  return result;
}

/** Sends requests one after another, each when the one before has its place. */
async function sendInTurn({ port, proxy }: { port: number; proxy: Proxy }, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  const active = (): number => proxy.stats().services["s"]!.active;
  for (let each = 0; each < count; each++) {
    const before = active();
    clients.push(new RawClient(port).send(GET_CLOSE));
    await until(() => active() === before + 1);
  }
  return clients;
}

describe("limits of an endpoint", () => {
  it("let requests in one after another, in order, and turn away those who find the queue full", async () => {
    const backend = await patient();
    await withProxy([limited([backend.port], 1, 2)], async (setup) => {
      const clients = await sendInTurn(setup, 3);
      await until(() => backend.asked === 1);
      assert.match(await exchangeBytes(setup.port, GET_CLOSE), /^HTTP\/1\.1 503 Service Unavailable\r\n/);
      assert.equal(setup.records[0]!.reason, "connection-queue-full");
      for (const [served, client] of clients.entries()) {
        await until(() => backend.asked > served);
        assert.equal(backend.asked, served + 1);
        backend.answer();
        assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 /);
      }
      assert.equal(backend.received.length, 1, "one connection served all");
      assert.equal(setup.proxy.stats().endpoints[`127.0.0.1:${backend.port}`]!.active, 0);
    });
    await backend.close();
  });

  it("send requests to an endpoint with room before they queue at another", async () => {
    const [a, b] = [await patient("A"), await patient("B")];
    await withProxy([limited([a.port, b.port], 1, 1)], async (setup) => {
      const clients = await sendInTurn(setup, 4);
      await until(() => a.asked === 1 && b.asked === 1);
      assert.match(await exchangeBytes(setup.port, GET_CLOSE), /^HTTP\/1\.1 503 /);
      for (const backend of [a, b]) {
        backend.answer();
        await until(() => backend.asked === 2);
        backend.answer();
      }
      const answers = await Promise.all(clients.map((client) => client.untilEnd()));
      assert.equal(answers.filter((answer) => answer.endsWith("A")).length, 2);
      assert.equal(answers.filter((answer) => answer.endsWith("B")).length, 2);
    });
    await a.close();
    await b.close();
  });

  it("keep nobody waiting for ever", async () => {
    const backend = await patient();
    const run = async (setup: Setup): Promise<void> => {
      const [first, second] = await sendInTurn(setup, 2);
      assert.match(await second!.untilEnd(), /^HTTP\/1\.1 503 /);
      assert.equal(setup.records[0]!.reason, "connection-queue-timeout");
      backend.answer();
      assert.match(await first!.untilEnd(), /^HTTP\/1\.1 200 /);
      assert.equal(backend.asked, 1);
    };
    await withProxy([limited([backend.port], 1, 1)], run, { limits: { queueTimeout: 1 } });
    await backend.close();
  });

  it("forget clients that leave, whether they wait or are served", async () => {
    const backend = await patient();
    await withProxy([limited([backend.port], 1, 2)], async (setup) => {
      const [first, second, third] = await sendInTurn(setup, 3);
      const left = (count: number): Promise<void> => until(() => setup.records.length === count);
      second!.destroy();
      await left(1);
      await until(() => backend.asked === 1);
      first!.destroy();
      await left(2);
      await until(() => backend.asked === 2);
      backend.answer();
      backend.answer();
      assert.match(await third!.untilEnd(), /^HTTP\/1\.1 200 /);
    });
    await backend.close();
  });

  it("that grow or go let in those who wait", async () => {
    const backend = await patient();
    const proxy = createProxy();
    const apply = async (each: Service): Promise<number> => {
      const [state] = await proxy.apply(table([listener({ "*": [route("/*", "s")] })], [each]));
      return state!.port;
    };
    const port = await apply(limited([backend.port], 1, 9));
    const clients = await sendInTurn({ port, proxy }, 4);
    await until(() => backend.asked === 1);
    await apply(limited([backend.port], 2, 9));
    await until(() => backend.asked === 2);
    await apply(service("s", [backend.port]));
    await until(() => backend.asked === 4);
    for (let each = 0; each < 4; each++) backend.answer();
    for (const client of clients) assert.match(await client.untilEnd(), /^HTTP\/1\.1 200 /);
    await proxy.close({ graceMs: 0 });
    await backend.close();
  });

  it("count mirrored requests in, and drop rather than queue them", async () => {
    const backend = await patient();
    const main = await answering(ok("M"));
    const action = { type: "forward" as const, backends: [{ service: "main", weight: 1, filters: [] }] };
    const filters: Filter[] = [{ type: "mirror", service: "s" }];
    await withProxy(
      [limited([backend.port], 1, 5), service("main", [main.port])],
      async ({ port, proxy }) => {
        for (let each = 0; each < 3; each++) assert.match(await exchangeBytes(port, GET_CLOSE), /M$/);
        await until(() => backend.asked === 1);
        backend.answer();
        const { mirrored } = proxy.stats().services["s"]!;
        assert.deepEqual([mirrored.dropped, mirrored.active], [2, 1]);
      },
      { route: { action, filters } },
    );
    await backend.close();
    await main.close();
  });
});
