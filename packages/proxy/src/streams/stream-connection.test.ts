// TCP connections carried as they are, over real sockets and by both ways of doing I/O.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { describe, it } from "node:test";
import { BEST_IO } from "../io/network.ts";
import type { Io } from "../io/network.ts";
import { table } from "../testing/tables.ts";
import type { Limits } from "../limits.ts";
import type { Service } from "../routing-table.ts";
import {
  deadPort,
  echoing,
  ending,
  eventually,
  received,
  startProxy,
  streamBackend,
  streamListener,
  streamTo,
  tcpService,
} from "../testing/streams.ts";
import type { Resources, RunningProxy } from "../testing/streams.ts";

function client(test: Resources, port: number): Socket {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  socket.on("error", () => {});
  test.after(() => socket.destroy());
  return socket;
}

for (const io of BEST_IO === "sockets" ? (["sockets"] as const) : (["handles", "sockets"] as const)) {
  /** A proxy whose one listener leads to endpoints on these ports. */
  const proxyTo: ProxyTo = (test, ports, limits = {}, more = {}) =>
    startProxy(test, table([streamListener(streamTo({ a: 1 }))], [tcpService("a", ports, more)]), { io, limits });

  describe(`TCP streams (${io})`, () => basics(io, proxyTo));
  describe(`TCP streams choose (${io})`, () => choices(io));
  describe(`TCP streams end (${io})`, () => endings(proxyTo));
  describe(`limits of an endpoint (${io})`, () => limits(proxyTo));
}

type ProxyTo = (
  test: Resources,
  ports: number[],
  limits?: Partial<Limits>,
  more?: Partial<Service>,
) => Promise<RunningProxy>;

function basics(io: Io, proxyTo: ProxyTo): void {
  it("carry bytes both ways, whoever speaks first, close half by half, and leave a record and counters", async (test) => {
    const backend = await streamBackend(test, (socket) => {
      socket.write("welcome ");
      void received(socket).then((heard) => socket.end(`you said ${heard}`));
    });
    const { port, records, proxy } = await proxyTo(test, [backend.port]);
    const socket = client(test, port);
    await once(socket, "data", { signal: test.signal }).then(([bytes]) => assert.equal(String(bytes), "welcome "));
    assert.equal(proxy.stats().streams.s!.active, 1);
    socket.end("hello");
    assert.equal(await received(socket), "you said hello");
    await eventually(() => records.length === 1);
    const { time, duration, clientPort, ...record } = records[0]!;
    assert.ok(time > 0 && duration > 0);
    assert.equal(clientPort > 0, true);
    assert.deepEqual(record, {
      listener: "web",
      clientAddress: "127.0.0.1",
      protocol: "tcp",
      route: "s",
      service: "a",
      endpoint: `127.0.0.1:${backend.port}`,
      endpointName: `pod-${backend.port}`,
      bytes: 22,
      bytesReceived: 5,
      retries: 0,
      reason: "",
      method: "",
      target: "",
      host: "",
      userAgent: "",
      referer: "",
      status: 0,
      requestCount: 0,
    });
    const { streams, streamServices, listeners, endpoints, requests } = proxy.stats();
    const { connections, active: now, failed, received: up, sent } = streams.s!;
    assert.deepEqual([connections, now, failed, up, sent], [1, 0, 0, 5, 22]);
    assert.deepEqual(streamServices.a, streams.s);
    const { connectionsAccepted, connectionsOpen } = listeners.web!;
    assert.deepEqual([connectionsAccepted, connectionsOpen, requests], [1, 0, 0]);
    const { connectionsOpened, connectionsOpen: open, active } = endpoints[`127.0.0.1:${backend.port}`]!;
    assert.deepEqual([connectionsOpened, open, active], [1, 0, 0]);
  });

  it("hold back whoever writes faster than the other reads, in both directions, and lose nothing", async (test) => {
    const size = 24 * 1024 * 1024;
    const payload = Buffer.alloc(size, "0123456789abcdef");
    let upload: Promise<string> | null = null;
    const backend = await streamBackend(test, (socket) => {
      socket.pause();
      socket.end(payload);
    });
    const { port, proxy } = await proxyTo(test, [backend.port]);
    const socket = client(test, port);
    socket.pause();
    socket.end(payload);
    const accepted = await backend.accepted();
    // Nobody reads: the kernel's buffers fill and both ends stop.
    let [before, still] = [-1, 0];
    await eventually(() => {
      const { received, sent } = proxy.stats().streams.s!;
      still = received + sent === before ? still + 1 : 0;
      before = received + sent;
      return before > 0 && still > 2_000;
    });
    const { received: up, sent: down } = proxy.stats().streams.s!;
    assert.ok(up < size && down < size, `${up} ${down}`);
    upload = received(accepted);
    assert.ok((await upload) === payload.toString("latin1"));
    assert.ok((await received(socket)) === payload.toString("latin1"));
  });

  it("deliver what is unsent when a client has long closed its half", async (test) => {
    const payload = Buffer.alloc(16 * 1024 * 1024, "x");
    const backend = await streamBackend(test, (socket) => socket.end(payload));
    const { port } = await proxyTo(test, [backend.port]);
    const socket = client(test, port);
    await once(socket, "readable");
    socket.end();
    const accepted = backend.sockets[0]!;
    accepted.resume();
    await once(accepted, "end");
    assert.equal((await received(socket)).length, payload.length);
  });

  it("may come to a listener without any HTTP server, and HTTP is not read there", async (test) => {
    const backend = await echoing(test, "a");
    const { port } = await startProxy(
      test,
      table([streamListener(streamTo({ a: 1 }))], [tcpService("a", [backend.port])]),
      {
        io,
      },
    );
    const socket = client(test, port);
    socket.end("GET / HTTP/9.9\r\nnonsense\r\n\r\n");
    assert.equal(await received(socket), "a:GET / HTTP/9.9\r\nnonsense\r\n\r\n");
  });
}

