// What a client may do to an HTTP/2 connection without end costs it the connection, and nobody else anything.

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import {
  ErrorCode,
  Flag,
  frame,
  FrameClient,
  FrameType,
  headerBlock,
  headerFrames,
  indexedField,
  number32,
  requestFields,
} from "../testing/http2-frames.ts";
import type { FieldList } from "../testing/http2-frames.ts";
import { accepted, answering, exchangeBytes, GET_CLOSE, ok, startBackend } from "../testing/sockets.ts";
import type { Backend } from "../testing/sockets.ts";
import { service } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";
import type { Setup, Variations } from "../testing/with-proxy.ts";

/** A proxy in front of `backend` for the time of `run`, which serves somebody else afterwards. */
async function withBackend(
  backend: Backend,
  run: (setup: Setup) => Promise<void>,
  more: Variations = {},
): Promise<void> {
  await withProxy(
    [service("s", [backend.port])],
    async (setup) => {
      await run(setup);
      assert.match(await exchangeBytes(setup.port, GET_CLOSE.replace("/", "/other")), /^HTTP\/1\.1 200 /);
    },
    more,
  );
  await backend.close();
}

/** Answers every request for `/other` and no other. */
const silent = (): Promise<Backend> =>
  startBackend((socket, received) => {
    if (/GET \/other [^]*\r\n\r\n$/.test(received)) socket.write(ok("other"));
  });

const gone = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once("close", () => resolve()));

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const get = headerBlock(requestFields());

