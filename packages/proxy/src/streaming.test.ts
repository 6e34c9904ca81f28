// Bodies of any size pass through in bounded memory, each side held to the other's pace; tunnels carry bytes both ways.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import type { Proxy } from "./proxy.ts";
import { RawClient, startBackend } from "./testing/sockets.ts";
import { listener, route, service, table } from "./testing/tables.ts";
import { requestToProxy, variantProxy } from "./testing/variant.ts";

async function proxyTo(port: number): Promise<{ proxy: Proxy; port: number }> {
  const proxy = variantProxy();
  const [state] = await proxy.apply(table([listener({ "*": [route("/*", "s")] })], [service("s", [port])]));
  return { proxy, port: state!.port };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const BLOCK = Buffer.from(Uint8Array.from({ length: 256 * 1024 }, (_, at) => at * 31 + (at >> 8)));
const BLOCKS = 128;
const SIZE = BLOCKS * BLOCK.length;
const DIGEST = ((): string => {
  const hash = createHash("sha1");
  for (let each = 0; each < BLOCKS; each++) hash.update(BLOCK);
  return hash.digest("hex");
})();

describe("large bodies", () => {
  for (const chunked of [false, true]) {
    it(`down to a slow reader, ${chunked ? "chunked" : "with a length"}: whole, and held back`, async () => {
      let produced = 0;
      let stalled = 0;
      const server = createServer((_request, response) => {
        if (!chunked) response.setHeader("Content-Length", SIZE);
        const pump = (): void => {
          while (produced < SIZE) {
            produced += BLOCK.length;
            if (response.write(BLOCK)) continue;
            stalled = produced;
            response.once("drain", pump);
            return;
          }
          response.end();
        };
        pump();
      });
      const { proxy, port } = await proxyTo(await listen(server));
      const client = requestToProxy({ port }).end();
      const [answer] = (await once(client, "response")) as [IncomingMessage];
      // The reader does nothing until the producer has been stuck for several turns of the event loop.
      for (let seen = 0; seen === 0 || seen !== stalled;) {
        seen = stalled;
        for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(produced < SIZE / 2, `${produced} of ${SIZE} produced while nobody read`);
      const hash = createHash("sha1");
      for await (const bytes of answer) hash.update(bytes as Buffer);
      assert.equal(hash.digest("hex"), DIGEST);
      await proxy.close({ graceMs: 0 });
      server.close();
    });

    it(`up to a slow backend, ${chunked ? "chunked" : "with a length"}: whole, and held back`, async () => {
      const paused = Promise.withResolvers<IncomingMessage>();
      const server = createServer((incoming, response) => {
        paused.resolve(incoming);
        incoming.once("end", () => response.end("done"));
      });
      const { proxy, port } = await proxyTo(await listen(server));
      const headers = chunked ? {} : { "Content-Length": SIZE };
      const client = requestToProxy({ port, method: "POST", headers });
      let sent = 0;
      const pump = (): void => {
        while (sent < SIZE) {
          sent += BLOCK.length;
          if (!client.write(BLOCK)) return void client.once("drain", pump);
        }
        client.end();
      };
      pump();
      const incoming = await paused.promise;
      for (let seen = -1; seen !== sent;) {
        seen = sent;
        for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(sent < SIZE / 2, `${sent} of ${SIZE} sent while nobody read`);
      const hash = createHash("sha1");
      incoming.on("data", (bytes: Buffer) => hash.update(bytes));
      const [answer] = (await once(client, "response")) as [IncomingMessage];
      assert.equal(answer.statusCode, 200);
      answer.resume();
      await once(answer, "end");
      assert.equal(hash.digest("hex"), DIGEST);
      await proxy.close({ graceMs: 0 });
      server.close();
      server.closeAllConnections();
    });
  }

  it("pass without growing memory", async () => {
    const server = createServer((_request, response) => {
      response.setHeader("Content-Length", SIZE * 2);
      let produced = 0;
      const pump = (): void => {
        while (produced < SIZE * 2) {
          produced += BLOCK.length;
          if (!response.write(BLOCK)) return void response.once("drain", pump);
        }
        response.end();
      };
      pump();
    });
    const { proxy, port } = await proxyTo(await listen(server));
    const client = requestToProxy({ port }).end();
    const [answer] = (await once(client, "response")) as [IncomingMessage];
    let most = 0;
    let length = 0;
    for await (const bytes of answer) {
      length += (bytes as Buffer).length;
      most = Math.max(most, process.memoryUsage.rss());
    }
    assert.equal(length, SIZE * 2);
    assert.ok(most < 400 * 1024 * 1024, `${most} bytes resident`);
    await proxy.close({ graceMs: 0 });
    server.close();
  });
});

describe("tunnels", () => {
  const UPGRADE =
    "GET /ws HTTP/1.1\r\nHost: a.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n";

  it("carry bytes both ways after 101, those sent along with either head included", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.endsWith("\r\n\r\n")) {
        socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello");
      }
      if (received.endsWith("\r\n\r\nearly")) socket.write(" again");
    });
    const { proxy, port } = await proxyTo(backend.port);
    const client = new RawClient(port).send(`${UPGRADE}early`);
    await client.until((received) => received.endsWith("\r\n\r\nhello again"));
    client.destroy();
    await proxy.close({ graceMs: 0 });
    await backend.close();
  });

  it("end when either side ends", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.endsWith("\r\n\r\n")) {
        socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello");
      }
      if (received.endsWith("ping\0\xff")) socket.write("pong");
      if (received.endsWith("bye")) socket.end("good-bye");
    });
    const { proxy, port } = await proxyTo(backend.port);
    const client = new RawClient(port).send(UPGRADE);
    await client.until((received) => received.endsWith("\r\n\r\nhello"));
    assert.match(
      client.received,
      /^HTTP\/1\.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n/,
    );
    assert.match(backend.received[0]!, /\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n$/);
    client.send("ping\0\xff");
    await client.until((received) => received.endsWith("pong"));
    client.send("bye");
    assert.match(await client.untilEnd(), /good-bye$/);
    const second = new RawClient(port).send(UPGRADE);
    await second.until((received) => received.endsWith("hello"));
    const socket = [...backend.sockets].at(-1)!;
    second.destroy();
    await once(socket, "close");
    await proxy.close({ graceMs: 0 });
    await backend.close();
  });

  it("are not opened by a refusing backend, whose connection goes on as HTTP", async () => {
    const backend = await startBackend((socket) =>
      socket.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"),
    );
    const { proxy, port } = await proxyTo(backend.port);
    const client = new RawClient(port).send(UPGRADE);
    await client.until((received) => received.endsWith("no"));
    client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await client.until((received) => received.split("403").length === 3);
    client.destroy();
    await proxy.close({ graceMs: 0 });
    await backend.close();
  });

  it("to h2c are never asked for", async () => {
    const backend = await startBackend((socket) => socket.write("HTTP/1.1 204 No Content\r\n\r\n"));
    const { proxy, port } = await proxyTo(backend.port);
    const client = new RawClient(port).send(UPGRADE.replace("websocket", "h2c"));
    await client.until((received) => received.includes("204"));
    assert.doesNotMatch(backend.received[0]!, /upgrade|h2c/i);
    client.destroy();
    await proxy.close({ graceMs: 0 });
    await backend.close();
  });
});