function choices(io: Io): void {
  const answers = async (test: Resources, port: number, count: number): Promise<string> => {
    let said = "";
    for (let done = 0; done < count; done++) {
      const socket = client(test, port);
      socket.end();
      said += (await received(socket)).replace(":", "");
    }
    return said;
  };

  it("by weight, evenly within a cycle, and endpoints of a service in turn", async (test) => {
    const [a, b, c] = [await echoing(test, "a"), await echoing(test, "b"), await echoing(test, "c")];
    const services = [tcpService("one", [a.port, b.port]), tcpService("two", [c.port])];
    const stream = streamTo({ one: 3, two: 1 });
    const { port, apply } = await startProxy(test, table([streamListener(stream)], services), { io });
    assert.equal((await answers(test, port, 8)).split("").sort().join(""), "aaabbbcc");
    // A table that changes nothing does not begin anew.
    assert.equal(await answers(test, port, 1), "a");
    await apply([streamListener(stream)], services);
    assert.equal(await answers(test, port, 3), "bca");
    await apply([streamListener(streamTo({ two: 1 }))], services);
    assert.equal(await answers(test, port, 2), "cc");
  });

  it("always the same endpoint for a client's address, where that is asked for", async (test) => {
    const backends = [await echoing(test, "a"), await echoing(test, "b"), await echoing(test, "c")];
    const balancing = { type: "consistent-hash", by: { source: "address" } } as const;
    const services = [
      tcpService(
        "one",
        backends.map(({ port }) => port),
        { balancing },
      ),
    ];
    const { port } = await startProxy(test, table([streamListener(streamTo({ one: 1 }))], services), { io });
    assert.match(await answers(test, port, 6), /^(a{6}|b{6}|c{6})$/);
  });

  it("another endpoint when one refuses, and remember that for a while", async (test) => {
    const [a, dead] = [await echoing(test, "a"), await deadPort()];
    const services = [tcpService("one", [dead, a.port])];
    const limits = { unhealthyTimeout: 60_000 };
    const started = await startProxy(test, table([streamListener(streamTo({ one: 1 }))], services), { io, limits });
    assert.equal(await answers(test, started.port, 4), "aaaa");
    await eventually(() => started.records.length === 4);
    assert.deepEqual(
      started.records.map(({ retries }) => retries),
      [1, 0, 0, 0],
    );
    assert.equal(started.proxy.stats().endpoints[`127.0.0.1:${dead}`]!.connectFailures, 1);
  });

  it("nothing when nobody can be reached: the client is reset", async (test) => {
    const dead = [await deadPort(), await deadPort()];
    const unusable = { id: "s", backends: [{ weight: 1, reason: "no-such-service" }] };
    const cases = [
      [streamTo({ one: 1 }), tcpService("one", dead), "connect-econnrefused"],
      [streamTo({ one: 1 }), tcpService("one", []), "no-ready-endpoint"],
      [streamTo({ one: 1 }), tcpService("one", dead, { protocol: "http" }), "protocol-not-supported: http"],
      [streamTo({ one: 1 }), tcpService("one", dead, { protocol: "udp" }), "protocol-not-supported: udp"],
      [streamTo({ one: 0 }), tcpService("one", dead), "no-backend-with-weight"],
      [streamTo({ other: 1 }), tcpService("one", dead), "service-unknown: other"],
      [unusable, tcpService("one", dead), "no-such-service"],
    ] as const;
    for (const [stream, service, reason] of cases) {
      const { port, records, proxy } = await startProxy(test, table([streamListener(stream)], [service]), { io });
      assert.equal(await ending(client(test, port)), "ECONNRESET", reason);
      await eventually(() => records.length === 1);
      assert.equal(records[0]!.reason, reason);
      const { connections, active, failed } = proxy.stats().streams.s!;
      assert.deepEqual([connections, active, failed], [1, 0, 1]);
    }
  });
}

