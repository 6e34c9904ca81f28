import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
import { createSecureContext, TLSSocket } from "node:tls";
import { createAuthority } from "./testing/certificates.ts";
import { answerOf, withSession } from "./testing/http2-client.ts";
import { GET, ok, RawClient, startBackend } from "./testing/sockets.ts";
import type { Backend } from "./testing/sockets.ts";
import { eventually } from "./testing/streams.ts";
import { service } from "./testing/tables.ts";
import { variant } from "./testing/variant.ts";
import { withProxy } from "./testing/with-proxy.ts";

const TOO_LARGE = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!";
const LENGTH = 10_000_000;
const POST = `POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${LENGTH}\r\n\r\n`;

/** How a backend ends. With FIN the proxy's next write goes out and is answered by RST, so that the one after it fails with EPIPE;
 * after RST the next one fails with ECONNRESET. */
const ENDINGS = {
  FIN: { end: (socket: Socket) => socket.destroy(), more: 256 * 1024 },
  RST: { end: (socket: Socket) => socket.resetAndDestroy(), more: 1024 },
} as const;
type Ending = keyof typeof ENDINGS;

/** A backend that, once it has a request with a body, lets the client send more of it, says `answer` and is gone. Both ends of everything
 * are in this process, so that the proxy reads what the client has sent, and writes in vain, before it can read the answer. */
function leaving(answer: string, how: Ending, clientSends: (more: string) => void): Promise<Backend> {
  const { end, more } = ENDINGS[how];
  let left = false;
  return startBackend((socket, received) => {
    if (!received.startsWith("POST")) return void socket.write(ok("A"));
    if (left) return;
    left = true;
    clientSends("x".repeat(more));
    setImmediate(() => {
      socket.write(answer, "latin1");
      end(socket);
    });
  });
}

/** What the client gets until its connection is closed. */
async function exchange(
  test: TestContext,
  answer: string,
  how: Ending,
): Promise<{ received: string; reason: string; status: number }> {
  let result = { received: "", reason: "", status: 0 };
  let client: RawClient;
  const backend = await leaving(answer, how, (more) => client.send(more));
  test.after(() => backend.close());
  await withProxy([service("s", [backend.port])], async ({ port, records, proxy }) => {
    client = new RawClient(port).send(POST);
    const received = await client.untilEnd();
    client.destroy();
    await eventually(() => proxy.stats().listeners["web"]!.connectionsOpen === 0 && records.length > 0);
    const { status, reason } = records[0]!;
    result = { received, status, reason };
    const [endpoint] = Object.values(proxy.stats().endpoints);
    await eventually(() => endpoint!.connectionsOpen === 0);
  });
  return result;
}

