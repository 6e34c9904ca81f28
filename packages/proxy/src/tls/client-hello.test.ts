import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { connect } from "node:tls";
import type { ConnectionOptions } from "node:tls";
import type { Progress } from "../read-ahead.ts";
import { Alert } from "./alerts.ts";
import { ClientHelloReader } from "./client-hello.ts";

const number = (value: number, size: number): Buffer => {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
};
const vector = (size: number, ...content: Buffer[]): Buffer => {
  const bytes = Buffer.concat(content);
  return Buffer.concat([number(bytes.length, size), bytes]);
};
const extension = (type: number, data: Buffer): Buffer => Buffer.concat([number(type, 2), vector(2, data)]);
const serverName = (name: string, type = 0): Buffer =>
  extension(0, vector(2, number(type, 1), vector(2, Buffer.from(name, "latin1"))));

interface Parts {
  sessionId?: Buffer;
  cipherSuites?: Buffer;
  compressions?: Buffer;
  extensions?: Buffer[] | null;
  trailing?: Buffer;
}

/** A ClientHello message of these parts, handshake header included. */
function message({ sessionId, cipherSuites, compressions, extensions = [], trailing }: Parts): Buffer {
  const body = Buffer.concat([
    number(0x0303, 2),
    Buffer.alloc(32, 7),
    vector(1, sessionId ?? Buffer.alloc(32)),
    vector(2, cipherSuites ?? number(0x1301, 2)),
    vector(1, compressions ?? number(0, 1)),
    ...(extensions === null ? [] : [vector(2, ...extensions)]),
    trailing ?? Buffer.alloc(0),
  ]);
  return Buffer.concat([number(1, 1), vector(3, body)]);
}

/** `bytes` in records of up to `size` bytes. */
function records(bytes: Buffer, size = 16384): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    parts.push(Buffer.from([22, 3, 1]), vector(2, bytes.subarray(at, at + size)));
  }
  return Buffer.concat(parts);
}

/** What comes of `bytes` in pieces of `size`; every piece but the last must leave more to be read. */
function readIn(bytes: Buffer, size: number): { reader: ClientHelloReader; progress: Progress; read: number } {
  const reader = new ClientHelloReader();
  let progress: Progress = "more";
  let read = 0;
  while (progress === "more" && read < bytes.length) {
    progress = reader.push(bytes.subarray(read, read + size));
    read = Math.min(bytes.length, read + size);
  }
  return { reader, progress, read };
}

function nameIn(bytes: Buffer): string | null | undefined {
  const { reader, progress } = readIn(bytes, bytes.length);
  return progress === "done" ? reader.serverName : undefined;
}

function alertFor(bytes: Buffer): number | null | undefined {
  const { reader, progress } = readIn(bytes, bytes.length);
  return progress === "refused" ? reader.alert : undefined;
}

/** What a client of node:tls begins with. */
async function helloOfNode(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", ...options });
  client.on("error", () => {});
  const [socket] = await once(server, "connection");
  const [bytes] = await once(socket, "data");
  client.destroy();
  socket.destroy();
  server.close();
  return bytes as Buffer;
}

describe("the name in a ClientHello", () => {
  it("is read from what node:tls sends, of either version", async () => {
    assert.equal(nameIn(await helloOfNode({ servername: "a.test" })), "a.test");
    assert.equal(nameIn(await helloOfNode({ servername: "a.test", maxVersion: "TLSv1.2" })), "a.test");
    assert.equal(nameIn(await helloOfNode({ servername: "" })), null);
  });

  it("is lower case, without the root's dot; an address is none", () => {
    const named = (name: string) => nameIn(records(message({ extensions: [serverName(name)] })));
    assert.equal(named("A.Test"), "a.test");
    assert.equal(named("a.test."), "a.test");
    assert.equal(named("_x-1.a.test"), "_x-1.a.test");
    assert.equal(named("127.0.0.1"), null);
    assert.equal(named("::1"), null);
  });

  it("is found however the bytes are cut into segments and records, and they are all replayed", () => {
    const hello = message({ extensions: [extension(43, Buffer.from([2, 3, 4])), serverName("a.test")] });
    for (const recordSize of [1, 2, 3, 5, 40, 16384]) {
      const bytes = records(hello, recordSize);
      for (const segment of [1, 2, 7, bytes.length]) {
        const { reader, progress, read } = readIn(bytes, segment);
        assert.deepEqual([progress, reader.serverName, read], ["done", "a.test", bytes.length]);
        assert.deepEqual(reader.replay, bytes);
      }
      for (let cut = 1; cut < bytes.length; cut++) {
        const reader = new ClientHelloReader();
        assert.equal(reader.push(bytes.subarray(0, cut)), "more");
        assert.equal(reader.push(bytes.subarray(cut)), "done");
        assert.equal(reader.serverName, "a.test");
      }
    }
  });

  it("is not disturbed by GREASE, ECH, early data behind it, or the absence of extensions", () => {
    const grease = [extension(0x0a0a, Buffer.alloc(0)), extension(0xfafa, Buffer.alloc(1))];
    const ech = extension(0xfe0d, Buffer.alloc(200, 1));
    const suites = Buffer.from([0x2a, 0x2a, 0x13, 0x01]);
    const hello = message({
      cipherSuites: suites,
      extensions: [grease[0]!, ech, serverName("outer.test"), grease[1]!],
    });
    assert.equal(nameIn(records(hello)), "outer.test");
    const early = Buffer.concat([records(hello), Buffer.from([23, 3, 3, 0, 1, 0])]);
    const { reader, progress } = readIn(early, early.length);
    assert.deepEqual([progress, reader.serverName, reader.replay], ["done", "outer.test", early]);
    assert.equal(nameIn(records(message({ extensions: null }))), null);
    assert.equal(nameIn(records(message({ extensions: [] }))), null);
  });
});

