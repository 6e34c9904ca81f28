import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import type { RemoteInfo, Socket } from "node:dgram";
import { once } from "node:events";
import { describe, it } from "node:test";
import type { Listener, Service, StreamRoute } from "../routing-table.ts";
import { answering, exchangeBytes, GET_CLOSE, ok } from "../testing/sockets.ts";
import { eventually, startProxy, streamListener, streamTo } from "../testing/streams.ts";
import type { Resources, RunningProxy } from "../testing/streams.ts";
import { listener, route, service, table } from "../testing/tables.ts";
import type { Limits } from "../limits.ts";

/** A bound socket of 127.0.0.1, closed with the test. */
async function udpSocket(test: Resources, port = 0): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  test.after(() => {
    try {
      socket.close();
    } catch {
      // The test has closed it.
    }
  });
  return socket;
}

/** Answers each datagram with `name`, the number of senders so far, and the datagram. */
async function echoing(test: Resources, name: string): Promise<Socket> {
  const socket = await udpSocket(test);
  const senders = new Set<number>();
  socket.on("message", (bytes: Buffer, { port, address }: RemoteInfo) => {
    senders.add(port);
    socket.send(Buffer.concat([Buffer.from(`${name}${senders.size}:`), bytes]), port, address);
  });
  return socket;
}

class UdpClient {
  readonly socket: Socket;
  readonly #port: number;

  constructor(socket: Socket, port: number) {
    this.socket = socket;
    this.#port = port;
  }

