// What both ways of doing TLS promise of the connections they hand over.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectPlain, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { before, describe, it } from "node:test";
import { connect } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { BEST_IO } from "../io/network.ts";
import type { Io } from "../io/network.ts";
import { listening } from "../testing/listening.ts";
import type { Transport } from "../io/transport.ts";
import { createAuthority } from "../testing/certificates.ts";
import type { SecureConnection } from "./handshake.ts";
import { TlsTerminator } from "./terminator.ts";

interface Resources {
  after(close: () => unknown): void;
}

let pair: { certificate: string; key: string };

before(async () => {
  pair = await (await createAuthority()).issue("a.test");
});

/** A port whose connections are given to `take` once they are secure. */
async function terminated(test: Resources, io: Io, take: (connection: SecureConnection) => void): Promise<number> {
  const terminator = new TlsTerminator("secret");
  assert.deepEqual(terminator.update({ certificates: [{ hostnames: [], ...pair }] }), []);
  const taken: Transport[] = [];
  const onSecure = (connection: SecureConnection): void => {
    taken.push(connection.transport);
    take(connection);
  };
  const user = { onSecure, onRefused: () => assert.fail("refused"), onClosed() {} };
  const server = await listening(io, (client) =>
    terminator.terminate(client, { unread: Buffer.alloc(0), serverName: null }, "http", user),
  );
  test.after(() => {
    for (const transport of taken) transport.destroy();
    return server.close();
  });
  return server.port;
}

/** What a transport tells, in order: text, `end`, `close` or `close` with the error's code. */
class Heard {
  readonly events: string[] = [];
  #wake = (): void => {};

  constructor(transport: Transport) {
    transport.handler = {
      onData: (bytes, end) => this.#add(bytes.toString("latin1", 0, end)),
      onDrain: () => {},
      onEnd: () => this.#add("end"),
      onClose: (error) => this.#add(error === null ? "close" : `close ${error.code}`),
    };
  }

  #add(event: string): void {
    this.events.push(event);
    this.#wake();
  }

  async until(last: string): Promise<string[]> {
    while (this.events.at(-1) !== last) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.events;
  }
}

/** One connection: its transport, what it tells, and the client's end. */
async function connected(test: Resources, io: Io, options: ConnectionOptions = {}) {
  let given: (connection: SecureConnection) => void;
  const accepted = new Promise<SecureConnection>((resolve) => (given = resolve));
  let heard: Heard;
  const port = await terminated(test, io, (connection) => {
    heard = new Heard(connection.transport);
    given(connection);
  });
  const client = connect({ port, ...HALF_OPEN, ...options });
  test.after(() => client.destroy());
  const [{ transport }] = await Promise.all([accepted, once(client, "secureConnect")]);
  return { transport, heard: heard!, client };
}

async function allOf(client: TLSSocket): Promise<Buffer> {
  const parts: Buffer[] = [];
  client.on("data", (bytes: Buffer) => parts.push(bytes));
  await once(client, "end");
  return Buffer.concat(parts);
}

/** A port that leads to `port`, and the types of the TLS records that came back from there. */
async function watched(test: Resources, port: number): Promise<{ port: number; records: () => number[] }> {
  const received: Buffer[] = [];
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const onward = connectPlain({ port, host: "127.0.0.1", allowHalfOpen: true });
    onward.on("data", (bytes: Buffer) => received.push(bytes));
    onward.on("error", () => {});
    client.on("error", () => {});
    client.pipe(onward).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => server.close());
  const records = (): number[] => {
    const bytes = Buffer.concat(received);
    const types: number[] = [];
    for (let at = 0; at < bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) types.push(bytes[at]!);
    return types;
  };
  return { port: (server.address() as AddressInfo).port, records };
}

const ALERT = 21;
// Which the types do not know of node:tls.
const HALF_OPEN: object = { host: "127.0.0.1", rejectUnauthorized: false, allowHalfOpen: true };

