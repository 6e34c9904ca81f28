// What is known of a connection when it is handed over: certificates of clients, PROXY headers of who is in front.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { connect as connectTls } from "node:tls";
import type { ConnectionFacts, ProxiedAddresses } from "./connection-facts.ts";
import { ConnectionIntake } from "./connection-intake.ts";
import { listening } from "./testing/listening.ts";
import type { Transport } from "./io/transport.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { Matcher } from "./match/matcher.ts";
import { compilePeers } from "./peer-list.ts";
import { proxyHeader } from "./proxy-protocol/write-header.ts";
import type { Listener } from "./routing-table.ts";
import type { ServerContext } from "./server-context.ts";
import { createAuthority } from "./testing/certificates.ts";
import { answering, exchangeBytes, GET, GET_CLOSE, ok, RawClient } from "./testing/sockets.ts";
import { ending, eventually, received, startProxy, streamBackend, streamListener } from "./testing/streams.ts";
import { streamTo, tcpService } from "./testing/streams.ts";
import type { Resources } from "./testing/streams.ts";
import { listener, route, service, table } from "./testing/tables.ts";
import { secureConnection } from "./testing/tls-clients.ts";
import { variant } from "./testing/variant.ts";
import { TimerWheel } from "./timer-wheel.ts";

const CLIENT: ProxiedAddresses = {
  sourceAddress: "203.0.113.9",
  sourcePort: 4711,
  destinationAddress: "198.51.100.1",
  destinationPort: 8443,
};

/** A port whose connections pass an intake with this configuration, and what it says of them. */
async function intake(test: Resources, settings: Listener): Promise<{ port: number; facts: ConnectionFacts[] }> {
  const facts: ConnectionFacts[] = [];
  const compiled = {
    listener: settings,
    matcher: new Matcher<never>(),
    trusted: null,
    proxyPeers: compilePeers(settings.proxyProtocolFrom ?? []),
    stream: null,
    tlsStreams: null,
  };
  const owner = {
    listener: compiled,
    serve: (client: Transport, known: ConnectionFacts) => {
      facts.push(known);
      client.handler = { onData() {}, onDrain() {}, onClose() {}, onEnd: () => client.end() };
      client.write("served");
      client.end();
    },
    carry: () => assert.fail("nothing is to be carried"),
  };
  const context = { limits: DEFAULT_LIMITS, wheel: new TimerWheel() } as unknown as ServerContext;
  const subject = new ConnectionIntake(owner, context);
  assert.deepEqual(subject.update(compiled), []);
  const server = await listening(variant.io, (client) => subject.take(client));
  test.after(() => {
    subject.close();
    return server.close();
  });
  return { port: server.port, facts };
}