describe("floods over HTTP/2", () => {
  it("rapid reset: requests taken back as soon as they were made (CVE-2023-44487)", async () => {
    await withBackend(await silent(), async ({ port, records }) => {
      const client = new FrameClient(port);
      // In writes of their own, so that each request is begun before it is taken back.
      for (let stream = 1; !client.ended && stream < 2000; stream += 2) {
        client.send(...headerFrames(stream, get, true)).reset(stream);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal(await client.goaway(), ErrorCode.enhanceYourCalm);
      await client.untilEnd();
      assert.ok(records.length < 300, `${records.length} requests served`);
      assert.ok(records.every(({ reason }) => reason.startsWith("client-")));
    });
  });

  it("rapid reset, all in one write", async () => {
    await withBackend(await silent(), async ({ port, records }) => {
      const client = new FrameClient(port);
      const reset = number32(ErrorCode.cancel);
      client.send(
        ...times(1000, (index) => [
          ...headerFrames(2 * index + 1, get, true),
          frame(FrameType.rstStream, 0, 2 * index + 1, reset),
        ]).flat(),
      );
      assert.notEqual(await client.goaway(), ErrorCode.noError);
      await client.untilEnd();
      assert.equal(records.length, 0, "no backend is asked for a request that is gone");
    });
  });

  it("made to reset: malformed requests (CVE-2025-8671)", async () => {
    await withBackend(await silent(), async ({ port, records }) => {
      const client = new FrameClient(port);
      const malformed = headerBlock(requestFields([["connection", "close"]]));
      client.send(...times(5000, (index) => headerFrames(2 * index + 1, malformed, true)).flat());
      assert.notEqual(await client.goaway(), ErrorCode.noError);
      const resets = client.frames.filter(({ type, payload }) => type === FrameType.rstStream && payload[3] === 1);
      assert.ok(resets.length < 300, `${resets.length} of malformed requests`);
      assert.ok(records.every(({ reason, endpoint }) => reason === "connection-specific-field" && endpoint === ""));
    });
  });

  for (const [name, provoke] of [
    ["a window update of nothing", (stream) => frame(FrameType.windowUpdate, 0, stream, number32(0))],
    ["a window too large", (stream) => frame(FrameType.windowUpdate, 0, stream, number32(0x7fffffff))],
    ["DATA behind the end", (stream) => frame(FrameType.data, 0, stream, "x")],
    ["HEADERS behind the end", (stream) => headerFrames(stream, get, true)[0]!],
  ] as [string, (stream: number) => Buffer][]) {
    it(`made to reset what is under way: ${name} (CVE-2025-8671)`, async () => {
      await withBackend(await silent(), async ({ port, proxy }) => {
        const client = new FrameClient(port);
        for (let stream = 1; !client.ended && stream < 2000; stream += 2) {
          client.send(...headerFrames(stream, get, true), provoke(stream));
          await new Promise((resolve) => setImmediate(resolve));
        }
        assert.equal(await client.goaway(), ErrorCode.enhanceYourCalm);
        const { requests } = proxy.stats();
        assert.ok(requests < 300, `${requests} requests begun`);
      });
    });
  }

  it("of requests beyond the concurrent ones are refused, and so are those before settings are acknowledged", async () => {
    await withBackend(await silent(), async ({ port }) => {
      const client = new FrameClient(port);
      client.send(...times(200, (index) => headerFrames(2 * index + 1, get, true)).flat());
      assert.equal(await client.outcome(399), -ErrorCode.refusedStream);
      const refused = client.frames.filter(({ type }) => type === FrameType.rstStream);
      assert.equal(refused.length, 200 - 128);
      client.destroy();
    });
  });

  const floods: [name: string, frames: () => Buffer[], code: number][] = [
    [
      "CONTINUATION without end (CVE-2024-28182)",
      () => [
        frame(FrameType.headers, 0, 1, get),
        ...times(5000, (index) => frame(FrameType.continuation, 0, 1, headerBlock([[`x-${index}`, "y"]]))),
      ],
      ErrorCode.enhanceYourCalm,
    ],
    [
      "empty CONTINUATION",
      () => [frame(FrameType.headers, 0, 1, get), ...times(5000, () => frame(FrameType.continuation, 0, 1))],
      ErrorCode.enhanceYourCalm,
    ],
    [
      "empty DATA (CVE-2019-9518)",
      () => [
        ...headerFrames(1, headerBlock(requestFields([], "POST")), false),
        ...times(5000, () => frame(FrameType.data, 0, 1)),
      ],
      ErrorCode.enhanceYourCalm,
    ],
    [
      "PRIORITY (CVE-2019-9513)",
      () => times(50_000, () => frame(FrameType.priority, 0, 1, "\0\0\0\0\x10")),
      ErrorCode.enhanceYourCalm,
    ],
    [
      "window updates one by one",
      () => times(50_000, () => frame(FrameType.windowUpdate, 0, 0, number32(1))),
      ErrorCode.enhanceYourCalm,
    ],
    [
      "resets of a stream that is closed",
      () => [...headerFrames(1, get, true), ...times(50_000, () => frame(FrameType.rstStream, 0, 1, number32(8)))],
      ErrorCode.enhanceYourCalm,
    ],
    [
      "SETTINGS that say one thing again and again (CVE-2020-11080)",
      () => [
        frame(FrameType.settings, 0, 0, Buffer.concat(times(33, () => Buffer.from("\0\x04\0\0\0\x01", "latin1")))),
      ],
      ErrorCode.enhanceYourCalm,
    ],
    [
      "acknowledgements of nothing",
      () => times(50_000, () => frame(FrameType.settings, Flag.ack, 0)),
      ErrorCode.enhanceYourCalm,
    ],
    ["unknown frames", () => times(50_000, () => frame(99, 0, 0, "x")), ErrorCode.enhanceYourCalm],
    [
      "a window beyond 2^31-1",
      () => [frame(FrameType.windowUpdate, 0, 0, number32(0x7fffffff))],
      ErrorCode.flowControlError,
    ],
    ["a window update of nothing", () => [frame(FrameType.windowUpdate, 0, 0, number32(0))], ErrorCode.protocolError],
    [
      "a frame larger than allowed",
      () => [frame(FrameType.data, 0, 1, Buffer.alloc(20_000))],
      ErrorCode.frameSizeError,
    ],
    [
      "a push",
      () => [frame(FrameType.pushPromise, Flag.endHeaders, 1, Buffer.concat([number32(2), get]))],
      ErrorCode.protocolError,
    ],
    ["data on a stream never opened", () => [frame(FrameType.data, 0, 5, "x")], ErrorCode.protocolError],
    ["a stream of even number", () => headerFrames(2, get, true), ErrorCode.protocolError],
    [
      "a broken header block",
      () => [frame(FrameType.headers, Flag.endHeaders, 1, "\xff\xff\xff\xff\xff\xff")],
      ErrorCode.compressionError,
    ],
  ];
  for (const [name, frames, code] of floods) {
    it(name, async () => {
      await withBackend(await silent(), async ({ port }) => {
        const client = new FrameClient(port).send(...frames());
        assert.equal(await client.goaway(), code);
        await client.untilEnd();
      });
    });
  }

  for (const [name, flood] of [
    ["PING (CVE-2019-9512)", frame(FrameType.ping, 0, 0, "12345678")],
    ["SETTINGS (CVE-2019-9515)", frame(FrameType.settings, 0, 0)],
  ] as const) {
    it(`${name}, all at once and one after another`, async () => {
      await withBackend(await silent(), async ({ port }) => {
        const atOnce = new FrameClient(port).send(...times(5000, () => flood));
        assert.notEqual(await atOnce.goaway(), ErrorCode.noError);
        await atOnce.untilEnd();
        const steady = new FrameClient(port);
        for (let sent = 0; !steady.ended && sent < 3000; sent++) {
          steady.send(flood);
          await new Promise((resolve) => setImmediate(resolve));
        }
        assert.equal(await steady.goaway(), ErrorCode.enhanceYourCalm);
      });
    });
  }

  it("a header bomb: few bytes that stand for many fields (CVE-2016-6581)", async () => {
    await withBackend(await answering(ok("other")), async ({ port, records }) => {
      const client = new FrameClient(port);
      const planted = Buffer.concat([get, headerBlock([["x-bomb", "y".repeat(3000)]], true)]);
      client.send(...headerFrames(1, planted, true));
      assert.equal(await client.outcome(1), 200);
      const bomb = Buffer.concat([get, ...times(10_000, () => indexedField(0))]);
      client.send(...times(20, (index) => headerFrames(2 * index + 3, bomb, true)).flat());
      assert.equal(await client.outcome(41), -ErrorCode.enhanceYourCalm);
      assert.equal(records.filter(({ reason }) => reason !== "request-head-too-long").length, 1);
      client.destroy();
    });
  });
});

describe("heads that are too long over HTTP/2", () => {
  it("are answered 431 when they can be read, and reset when not", async () => {
    await withBackend(
      await answering(ok("other")),
      async ({ port, records }) => {
        const fill = (bytes: number): FieldList => requestFields([["x", "y".repeat(bytes)]]);
        const client = new FrameClient(port).acknowledgeSettings();
        client.request(1, fill(2500)).request(3, fill(6000)).request(5, fill(12_000));
        assert.deepEqual(
          [await client.outcome(1), await client.outcome(3), await client.outcome(5)],
          [200, 431, -ErrorCode.enhanceYourCalm],
        );
        const tooLong = "request-head-too-long";
        assert.deepEqual(records.map(({ reason }) => reason).toSorted(), ["", tooLong, tooLong]);
        client.destroy();
      },
      { limits: { headBytes: 4096 } },
    );
  });
});

describe("clients that stall over HTTP/2", () => {
  const limits = { stallTimeout: 200, keepAliveTimeout: 200 };
  const large = (): Promise<Backend> => answering(ok("x".repeat(4 * 1024 * 1024)));

  it("with a window of nothing: the stream is reset, the backend let go, others go on", async () => {
    const backend = await large();
    await withBackend(
      backend,
      async ({ port, records }) => {
        const client = new FrameClient(port, [[4, 0]]).request(1);
        const socket = await accepted(backend);
        await gone(socket);
        assert.equal((await client.frame(({ type }) => type === FrameType.rstStream)).stream, 1);
        assert.deepEqual([records[0]!.status, records[0]!.reason], [200, "client-stalled"]);
        client.request(3, requestFields([], "HEAD"));
        assert.equal(await client.outcome(3), 200, "what needs no window is served");
        client.destroy();
      },
      { limits },
    );
  });

  it("with a whole answer behind a window of nothing", async () => {
    await withBackend(
      await answering(ok("small")),
      async ({ port }) => {
        const client = new FrameClient(port, [[4, 0]]).request(1);
        assert.equal((await client.frame(({ type }) => type === FrameType.rstStream)).stream, 1);
        client.destroy();
      },
      { limits },
    );
  });

  it("with a window that opens byte by byte (CVE-2019-9511): the stream is reset", async () => {
    const backend = await large();
    await withBackend(
      backend,
      async ({ port, records }) => {
        const client = new FrameClient(port, [[4, 1]]).request(1);
        while (!client.frames.some(({ type }) => type === FrameType.rstStream)) {
          client.send(frame(FrameType.windowUpdate, 0, 1, number32(1)));
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        assert.equal(records[0]!.reason, "client-stalled");
        assert.ok(client.frames.some(({ type, payload }) => type === FrameType.data && payload.length === 1));
        client.destroy();
      },
      { limits },
    );
  });

  it("without reading at all: the connection is closed", async () => {
    const backend = await large();
    await withBackend(
      backend,
      async ({ port, proxy }) => {
        const client = new FrameClient(port, [[4, 0x7fffffff]]).send(
          frame(FrameType.windowUpdate, 0, 0, number32(0x7fff0000)),
        );
        client.socket.pause();
        client.send(...times(20, (index) => headerFrames(2 * index + 1, get, true)).flat());
        while (proxy.stats().listeners["web"]!.connectionsOpen > 0)
          await new Promise((resolve) => setImmediate(resolve));
      },
      { limits },
    );
  });

  it("in a body: 408, and the backend is let go", async () => {
    const backend = await silent();
    await withBackend(
      backend,
      async ({ port, records }) => {
        const client = new FrameClient(port).open(1).data(1, "abc");
        const socket = await accepted(backend);
        await gone(socket);
        assert.equal(await client.outcome(1), 408);
        assert.equal(records[0]!.reason, "request-body-timeout");
        client.destroy();
      },
      { limits },
    );
  });

  it("between the messages of a gRPC stream may do so", async () => {
    const backend = await startBackend((socket, received) => {
      if (received.includes("0\r\n\r\n")) socket.write(ok("other"));
      if (received.startsWith("GET")) socket.write(ok("other"));
    });
    await withBackend(
      backend,
      async ({ port }) => {
        const client = new FrameClient(port).open(1, requestFields([["content-type", "application/grpc"]], "POST"));
        client.data(1, "abc");
        // Another connection with the same limits is given up meanwhile.
        const other = new FrameClient(port).open(1).data(1, "abc");
        assert.equal(await other.outcome(1), 408);
        other.destroy();
        client.data(1, "", true);
        assert.equal(await client.outcome(1), 200);
        client.destroy();
      },
      { limits },
    );
  });

  it("by asking nothing are closed, in good order", async () => {
    await withBackend(
      await answering(ok("other")),
      async ({ port }) => {
        const fresh = new FrameClient(port);
        const used = new FrameClient(port).request(1);
        assert.equal(await used.outcome(1), 200);
        for (const client of [fresh, used]) {
          assert.equal(await client.goaway(), ErrorCode.noError);
          await client.untilEnd();
        }
      },
      { limits },
    );
  });
});
