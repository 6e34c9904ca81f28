// SPDY/3.1: header blocks against zlib's own streams, frames cut anywhere, and a connection against what clients do wrong.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type Duplex, duplexPair } from "node:stream";
import { describe, test } from "node:test";
import { constants, createDeflate, createInflate } from "node:zlib";
import { SpdyConnection, type SpdyStream } from "./spdy-connection.ts";
import { controlFrame, dataHead, FrameError, FrameReader, frameTypes } from "./spdy-frames.ts";
import { type HeaderBlock, HeaderBlockError, HeaderDecoder, HeaderEncoder, spdyDictionary } from "./spdy-headers.ts";

function plainBlock(pairs: [string, string][]): Buffer {
  const number = (value: number): Buffer =>
    Buffer.from([value >> 24, value >> 16, value >> 8, value].map((b) => b & 255));
  const text = (value: string): Buffer[] => [number(Buffer.byteLength(value)), Buffer.from(value)];
  return Buffer.concat([number(pairs.length), ...pairs.flatMap(([name, value]) => [...text(name), ...text(value)])]);
}

/** A client's side of the compression, as zlib itself does it. */
function reference(): (pairs: [string, string][]) => Promise<Buffer> {
  const deflate = createDeflate({ dictionary: spdyDictionary });
  return (pairs) =>
    new Promise((resolve) => {
      deflate.write(plainBlock(pairs));
      deflate.flush(constants.Z_SYNC_FLUSH, () => setImmediate(() => resolve(deflate.read() as Buffer)));
    });
}

describe("header blocks", () => {
  test("are one zlib stream over all of them, in both directions", async () => {
    const encode = reference();
    const decoder = new HeaderDecoder();
    const encoder = new HeaderEncoder();
    const inflate = createInflate({ dictionary: spdyDictionary });
    for (let at = 0; at < 200; at++) {
      const headers: HeaderBlock = {
        streamtype: at % 2 ? "data" : "error",
        port: "80",
        requestid: String(at),
        filler: randomBytes(300).toString("hex"),
      };
      assert.deepEqual({ ...decoder.decode(await encode(Object.entries(headers))) }, headers);
      inflate.write(encoder.encode(headers));
      const plain = plainBlock(Object.entries(headers));
      const seen: Buffer[] = [];
      while (Buffer.concat(seen).length < plain.length) {
        const chunk = inflate.read() as Buffer | null;
        if (chunk) seen.push(chunk);
        else await new Promise((resolve) => inflate.once("readable", resolve));
      }
      assert.ok(Buffer.concat(seen).equals(plain));
    }
  });

  test("that are none are refused", async () => {
    const encode = reference();
    const good = await encode([["a", "b"]]);
    const cases: [string, Buffer][] = [
      ["empty", Buffer.alloc(0)],
      ["no zlib", randomBytes(40)],
      ["another dictionary", Buffer.concat([Buffer.from("78bb00000001", "hex"), good.subarray(6)])],
      ["damaged", Buffer.concat([good.subarray(0, 6), Buffer.from([0xff, 0xff, 0xff, 0xff])])],
      [
        "repeated name",
        await reference()([
          ["a", "b"],
          ["a", "c"],
        ]),
      ],
      ["empty name", await reference()([["", "b"]])],
      ["larger than 64 KiB", await reference()([["a", "x".repeat(70_000)]])],
    ];
    for (const [name, block] of cases) assert.throws(() => new HeaderDecoder().decode(block), HeaderBlockError, name);
  });

  test("any bytes are either headers or a HeaderBlockError", () => {
    for (let round = 0; round < 2_000; round++) {
      const block = new HeaderEncoder().encode({ streamtype: "data", port: String(round) });
      for (let change = 0; change < 3; change++) block[Math.floor(Math.random() * block.length)] = Math.random() * 256;
      try {
        new HeaderDecoder().decode(block);
      } catch (error) {
        assert.ok(error instanceof HeaderBlockError, String(error));
      }
    }
  });
});

