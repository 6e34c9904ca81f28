// What RFC 9113 asks of a server beyond requests that are as they should be: which errors end a stream and which the connection,
// flow control both ways, and what is read over.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ErrorCode, Flag, frame, FrameClient, FrameType, headerBlock, headerFrames } from "../testing/http2-frames.ts";
import { number32, PREFACE, requestFields } from "../testing/http2-frames.ts";
import type { Frame } from "../testing/http2-frames.ts";
import { accepted, answering, ok, startBackend } from "../testing/sockets.ts";
import type { Backend } from "../testing/sockets.ts";
import { service } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";
import type { Setup, Variations } from "../testing/with-proxy.ts";
import { FRAME_HEAD, FrameReader, Unit } from "./frames.ts";

const get = headerBlock(requestFields());
const post = headerBlock(requestFields([], "POST"));
const data = (stream: number, payload: string, flags = 0): Buffer => frame(FrameType.data, flags, stream, payload);
const window = (stream: number, increment: number): Buffer =>
  frame(FrameType.windowUpdate, 0, stream, number32(increment));
const reset = (stream: number): Buffer => frame(FrameType.rstStream, 0, stream, number32(ErrorCode.cancel));
const setting = (id: number, value: number): Buffer =>
  frame(FrameType.settings, 0, 0, Buffer.concat([Buffer.of(0, id), number32(value)]));
const bytesOn = (client: FrameClient, stream: number): number =>
  client.frames
    .filter((each) => each.type === FrameType.data && each.stream === stream)
    .reduce((sum, { payload }) => sum + payload.length, 0);
const ended = (each: Frame, stream: number): boolean =>
  each.stream === stream && each.type <= FrameType.headers && (each.flags & Flag.endStream) !== 0;

async function withBackend(
  backend: Backend,
  run: (setup: Setup) => Promise<void>,
  more: Variations = {},
): Promise<void> {
  try {
    await withProxy([service("s", [backend.port])], run, more);
  } finally {
    await backend.close();
  }
}

/** Answers requests with a body when it has come, and others at once. */
const backend = (): Promise<Backend> =>
  startBackend((socket, received) => {
    if (/^GET|0\r\n\r\n$/.test(received)) socket.write(ok("served"));
  });

/** A client whose stream 1 has the one connection there may be to the backend: others wait. */
async function withBusyBackend(run: (client: FrameClient) => Promise<void>): Promise<void> {
  const busy = await startBackend(() => {});
  await withProxy([{ ...service("s", [busy.port]), limits: { connections: 1, queue: 9 } }], async ({ port }) => {
    const client = new FrameClient(port).request(1);
    await accepted(busy);
    await run(client);
    client.destroy();
  });
  await busy.close();
}