for (const io of BEST_IO === "sockets" ? (["sockets"] as const) : (["handles", "sockets"] as const)) {
  describe(`transports over TLS (${io})`, () => {
    it("send everything in the order it was written, whatever the kernel takes at a time, and then the end", async (test) => {
      const { transport, heard, client } = await connected(test, io);
      const large = Buffer.alloc(8 * 1024 * 1024, "x");
      transport.write("first ");
      transport.write("second ");
      transport.writeAll(["third ", large, "", " fourth"]);
      assert.equal(transport.blocked, true);
      assert.ok(transport.unsent > large.length);
      transport.end();
      assert.equal((await allOf(client)).toString("latin1"), `first second third ${large.toString("latin1")} fourth`);
      client.end("bye");
      assert.deepEqual(await heard.until("close"), ["bye", "end", "close"]);
      assert.equal(transport.unsent, 0);
    });

    it("tell when what blocked is out, and only then", async (test) => {
      const { transport, client } = await connected(test, io);
      let drained = 0;
      const drain = new Promise<void>((resolve) => {
        transport.handler.onDrain = () => {
          drained++;
          resolve();
        };
      });
      transport.write("small");
      assert.equal(transport.blocked, false);
      await once(client, "data");
      transport.write(Buffer.alloc(8 * 1024 * 1024));
      assert.equal(transport.blocked, true);
      client.resume();
      await drain;
      assert.deepEqual([transport.unsent, transport.blocked, drained], [0, false, 1]);
    });

    it("hold what arrives while they are paused, the end too", async (test) => {
      let given: (held: [Transport, Heard]) => void;
      const accepted = new Promise<[Transport, Heard]>((resolve) => (given = resolve));
      const port = await terminated(test, io, ({ transport }) => {
        const heard = new Heard(transport);
        transport.pause();
        given([transport, heard]);
      });
      const client = connect({ port, ...HALF_OPEN });
      test.after(() => client.destroy());
      // With the last message of the handshake.
      client.end("hello");
      const [transport, heard] = await accepted;
      transport.write("ready");
      assert.equal(String((await once(client, "data"))[0]), "ready");
      assert.deepEqual(heard.events, []);
      transport.unread(Buffer.from("before "));
      transport.resume();
      assert.deepEqual(heard.events, []);
      assert.equal((await heard.until("end")).join(""), "before helloend");
      transport.end();
      assert.equal((await allOf(client)).length, 0);
    });

    it("say that they close, where they do it in good order", async (test) => {
      const taken: Transport[] = [];
      let next: () => void;
      const direct = await terminated(test, io, ({ transport }) => {
        transport.handler = { onData() {}, onDrain() {}, onEnd() {}, onClose() {} };
        taken.push(transport);
        next();
      });
      for (const inOrder of [true, false]) {
        const { port, records } = await watched(test, direct);
        const accepted = new Promise<void>((resolve) => (next = resolve));
        const options = { rejectUnauthorized: false, maxVersion: "TLSv1.2" } as const;
        const client = connect({ port, host: "127.0.0.1", ...options });
        client.on("error", () => {});
        await Promise.all([accepted, once(client, "secureConnect")]);
        if (inOrder) taken.pop()!.end();
        else taken.pop()!.destroy();
        await once(client.resume(), "close");
        assert.equal(records().at(-1) === ALERT, inOrder);
      }
    });

    it("take a FIN without the TLS end before it as the end, and a reset as an error", async (test) => {
      for (const reset of [false, true]) {
        const { promise, resolve } = Promise.withResolvers<Heard>();
        const port = await terminated(test, io, ({ transport }) => resolve(new Heard(transport)));
        const under = connectPlain({ port, host: "127.0.0.1" });
        const client = connect({ socket: under, rejectUnauthorized: false });
        client.on("error", () => {});
        await once(client, "secureConnect");
        const heard = await promise;
        client.write("hello");
        await heard.until("hello");
        if (reset) under.resetAndDestroy();
        else under.end();
        const last = reset ? "close ECONNRESET" : "end";
        assert.deepEqual(await heard.until(last), ["hello", last]);
      }
    });

    it("end at once when told to, whatever is unsent", async (test) => {
      for (const how of ["destroy", "reset"] as const) {
        const { transport, heard, client } = await connected(test, io);
        const gone = new Promise((resolve) => client.on("error", () => {}).on("close", resolve));
        client.on("end", () => client.destroy()).resume();
        transport.write(Buffer.alloc(8 * 1024 * 1024));
        transport[how]();
        transport.write("more");
        await gone;
        assert.deepEqual(await heard.until("close"), ["close"]);
      }
    });

    it("are gone when they are reset while their end is on its way", async (test) => {
      const { transport, heard, client } = await connected(test, io);
      client.on("error", () => {}).resume();
      transport.end();
      transport.reset();
      assert.deepEqual(await heard.until("close"), ["close"]);
    });

    it("do not negotiate again", async (test) => {
      const { client, heard } = await connected(test, io, { maxVersion: "TLSv1.2" });
      client.write("hello");
      await heard.until("hello");
      const failed = once(client, "error");
      client.renegotiate({}, () => {});
      assert.match(String((await failed)[0]), /no renegotiation/);
    });
  });
}