describe("a backend that answers and closes while the request is still being sent", () => {
  for (const how of ["FIN", "RST"] as const) {
    it(`by ${how}: its answer is passed on, and the client's connection ends`, async (test) => {
      const { received, status, reason } = await exchange(test, TOO_LARGE, how);
      assert.match(received, /^HTTP\/1\.1 413 [^]*\r\n\r\nno!$/);
      assert.deepEqual([status, reason], [413, ""]);
    });

    it(`by ${how}: to a client that speaks HTTP/2, too`, { skip: variant.tls !== null }, async (test) => {
      let send = (_more: string): void => {};
      const backend = await leaving(TOO_LARGE, how, (more) => send(more));
      test.after(() => backend.close());
      await withProxy([service("s", [backend.port])], async ({ port, records }) => {
        await withSession(port, async (session) => {
          const stream = session.request({ ":method": "POST", ":authority": "a.test", "content-length": LENGTH });
          send = (more) => stream.write(more);
          stream.write("x");
          const { status, body } = await answerOf(stream);
          assert.deepEqual([status, body], [413, "no!"]);
          assert.deepEqual([records[0]!.status, records[0]!.reason], [413, ""]);
        });
      });
    });

    it(`by ${how}: half an answer is none`, async (test) => {
      const cut = await exchange(test, TOO_LARGE.slice(0, -1), how);
      assert.match(cut.received, /^(HTTP\/1\.1 413 [^]*\r\n\r\nno)?$/);
      assert.match(cut.reason, how === "FIN" ? /^backend-closed-mid-response$/ : /^backend-connection-econnreset$/);
      for (const nothing of ["", "HTTP/1.1 413 Content Too Large\r\nContent-L", "220 not HTTP\r\n\r\n"])
        assert.match((await exchange(test, nothing, how)).received, /^HTTP\/1\.1 502 /, nothing);
    });
  }

  it("by RST, over TLS: its answer is passed on", async (test) => {
    const authority = await createAuthority();
    const { certificate: cert, key } = await authority.issue("b.test");
    let client: RawClient;
    const server = createServer({ noDelay: true }, (socket) => {
      const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ cert, key }) });
      secure.on("error", () => {});
      secure.once("data", () => {
        client.send("x".repeat(1024));
        setImmediate(() => {
          secure.write(TOO_LARGE);
          socket.resetAndDestroy();
        });
      });
    });
    server.listen(0, "127.0.0.1");
    test.after(() => server.close());
    await once(server, "listening");
    const plain = service("s", [(server.address() as AddressInfo).port]);
    const tls = { serverName: "b.test", authorities: authority.certificate };
    await withProxy([{ ...plain, protocol: "https", tls }], async ({ port, records }) => {
      client = new RawClient(port).send(POST);
      assert.match(await client.untilEnd(), /^HTTP\/1\.1 413 [^]*\r\n\r\nno!$/);
      client.destroy();
      assert.deepEqual([records[0]!.status, records[0]!.reason], [413, ""]);
    });
  });

  it("without a length: with FIN it is whole, with RST nobody knows", async (test) => {
    const answer = "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\nno!";
    const whole = await exchange(test, answer, "FIN");
    assert.match(whole.received, /\r\n\r\n3\r\nno!\r\n0\r\n\r\n$/);
    assert.equal(whole.reason, "");
    const unknown = await exchange(test, answer, "RST");
    assert.doesNotMatch(unknown.received, /\r\n0\r\n\r\n$/);
    assert.equal(unknown.reason, "backend-connection-econnreset");
  });

  it("with the end of the request in the write that fails: its connection serves nobody else", async (test) => {
    const body = "y".repeat(1024);
    const post = `POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${1024 + body.length}\r\n\r\n`;
    let client: RawClient;
    const backend = await leaving(TOO_LARGE, "RST", (more) =>
      client.send(`${more}${body}`).send(GET.replace("GET", "DELETE")),
    );
    test.after(() => backend.close());
    await withProxy([service("s", [backend.port])], async ({ port, records }) => {
      client = new RawClient(port).send(post);
      await client.until((received) => received.endsWith("\r\n\r\nA"));
      assert.deepEqual(
        records.map(({ status, retries }) => [status, retries]),
        [
          [413, 0],
          [200, 0],
        ],
      );
      client.destroy();
    });
  });
});

describe("what a backend says before it was asked", () => {
  const TIRED = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

  it("is no answer to a request of which nothing could be sent", async (test) => {
    const backend = await startBackend((socket) => socket.write(ok("A")));
    test.after(() => backend.close());
    await withProxy([service("s", [backend.port])], async ({ port, records }) => {
      const client = new RawClient(port).send(GET);
      await client.until((received) => received.endsWith("A"));
      const [idle] = backend.sockets;
      client.received = "";
      client.send(GET);
      idle!.write(TIRED);
      idle!.resetAndDestroy();
      assert.match(await client.until((received) => /\r\n\r\n/.test(received)), /^HTTP\/1\.1 200 /);
      assert.equal(records[1]!.retries, 1);
      client.destroy();
    });
  });
});