describe("facts of a connection", () => {
  it("have the client's certificate and whether it could be verified", async (test) => {
    const [authority, stranger] = [await createAuthority(), await createAuthority("stranger")];
    const { certificate, key } = await authority.issue("a.test");
    const tls = {
      certificates: [{ hostnames: [], certificate, key }],
      clientCertificates: { authorities: authority.certificate, insecureFallback: true },
    };
    const { port, facts } = await intake(test, listener({}, { tls }));
    for (const by of [authority, stranger, null]) {
      const client = await by?.issue("client", ["spiffe://clients/1"]);
      const options = client === undefined ? {} : { cert: client.certificate, key: client.key };
      const socket = await secureConnection(port, { servername: "A.test", ...options });
      assert.equal(await received(socket), "served");
    }
    assert.deepEqual(
      facts.map(({ tls, serverName, clientCertificate }) => [tls, serverName, clientCertificate?.verified]),
      [
        [true, "a.test", true],
        [true, "a.test", false],
        [true, "a.test", undefined],
      ],
    );
    assert.equal(facts[0]!.clientCertificate!.certificate.subject, "CN=client");
    assert.match(facts[0]!.clientCertificate!.certificate.subjectAltName!, /spiffe:\/\/clients\/1/);
  });

  it("of a resumed session still have the certificate it began with, or none", async (test) => {
    const authority = await createAuthority();
    const { certificate, key } = await authority.issue("a.test");
    const tls = {
      certificates: [{ hostnames: [], certificate, key }],
      clientCertificates: { authorities: authority.certificate, insecureFallback: true },
    };
    const { port, facts } = await intake(test, listener({}, { tls }));
    const client = await authority.issue("client");
    for (const options of [{ cert: client.certificate, key: client.key }, {}]) {
      const first = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
      let session: Buffer | undefined;
      first.on("session", (given) => (session = given));
      await received(first);
      const again = await secureConnection(port, { ...options, session: session! });
      assert.equal(again.isSessionReused(), true);
      await received(again);
    }
    assert.deepEqual(
      facts.map(({ clientCertificate }) => clientCertificate?.verified),
      [true, true, undefined, undefined],
    );
  });

  it("have what a PROXY header says, before TLS and without, for those who send one", async (test) => {
    const { certificate, key } = await (await createAuthority()).issue("a.test");
    const tls = { certificates: [{ hostnames: [], certificate, key }] };
    const from = { proxyProtocolFrom: ["10.0.0.0/8", "127.0.0.0/8"] };
    const [secure, plain] = [
      await intake(test, listener({}, { tls, ...from })),
      await intake(test, listener({}, from)),
    ];
    for (const version of [1, 2] as const) {
      const socket = connect({ port: plain.port, host: "127.0.0.1" });
      socket.write(proxyHeader(version, CLIENT), "latin1");
      assert.equal(await received(socket), "served");
      const under = connect({ port: secure.port, host: "127.0.0.1" });
      under.write(proxyHeader(version, CLIENT), "latin1");
      const above = connectTls({ socket: under, servername: "a.test", rejectUnauthorized: false });
      assert.equal(await received(above), "served");
      assert.deepEqual(plain.facts.pop(), { tls: false, serverName: null, clientCertificate: null, proxied: CLIENT });
      assert.deepEqual(secure.facts.pop(), {
        tls: true,
        serverName: "a.test",
        clientCertificate: null,
        proxied: CLIENT,
      });
    }
    const others = await intake(test, listener({}, { proxyProtocolFrom: ["10.0.0.0/8"], tls }));
    await received(await secureConnection(others.port));
    assert.equal(others.facts[0]!.proxied, null);
  });
});