  send(bytes: Buffer | string): void {
    this.socket.send(bytes, this.#port, "127.0.0.1");
  }

  /** The answer to a datagram. */
  async ask(bytes: Buffer | string): Promise<string> {
    const answer = once(this.socket, "message");
    this.send(bytes);
    const [message, { port }] = (await answer) as [Buffer, RemoteInfo];
    assert.equal(port, this.#port, "answers come from where the client has written to");
    return message.toString("latin1");
  }
}

async function client(test: Resources, port: number): Promise<UdpClient> {
  return new UdpClient(await udpSocket(test), port);
}

function udpService(id: string, sockets: Socket[], more: Partial<Service> = {}): Service {
  const endpoints = sockets.map((socket) => ({ host: "127.0.0.1", port: socket.address().port, name: id }));
  return { id, protocol: "udp", endpoints, ...more };
}

const udpListener = (stream: StreamRoute, more: Partial<Listener> = {}): Listener =>
  streamListener(stream, { transport: "udp", ...more });

function start(
  test: Resources,
  stream: StreamRoute,
  services: Service[],
  limits: Partial<Limits> = {},
): Promise<RunningProxy> {
  return startProxy(test, table([udpListener(stream)], services), { limits });
}

describe("UDP listeners", () => {
  it("carry datagrams of any size there and back, each client over a socket of its own", async (test) => {
    const endpoint = await echoing(test, "a");
    const { port, proxy, records } = await start(test, streamTo({ a: 1 }), [udpService("a", [endpoint])]);
    const [first, second] = [await client(test, port), await client(test, port)];
    assert.equal(await first.ask("one"), "a1:one");
    assert.equal(await second.ask("two"), "a2:two");
    assert.equal(await first.ask("three"), "a2:three");
    for (const size of [0, 1, 1472, 9000, 65_000]) {
      const payload = Buffer.alloc(size, "0123456789");
      assert.ok((await first.ask(payload)) === `a2:${payload.toString("latin1")}`, String(size));
    }
    const { connections, active, failed, received, sent, datagramsReceived, datagramsSent, datagramsDropped } =
      proxy.stats().streams.s!;
    assert.deepEqual([connections, active, failed], [2, 2, 0]);
    assert.deepEqual([datagramsReceived, datagramsSent, datagramsDropped], [8, 8, 0]);
    assert.deepEqual([received, sent], [75_484, 75_484 + 8 * 3]);
    assert.deepEqual(proxy.stats().streamServices.a, proxy.stats().streams.s);
    assert.equal(proxy.stats().listeners.web!.connectionsOpen, 2);
    await proxy.close({ graceMs: 0 });
    assert.deepEqual(
      records.map(({ protocol, bytes, bytesReceived, endpointName, reason }) => [
        protocol,
        bytes,
        bytesReceived,
        endpointName,
        reason,
      ]),
      [
        ["udp", 6, 3, "a", "proxy-closed"],
        ["udp", 75_502, 75_481, "a", "proxy-closed"],
      ],
    );
  });

  it("share clients out by weight and over endpoints, and let each keep its own", async (test) => {
    const [a, b, c] = [await echoing(test, "a"), await echoing(test, "b"), await echoing(test, "c")];
    const services = [udpService("one", [a, b]), udpService("two", [c])];
    const { port } = await start(test, streamTo({ one: 3, two: 1 }), services);
    const clients = await Promise.all(Array.from({ length: 8 }, () => client(test, port)));
    const asked = async () => {
      let said = "";
      for (const each of clients) said += (await each.ask("x")).charAt(0);
      return said;
    };
    const first = await asked();
    assert.equal(first.split("").sort().join(""), "aaabbbcc");
    assert.equal(await asked(), first);
  });

  it("send the next datagram elsewhere when nobody listens at an endpoint", async (test) => {
    const [gone, alive] = [await udpSocket(test), await echoing(test, "b")];
    const services = [udpService("a", [gone, alive])];
    gone.close();
    const { port, proxy, records } = await start(test, streamTo({ a: 1 }), services, { unhealthyTimeout: 60_000 });
    const asking = await client(test, port);
    asking.send("lost");
    const failures = () => Object.values(proxy.stats().endpoints).reduce((sum, each) => sum + each.connectFailures, 0);
    await eventually(() => failures() === 1);
    assert.equal(await asking.ask("found"), "b1:found");
    assert.equal(await asking.ask("again"), "b1:again");
    // Others are not sent where nobody was.
    const another = await client(test, port);
    assert.equal(await another.ask("x"), "b2:x");
    await proxy.close({ graceMs: 0 });
    assert.deepEqual(
      records.map(({ retries, bytesReceived }) => [retries, bytesReceived]),
      [
        [1, 14],
        [0, 1],
      ],
    );
  });

  it("send the next datagram elsewhere when there is no way to an endpoint", async (test) => {
    const alive = await echoing(test, "b");
    const { port: where } = alive.address();
    // The system lets nobody who has not said so send to everybody.
    const endpoints = [
      { host: "255.255.255.255", port: where },
      { host: "127.0.0.1", port: where },
    ];
    const { port, proxy } = await start(test, streamTo({ a: 1 }), [{ id: "a", protocol: "udp", endpoints }]);
    const asking = await client(test, port);
    asking.send("lost");
    await eventually(() => proxy.stats().endpoints[`255.255.255.255:${where}`]!.connectFailures === 1);
    assert.equal(await asking.ask("found"), "b1:found");
    assert.equal(proxy.stats().streams.s!.datagramsDropped, 1);
  });

  it("go on asking the only endpoint, which may come back", async (test) => {
    const endpoint = await udpSocket(test);
    const { port: where } = endpoint.address();
    const services = [udpService("a", [endpoint])];
    endpoint.close();
    const { port, proxy } = await start(test, streamTo({ a: 1 }), services);
    const asking = await client(test, port);
    for (let round = 1; round <= 2; round++) {
      asking.send("lost");
      await eventually(() => proxy.stats().endpoints[`127.0.0.1:${where}`]!.connectFailures === round);
    }
    const back = await udpSocket(test, where);
    back.on("message", (bytes, { port: from }) => back.send(`back:${String(bytes)}`, from, "127.0.0.1"));
    assert.equal(await asking.ask("here"), "back:here");
  });

  it("end sessions in which nothing moves, not others", async (test) => {
    const endpoint = await echoing(test, "a");
    const limits = { udpIdleTimeout: 200 };
    const { port, proxy, records } = await start(test, streamTo({ a: 1 }), [udpService("a", [endpoint])], limits);
    const [busy, idle] = [await client(test, port), await client(test, port)];
    await idle.ask("x");
    while (records.length === 0) {
      assert.match(await busy.ask("x"), /^a\d+:x$/);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.deepEqual(
      records.map(({ bytesReceived, reason }) => [bytesReceived, reason]),
      [[1, ""]],
    );
    const { active } = proxy.stats().streams.s!;
    const { connectionsOpen } = proxy.stats().endpoints[`127.0.0.1:${endpoint.address().port}`]!;
    assert.deepEqual([active, connectionsOpen], [1, 1]);
    await eventually(() => proxy.stats().streams.s!.active === 0);
  });

  it("keep no more sessions than they may: the one silent longest makes room", async (test) => {
    const endpoint = await echoing(test, "a");
    const limits = { udpSessions: 2 };
    const { port, proxy, records } = await start(test, streamTo({ a: 1 }), [udpService("a", [endpoint])], limits);
    const [first, second, third] = [await client(test, port), await client(test, port), await client(test, port)];
    await first.ask("1");
    await second.ask("2");
    await first.ask("1");
    await third.ask("3");
    assert.equal(proxy.stats().streams.s!.active, 2);
    assert.deepEqual(
      records.map(({ clientPort, reason }) => [clientPort, reason]),
      [[second.socket.address().port, "too-many-sessions"]],
    );
    // Who had to go may come again.
    assert.equal(await second.ask("2"), "a4:2");
  });

  it("drop and count what nobody takes", async (test) => {
    const endpoint = await echoing(test, "a");
    const cases: [StreamRoute, Service, string][] = [
      [streamTo({ a: 1 }), udpService("a", []), "no-ready-endpoint"],
      [streamTo({ a: 1 }), udpService("a", [endpoint], { protocol: "tcp" }), "protocol-not-supported: tcp"],
      [streamTo({ a: 1 }), udpService("a", [endpoint], { proxyProtocol: 2 }), "proxy-protocol-not-supported: udp"],
      [streamTo({ a: 1 }), udpService("a", [endpoint], { tls: { serverName: "x" } }), "tls-not-supported: udp"],
      [streamTo({ a: 0 }), udpService("a", [endpoint]), "no-backend-with-weight"],
      [{ id: "s", backends: [{ weight: 1, reason: "no-such-service" }] }, udpService("a", []), "no-such-service"],
    ];
    for (const [stream, to, reason] of cases) {
      const { port, proxy, records } = await start(test, stream, [to]);
      const asking = await client(test, port);
      asking.send("x");
      asking.send("y");
      await eventually(() => proxy.stats().streams.s!.datagramsDropped === 2);
      await proxy.close({ graceMs: 0 });
      assert.deepEqual([records.length, records[0]!.reason, proxy.stats().streams.s!.failed], [1, reason, 1]);
    }
  });
});

describe("a table for UDP listeners", () => {
  it("leaves clients where they are while their endpoint is there, and moves them when it has gone", async (test) => {
    const [a, b] = [await echoing(test, "a"), await echoing(test, "b")];
    const { port, apply } = await start(test, streamTo({ s: 1 }), [udpService("s", [a])]);
    const asking = await client(test, port);
    assert.equal(await asking.ask("x"), "a1:x");
    await apply([udpListener(streamTo({ s: 1 }))], [udpService("s", [b, a])]);
    assert.equal(await asking.ask("x"), "a1:x");
    await apply([udpListener(streamTo({ s: 1 }))], [udpService("s", [b])]);
    assert.equal(await asking.ask("x"), "b1:x");
    await apply([udpListener(streamTo({ other: 1 }))], [udpService("other", [a])]);
    assert.equal(await asking.ask("x"), "a2:x");
  });

  it("may have TCP on the same port, and says what cannot be had", async (test) => {
    const endpoint = await echoing(test, "a");
    const web = await answering(ok("hello"));
    test.after(() => web.close());
    const services = [udpService("a", [endpoint]), service("s", [web.port])];
    const tcp = await startProxy(test, table([listener({ "*": [route("/*", "s")] })], services));
    const addresses = [{ host: "127.0.0.1", port: tcp.port }];
    const udp = await startProxy(test, table([udpListener(streamTo({ a: 1 }), { addresses })], services), {
      limits: { udpLingerTimeout: 1 },
    });
    assert.deepEqual([udp.states[0]!.error, udp.port], [undefined, tcp.port]);
    assert.match(await exchangeBytes(tcp.port, GET_CLOSE), /hello$/);
    assert.equal(await (await client(test, udp.port)).ask("x"), "a1:x");
    const taken = await startProxy(test, table([udpListener(streamTo({ a: 1 }), { addresses })], services));
    assert.equal(taken.states[0]!.error!.code, "EADDRINUSE");
    // Free again as soon as nobody is left who would miss it.
    await udp.apply([], []);
    const again = async (): Promise<boolean> => {
      const [had] = await taken.apply([udpListener(streamTo({ a: 1 }), { addresses })], services);
      return had!.error === undefined;
    };
    while (!(await again())) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(await (await client(test, tcp.port)).ask("x"), "a2:x");
  });

  it("with settings that UDP has no such thing of is served without, and says so", async (test) => {
    const endpoint = await echoing(test, "a");
    const odd: [Partial<Listener>, RegExp][] = [
      [{ tls: { certificates: [] } }, /TLS is not terminated on UDP/],
      [{ proxyProtocolFrom: ["127.0.0.1"] }, /PROXY headers are not read on UDP/],
    ];
    for (const [more, message] of odd) {
      const { states, port } = await startProxy(
        test,
        table([udpListener(streamTo({ a: 1 }), more)], [udpService("a", [endpoint])]),
      );
      assert.match(states[0]!.error!.message, message);
      assert.match(await (await client(test, port)).ask("x"), /^a\d:x$/);
    }
    const { states } = await startProxy(test, table([listener({}, { transport: "udp" })]));
    assert.match(states[0]!.error!.message, /needs a stream/);
  });
});

describe("a UDP client whose route is gone", () => {
  /** The route `other` instead of `s`. */
  const otherTo = (service: string): StreamRoute => ({ ...streamTo({ [service]: 1 }), id: "other" });

  it("keeps its endpoint while something moves, beside others who have the new one", async (test) => {
    const [a, b] = [await echoing(test, "a"), await echoing(test, "b")];
    const limits = { udpLingerTimeout: 1_000 };
    const { port, apply, records } = await start(test, streamTo({ a: 1 }), [udpService("a", [a])], limits);
    const [old, young] = [await client(test, port), await client(test, port)];
    assert.equal(await old.ask("x"), "a1:x");
    await apply([udpListener(otherTo("b"))], [udpService("b", [b])]);
    assert.equal(await old.ask("x"), "a1:x");
    assert.equal(await young.ask("x"), "b1:x");
    assert.equal(await old.ask("x"), "a1:x");
    await eventually(() => records.length === 1);
    assert.deepEqual([records[0]!.reason, records[0]!.route, records[0]!.bytesReceived], ["route-gone", "s", 3]);
    assert.equal(await old.ask("x"), "b2:x");
  });

  it("moves at once when its endpoint does not listen any more, and stays when its route comes back", async (test) => {
    const [a, b] = [await echoing(test, "a"), await echoing(test, "b")];
    const services = [udpService("a", [a]), udpService("b", [b])];
    const { port, apply, proxy, records } = await start(test, streamTo({ a: 1 }), services, {
      udpLingerTimeout: 60_000,
    });
    const asking = await client(test, port);
    await asking.ask("x");
    await apply([udpListener(otherTo("b"))], services);
    await apply([udpListener(streamTo({ a: 1 }))], services);
    assert.equal(await asking.ask("x"), "a1:x");
    await apply([udpListener(otherTo("b"))], services);
    const { port: where } = a.address();
    a.close();
    await once(a, "close");
    asking.send("lost");
    await eventually(() => records.length === 1);
    assert.deepEqual(
      [records[0]!.reason, proxy.stats().endpoints[`127.0.0.1:${where}`]!.connectFailures],
      ["connect-econnrefused", 1],
    );
    assert.equal(await asking.ask("x"), "b1:x");
  });

  it("is served on when its listener is gone, and nobody else is, until the address is wanted again", async (test) => {
    const [a, b] = [await echoing(test, "a"), await echoing(test, "b")];
    const free = await udpSocket(test);
    const addresses = [{ host: "127.0.0.1", port: free.address().port }];
    free.close();
    await once(free, "close");
    const web = udpListener(streamTo({ a: 1 }), { addresses });
    const { port, apply, records } = await startProxy(test, table([web], [udpService("a", [a])]));
    const [old, young] = [await client(test, port), await client(test, port)];
    await old.ask("x");
    await apply([], []);
    young.send("x");
    const heard: unknown[] = [];
    young.socket.on("message", (bytes) => heard.push(bytes));
    for (let turn = 0; turn < 10; turn++) assert.equal(await old.ask("x"), "a1:x");
    assert.deepEqual([heard, records], [[], []]);
    const [state] = await apply([udpListener(otherTo("b"), { addresses })], [udpService("b", [b])]);
    assert.equal(state!.error, undefined);
    assert.equal(records.length, 1);
    assert.equal(await old.ask("x"), "b1:x");
  });

  it("has no more than the time the proxy gives it, whatever moves", async (test) => {
    const a = await echoing(test, "a");
    const { port, proxy, records } = await start(test, streamTo({ a: 1 }), [udpService("a", [a])]);
    const asking = await client(test, port);
    await asking.ask("x");
    const timer = setInterval(() => asking.send("x"), 10);
    test.after(() => clearInterval(timer));
    await proxy.close({ graceMs: 300 });
    assert.equal(records[0]!.reason, "route-gone");
    assert.ok(records[0]!.bytesReceived! > 1);
  });
});