describe("errors of the connection", () => {
  const open = headerFrames(1, post, false);
  const done = [...headerFrames(1, get, true)];
  const pieces = frame(FrameType.headers, 0, 1, get);
  const { protocolError, frameSizeError, flowControlError, streamClosed, compressionError } = ErrorCode;
  const cases: [name: string, frames: Buffer[], code: number][] = [
    ["HEADERS on stream 0", [frame(FrameType.headers, Flag.endHeaders, 0, get)], protocolError],
    ["DATA on stream 0", [data(0, "x")], protocolError],
    ["SETTINGS on a stream", [frame(FrameType.settings, 0, 1)], protocolError],
    ["SETTINGS of a wrong size", [frame(FrameType.settings, 0, 0, "12345")], frameSizeError],
    ["an acknowledgement that says something", [frame(FrameType.settings, Flag.ack, 0, "123456")], frameSizeError],
    ["a push setting that is neither yes nor no", [setting(2, 2)], protocolError],
    ["a window setting that is too large", [setting(4, 2 ** 31)], flowControlError],
    ["a frame size setting that is too small", [setting(5, 16_383)], protocolError],
    ["a frame size setting that is too large", [setting(5, 2 ** 24)], protocolError],
    [
      "a window setting that makes one too large",
      [...open, window(1, 2 ** 31 - 70_000), setting(4, 2 ** 30)],
      flowControlError,
    ],
    ["PING on a stream", [frame(FrameType.ping, 0, 1, "12345678")], protocolError],
    ["PING of a wrong size", [frame(FrameType.ping, 0, 0, "1234567")], frameSizeError],
    ["GOAWAY on a stream", [frame(FrameType.goaway, 0, 1, "12345678")], protocolError],
    ["GOAWAY that is cut off", [frame(FrameType.goaway, 0, 0, "1234567")], frameSizeError],
    ["RST_STREAM on stream 0", [reset(0)], protocolError],
    ["RST_STREAM of a stream that never was", [reset(1)], protocolError],
    ["RST_STREAM of a wrong size", [...open, frame(FrameType.rstStream, 0, 1, "123")], frameSizeError],
    ["WINDOW_UPDATE of a stream that never was", [window(1, 1)], protocolError],
    ["WINDOW_UPDATE of a wrong size", [frame(FrameType.windowUpdate, 0, 0, "123")], frameSizeError],
    ["PRIORITY on stream 0", [frame(FrameType.priority, 0, 0, "12345")], protocolError],
    ["PRIORITY of a wrong size", [frame(FrameType.priority, 0, 1, "1234")], frameSizeError],
    ["CONTINUATION of nothing", [frame(FrameType.continuation, Flag.endHeaders, 1)], protocolError],
    ["CONTINUATION of another stream", [pieces, frame(FrameType.continuation, Flag.endHeaders, 3)], protocolError],
    ["DATA in a header block", [pieces, data(1, "x")], protocolError],
    ["PING in a header block", [pieces, frame(FrameType.ping, 0, 0, "12345678")], protocolError],
    ["an unknown frame in a header block", [pieces, frame(99, 0, 0)], protocolError],
    ["padding beyond the frame", [frame(FrameType.headers, Flag.endHeaders | 8, 1, "\x09\x82")], protocolError],
    ["padding of DATA beyond the frame", [...open, data(1, "\x04abc", 8)], protocolError],
    ["no room for a priority", [frame(FrameType.headers, Flag.endHeaders | 32, 1, "1234")], protocolError],
    ["a stream lower than one before", [...headerFrames(5, get, true), ...headerFrames(3, get, true)], protocolError],
    ["DATA on a stream lower than one before", [...headerFrames(5, get, true), data(3, "x")], protocolError],
    ["DATA on a stream the client has reset", [...open, reset(1), data(1, "x")], streamClosed],
    ["HEADERS on a stream the client has reset", [...open, reset(1), ...headerFrames(1, get, true)], streamClosed],
    ["a header block nobody can read", [frame(FrameType.headers, Flag.endHeaders, 1, "\x80")], compressionError],
    [
      "an unreadable block for a stream that is gone",
      [...done, frame(1, Flag.endHeaders, 1, "\x80")],
      compressionError,
    ],
  ];
  for (const [name, frames, code] of cases) {
    it(name, async () => {
      await withBackend(await startBackend(() => {}), async ({ port }) => {
        const client = new FrameClient(port).send(...frames);
        assert.equal(await client.goaway(), code);
        await client.untilEnd();
      });
    });
  }

  it("a preface that goes wrong, or is followed by anything but settings", async () => {
    await withBackend(await backend(), async ({ port }) => {
      const wrong = new FrameClient(port, [], `${PREFACE.slice(0, -1)}x`);
      assert.equal(await wrong.goaway(), ErrorCode.protocolError);
      const early = `${PREFACE}${frame(FrameType.ping, 0, 0, "12345678").toString("latin1")}`;
      assert.equal(await new FrameClient(port, [], early).goaway(), ErrorCode.protocolError);
      const acknowledged = `${PREFACE}${frame(FrameType.settings, Flag.ack, 0).toString("latin1")}`;
      assert.equal(await new FrameClient(port, [], acknowledged).goaway(), ErrorCode.protocolError);
    });
  });

  it("more than the connection's window holds, while nobody takes it", async () => {
    await withBusyBackend(async (client) => {
      for (let stream = 3; stream <= 11; stream += 2) {
        client.open(stream);
        for (let sent = 0; sent < 16; sent++) client.data(stream, Buffer.alloc(16_384));
      }
      assert.equal(await client.goaway(), ErrorCode.flowControlError);
    });
  });
});