describe("PROXY headers from in front", () => {
  const from = { proxyProtocolFrom: ["127.0.0.1"] };

  it("name the client in records and X-Forwarded-For, and the port it reached in redirects", async (test) => {
    const backend = await answering(ok("hello"));
    test.after(() => backend.close());
    const redirect = route("/r", [], { filters: [{ type: "redirect", status: 302, hostname: "b.test" }] });
    const listeners = [listener({ "*": [redirect, route("/*", "s")] }, { ...from, trustedProxies: ["127.0.0.1"] })];
    const { port, records } = await startProxy(test, table(listeners, [service("s", [backend.port])]));
    const header = proxyHeader(2, CLIENT);
    const claim = GET_CLOSE.replace("\r\n\r\n", "\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n");
    assert.match(await exchangeBytes(port, header + claim), /hello$/);
    // The header's client is not a trusted proxy, whoever its connection came through.
    assert.match(backend.received[0]!, /X-Forwarded-For: 203\.0\.113\.9\r\n/);
    assert.deepEqual([records[0]!.clientAddress, records[0]!.clientPort], ["203.0.113.9", 4711]);
    const moved = await exchangeBytes(port, header + GET_CLOSE.replace("GET / ", "GET /r "));
    assert.match(moved, /^HTTP\/1\.1 302 [^]*Location: http:\/\/b\.test:8443\/r\r\n/);
    const local = await exchangeBytes(port, proxyHeader(1, { ...CLIENT, sourceAddress: "" }) + GET_CLOSE);
    assert.match(local, /hello$/);
    assert.equal(records[2]!.clientAddress, "127.0.0.1");
  });

  it("may come byte by byte, but have to come, and in time", async (test) => {
    const backend = await answering(ok("hello"));
    test.after(() => backend.close());
    const configuration = table([listener({ "*": [route("/*", "s")] }, from)], [service("s", [backend.port])]);
    const { port, records } = await startProxy(test, configuration, { limits: { handshakeTimeout: 150 } });
    const dribbling = connect({ port, host: "127.0.0.1", noDelay: true });
    for (const byte of Buffer.from(proxyHeader(2, CLIENT) + GET_CLOSE, "latin1")) {
      dribbling.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.match(await received(dribbling), /hello$/);
    assert.equal(await exchangeBytes(port, GET_CLOSE), "");
    for (const begin of ["", proxyHeader(1, CLIENT).slice(0, -1), proxyHeader(2, CLIENT).slice(0, 20)]) {
      assert.equal(await exchangeBytes(port, begin), "");
    }
    const gone = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    gone.end(proxyHeader(1, CLIENT).slice(0, 10));
    await ending(gone);
    assert.deepEqual([records.length, backend.received.length], [1, 1]);
  });

  it("are not taken from anybody else, who is served without", async (test) => {
    const backend = await answering(ok("hello"));
    test.after(() => backend.close());
    const listeners = [listener({ "*": [route("/*", "s")] }, { proxyProtocolFrom: ["10.0.0.0/8"] })];
    const { port } = await startProxy(test, table(listeners, [service("s", [backend.port])]));
    assert.match(await exchangeBytes(port, GET_CLOSE), /hello$/);
    assert.match(await exchangeBytes(port, proxyHeader(1, CLIENT) + GET_CLOSE), /^HTTP\/1\.1 400 /);
  });
});

describe("PROXY headers to endpoints", () => {
  it("begin each connection of a stream with its client's addresses, or those a header from in front had", async (test) => {
    const backend = await streamBackend(test, (socket) => socket.pipe(socket));
    for (const version of [1, 2] as const) {
      const services = [tcpService("a", [backend.port], { proxyProtocol: version })];
      const listeners = [
        streamListener(streamTo({ a: 1 })),
        streamListener(streamTo({ a: 1 }), { name: "behind", proxyProtocolFrom: ["127.0.0.1"] }),
      ];
      const { states } = await startProxy(test, table(listeners, services));
      const [direct, behind] = states;
      const client = connect({ port: direct!.port, host: "127.0.0.1" });
      await once(client, "connect");
      const { localPort = 0 } = client;
      client.end("hello");
      const own = { sourceAddress: "127.0.0.1", sourcePort: localPort };
      const expected = { ...own, destinationAddress: "127.0.0.1", destinationPort: direct!.port };
      assert.equal(await received(client), `${proxyHeader(version, expected)}hello`);
      const led = connect({ port: behind!.port, host: "127.0.0.1" });
      led.end(Buffer.from(`${proxyHeader(2, CLIENT)}hello`, "latin1"));
      assert.equal(await received(led), `${proxyHeader(version, CLIENT)}hello`);
    }
  });

  it("begin connections of an HTTP service, each of which serves one request of the client it names", async (test) => {
    const backend = await answering(ok("hello"));
    test.after(() => backend.close());
    for (const version of [1, 2] as const) {
      const services = [{ ...service("s", [backend.port]), proxyProtocol: version }];
      const { port } = await startProxy(test, table([listener({ "*": [route("/*", "s")] })], services));
      backend.received.length = 0;
      const client = new RawClient(port);
      for (let request = 1; request <= 2; request++) {
        client.received = "";
        client.send(GET);
        await client.until((received) => received.endsWith("hello"));
      }
      const { localPort = 0 } = client.socket;
      const own = { sourceAddress: "127.0.0.1", sourcePort: localPort };
      const header = proxyHeader(version, { ...own, destinationAddress: "127.0.0.1", destinationPort: port });
      assert.equal(backend.received.length, 2);
      for (const received of backend.received) assert.ok(received.startsWith(`${header}GET / HTTP/1.1\r\n`));
      client.destroy();
    }
  });

  it("are those of the header from in front, also for requests over HTTP/2", async (test) => {
    const backend = await answering(ok("hello"));
    test.after(() => backend.close());
    const services = [{ ...service("s", [backend.port]), proxyProtocol: 1 as const }];
    const listeners = [listener({ "*": [route("/*", "s")] }, { proxyProtocolFrom: ["127.0.0.1"] })];
    const { port } = await startProxy(test, table(listeners, services));
    assert.match(await exchangeBytes(port, proxyHeader(2, CLIENT) + GET_CLOSE), /hello$/);
    const socket = connect({ port, host: "127.0.0.1" });
    socket.write(proxyHeader(2, CLIENT), "latin1");
    const session = connectHttp2("http://a.test", { createConnection: () => socket });
    const stream = session.request({ ":path": "/" });
    stream.resume();
    await once(stream, "end");
    session.close();
    assert.equal(backend.received.length, 2);
    for (const received of backend.received) assert.ok(received.startsWith(proxyHeader(1, CLIENT)));
  });

  it("of health checks are nobody's", async (test) => {
    const backend = await answering(ok("hello"));
    test.after(() => backend.close());
    const healthCheck = { path: "/health", interval: 60_000, timeout: 1_000, unhealthyAfter: 1, healthyAfter: 1 };
    const services = [{ ...service("s", [backend.port]), proxyProtocol: 2 as const, healthCheck }];
    await startProxy(test, table([listener({ "*": [route("/*", "s")] })], services));
    await eventually(() => backend.received[0]?.includes("GET /health ") === true);
    assert.ok(backend.received[0]!.startsWith(`${proxyHeader(2, null)}GET /health HTTP/1.1\r\n`));
  });

  it("cannot be had where connections are shared among clients: answered 500, with the reason", async (test) => {
    const backend = await answering(ok("hello"));
    test.after(() => backend.close());
    const services = [{ ...service("s", [backend.port]), protocol: "h2c" as const, proxyProtocol: 2 as const }];
    const { port } = await startProxy(test, table([listener({ "*": [route("/*", "s")] })], services));
    assert.match(await exchangeBytes(port, GET_CLOSE), /^HTTP\/1\.1 500 [^]*proxy-protocol-not-supported: h2c/);
    assert.equal(backend.received.length, 0);
  });

  it("come before TLS", async (test) => {
    const authority = await createAuthority();
    const { certificate, key } = await authority.issue("a.demo.test");
    // The proxy's own TLS listener is the endpoint: it takes the header from in front and tells of it.
    const web = await answering(ok("hello"));
    test.after(() => web.close());
    const tls = { certificates: [{ hostnames: [], certificate, key }] };
    const inner = listener({ "*": [route("/*", "s")] }, { name: "inner", tls, proxyProtocolFrom: ["127.0.0.1"] });
    const running = await startProxy(test, table([inner], [service("s", [web.port])]));
    const endpoint = tcpService("a", [running.port], {
      proxyProtocol: 2,
      tls: { serverName: "a.demo.test", authorities: authority.certificate },
    });
    const outer = await startProxy(test, table([streamListener(streamTo({ a: 1 }))], [endpoint]));
    const client = connect({ port: outer.port, host: "127.0.0.1" });
    await once(client, "connect");
    client.write(GET_CLOSE);
    const { localPort = 0 } = client;
    assert.match(await received(client), /hello$/);
    await eventually(() => running.records.length === 1);
    assert.equal(running.records[0]!.clientPort, localPort);
  });
});
