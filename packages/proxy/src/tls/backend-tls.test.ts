import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { before, describe, it } from "node:test";
import { connect, createServer } from "node:tls";
import type { TlsOptions, TLSSocket } from "node:tls";
import type { BackendTls } from "../routing-table.ts";
import { createAuthority } from "../testing/certificates.ts";
import type { Authority } from "../testing/certificates.ts";
import { backendTlsOptions } from "./backend-tls.ts";

describe("TLS towards an endpoint", () => {
  let authority: Authority;
  let stranger: Authority;

  before(async () => {
    authority = await createAuthority();
    stranger = await createAuthority("stranger");
  });

  /** Connects with `tls` to a server with a certificate of `authority` for `names`: what the server saw, or the error's code. */
  async function dial(names: string[], tls: Partial<BackendTls>, server: TlsOptions = {}): Promise<string> {
    const { certificate, key } = await authority.issue("backend.demo.test", names);
    const endpoint = createServer({ cert: certificate, key, ...server }, (socket: TLSSocket) => {
      socket.on("error", () => {});
      socket.end(`${socket.servername || "no name"} ${String(socket.getPeerCertificate().subject?.CN ?? "nobody")}`);
    });
    endpoint.on("tlsClientError", () => {});
    endpoint.listen(0, "127.0.0.1");
    await once(endpoint, "listening");
    const { port } = endpoint.address() as AddressInfo;
    const options = backendTlsOptions({ serverName: "backend.demo.test", authorities: authority.certificate, ...tls });
    const socket = connect({ host: "127.0.0.1", port, ...options });
    try {
      let answer = "";
      for await (const bytes of socket) answer += String(bytes);
      return answer;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? "";
    } finally {
      endpoint.close();
    }
  }

  it("asks for the server's name and accepts its certificate from the given authorities only", async () => {
    assert.equal(await dial(["backend.demo.test"], {}), "backend.demo.test nobody");
    assert.equal(await dial(["*.demo.test"], {}), "backend.demo.test nobody");
    const both = `${stranger.certificate}\n${authority.certificate}`;
    assert.equal(await dial(["backend.demo.test"], { authorities: both }), "backend.demo.test nobody");
    assert.equal(await dial(["other.test"], {}), "ERR_TLS_CERT_ALTNAME_INVALID");
    const untrusted = await dial(["backend.demo.test"], { authorities: stranger.certificate });
    assert.match(untrusted, /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)$/);
    const { authorities, ...system } = { authorities: authority.certificate, serverName: "backend.demo.test" };
    assert.ok(authorities);
    assert.doesNotThrow(() => backendTlsOptions(system));
  });

  it("names no address as SNI, but the certificate must have it", async () => {
    assert.equal(await dial(["127.0.0.1"], { serverName: "127.0.0.1" }), "no name nobody");
    assert.equal(await dial(["127.0.0.2"], { serverName: "127.0.0.1" }), "ERR_TLS_CERT_ALTNAME_INVALID");
  });

  it("wants one of the subject alternative names instead when there are any", async () => {
    const hostname = (value: string) => ({ type: "hostname" as const, value });
    const uri = (value: string) => ({ type: "uri" as const, value });
    const names = ["a.test", "*.b.test", "spiffe://cluster/ns/demo", "spiffe://x/a, DNS:evil.test"];
    const accepted = [
      [hostname("a.test")],
      [hostname("x.b.test")],
      [hostname("*.b.test")],
      [uri("spiffe://cluster/ns/demo")],
      [hostname("no.test"), uri("spiffe://cluster/ns/demo")],
    ];
    for (const subjectAltNames of accepted)
      assert.equal(await dial(names, { subjectAltNames }), "backend.demo.test nobody");
    const refused = [
      hostname("backend.demo.test"),
      hostname("*.demo.test"),
      hostname("evil.test"),
      uri("spiffe://cluster/ns"),
    ];
    for (const name of refused) {
      assert.equal(await dial(names, { subjectAltNames: [name] }), "ERR_TLS_CERT_ALTNAME_INVALID", name.value);
    }
    // The common name is backend.demo.test in all of them.
    const byCommonName = await dial(["spiffe://x/y"], { subjectAltNames: [hostname("backend.demo.test")] });
    assert.equal(byCommonName, "ERR_TLS_CERT_ALTNAME_INVALID");
  });

  it("shows a client certificate where one is given", async () => {
    const server = { requestCert: true, rejectUnauthorized: true, ca: stranger.certificate };
    const client = await stranger.issue("gateway");
    assert.equal(await dial(["backend.demo.test"], client, server), "backend.demo.test gateway");
    assert.match(await dial(["backend.demo.test"], {}, server), /CERTIFICATE_REQUIRED|ECONNRESET/);
  });

  it("refuses what cannot be read when the options are made", () => {
    assert.throws(() => backendTlsOptions({ serverName: "a.test", authorities: "" }), /no PEM certificate/);
    assert.throws(() =>
      backendTlsOptions({
        serverName: "a.test",
        authorities: "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----",
      }),
    );
    assert.throws(() => backendTlsOptions({ serverName: "a.test", certificate: "x", key: "y" }));
  });
});
