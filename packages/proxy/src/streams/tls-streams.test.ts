// TLS connections led by the name they ask for: passed through, terminated and carried on, or read as HTTP.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectPlain, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { before, describe, it } from "node:test";
import { createServer as createTlsServer } from "node:tls";
import type { TlsOptions, TLSSocket } from "node:tls";
import type { Listener, Service, TlsStream, TlsTermination } from "../routing-table.ts";
import { createAuthority } from "../testing/certificates.ts";
import type { Authority } from "../testing/certificates.ts";
import { answering, ok } from "../testing/sockets.ts";
import {
  deadPort,
  echoing,
  ending,
  eventually,
  received,
  startProxy,
  streamTo,
  tcpService,
} from "../testing/streams.ts";
import type { Resources, RunningProxy } from "../testing/streams.ts";
import { listener, route, service, table } from "../testing/tables.ts";
import { secureConnection, secureExchange, shownName } from "../testing/tls-clients.ts";

let authority: Authority;
before(async () => {
  authority = await createAuthority();
});

type Pair = TlsTermination["certificates"][number];

async function pair(name: string): Promise<Pair> {
  return { hostnames: [name], ...(await authority.issue(name)) };
}

/** A TLS server with a certificate for `name` that says what it was asked for, then echoes. */
async function tlsBackend(test: Resources, name: string, options: TlsOptions = {}): Promise<number> {
  const { certificate, key } = await authority.issue(name);
  const sockets: Socket[] = [];
  const server = createTlsServer({ cert: certificate, key, allowHalfOpen: true, ...options }, (socket: TLSSocket) => {
    socket.on("error", () => {});
    socket.write(`${name}<${socket.servername || "none"}>:`);
    socket.pipe(socket);
  });
  server.on("connection", (socket) => sockets.push(socket));
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const stream = (hostname: string, mode: TlsStream["mode"], target: string): TlsStream => ({
  hostname,
  mode,
  route: { ...streamTo({ [target]: 1 }), id: `to-${target}` },
});

function start(test: Resources, tls: TlsTermination, services: Service[], more: Partial<Listener> = {}) {
  const { limits, ...listenerMore } = more as Partial<Listener> & { limits?: object };
  return startProxy(test, table([listener({}, { servers: [], tls, ...listenerMore })], services), {
    limits: limits ?? {},
  });
}

/** What a client that asks for `servername` and says `hello` gets. */
async function hello(port: number, servername: string, options: object = {}): Promise<string> {
  const socket = await secureConnection(port, { servername, ...options });
  socket.end("hello");
  return received(socket);
}

/** A way to `port` on which what comes from clients is changed by `cut` before it goes on, piece by piece. */
async function relay(test: Resources, port: number, cut: (bytes: Buffer) => Buffer[]): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const onward = connectPlain({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    sockets.push(client, onward);
    for (const each of [client, onward]) each.on("error", () => {});
    onward.pipe(client);
    client.on("end", () => onward.end());
    let first = true;
    client.on("data", (bytes) => {
      for (const piece of first ? cut(bytes) : [bytes]) onward.write(piece);
      first = false;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const each = (bytes: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );

/** A single record as several with `size` bytes each. */
const rerecorded =
  (size: number) =>
  (record: Buffer): Buffer[] =>
    each(record.subarray(5), size).map((part) =>
      Buffer.concat([record.subarray(0, 3), Buffer.from([part.length >> 8, part.length & 255]), part]),
    );

describe("TLS passthrough", () => {
  it("leads by name to whoever has the certificate, ClientHello included, half-closed halves too", async (test) => {
    const services = [
      tcpService("a", [await tlsBackend(test, "a.test")]),
      tcpService("b", [await tlsBackend(test, "wild")]),
    ];
    const streams = [stream("a.test", "passthrough", "a"), stream("*.b.test", "passthrough", "b")];
    const { port, records, proxy } = await start(test, { certificates: [], streams }, services);
    assert.equal(await shownName(port, "a.test"), "a.test");
    assert.equal(await hello(port, "A.test"), "a.test<A.test>:hello");
    assert.equal(await hello(port, "x.y.b.test"), "wild<x.y.b.test>:hello");
    assert.equal(await hello(port, "x.b.test", { maxVersion: "TLSv1.2" }), "wild<x.b.test>:hello");
    await eventually(() => records.length === 4);
    const { protocol, host, route: id, service: to, reason } = records[1]!;
    assert.deepEqual([protocol, host, id, to, reason], ["tls", "a.test", "to-a", "a", ""]);
    const { "to-a": toA, "to-b": toB } = proxy.stats().streams;
    assert.deepEqual([toA!.connections, toB!.connections, toB!.active], [2, 2, 0]);
    assert.ok(toB!.received > 500 && toB!.sent > 500);
  });

  it("takes a ClientHello in whatever segments and records it comes", async (test) => {
    const services = [tcpService("a", [await tlsBackend(test, "a.test")])];
    const streams = [stream("a.test", "passthrough", "a")];
    const { port } = await start(test, { certificates: [], streams }, services);
    const cuts = [(bytes: Buffer) => each(bytes, 1), rerecorded(1), rerecorded(7), rerecorded(100)];
    for (const cut of cuts) assert.equal(await hello(await relay(test, port, cut), "a.test"), "a.test<a.test>:hello");
    // All of it and early bytes behind it in one segment.
    assert.equal(await hello(await relay(test, port, (bytes) => [bytes]), "a.test"), "a.test<a.test>:hello");
  });

  it("resets what nobody takes, as plain connections", async (test) => {
    const services = [tcpService("a", [await deadPort()])];
    const streams = [stream("a.test", "passthrough", "a")];
    const { port, records } = await start(test, { certificates: [], streams }, services);
    assert.match(await secureExchange(port, { servername: "a.test" }), /ECONNRESET/);
    await eventually(() => records.length === 1);
    assert.equal(records[0]!.reason, "connect-econnrefused");
  });

  it("is not encrypted again where the service speaks TLS", async (test) => {
    const tls = { serverName: "a.test", authorities: authority.certificate };
    const services = [tcpService("a", [await tlsBackend(test, "a.test")], { tls })];
    const streams = [stream("a.test", "passthrough", "a")];
    const { port } = await start(test, { certificates: [], streams }, services);
    assert.equal(await hello(port, "a.test"), "a.test<a.test>:hello");
  });
});

describe("the name a TLS client asks for", () => {
  const http = async (
    test: Resources,
    more: Partial<Listener>,
    tls: Partial<TlsTermination>,
  ): Promise<RunningProxy> => {
    const backend = await answering(ok("web"));
    test.after(() => backend.close());
    const services = [service("s", [backend.port]), tcpService("raw", [await tlsBackend(test, "raw")])];
    const certificates = [await pair("web.test")];
    return start(test, { certificates, ...tls }, services, more);
  };
  const server = (hostname: string) => ({ hostname, virtualHosts: [{ hostname: "*", routes: [route("/*", "s")] }] });

  it("leads to HTTP when no stream takes it and there is a certificate", async (test) => {
    const more = { servers: [server("*")] };
    const { port } = await http(test, more, { streams: [stream("raw.test", "passthrough", "raw")] });
    assert.match(await secureExchange(port, { servername: "web.test" }), /web$/);
    assert.match(await secureExchange(port, { servername: "" }), /web$/);
    assert.equal(await hello(port, "raw.test"), "raw<raw.test>:hello");
    // The bytes looked at reach the TLS stack, however they came.
    const dribbling = await relay(test, port, (bytes) => each(bytes, 1));
    assert.match(await secureExchange(dribbling, { servername: "web.test" }), /web$/);
  });

  it("leads to the most specific of streams and HTTP servers, and to the stream between equals", async (test) => {
    const more = { servers: [server("web.test"), server("*.same.test")] };
    const streams = [stream("*.test", "passthrough", "raw"), stream("*.same.test", "passthrough", "raw")];
    const { port } = await http(test, more, { streams });
    const request = "GET / HTTP/1.1\r\nHost: web.test\r\nConnection: close\r\n\r\n";
    assert.match(await secureExchange(port, { servername: "web.test" }, request), /web$/);
    assert.equal(await hello(port, "other.test"), "raw<other.test>:hello");
    assert.equal(await hello(port, "x.same.test"), "raw<x.same.test>:hello");
  });

  it("leads to an HTTP server that came later, and to the stream again when it has gone", async (test) => {
    const streams = [stream("*.test", "passthrough", "raw")];
    const backend = await answering(ok("web"));
    test.after(() => backend.close());
    const services = [service("s", [backend.port]), tcpService("raw", [await tlsBackend(test, "raw")])];
    const tls = { certificates: [await pair("web.test")], streams };
    const { port, apply } = await start(test, tls, services, { servers: [server("other.test")] });
    assert.equal(await hello(port, "web.test"), "raw<web.test>:hello");
    await apply([listener({}, { servers: [server("web.test")], tls })], services);
    assert.equal(await shownName(port, "web.test"), "web.test");
    await apply([listener({}, { servers: [server("other.test")], tls })], services);
    assert.equal(await hello(port, "web.test"), "raw<web.test>:hello");
  });

  it("that leads nowhere ends with an alert", async (test) => {
    const raw = [tcpService("raw", [await tlsBackend(test, "raw")])];
    const streams = [stream("raw.test", "passthrough", "raw")];
    const passing = await start(test, { certificates: [], streams }, raw);
    const terminating = await start(test, { certificates: [await pair("x.test")], streams }, raw);
    for (const { port } of [passing, terminating]) {
      for (const servername of ["other.test", "x.raw.test", ""]) {
        assert.match(await secureExchange(port, { servername }), /unrecognized name/);
      }
    }
    const any = await start(test, { certificates: [], streams: [stream("*", "passthrough", "raw")] }, raw);
    assert.equal(await hello(any.port, ""), "raw<none>:hello");
    assert.equal(await hello(any.port, "any.test"), "raw<any.test>:hello");
  });

  it("is waited for within bounds, and what is not TLS is not answered", async (test) => {
    const streams = [stream("raw.test", "passthrough", "raw")];
    const services = [tcpService("raw", [await tlsBackend(test, "raw")])];
    const limits = { limits: { handshakeTimeout: 50 } };
    const { port, proxy } = await start(test, { certificates: [], streams }, services, limits as Partial<Listener>);
    for (const begin of [Buffer.from([22, 3, 1, 2, 0, 1, 0]), Buffer.alloc(0)]) {
      const slow = connectPlain({ port, host: "127.0.0.1" });
      slow.write(begin);
      await ending(slow);
    }
    const plain = connectPlain({ port, host: "127.0.0.1" });
    plain.on("error", () => {});
    plain.write("GET / HTTP/1.1\r\nHost: raw.test\r\n\r\n");
    let answer = "";
    plain.on("data", (bytes) => (answer += String(bytes)));
    await once(plain, "close");
    assert.equal(answer, "");
    const malformed = connectPlain({ port, host: "127.0.0.1" });
    malformed.write(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]));
    assert.deepEqual(Buffer.from(await received(malformed), "latin1"), Buffer.from([21, 3, 3, 0, 2, 2, 10]));
    assert.deepEqual(proxy.stats().streams["to-raw"]!.connections, 0);
  });
});

describe("TLS terminated for a stream", () => {
  it("carries what was inside, both halves, with a record that names what was asked for", async (test) => {
    const backend = await echoing(test, "plain");
    const tls = { certificates: [await pair("a.test")], streams: [stream("a.test", "terminate", "a")] };
    const { port, records } = await start(test, tls, [tcpService("a", [backend.port])]);
    assert.equal(await shownName(port, "a.test"), "a.test");
    assert.equal(await hello(port, "a.test"), "plain:hello");
    // Nobody here knows the protocol: none is agreed on, none refused.
    const socket = await secureConnection(port, { servername: "a.test", ALPNProtocols: ["imap"] });
    assert.equal(socket.alpnProtocol, false);
    socket.end().resume();
    await eventually(() => records.length === 3);
    const { protocol, host, bytes, bytesReceived } = records[1]!;
    assert.deepEqual([protocol, host, bytes, bytesReceived], ["tls", "a.test", 11, 5]);
  });

  it("takes large data both ways without losing any", async (test) => {
    const backend = await echoing(test, "");
    const tls = { certificates: [await pair("a.test")], streams: [stream("a.test", "terminate", "a")] };
    const { port } = await start(test, tls, [tcpService("a", [backend.port])]);
    const socket = await secureConnection(port, { servername: "a.test" });
    const payload = Buffer.alloc(8 * 1024 * 1024, "0123456789abcdef");
    socket.end(payload);
    assert.ok((await received(socket)) === `:${payload.toString("latin1")}`);
  });

  it("is reset, not ended, when nobody can be reached", async (test) => {
    const tls = { certificates: [await pair("a.test")], streams: [stream("a.test", "terminate", "a")] };
    const { port } = await start(test, tls, [tcpService("a", [])]);
    assert.match(await secureExchange(port, { servername: "a.test" }), /ECONNRESET/);
  });

  it("is encrypted again towards services that speak TLS, whose certificate must be as asked for", async (test) => {
    const endpoint = await tlsBackend(test, "backend.demo.test");
    const [plain, dead] = [await echoing(test, "not TLS"), await deadPort()];
    const service = (more: object, ports = [endpoint]) => [
      tcpService("a", ports, { tls: { serverName: "backend.demo.test", authorities: authority.certificate, ...more } }),
    ];
    const tls = { certificates: [await pair("a.test")], streams: [stream("a.test", "terminate", "a")] };
    const good = await start(test, tls, service({}));
    assert.equal(await hello(good.port, "a.test"), "backend.demo.test<backend.demo.test>:hello");
    const next = await start(test, tls, service({}, [dead, plain.port, endpoint]));
    assert.equal(await hello(next.port, "a.test"), "backend.demo.test<backend.demo.test>:hello");
    await eventually(() => next.records.length === 1);
    assert.equal(next.records[0]!.retries, 2);
    const stranger = await createAuthority("stranger");
    const bad = [
      [{ serverName: "other.demo.test" }, /^backend-tls-err_tls_cert_altname_invalid$/],
      [{ authorities: stranger.certificate }, /^backend-tls-unable_to_/],
      [{ authorities: "nonsense" }, /^backend-tls-unusable: authorities of a backend: /],
    ] as const;
    for (const [more, reason] of bad) {
      const { port, records } = await start(test, tls, service(more));
      assert.match(await secureExchange(port, { servername: "a.test" }), /ECONNRESET/);
      await eventually(() => records.length === 1);
      assert.match(records[0]!.reason, reason);
    }
  });
});

describe("a listener that carries everything", () => {
  it("terminates TLS first when it has a certificate, and passes it through when it has none", async (test) => {
    const plain = await echoing(test, "plain");
    const services = [tcpService("plain", [plain.port]), tcpService("raw", [await tlsBackend(test, "raw")])];
    const terminated = await start(test, { certificates: [await pair("a.test")] }, services, {
      stream: streamTo({ plain: 1 }),
    });
    assert.equal(await hello(terminated.port, "any.test"), "plain:hello");
    const passed = await start(test, { certificates: [] }, services, { stream: streamTo({ raw: 1 }) });
    assert.equal(await hello(passed.port, "any.test"), "raw<any.test>:hello");
    const both = await start(
      test,
      { certificates: [await pair("a.test")], streams: [stream("raw.test", "passthrough", "raw")] },
      services,
      { stream: streamTo({ plain: 1 }) },
    );
    assert.equal(await hello(both.port, "raw.test"), "raw<raw.test>:hello");
    assert.equal(await hello(both.port, "other.test"), "plain:hello");
  });
});