describe("a ClientHello is refused", () => {
  const good = message({ extensions: [serverName("a.test")] });

  it("without an alert when it is not TLS at all", () => {
    for (const text of ["GET / HTTP/1.1\r\n", "\0", "\x80\x2e\x01\x03\x01", "\x16\x02\x01\0\x05"]) {
      assert.equal(alertFor(Buffer.from(text, "latin1")), null);
    }
  });

  it("when its records are not as they have to be", () => {
    assert.equal(alertFor(Buffer.from([22, 3, 1, 0, 0])), Alert.decodeError);
    assert.equal(alertFor(Buffer.from([22, 3, 1, 0x40, 1])), Alert.recordOverflow);
    assert.equal(alertFor(records(Buffer.from([2, 0, 0, 1, 0]))), Alert.unexpectedMessage);
    const another = Buffer.concat([records(good.subarray(0, 20)), Buffer.from([23, 3, 1, 0, 1, 0])]);
    assert.equal(alertFor(another), null);
    assert.equal(alertFor(records(Buffer.concat([good, Buffer.from([1])]))), Alert.unexpectedMessage);
    const behind = Buffer.concat([records(good.subarray(0, 20)), records(Buffer.concat([good.subarray(20), good]))]);
    assert.equal(alertFor(behind), Alert.unexpectedMessage);
  });

  it("when it is longer than any client's, before it is read", () => {
    assert.equal(alertFor(records(Buffer.from([1, 0x00, 0x80, 0x00]))), Alert.decodeError);
    const long = message({ extensions: [extension(21, Buffer.alloc(20_000)), serverName("a.test")] });
    assert.equal(nameIn(records(long)), "a.test");
  });

  it("when its structure does not add up", () => {
    const malformed: Parts[] = [
      { sessionId: Buffer.alloc(33) },
      { cipherSuites: Buffer.alloc(0) },
      { cipherSuites: Buffer.alloc(3) },
      { compressions: Buffer.alloc(0) },
      { trailing: Buffer.alloc(1) },
      { extensions: [extension(0, Buffer.alloc(0))] },
      { extensions: [extension(0, vector(2, number(0, 1), vector(2)))] },
      {
        extensions: [
          extension(0, Buffer.concat([vector(2, number(0, 1), vector(2, Buffer.from("a"))), Buffer.alloc(1)])),
        ],
      },
      { extensions: [Buffer.from([0, 1, 0])] },
      { extensions: [Buffer.from([0, 1, 0, 5, 0])] },
    ];
    for (const parts of malformed) assert.equal(alertFor(records(message(parts))), Alert.decodeError);
    // Cut anywhere, with the message's own length adjusted, it is never whole.
    for (let cut = 4; cut < good.length; cut++) {
      const short = Buffer.concat([number(1, 1), vector(3, good.subarray(4, cut))]);
      const withoutExtensions = cut === 4 + 2 + 32 + 33 + 4 + 2;
      assert.equal(alertFor(records(short)), withoutExtensions ? undefined : Alert.decodeError, String(cut));
    }
  });

  it("when an extension comes twice, or a name is none", () => {
    const twice = message({ extensions: [serverName("a.test"), serverName("b.test")] });
    assert.equal(alertFor(records(twice)), Alert.illegalParameter);
    const list = vector(2, number(0, 1), vector(2, Buffer.from("a")), number(0, 1), vector(2, Buffer.from("b")));
    assert.equal(alertFor(records(message({ extensions: [extension(0, list)] }))), Alert.decodeError);
    assert.equal(alertFor(records(message({ extensions: [serverName("a.test", 1)] }))), Alert.illegalParameter);
    for (const name of ["a..test", ".test", "a test", "a\0.test", "*.test", "ä.test", "x".repeat(254), "a/b"]) {
      assert.equal(alertFor(records(message({ extensions: [serverName(name)] }))), Alert.illegalParameter, name);
    }
  });
});