describe("frames", () => {
  const collect = () => {
    const seen: unknown[] = [];
    let data = "";
    const reader = new FrameReader({
      data: (stream, piece, end) => {
        data += piece.toString();
        if (end) seen.push([stream, data]);
      },
      control: (type, flags, payload) => void seen.push([type, flags, payload.toString("hex")]),
    });
    return { reader, seen };
  };

  test("are read wherever they are cut", () => {
    const bytes = Buffer.concat([
      controlFrame(frameTypes.ping, 0, [7]),
      dataHead(3, 5, false),
      Buffer.from("hello"),
      dataHead(3, 6, true),
      Buffer.from(" world"),
      dataHead(5, 0, true),
      controlFrame(frameTypes.settings, 1, [0]),
    ]);
    for (let size = 1; size <= bytes.length; size++) {
      const { reader, seen } = collect();
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
      assert.deepEqual(seen, [
        [6, 0, "00000007"],
        [3, "hello world"],
        [5, "hello world"],
        [4, 1, "00000000"],
      ]);
    }
  });

  test("of another version or size are a FrameError", () => {
    const head = (hex: string) => () => collect().reader.push(Buffer.from(hex, "hex"));
    assert.throws(head("8002000100000004"), FrameError);
    assert.throws(head("8003000100010001"), FrameError);
    assert.throws(() => collect().reader.push(Buffer.from("8765432112345678", "hex")), FrameError);
  });
});

interface Client {
  socket: Duplex;
  streams: SpdyStream[];
  /** Frames received, in hex, without data. */
  control: string[];
  received: Map<number, string>;
  open(id: number, headers: [string, string][], flags?: number): Promise<void>;
  closed: Promise<void>;
}