describe("errors of a stream", () => {
  const { protocolError, streamClosed, flowControlError } = ErrorCode;
  const cases: [name: string, frames: Buffer[], code: number][] = [
    ["WINDOW_UPDATE of nothing", [window(1, 0)], protocolError],
    ["a window that becomes too large", [window(1, 2 ** 31 - 1)], flowControlError],
    ["DATA behind the end", [data(1, "", Flag.endStream), data(1, "x")], streamClosed],
    ["HEADERS behind the end", [data(1, "", Flag.endStream), ...headerFrames(1, get, true)], streamClosed],
    ["HEADERS in the middle", [frame(FrameType.headers, Flag.endHeaders, 1, headerBlock([["x", "y"]]))], protocolError],
    ["trailers with a pseudo-header", headerFrames(1, headerBlock([[":path", "/"]]), true), protocolError],
    ["trailers in upper case", headerFrames(1, headerBlock([["X", "y"]]), true), protocolError],
    ["trailers with a line end", headerFrames(1, headerBlock([["x", "a\r\nb: c"]]), true), protocolError],
  ];
  for (const [name, frames, code] of cases) {
    it(`${name}: the others go on`, async () => {
      const silent = await startBackend((socket, received) => {
        if (received.startsWith("GET")) socket.write(ok("served"));
      });
      await withBackend(silent, async ({ port, records }) => {
        const client = new FrameClient(port).open(1).send(...frames);
        assert.equal(await client.outcome(1), -code);
        client.request(3);
        assert.equal(await client.outcome(3), 200);
        assert.deepEqual(
          records.map(({ status }) => status),
          [400, 200],
        );
        client.destroy();
      });
    });
  }

  it("more than a stream's window holds, while nobody takes it", async () => {
    await withBusyBackend(async (client) => {
      client.open(3);
      for (let sent = 0; sent < 17; sent++) client.data(3, Buffer.alloc(16_384));
      assert.equal(await client.outcome(3), -ErrorCode.flowControlError);
    });
  });

  it("what crosses a reset of ours is read over, and gives its room back", async () => {
    await withBackend(await backend(), async ({ port }) => {
      const client = new FrameClient(port).open(1).send(window(1, 0));
      assert.equal(await client.outcome(1), -ErrorCode.protocolError);
      for (let sent = 0; sent < 40; sent++) client.data(1, Buffer.alloc(16_384), sent === 39);
      await client.frame(
        ({ type, stream }) => type === FrameType.windowUpdate && stream === 0 && client.frames.length > 3,
      );
      client.request(3);
      assert.equal(await client.outcome(3), 200);
      client.destroy();
    });
  });
});

describe("what means nothing", () => {
  it("is read over: unknown frames and settings, priorities, reserved bits, padding", async () => {
    await withBackend(await backend(), async ({ port }) => {
      const padded = Buffer.concat([Buffer.of(3), Buffer.from("\x80\0\0\0\x10", "latin1"), get, Buffer.alloc(3)]);
      const client = new FrameClient(port).send(
        frame(99, 255, 7, "anything"),
        setting(77, 5),
        frame(FrameType.priority, 0, 9, "\0\0\0\x09\x10"),
        frame(FrameType.headers, Flag.endHeaders | Flag.endStream | 8 | 32, 2 ** 31 + 1, padded),
        frame(FrameType.windowUpdate, 0, 0, number32(2 ** 31 + 5)),
      );
      assert.equal(await client.outcome(1), 200);
      await client.frame((each) => ended(each, 1));
      client.send(window(1, 1), reset(1)).request(3);
      assert.equal(await client.outcome(3), 200);
      client.destroy();
    });
  });

  it("but PING and SETTINGS are answered, in turn", async () => {
    await withBackend(await backend(), async ({ port }) => {
      const client = new FrameClient(port).send(frame(FrameType.ping, 0, 0, "12345678"), setting(4, 1));
      // As many as there may be in one frame.
      client.send(frame(FrameType.settings, 0, 0, "\0\x04\0\0\0\x01".repeat(32)));
      const pong = await client.frame(({ type }) => type === FrameType.ping);
      assert.deepEqual([pong.flags, pong.payload.toString()], [Flag.ack, "12345678"]);
      const acknowledged = (): number =>
        client.frames.filter(({ type, flags }) => type === FrameType.settings && flags === Flag.ack).length;
      await client.frame(() => acknowledged() === 3);
      client.destroy();
    });
  });

  it("GOAWAY from the client lets it finish what it has begun", async () => {
    await withBackend(await backend(), async ({ port }) => {
      const client = new FrameClient(port).open(1).send(frame(FrameType.goaway, 0, 0, Buffer.alloc(8)));
      assert.equal(await client.goaway(), ErrorCode.noError);
      client.data(1, "x", true);
      assert.equal(await client.outcome(1), 200);
      await client.untilEnd();
    });
  });
});

describe("a connection that ends with its last stream", () => {
  it("says before that it had to reset it, and what it had of the answer", async () => {
    const dying = await startBackend((socket) =>
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", () => socket.end()),
    );
    await withBackend(dying, async ({ port }) => {
      const client = new FrameClient(port).request(1).send(frame(FrameType.goaway, 0, 0, "\0".repeat(8)));
      await client.untilEnd();
      const last = client.frames.at(-1)!;
      assert.deepEqual([last.type, last.payload.readUInt32BE(0)], [FrameType.rstStream, ErrorCode.internalError]);
      assert.equal(bytesOn(client, 1), 4);
    });
  });
});

