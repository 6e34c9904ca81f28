// Bodies of any size pass through in bounded memory, each side held to the other's pace, whatever the two sides speak.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Readable, Writable } from "node:stream";
import { describe, it } from "node:test";
import { withProxy } from "../testing/with-proxy.ts";
import { service } from "../testing/tables.ts";
import { requestToProxy, scheme } from "../testing/variant.ts";

type Protocol = "http" | "h2c";

/** The handler's two sides, in either protocol. */
type Handler = (request: Readable, response: Writable & { setHeader(name: string, value: number): unknown }) => void;

async function startServer(protocol: Protocol, handler: Handler): Promise<{ port: number; close: () => void }> {
  const server = protocol === "http" ? createServer(handler) : createHttp2Server(handler as never);
  const sockets = new Set<{ destroy(): void }>();
  server.on("connection", (socket: { destroy(): void }) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

interface Client {
  out: Writable;
  answer: Promise<Readable>;
  close: () => void;
}

function open(protocol: Protocol, port: number, method: string, length?: number): Client {
  const headers = length === undefined ? {} : { "content-length": length };
  if (protocol === "http") {
    const out = requestToProxy({ port, method, headers });
    out.on("error", () => {});
    return { out, answer: once(out, "response").then(([answer]) => answer as Readable), close: () => out.destroy() };
  }
  const session = connect(`${scheme()}://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on("error", () => {});
  const stream = session.request({ ":method": method, ...headers }, { endStream: method === "GET" });
  stream.on("error", () => {});
  return { out: stream, answer: once(stream, "response").then(() => stream), close: () => session.destroy() };
}

const BLOCK = Buffer.from(Uint8Array.from({ length: 256 * 1024 }, (_, at) => at * 31 + (at >> 8)));
const BLOCKS = 96;
const SIZE = BLOCKS * BLOCK.length;
const DIGEST = digest(Array.from({ length: BLOCKS }, () => BLOCK));

function digest(blocks: Iterable<Buffer>): string {
  const hash = createHash("sha1");
  for (const each of blocks) hash.update(each);
  return hash.digest("hex");
}

async function digestOf(body: Readable): Promise<string> {
  const hash = createHash("sha1");
  for await (const bytes of body) hash.update(bytes as Buffer);
  return hash.digest("hex");
}

/** Writes `size` bytes as fast as they are taken; returns how many were so far. */
function pump(out: Writable, size: number): () => number {
  let produced = 0;
  const more = (): void => {
    while (produced < size) {
      produced += BLOCK.length;
      if (!out.write(BLOCK)) return void out.once("drain", more);
    }
    out.end();
  };
  more();
  return () => produced;
}

/** Resolves when `count` has not changed for several turns of the event loop, and is not 0. */
async function settled(count: () => number): Promise<number> {
  for (let seen = -1; seen !== count() || seen === 0;) {
    seen = count();
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  return count();
}

const PAIRS: [client: Protocol, backend: Protocol][] = [
  ["h2c", "http"],
  ["http", "h2c"],
  ["h2c", "h2c"],
];

for (const [client, backend] of PAIRS) {
  describe(`bodies between ${client} clients and ${backend} backends`, () => {
    async function through(handler: Handler, run: (port: number) => Promise<void>): Promise<void> {
      const server = await startServer(backend, handler);
      await withProxy([{ ...service("s", [server.port]), protocol: backend }], ({ port }) => run(port));
      server.close();
    }

    for (const sized of [true, false]) {
      it(`down to a slow reader, ${sized ? "with a length" : "without"}: whole, and held back`, async () => {
        let produced = (): number => 0;
        const handler: Handler = (_request, response) => {
          if (sized) response.setHeader("content-length", SIZE);
          produced = pump(response, SIZE);
        };
        await through(handler, async (port) => {
          const { out, answer, close } = open(client, port, "GET");
          out.end();
          const body = await answer;
          const held = await settled(() => produced());
          assert.ok(held < SIZE / 2, `${held} of ${SIZE} produced while nobody read`);
          assert.equal(await digestOf(body), DIGEST);
          close();
        });
      });

      it(`up to a slow backend, ${sized ? "with a length" : "without"}: whole, and held back`, async () => {
        const arrived = Promise.withResolvers<Readable>();
        const handler: Handler = (incoming, response) => {
          arrived.resolve(incoming);
          incoming.once("end", () => response.end("done"));
        };
        await through(handler, async (port) => {
          const { out, answer, close } = open(client, port, "POST", sized ? SIZE : undefined);
          const sent = pump(out, SIZE);
          const incoming = await arrived.promise;
          const held = await settled(sent);
          assert.ok(held < SIZE / 2, `${held} of ${SIZE} sent while nobody read`);
          assert.equal(await digestOf(incoming), DIGEST);
          assert.equal((await (await answer).toArray()).join(""), "done");
          close();
        });
      });
    }

    it("both ways at once", async () => {
      await through(
        (incoming, response) => void incoming.pipe(response),
        async (port) => {
          const { out, answer, close } = open(client, port, "POST");
          pump(out, SIZE);
          assert.equal(await digestOf(await answer), DIGEST);
          close();
        },
      );
    });

    it("without growing memory", async () => {
      await through(
        (_request, response) => void pump(response, 4 * SIZE),
        async (port) => {
          const { out, answer, close } = open(client, port, "GET");
          out.end();
          let [most, length] = [0, 0];
          for await (const bytes of await answer) {
            length += (bytes as Buffer).length;
            most = Math.max(most, process.memoryUsage.rss());
          }
          assert.equal(length, 4 * SIZE);
          assert.ok(most < 400 * 1024 * 1024, `${most} bytes resident`);
          close();
        },
      );
    });

    it("end for the backend when the client leaves", async () => {
      const gone = Promise.withResolvers<void>();
      const handler: Handler = (_request, response) => {
        response.once("close", () => gone.resolve());
        pump(response, SIZE);
      };
      await through(handler, async (port) => {
        const { out, answer, close } = open(client, port, "GET");
        out.end();
        await answer;
        close();
        await gone.promise;
      });
    });
  });
}