function endings(proxyTo: ProxyTo): void {
  const silent = (test: Resources) => streamBackend(test, () => {});

  it("with a reset when either side resets", async (test) => {
    const backend = await silent(test);
    const { port, records, proxy } = await proxyTo(test, [backend.port]);
    for (const [index, side] of ["client", "backend"].entries()) {
      const socket = client(test, port);
      const accepted = await backend.accepted();
      await eventually(() => Object.values(proxy.stats().endpoints)[0]!.connectionsOpened > index);
      const [breaking, other] = side === "client" ? [socket, accepted] : [accepted, socket];
      const ended = ending(other);
      breaking.resetAndDestroy();
      assert.equal(await ended, "ECONNRESET", side);
    }
    await eventually(() => records.length === 2);
    assert.deepEqual(
      records.map(({ reason }) => reason),
      ["client-connection-econnreset", "backend-connection-econnreset"],
    );
  });

  it("when nothing has moved for the idle time, and not while something does", async (test) => {
    const backend = await echoing(test, "");
    const { port, records } = await proxyTo(test, [backend.port], { streamIdleTimeout: 150 });
    const socket = client(test, port);
    const ended = ending(socket);
    for (let turn = 0; turn < 30; turn++) {
      socket.write("x");
      await once(socket, "data");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.equal(records.length, 0);
    await ended;
    await eventually(() => records.length === 1);
    assert.deepEqual([records[0]!.reason, records[0]!.bytesReceived], ["idle-timeout", 30]);
  });

  it("in their own time when the listener goes, or the proxy closes, but within the bound", async (test) => {
    const backend = await echoing(test, "");
    const { port, apply, proxy, records } = await proxyTo(test, [backend.port]);
    const socket = client(test, port);
    await once(socket, "data");
    await apply([], []);
    assert.equal(await ending(client(test, port)), "ECONNREFUSED");
    socket.write("still");
    await once(socket, "data");
    const closing = proxy.close({ graceMs: 60_000 });
    socket.write(" here");
    await once(socket, "data");
    socket.end();
    await received(socket);
    await closing;
    assert.deepEqual([records[0]!.reason, records[0]!.bytesReceived], ["", 10]);
  });

  it("when the bound is over", async (test) => {
    const backend = await silent(test);
    const { port, proxy, records } = await proxyTo(test, [backend.port]);
    const socket = client(test, port);
    const ended = ending(socket);
    await backend.accepted();
    await eventually(() => proxy.stats().endpoints[`127.0.0.1:${backend.port}`]!.connectionsOpened === 1);
    await proxy.close({ graceMs: 10 });
    // In the access log by then.
    assert.deepEqual(
      records.map(({ reason }) => reason),
      ["proxy-closed"],
    );
    await ended;
  });

  it("where they began, whatever a new table says", async (test) => {
    const [a, b] = [await echoing(test, "a"), await echoing(test, "b")];
    const { port, apply } = await proxyTo(test, [a.port]);
    const first = client(test, port);
    await once(first, "data");
    await apply([streamListener(streamTo({ a: 1 }))], [tcpService("a", [b.port])]);
    first.end("x");
    assert.equal(await received(first), "x");
    const second = client(test, port);
    second.end("y");
    assert.equal(await received(second), "b:y");
  });
}

function limits(proxyTo: ProxyTo): void {
  /** Says hello to whoever is connected. */
  const greeting = (test: Resources) => streamBackend(test, (socket) => socket.write("hello"));
  const limited = (test: Resources, ports: number[], connections: number, queue: number, more: Partial<Limits> = {}) =>
    proxyTo(test, ports, more, { limits: { connections, queue } });
  const greeted = (socket: Socket): Promise<unknown> => once(socket, "data");

  it("let connections in one after another, in order, and reset those who find the queue full", async (test) => {
    const backend = await greeting(test);
    const { port, proxy, records } = await limited(test, [backend.port], 1, 2);
    const active = (): number => proxy.stats().streams.s!.active;
    const clients: Socket[] = [];
    for (let count = 1; count <= 3; count++) {
      clients.push(client(test, port));
      await eventually(() => active() === count);
    }
    const heard = clients.map(greeted);
    assert.equal(await ending(client(test, port)), "ECONNRESET");
    await eventually(() => records.length === 1);
    assert.deepEqual([records[0]!.reason, records[0]!.endpoint], ["connection-queue-full", ""]);
    for (const [index, each] of clients.entries()) {
      await heard[index];
      assert.equal(backend.sockets.length, index + 1);
      each.resetAndDestroy();
    }
    await eventually(() => active() === 0);
    const { active: still, connectionsOpen } = proxy.stats().endpoints[`127.0.0.1:${backend.port}`]!;
    assert.deepEqual([still, connectionsOpen], [0, 0]);
  });

  it("send connections to an endpoint with room before they queue at another", async (test) => {
    const [a, b] = [await greeting(test), await greeting(test)];
    const { port } = await limited(test, [a.port, b.port], 1, 5);
    for (let count = 0; count < 2; count++) await greeted(client(test, port));
    assert.deepEqual([a.sockets.length, b.sockets.length], [1, 1]);
  });

  it("keep nobody waiting for ever, and forget those who are gone with the proxy", async (test) => {
    const backend = await greeting(test);
    const { port, proxy, records } = await limited(test, [backend.port], 1, 5, { queueTimeout: 100 });
    const first = client(test, port);
    await greeted(first);
    assert.equal(await ending(client(test, port)), "ECONNRESET");
    await eventually(() => records.length === 1);
    assert.equal(records[0]!.reason, "connection-queue-timeout");
    const waiting = client(test, port);
    await eventually(() => proxy.stats().streams.s!.active === 2);
    const ended = ending(waiting);
    await proxy.close({ graceMs: 0 });
    await ended;
    assert.equal(backend.sockets.length, 1);
    await eventually(() => records.length === 3 && proxy.stats().streams.s!.active === 0);
  });

  it("that grow or go let in those who wait", async (test) => {
    const backend = await greeting(test);
    const { port, apply, proxy } = await limited(test, [backend.port], 1, 5);
    const clients: Socket[] = [];
    for (let count = 1; count <= 3; count++) {
      clients.push(client(test, port));
      await eventually(() => proxy.stats().streams.s!.active === count);
    }
    const heard = clients.map(greeted);
    const change = (more: Partial<Service>): Promise<unknown> =>
      apply([streamListener(streamTo({ a: 1 }))], [tcpService("a", [backend.port], more)]);
    await heard[0];
    await change({ limits: { connections: 2, queue: 5 } });
    await heard[1];
    assert.equal(backend.sockets.length, 2);
    await change({});
    await heard[2];
  });
}
