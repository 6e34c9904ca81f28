import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { before, describe, it } from "node:test";
import { connect } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { Proxy } from "../proxy.ts";
import type { Listener, TlsTermination } from "../routing-table.ts";
import { createAuthority } from "../testing/certificates.ts";
import type { Authority } from "../testing/certificates.ts";
import { answering, GET, GET_CLOSE, ok, RawClient } from "../testing/sockets.ts";
import type { Backend } from "../testing/sockets.ts";
import { listener, route, service, table } from "../testing/tables.ts";
import { variant, variantProxy } from "../testing/variant.ts";
import { isResumed, secureConnection, secureExchange, shownName, tlsSession } from "../testing/tls-clients.ts";

type Pair = TlsTermination["certificates"][number];

let authority: Authority;
const BAD: Pair = { hostnames: ["b.test"], certificate: "nonsense", key: "nonsense" };

async function pair(name: string, hostnames = [name]): Promise<Pair> {
  return { hostnames, ...(await authority.issue(name)) };
}

interface Running {
  proxy: Proxy;
  backend: Backend;
  port: number;
  /** Applies these settings to the listener; returns the problem reported. */
  apply: (tls: TlsTermination, more?: Partial<Listener>) => Promise<string | undefined>;
}

interface Resources {
  after(close: () => unknown): void;
}

/** A proxy with one TLS listener whose every host leads to a backend that answers `hello`. */
async function start(test: Resources, tls: TlsTermination, handshakeTimeout = 10_000): Promise<Running> {
  const backend = await answering(ok("hello"));
  const proxy = variantProxy({ limits: { handshakeTimeout } });
  test.after(async () => {
    await proxy.close({ graceMs: 0 });
    await backend.close();
  });
  const configuration = (settings: TlsTermination, more: Partial<Listener> = {}) =>
    table([listener({ "*": [route("/*", "s")] }, { tls: settings, ...more })], [service("s", [backend.port])]);
  const [state] = await proxy.apply(configuration(tls));
  const apply: Running["apply"] = async (settings, more) =>
    (await proxy.apply(configuration(settings, more)))[0]!.error?.message;
  return { proxy, backend, port: state!.port, apply };
}

before(async () => {
  authority = await createAuthority();
});