/** A connection and its client; `accept` says which streams it takes. */
function connected(accept: (stream: SpdyStream) => boolean = () => true, maxStreams = 10): Client {
  const [ours, theirs] = duplexPair();
  const encode = reference();
  const streams: SpdyStream[] = [];
  const connection = new SpdyConnection(ours, {
    maxStreams,
    onStream: (stream) => {
      streams.push(stream);
      return accept(stream);
    },
  });
  const received = new Map<number, string>();
  const control: string[] = [];
  const reader = new FrameReader({
    data: (stream, piece) => void received.set(stream, (received.get(stream) ?? "") + piece.toString()),
    control: (type, _flags, payload) => void control.push(`${type}:${payload.toString("hex", 0, 8)}`),
  });
  theirs.on("data", (chunk: Buffer) => reader.push(chunk));
  theirs.on("error", () => {});
  return {
    socket: theirs,
    streams,
    control,
    received,
    closed: connection.closed,
    open: async (id, headers, flags = 0) => {
      const frame = controlFrame(
        frameTypes.synStream,
        flags,
        [id, 0],
        Buffer.concat([Buffer.alloc(2), await encode(headers)]),
      );
      theirs.write(frame);
      await settled();
    },
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

describe("a connection", () => {
  test("answers streams, carries bytes both ways, and half-closes", async () => {
    const client = connected();
    await client.open(1, [["streamtype", "stdin"]]);
    const [stream] = client.streams;
    assert.equal(stream?.headers.streamtype, "stdin");
    assert.match(client.control[0] ?? "", /^2:00000001/);
    client.socket.write(Buffer.concat([dataHead(1, 4, true), Buffer.from("ping")]));
    const seen: Buffer[] = [];
    for await (const chunk of stream ?? []) seen.push(chunk as Buffer);
    assert.equal(Buffer.concat(seen).toString(), "ping");
    stream?.end("pong");
    await settled();
    assert.equal(client.received.get(1), "pong");
  });

  test("sends 3 MB in order to a client that reads late", async () => {
    const client = connected();
    await client.open(1, [["streamtype", "stdout"]]);
    client.socket.pause();
    const text = Array.from({ length: 300_000 }, (_, at) => String(at).padStart(10)).join("");
    client.streams[0]?.end(text);
    await settled();
    client.socket.resume();
    while ((client.received.get(1)?.length ?? 0) < text.length) await settled();
    assert.equal(client.received.get(1), text);
  });

  test("waits for the slowest reader instead of keeping what is sent", async () => {
    const client = connected();
    await client.open(1, [["streamtype", "stdin"]]);
    let sent = 0;
    for (; sent < 1_000; sent++) {
      const room = client.socket.write(Buffer.concat([dataHead(1, 16_384, false), Buffer.alloc(16_384)]));
      await settled();
      if (!room && client.socket.writableLength > 200_000) break;
    }
    assert.ok(sent < 100, `${sent} frames taken`);
    assert.ok((client.streams[0]?.readableLength ?? 0) <= 300_000);
  });

  test("answers pings of the client only", async () => {
    const client = connected();
    client.socket.write(Buffer.concat([controlFrame(frameTypes.ping, 0, [5]), controlFrame(frameTypes.ping, 0, [6])]));
    await settled();
    assert.deepEqual(client.control, ["6:00000005"]);
  });

  test("resets single streams: refused, too many, unknown, ended; the others go on", async () => {
    const client = connected((stream) => stream.headers.streamtype !== "no", 2);
    await client.open(1, [["streamtype", "a"]]);
    await client.open(3, [["streamtype", "no"]]);
    await client.open(5, [["streamtype", "b"]], 1);
    await client.open(7, [["streamtype", "c"]]);
    client.socket.write(Buffer.concat([dataHead(99, 1, false), Buffer.from("x")]));
    client.socket.write(Buffer.concat([dataHead(5, 1, false), Buffer.from("x")]));
    client.socket.write(Buffer.concat([dataHead(1, 2, false), Buffer.from("ok")]));
    await settled();
    const resets = client.control.filter((frame) => frame.startsWith("3:"));
    assert.deepEqual(resets.slice(0, 4), [
      "3:0000000300000005",
      "3:0000000700000003",
      "3:0000006300000002",
      "3:0000000500000009",
    ]);
    assert.equal(String(client.streams[0]?.read()), "ok");
    client.socket.write(controlFrame(frameTypes.reset, 0, [1, 5]));
    await settled();
    assert.equal(client.streams[0]?.destroyed, true);
  });

  test("ends with GOAWAY and without a trace when its framing is broken", async () => {
    const cases: [string, (client: Client) => Promise<void> | void][] = [
      ["another version", ({ socket }) => void socket.write(Buffer.from("8002000600000004", "hex"))],
      ["a huge control frame", ({ socket }) => void socket.write(Buffer.from("80030001ffffffff", "hex"))],
      ["a stream cut short", ({ socket }) => void socket.write(controlFrame(1, 0, [1]))],
      ["a ping cut short", ({ socket }) => void socket.write(controlFrame(6, 0, []))],
      ["an even stream", (client) => client.open(2, [["a", "b"]])],
      [
        "a stream that is not new",
        async (client) => {
          await client.open(3, [["a", "b"]]);
          await client.open(3, [["a", "b"]]);
        },
      ],
      [
        "no header block",
        ({ socket }) => void socket.write(controlFrame(1, 0, [1, 0], Buffer.from("00001234", "hex"))),
      ],
    ];
    for (const [name, act] of cases) {
      const client = connected();
      await act(client);
      await client.closed;
      assert.match(client.control.at(-1) ?? "", /^7:0000000[03]00000001$/, name);
      for (const stream of client.streams) assert.equal(stream.destroyed, true, name);
    }
  });

  test("lives through any bytes", async () => {
    for (let round = 0; round < 200; round++) {
      const client = connected();
      await client.open(1, [["streamtype", "a"]]);
      const noise = randomBytes(64);
      if (round % 2) noise.writeUInt32BE(0x8003_0000 + (round % 11), 0);
      client.socket.write(noise);
      client.socket.end();
      await client.closed;
    }
  });

  test("its end destroys every stream", async () => {
    const client = connected();
    await client.open(1, [["streamtype", "a"]]);
    client.socket.destroy();
    await client.closed;
    assert.equal(client.streams[0]?.destroyed, true);
  });
});
