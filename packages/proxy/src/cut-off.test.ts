// Who ended a request that did not end as it should: the access record says it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { answerOf, withSession } from "./testing/http2-client.ts";
import { GET, RawClient, startBackend } from "./testing/sockets.ts";
import type { Backend } from "./testing/sockets.ts";
import { eventually } from "./testing/streams.ts";
import { service } from "./testing/tables.ts";
import { variant } from "./testing/variant.ts";
import { withProxy } from "./testing/with-proxy.ts";
import type { Setup, Variations } from "./testing/with-proxy.ts";

const BEGUN = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
const POST = "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\nhalf";
const UPGRADE = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";

/** Says `answer` to whoever asks, and no more. */
async function backendOf(test: TestContext, answer: string): Promise<Backend> {
  const backend = await startBackend((socket, received) => {
    if (received.includes("\r\n\r\n")) socket.write(answer);
  });
  test.after(() => backend.close());
  return backend;
}

/** Status and reason of the only record there is after `run`. */
async function recordOf(
  test: TestContext,
  answer: string,
  run: (setup: Setup, backend: Backend) => Promise<void>,
  more: Variations = {},
): Promise<[status: number, reason: string]> {
  const backend = await backendOf(test, answer);
  let found: [number, string] = [0, ""];
  await withProxy(
    [service("s", [backend.port])],
    async (setup) => {
      await run(setup, backend);
      await eventually(() => setup.records.length > 0);
      assert.equal(setup.records.length, 1);
      const { status, reason } = setup.records[0]!;
      found = [status, reason];
    },
    more,
  );
  return found;
}

const CASES: [what: string, request: string, answer: string, byProxy: number, byClient: number][] = [
  ["with no answer yet", GET, "", 503, 499],
  ["with half a request", POST, "", 503, 499],
  ["with half an answer", GET, BEGUN, 200, 200],
];

describe("requests that are cut off", () => {
  for (const [what, request, answer, byProxy, byClient] of CASES) {
    /** The backend has the request, and the client what there is of the answer. */
    const underWay = async (client: RawClient, backend: Backend): Promise<void> => {
      await eventually(() => backend.received.some((received) => received.includes("\r\n\r\n")));
      await client.until((received) => received.endsWith(answer.slice(-4)));
    };

    it(`by a proxy that closes, ${what}`, async (test) => {
      const record = await recordOf(test, answer, async ({ port, proxy }, backend) => {
        const client = new RawClient(port).send(request);
        await underWay(client, backend);
        await proxy.close({ graceMs: 0 });
        await client.untilEnd();
        client.destroy();
      });
      assert.deepEqual(record, [byProxy, "proxy-closed"]);
    });

    it(`by the client, ${what}`, async (test) => {
      const record = await recordOf(test, answer, async ({ port }, backend) => {
        const client = new RawClient(port).send(request);
        await underWay(client, backend);
        client.destroy();
      });
      assert.deepEqual(record, [byClient, "client-closed-connection"]);
    });

    it(`over HTTP/2, by a proxy that closes or a client, ${what}`, { skip: variant.tls !== null }, async (test) => {
      for (const proxyCloses of [true, false]) {
        const record = await recordOf(test, answer, async ({ port, proxy }, backend) => {
          await withSession(port, async (session) => {
            const method = request.split(" ")[0]!;
            const stream = session.request(
              { ":method": method, ":authority": "a.test" },
              { endStream: method === "GET" },
            );
            const ended = answerOf(stream);
            if (method === "POST") stream.write("half");
            await eventually(() => backend.received.some((received) => received.includes("\r\n\r\n")));
            if (answer !== "") await once(stream, "response");
            if (proxyCloses) await proxy.close({ graceMs: 0 });
            else session.destroy();
            await ended;
          });
        });
        assert.deepEqual(record, proxyCloses ? [byProxy, "proxy-closed"] : [byClient, "client-closed-connection"]);
      }
    });
  }

  it("by a timeout in the middle of the answer", async (test) => {
    const record = await recordOf(
      test,
      BEGUN,
      async ({ port }) => {
        const client = new RawClient(port).send(GET);
        await client.untilEnd();
        client.destroy();
      },
      { route: { timeouts: { request: 100 } } },
    );
    assert.deepEqual(record, [200, "request-timeout"]);
  });

  it("in a tunnel: by a proxy that closes, by a client that does not read, or by nobody", async (test) => {
    const open = async (port: number): Promise<RawClient> => {
      const client = new RawClient(port).send(UPGRADE);
      await client.until((received) => received.startsWith("HTTP/1.1 101"));
      return client;
    };
    const closed = await recordOf(test, SWITCH, async ({ port, proxy }) => {
      await open(port);
      await proxy.close({ graceMs: 0 });
    });
    assert.deepEqual(closed, [101, "proxy-closed"]);
    const stalled = await recordOf(
      test,
      SWITCH,
      async ({ port, records }, backend) => {
        const client = await open(port);
        client.socket.pause();
        for (const socket of backend.sockets) socket.write(Buffer.alloc(32 * 1024 * 1024));
        await eventually(() => records.length > 0);
        client.destroy();
      },
      { limits: { stallTimeout: 200 } },
    );
    assert.deepEqual(stalled, [101, "client-stalled"]);
    const ended = await recordOf(test, SWITCH, async ({ port }) => (await open(port)).destroy());
    assert.deepEqual(ended, [101, ""]);
  });
});