describe("flow control", () => {
  it("is kept to the byte, as windows open and shrink below nothing", async () => {
    await withBackend(await answering(ok("x".repeat(1000))), async ({ port }) => {
      const client = new FrameClient(port, [[4, 10]]).request(1);
      await client.frame(() => bytesOn(client, 1) === 10);
      // 10 were sent, 5 may be: the window is at -5.
      client.send(setting(4, 5), window(1, 6));
      await client.frame(() => bytesOn(client, 1) === 11);
      client.send(setting(4, 1000));
      await client.frame((each) => ended(each, 1));
      assert.equal(bytesOn(client, 1), 1000);
      client.destroy();
    });
  });

  it("of the connection is shared, a frame for each in turn", async () => {
    await withBackend(await answering(ok("x".repeat(200_000))), async ({ port }) => {
      const client = new FrameClient(port, [[4, 0x7fffffff]]).request(1).request(3);
      await client.frame(() => bytesOn(client, 1) + bytesOn(client, 3) === 65_535);
      const before = client.frames.length;
      client.send(window(0, 64 * 1024));
      await client.frame(() => bytesOn(client, 1) + bytesOn(client, 3) === 65_535 + 64 * 1024);
      const turns = client.frames.slice(before).filter(({ type }) => type === FrameType.data);
      assert.deepEqual(turns.filter(({ stream }) => stream === 1).length, 2, "of four frames");
      client.destroy();
    });
  });

  it("tells the client of room as bodies are taken, and of none when they are not", async () => {
    await withBackend(await backend(), async ({ port }) => {
      const client = new FrameClient(port).open(1);
      for (let sent = 0; sent < 10; sent++) client.data(1, Buffer.alloc(16_000));
      const room = await client.frame(({ type, stream }) => type === FrameType.windowUpdate && stream === 1);
      assert.ok(room.payload.readUInt32BE(0) >= 128 * 1024);
      assert.equal(await client.data(1, "", true).outcome(1), 200);
      client.destroy();
    });
  });
});

describe("writes", () => {
  it("of one turn are one: whatever ten requests at once are answered with", async () => {
    await withProxy([service("s", [])], async ({ port }) => {
      const client = new FrameClient(port);
      await client.frame(({ type, flags }) => type === FrameType.settings && flags === Flag.ack);
      let reads: Buffer[] = [];
      client.socket.on("data", (bytes) => reads.push(bytes));
      client.send(...Array.from({ length: 10 }, (_, index) => headerFrames(2 * index + 1, get, true)).flat());
      await client.frame((each) => ended(each, 19));
      assert.equal(reads.length, 1);
      const reader = new FrameReader();
      let count = 0;
      for (let at = 0; at < reads[0]!.length;) {
        at = reader.read(reads[0]!, at, reads[0]!.length);
        if (reader.unit === Unit.frame && reader.type === FrameType.headers) count++;
      }
      assert.equal(count, 10);
      assert.ok(reads[0]!.length > 10 * FRAME_HEAD);
      client.destroy();
    });
  });
});

describe("time", () => {
  it("for the acknowledgement of settings is bounded", async () => {
    const limits = { headTimeout: 100, stallTimeout: 200 };
    await withBackend(
      await startBackend(() => {}),
      async ({ port }) => {
        const deaf = new FrameClient(port).request(1);
        const polite = new FrameClient(port).acknowledgeSettings().request(1);
        assert.equal(await deaf.goaway(), ErrorCode.settingsTimeout);
        assert.equal(polite.ended, false);
        polite.destroy();
      },
      { limits },
    );
  });

  it("for a header block, or any frame, is bounded", async () => {
    const limits = { headTimeout: 100, lingerTimeout: 100 };
    await withBackend(
      await backend(),
      async ({ port }) => {
        for (const begun of [
          frame(FrameType.headers, 0, 1, get),
          frame(FrameType.ping, 0, 0, "12345678").subarray(0, 12),
        ]) {
          const client = new FrameClient(port).acknowledgeSettings().send(begun);
          assert.equal(await client.goaway(), ErrorCode.protocolError);
          await client.untilEnd();
        }
        await new FrameClient(port, [], PREFACE.slice(0, 20)).untilEnd();
      },
      { limits },
    );
  });

  it("that an idle connection is kept does not shrink when a frame has come in pieces", async () => {
    const limits = { headTimeout: 50, keepAliveTimeout: 10_000 };
    const ping = frame(FrameType.ping, 0, 0, "12345678");
    await withBackend(
      await backend(),
      async ({ port }) => {
        const client = new FrameClient(port).acknowledgeSettings().send(ping.subarray(0, 12));
        await client.frame(({ flags }) => flags === Flag.ack);
        client.send(ping.subarray(12));
        await client.frame(({ type }) => type === FrameType.ping);
        // Time for a head passes.
        const other = new FrameClient(port).acknowledgeSettings().send(ping.subarray(0, 12));
        assert.equal(await other.goaway(), ErrorCode.protocolError);
        client.send(ping);
        await client.frame(() => client.frames.filter(({ type }) => type === FrameType.ping).length === 2);
        client.destroy();
      },
      { limits },
    );
  });
});