describe("TLS listeners", () => {
  it("serve HTTP/1.1 with the certificate the client asks for by name, and say so to the backend", async (test) => {
    const certificates = [await pair("a.test"), await pair("*.b.test"), await pair("c.b.test")];
    const { port, backend } = await start(test, { certificates });
    assert.equal(await shownName(port, "a.test"), "a.test");
    assert.equal(await shownName(port, "A.TEST"), "a.test");
    assert.equal(await shownName(port, "x.b.test"), "*.b.test");
    assert.equal(await shownName(port, "c.b.test"), "c.b.test");
    assert.equal(await shownName(port, "unknown.test"), "a.test");
    assert.equal(await shownName(port, ""), "a.test");
    assert.match(await secureExchange(port, { servername: "a.test" }), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/);
    assert.match(backend.received[0]!, /X-Forwarded-Port: 443\r\nX-Forwarded-Proto: https\r\n/);
    const plain = new RawClient(port).send(GET);
    assert.doesNotMatch(await plain.untilEnd(), /HTTP/);
    plain.destroy();
  });

  it("agree on HTTP/1.1 or on nothing, and refuse who speaks neither", async (test) => {
    const { port } = await start(test, { certificates: [await pair("a.test")] });
    const agreed = async (ALPNProtocols: string[]) => {
      const socket = await secureConnection(port, { ALPNProtocols });
      const { alpnProtocol } = socket;
      socket.destroy();
      return alpnProtocol;
    };
    assert.equal(await agreed(["spdy/1", "http/1.1"]), "http/1.1");
    assert.equal(await agreed([]), false);
    assert.match(await secureExchange(port, { ALPNProtocols: ["spdy/1"] }), /no application protocol/);
  });

  it("speak TLS 1.2 and 1.3, or 1.3 only when told so", async (test) => {
    const certificates = [await pair("a.test")];
    const { port, apply } = await start(test, { certificates });
    const version = async (options: ConnectionOptions) => {
      const socket = await secureConnection(port, options);
      const protocol = socket.getProtocol();
      socket.destroy();
      return protocol;
    };
    assert.equal(await version({}), "TLSv1.3");
    assert.equal(await version({ maxVersion: "TLSv1.2" }), "TLSv1.2");
    await assert.rejects(version({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" }));
    assert.equal(await apply({ certificates, minVersion: "TLSv1.3" }), undefined);
    assert.equal(await version({}), "TLSv1.3");
    await assert.rejects(version({ maxVersion: "TLSv1.2" }), /PROTOCOL_VERSION|protocol version/i);
  });

  it("answer 421 when a request is for another server than its connection asked for", async (test) => {
    const certificates = [await pair("a.test"), await pair("b.test")];
    const { port, apply } = await start(test, { certificates });
    const hosts = (hostname: string) => ({ hostname, virtualHosts: [{ hostname, routes: [route("/*", "s")] }] });
    await apply({ certificates }, { servers: [hosts("a.test"), hosts("b.test"), hosts("*.c.test")] });
    const status = async (servername: string, host: string) => {
      const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      return (await secureExchange(port, { servername }, request)).split(" ")[1];
    };
    assert.equal(await status("a.test", "a.test"), "200");
    assert.equal(await status("A.test", "a.TEST:443"), "200");
    assert.equal(await status("a.test", "b.test"), "421");
    assert.equal(await status("x.c.test", "y.c.test"), "200");
    assert.equal(await status("unknown.test", "b.test"), "421");
    assert.equal(await status("", "b.test"), "200");
  });

  it("give up clients that do not get through the handshake in time", async (test) => {
    const { port, proxy } = await start(test, { certificates: [await pair("a.test")] }, 50);
    const silent = connectPlain({ port, host: "127.0.0.1" });
    silent.on("error", () => {});
    await once(silent.resume(), "close");
    const halfway = connectPlain({ port, host: "127.0.0.1" });
    halfway.on("error", () => {});
    halfway.write(Buffer.from([22, 3, 1, 2, 0, 1]));
    await once(halfway.resume(), "close");
    assert.equal(proxy.stats().listeners.web!.connectionsAccepted, 0);
  });

  it("notice at once when a client goes away in the middle of it", async (test) => {
    const { port } = await start(test, { certificates: [await pair("a.test")] }, 3_600_000);
    const client = connectPlain({ port, host: "127.0.0.1", allowHalfOpen: true });
    client.end(Buffer.from([22, 3, 1, 2, 0, 1]));
    await once(client.resume(), "close");
  });

  it("without any usable certificate are not opened, and say why", async (test) => {
    const proxy = variantProxy();
    test.after(() => proxy.close({ graceMs: 0 }));
    for (const certificates of [[], [BAD]]) {
      const [state] = await proxy.apply(table([listener({ "*": [] }, { tls: { certificates } })]));
      assert.match(
        state!.error!.message,
        certificates.length === 0 ? /without a certificate/ : /certificate for b\.test: /,
      );
      assert.equal(state!.port, 0);
    }
  });
});

describe("a change of certificates", () => {
  it("reaches the next handshake, on the same socket, and leaves open connections alone", async (test) => {
    const [a, b] = [await pair("a.test"), await pair("b.test")];
    const { port, apply } = await start(test, { certificates: [a, b] });
    const open = await secureConnection(port, { servername: "b.test" });
    const renewed = { ...b, ...(await authority.issue("renewed")) };
    assert.equal(await apply({ certificates: [a, renewed] }), undefined);
    assert.equal(await shownName(port, "b.test"), "renewed");
    assert.equal(await shownName(port, "a.test"), "a.test");
    // The default one too.
    assert.equal(await apply({ certificates: [renewed] }), undefined);
    assert.equal(await shownName(port, "a.test"), "renewed");
    open.write(GET);
    const [answer] = await once(open, "data");
    assert.match(String(answer), /^HTTP\/1\.1 200 /);
    open.destroy();
  });

  it("refuses no handshake under way", async (test) => {
    const [a, b] = [await pair("a.test"), await pair("b.test")];
    const { port, apply } = await start(test, { certificates: [a] });
    const done: number[] = [];
    const clients = Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const socket = await secureConnection(port, { servername: index % 2 === 0 ? "a.test" : "" });
        done.push(index);
        socket.destroy();
      }),
    );
    for (let turn = 0; done.length < 40; turn++) {
      await apply({ certificates: turn % 2 === 0 ? [b, a] : [a], ...(turn % 3 === 0 && { minVersion: "TLSv1.3" }) });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await clients;
    assert.equal(done.length, 40);
  });

  it("that cannot be read, or does not fit its key, keeps the old one of these names and is reported", async (test) => {
    const [a, b] = [await pair("a.test"), await pair("b.test")];
    const { port, apply } = await start(test, { certificates: [a, b] });
    const renewed = { ...a, ...(await authority.issue("renewed")) };
    assert.match((await apply({ certificates: [renewed, BAD] }))!, /^certificate for b\.test: /);
    assert.equal(await shownName(port, "a.test"), "renewed");
    assert.equal(await shownName(port, "b.test"), "b.test");
    const mismatch = { ...a, key: b.key };
    assert.match((await apply({ certificates: [mismatch, b] }))!, /^certificate for a\.test: .*key values mismatch/);
    assert.equal(await shownName(port, "a.test"), "renewed");
    assert.equal(await shownName(port, "unknown.test"), "renewed");
    // Reported as long as it lasts, also when everything around it is as it was or changes for all.
    assert.match((await apply({ certificates: [mismatch, b] }))!, /a\.test/);
    assert.match((await apply({ certificates: [mismatch, b], minVersion: "TLSv1.3" }))!, /a\.test/);
    assert.equal(await shownName(port, "a.test"), "renewed");
    assert.equal(await apply({ certificates: [a, b] }), undefined);
    assert.equal(await shownName(port, "a.test"), "a.test");
  });

  it("keeps one bad certificate of several from nothing but its own names", async (test) => {
    const { port, apply } = await start(test, { certificates: [BAD, await pair("a.test")] });
    assert.equal(await shownName(port, "b.test"), "a.test");
    assert.match((await apply({ certificates: [BAD, await pair("c.test")] }))!, /b\.test/);
    assert.equal(await shownName(port, "a.test"), "c.test");
  });
});

describe("session tickets", () => {
  const versions = ["TLSv1.2", "TLSv1.3"] as const;

  for (const maxVersion of versions) {
    it(`resume sessions, by name and without, over a reload of certificates (${maxVersion})`, async (test) => {
      const [a, b] = [await pair("a.test"), await pair("b.test")];
      const { port, apply } = await start(test, { certificates: [a, b] });
      for (const servername of ["a.test", "b.test", ""]) {
        const options = { servername, maxVersion };
        const known = { ...options, session: await tlsSession(port, options) };
        assert.equal(await isResumed(port, options), false);
        assert.equal(await isResumed(port, known), true, servername);
        const renewed = { ...a, ...(await authority.issue("renewed")) };
        await apply({ certificates: [renewed, b] });
        assert.equal(await isResumed(port, known), true, `${servername} after a reload`);
        await apply({ certificates: [a, b] });
      }
    });

    it(`are of no use once other client certificates are asked for (${maxVersion})`, async (test) => {
      const certificates = [await pair("a.test")];
      const { port, apply } = await start(test, { certificates });
      const options = { servername: "a.test", maxVersion };
      const known = { ...options, session: await tlsSession(port, options) };
      const clientCertificates = { authorities: authority.certificate, insecureFallback: true };
      await apply({ certificates, clientCertificates });
      assert.equal(await isResumed(port, known), false);
    });
  }

  it("of one listener are of no use at another", async (test) => {
    const [first, second] = [await pair("a.test"), await pair("b.test")];
    const proxy = variantProxy();
    test.after(() => proxy.close({ graceMs: 0 }));
    const [one, two] = await proxy.apply(
      table([
        listener({ "*": [] }, { tls: { certificates: [first] } }),
        listener({ "*": [] }, { name: "other", tls: { certificates: [second] } }),
      ]),
    );
    const session = await tlsSession(one!.port, {});
    assert.equal(await isResumed(one!.port, { session }), true);
    assert.equal(await isResumed(two!.port, { session }), false);
  });

  it("are no way around the name: a resumed connection may only be for what it asks for now", async (test) => {
    const certificates = [await pair("a.test"), await pair("b.test")];
    const { port, apply } = await start(test, { certificates });
    const hosts = (hostname: string) => ({ hostname, virtualHosts: [{ hostname, routes: [route("/*", "s")] }] });
    await apply({ certificates }, { servers: [hosts("a.test"), hosts("b.test")] });
    for (const maxVersion of versions) {
      const session = await tlsSession(port, { servername: "a.test", maxVersion });
      assert.equal(await isResumed(port, { servername: "a.test", maxVersion, session }), true);
      for (const [servername, host, status] of [
        ["a.test", "a.test", 200],
        ["a.test", "b.test", 421],
        ["b.test", "a.test", 421],
        ["b.test", "b.test", 200],
      ] as const) {
        const answer = await secureExchange(
          port,
          { servername, maxVersion, session },
          GET_CLOSE.replace("a.test", host),
        );
        assert.equal(answer.split(" ")[1], String(status), `${host} at ${servername}, ${maxVersion}`);
      }
    }
  });
});

describe("client certificates", () => {
  let stranger: Authority;
  before(async () => {
    stranger = await createAuthority("stranger");
  });

  const handshake = (port: number, options: ConnectionOptions): Promise<TLSSocket> => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
    return once(socket, "secureConnect").then(() => socket);
  };

  it("of the given authorities are required: all others end the handshake", async (test) => {
    const clientCertificates = { authorities: authority.certificate, insecureFallback: false };
    const { port, proxy } = await start(test, { certificates: [await pair("a.test")], clientCertificates });
    const good = await authority.issue("client");
    const client = ({ certificate: cert, key }: { certificate: string; key: string }) => ({ cert, key });
    assert.match(await secureExchange(port, client(good)), /^HTTP\/1\.1 200 /);
    const expired = await authority.issue("client", ["client"], new Date(Date.now() - 1000));
    const noCertificate = /certificate required/;
    const refused: [ConnectionOptions, RegExp][] = [
      [{}, noCertificate],
      [client(await stranger.issue("client")), /unknown ca/],
      [client(expired), /certificate expired/],
    ];
    const ciphers = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];
    for (const [options, alert] of refused) {
      for (const cipher of ciphers) assert.match(await secureExchange(port, { ...options, ciphers: cipher }), alert);
      // Of TLS 1.2 sockets can only say that it is the end.
      const earlier = await secureExchange(port, { ...options, maxVersion: "TLSv1.2" });
      if (variant.io === "sockets") assert.equal(earlier, "");
      else assert.match(earlier, alert === noCertificate ? /handshake failure/ : alert);
    }
    assert.equal(proxy.stats().requests, 1);
    const socket = await handshake(port, client(good));
    socket.destroy();
  });

  it("are asked for by name as well, and authorities can be replaced", async (test) => {
    const certificates = [await pair("a.test"), await pair("b.test")];
    const clientCertificates = { authorities: authority.certificate, insecureFallback: false };
    const { port, apply } = await start(test, { certificates, clientCertificates });
    const { certificate: cert, key } = await authority.issue("client");
    for (const servername of ["a.test", "b.test"]) {
      assert.match(await secureExchange(port, { cert, key, servername }), /^HTTP\/1\.1 200 /);
      const refused = await secureExchange(port, { servername });
      assert.doesNotMatch(refused, /HTTP/);
      if (variant.io === "handles") assert.match(refused, /certificate required/);
      const { certificate, key: unknown } = await stranger.issue("client");
      const shown = await secureExchange(port, { cert: certificate, key: unknown, servername });
      if (variant.io === "handles") assert.match(shown, /unknown ca/);
      else assert.doesNotMatch(shown, /HTTP/);
    }
    const both = { authorities: `${stranger.certificate}\n${authority.certificate}`, insecureFallback: false };
    assert.equal(await apply({ certificates, clientCertificates: both }), undefined);
    assert.match(await secureExchange(port, { cert, key, servername: "b.test" }), /^HTTP\/1\.1 200 /);
    const other = { authorities: stranger.certificate, insecureFallback: false };
    assert.equal(await apply({ certificates, clientCertificates: other }), undefined);
    assert.doesNotMatch(await secureExchange(port, { cert, key, servername: "b.test" }), /HTTP/);
    const broken = { authorities: "nonsense", insecureFallback: false };
    assert.match((await apply({ certificates, clientCertificates: broken }))!, /^authorities of clients: no PEM/);
    assert.doesNotMatch(await secureExchange(port, { cert, key, servername: "b.test" }), /HTTP/);
  });

  it("are asked for but not insisted on with the insecure fallback", async (test) => {
    const clientCertificates = { authorities: authority.certificate, insecureFallback: true };
    const { port } = await start(test, { certificates: [await pair("a.test")], clientCertificates });
    const { certificate: cert, key } = await stranger.issue("client");
    assert.match(await secureExchange(port, {}), /^HTTP\/1\.1 200 /);
    assert.match(await secureExchange(port, { cert, key }), /^HTTP\/1\.1 200 /);
  });
});
