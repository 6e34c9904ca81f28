// Services of protocol https: TLS to the endpoints, HTTP/2 or HTTP/1.1 inside as ALPN has it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import type { TLSSocket } from "node:tls";
import { createProxy } from "../proxy.ts";
import type { BackendTls, Service } from "../routing-table.ts";
import { createAuthority } from "../testing/certificates.ts";
import type { Authority, TestCertificate } from "../testing/certificates.ts";
import { ask, withSession } from "../testing/http2-client.ts";
import { startHttp2Backend } from "../testing/http2-backend.ts";
import type { Http2Backend } from "../testing/http2-backend.ts";
import { exchangeBytes, GET, GET_CLOSE, inTurn, RawClient } from "../testing/sockets.ts";
import { listener, route, service, table } from "../testing/tables.ts";
import { withProxy } from "../testing/with-proxy.ts";

describe("https backends", () => {
  let authority: Authority;
  let stranger: Authority;
  let certificate: TestCertificate;
  let backend: Http2Backend;
  let http1: Server;

  before(async () => {
    [authority, stranger] = [await createAuthority(), await createAuthority("stranger")];
    certificate = await authority.issue("b.test", ["b.test", "spiffe://cluster/b"]);
    const cert = { cert: certificate.certificate, key: certificate.key };
    const mutual = { ca: stranger.certificate, requestCert: true, rejectUnauthorized: false };
    backend = await startHttp2Backend((stream) => stream.respond({ ":status": 200 }), {
      ...cert,
      ...mutual,
      allowHTTP1: true,
    });
    backend.server.removeAllListeners("stream");
    // One handler for both protocols: says what it sees.
    backend.server.on("request", (request, response) => {
      const socket = request.socket as TLSSocket;
      const { servername } = socket as { servername?: string };
      const client = String(socket.getPeerCertificate().subject?.CN ?? "nobody");
      response.end(
        `${request.httpVersion} ${servername ?? ""} ${client} ${String(request.headers["x-forwarded-proto"])}`,
      );
    });
    backend.server.on("upgrade", (_request: unknown, socket: TLSSocket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello");
      socket.pipe(socket);
    });
    http1 = createServer(cert, (_request, response) => response.end("one"));
    http1.listen(0, "127.0.0.1");
    await once(http1, "listening");
  });

  after(async () => {
    http1.closeAllConnections();
    http1.close();
    (backend.server as unknown as Server).closeAllConnections?.();
    await backend.close();
  });

  const portOf = (server: Server): number => (server.address() as AddressInfo).port;

  function https(id: string, port: number, tls: Partial<BackendTls> = {}): Service {
    return {
      ...service(id, [port]),
      protocol: "https",
      tls: { authorities: authority.certificate, serverName: "b.test", ...tls },
    };
  }

  /** Body, or status, of one request. */
  async function outcome(port: number): Promise<string> {
    const answer = await exchangeBytes(port, GET_CLOSE);
    const status = answer.slice(9, 12);
    const [, body = ""] = answer.split("\r\n\r\n");
    return status === "200" ? body.replace(/^[0-9a-f]+\r\n|\r\n0$/g, "") : status;
  }

  it("are asked for HTTP/2 first, by the service's name", async () => {
    await withProxy([https("s", backend.port)], async ({ port }) => {
      assert.equal(await outcome(port), "2.0 b.test nobody http");
      await withSession(port, async (session) => assert.equal((await ask(session)).body, "2.0 b.test nobody http"));
    });
  });

  it("that speak HTTP/1.1 are spoken to in it, on connections that are kept", async () => {
    let connections = 0;
    const count = (): void => void connections++;
    http1.on("secureConnection", count);
    await withProxy([https("s", portOf(http1))], async ({ port, proxy }) => {
      assert.equal((await inTurn(port, 3)).join(), "one,one,one");
      assert.equal(connections, 1);
      const all = await Promise.all(Array.from({ length: 5 }, () => inTurn(port, 4)));
      assert.ok(all.flat().every((body) => body === "one"));
      assert.ok(connections <= 6, `${connections} connections`);
      const [counters] = Object.values(proxy.stats().endpoints);
      assert.equal(counters!.connectionsOpen, counters!.connectionsIdle);
      assert.equal(counters!.connectionsOpened, connections);
    });
    http1.off("secureConnection", count);
  });

  it("open tunnels over HTTP/1.1, which is asked for then", async () => {
    await withProxy([https("s", backend.port)], async ({ port }) => {
      assert.match(await outcome(port), /^2\.0 /);
      const client = new RawClient(port).send(
        GET.replace("\r\n\r\n", "\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"),
      );
      await client.until((received) => /^HTTP\/1\.1 101 [^]*hello$/.test(received));
      client.send("echo");
      await client.until((received) => received.endsWith("helloecho"));
      client.destroy();
    });
  });

  it("with a certificate that is not accepted: 502, and nothing is asked", async () => {
    const cases: [tls: Partial<BackendTls>, reason: string][] = [
      [{ authorities: stranger.certificate }, "connect-unable-to-verify-leaf-signature"],
      [{ serverName: "other.test" }, "connect-err-tls-cert-altname-invalid"],
      [{ subjectAltNames: [{ type: "hostname", value: "x.test" }] }, "connect-err-tls-cert-altname-invalid"],
    ];
    for (const [tls, reason] of cases) {
      await withProxy([https("s", backend.port, tls)], async ({ port, records }) => {
        assert.equal(await outcome(port), "502");
        assert.equal(records[0]!.reason, reason);
      });
    }
    const uri = { subjectAltNames: [{ type: "uri" as const, value: "spiffe://cluster/b" }], serverName: "other.test" };
    await withProxy([https("s", backend.port, uri)], async ({ port }) => {
      assert.equal(await outcome(port), "2.0 other.test nobody http");
    });
  });

  it("are shown the service's certificate", async () => {
    const client = await stranger.issue("gateway");
    await withProxy([https("s", backend.port, client)], async ({ port }) => {
      assert.equal(await outcome(port), "2.0 b.test gateway http");
    });
  });

  it("are not asked over connections made with other settings", async () => {
    const client = await stranger.issue("gateway");
    const services = [https("plain", backend.port), https("mutual", backend.port, client), https("same", backend.port)];
    const proxy = createProxy();
    const routes = services.map(({ id }) => route(`/${id}`, id));
    const before = backend.sessions.length;
    const [state] = await proxy.apply(table([listener({ "*": routes })], services));
    await withSession(state!.port, async (session) => {
      const bodies: string[] = [];
      for (const { id } of services) bodies.push((await ask(session, { ":path": `/${id}` })).body);
      assert.deepEqual(bodies, ["2.0 b.test nobody http", "2.0 b.test gateway http", "2.0 b.test nobody http"]);
      assert.equal(backend.sessions.length - before, 2, "services that are alike share a connection");
    });
    assert.equal(Object.keys(proxy.stats().endpoints).length, 1, "one address, one account");
    await proxy.close({ graceMs: 0 });
  });

  it("whose certificates cannot be read, or that lack TLS settings, are unusable, with a reason", async () => {
    const { tls: _tls, ...without } = https("s", backend.port);
    for (const [unusable, reason] of [
      [https("s", backend.port, { authorities: "nonsense" }), /^backend-tls-invalid: .*PEM/],
      [without, /^backend-tls-invalid: nothing is said about TLS/],
    ] as const) {
      await withProxy([unusable], async ({ port, records, proxy }) => {
        assert.equal(await outcome(port), "500");
        assert.match(records[0]!.reason, reason);
        // As soon as it is mended, requests pass.
        await proxy.apply(table([listener({ "*": [route("/*", "s", { id: "r" })] })], [https("s", backend.port)]));
        assert.match(await outcome(port), /^2\.0 /);
      });
    }
  });
});
