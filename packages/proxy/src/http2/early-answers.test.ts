// Answers that are complete before their requests are: by the proxy, or by a backend that has seen enough.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Limits } from "../limits.ts";
import { ErrorCode, Flag, FrameClient, FrameType, requestFields } from "../testing/http2-frames.ts";
import type { FieldList, Frame } from "../testing/http2-frames.ts";
import { closedPort, ok, startBackend } from "../testing/sockets.ts";
import { service } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";
import type { Setup } from "../testing/with-proxy.ts";
import { FIRST_WINDOW, LARGEST_WINDOW, Setting } from "./frames.ts";

const LENGTH = 3_000_000;
const PIECE = Buffer.alloc(16 * 1024);

/** A proxy whose backend answers as soon as it has a head. */
async function withEarlyAnswers(run: (setup: Setup) => Promise<void>, limits: Partial<Limits> = {}): Promise<void> {
  const backend = await startBackend((socket, received) => {
    if (/^GET|^POST[^]*\r\n\r\n/.test(received)) socket.write(ok("seen enough"));
  });
  try {
    await withProxy([service("s", [backend.port])], run, { limits });
  } finally {
    await backend.close();
  }
}

const post = (...more: FieldList): FieldList => requestFields(more, "POST");
const sized = post(["content-length", String(LENGTH)]);
const isEnd = (stream: number) => (each: Frame) =>
  each.stream === stream && each.type <= FrameType.headers && (each.flags & Flag.endStream) !== 0;
const isReset = ({ type }: Frame): boolean => type === FrameType.rstStream;

/** What the client was given on `stream` so far, 0 for the connection. */
function granted({ frames }: FrameClient, stream: number): number {
  const { payload } = frames.find(({ type, flags }) => type === FrameType.settings && flags === 0)!;
  let window = FIRST_WINDOW;
  if (stream !== 0) {
    for (let at = 0; at < payload.length; at += 6)
      if (payload.readUInt16BE(at) === Setting.initialWindowSize) window = payload.readUInt32BE(at + 2);
  }
  for (const each of frames)
    if (each.type === FrameType.windowUpdate && each.stream === stream) window += each.payload.readUInt32BE(0);
  return window;
}

function sendBody(client: FrameClient, stream: number, length: number): void {
  for (let rest = length; rest > 0; rest -= PIECE.length)
    client.data(stream, PIECE.subarray(0, rest), rest <= PIECE.length);
}

describe("answers before the end of their requests", () => {
  it("come with room for all the rest, which is read and dropped", async () => {
    await withEarlyAnswers(
      async ({ port, records }) => {
        const client = new FrameClient(port).open(1, sized);
        await client.frame(isEnd(1));
        assert.ok(granted(client, 1) >= LENGTH && granted(client, 0) >= LENGTH);
        sendBody(client, 1, LENGTH);
        assert.equal(await client.request(3).outcome(3), 200);
        assert.equal(client.frames.some(isReset), false);
        assert.deepEqual(
          records.map(({ status, reason }) => [status, reason]),
          [
            [200, ""],
            [200, ""],
          ],
        );
        client.destroy();
      },
      { lingerTimeout: 60_000 },
    );
  });

  it("come with all the room there may be when nobody knows how much that is", async () => {
    await withEarlyAnswers(async ({ port }) => {
      const client = new FrameClient(port).open(1).open(3);
      await Promise.all([client.frame(isEnd(1)), client.frame(isEnd(3))]);
      assert.deepEqual(
        [0, 1, 3].map((stream) => granted(client, stream)),
        Array(3).fill(LARGEST_WINDOW),
      );
      client.destroy();
    });
  });

  it("come without, and no reset, when the request ends first", async () => {
    await withEarlyAnswers(async ({ port }) => {
      const client = new FrameClient(port).open(1, post(["content-length", "3"])).data(1, "abc", true);
      await client.frame(isEnd(1));
      assert.equal(await client.request(3).outcome(3), 200);
      assert.equal(granted(client, 0), 1024 * 1024);
      assert.equal(client.frames.some(isReset), false);
      client.destroy();
    });
  });

  it("are followed, after a while, by the word to keep the rest", async () => {
    await withEarlyAnswers(
      async ({ port }) => {
        const client = new FrameClient(port).open(1, sized).data(1, PIECE);
        const reset = await client.frame(isReset);
        assert.deepEqual([reset.stream, reset.payload.readUInt32BE(0)], [1, ErrorCode.noError]);
        assert.equal(client.frames.findIndex(isEnd(1)) < client.frames.indexOf(reset), true);
        sendBody(client, 1, LENGTH - PIECE.length);
        assert.equal(await client.request(3).outcome(3), 200, "what crosses it is dropped, too");
        client.destroy();
      },
      { lingerTimeout: 100 },
    );
  });

  it("of gRPC are followed by it at once", async () => {
    await withEarlyAnswers(
      async ({ port }) => {
        const client = new FrameClient(port).open(1, post(["content-type", "application/grpc"]));
        assert.equal((await client.frame(isReset)).payload.readUInt32BE(0), ErrorCode.noError);
        client.destroy();
      },
      { lingerTimeout: 60_000 },
    );
  });

  it("do not make the connection's window larger for good", async () => {
    await withEarlyAnswers(async ({ port }) => {
      const client = new FrameClient(port);
      for (const stream of [1, 3, 5]) {
        client.open(stream, sized);
        await client.frame(isEnd(stream));
        sendBody(client, stream, LENGTH);
      }
      assert.equal(await client.request(7).outcome(7), 200);
      const left = granted(client, 0) - 3 * LENGTH;
      assert.ok(left > 0 && left <= 1024 * 1024, `${left} more may come`);
      client.destroy();
    });
  });

  it("give back the room of what had waited for the backend", async () => {
    await withProxy([service("s", [await closedPort()])], async ({ port }) => {
      const client = new FrameClient(port);
      const length = 12 * PIECE.length;
      for (let stream = 1; stream < 40; stream += 2) {
        client.open(stream, post(["content-length", String(length)]));
        sendBody(client, stream, length);
        assert.equal(await client.outcome(stream), 502);
      }
      const left = granted(client, 0) - 20 * length;
      assert.ok(left > 0 && left <= 1024 * 1024, `${left} more may come`);
      client.destroy();
    });
  });
});
