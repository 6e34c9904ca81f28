import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { connect } from "node:tls";
import { createProxy } from "../proxy.ts";
import { answering, ok, RawClient } from "../testing/sockets.ts";
import { listener, route, service, table } from "../testing/tables.ts";

function openssl(): string | false {
  try {
    return execFileSync("openssl", ["version"], { encoding: "utf8" });
  } catch {
    return false;
  }
}

describe("TLS listeners", { skip: openssl() === false && "openssl is not installed" }, () => {
  const directory = mkdtempSync(join(tmpdir(), "proxy-tls-"));
  after(() => rmSync(directory, { recursive: true }));

  function pair(name: string): { hostnames: string[]; certificate: string; key: string } {
    const [key, certificate] = [join(directory, "key.pem"), join(directory, "cert.pem")];
    const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    execFileSync("openssl", ["req", "-x509", ...curve, "-nodes", "-keyout", key, "-out", certificate, ...subject], {
      stdio: "ignore",
    });
    return { hostnames: [name], certificate: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
  }

  /** The answer to one request over TLS. */
  async function get(port: number, servername: string): Promise<string> {
    const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    socket.write("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    let answer = "";
    for await (const bytes of socket) answer += String(bytes);
    return answer;
  }

  it("serve HTTP/1.1 with the certificate SNI asks for, and say so to the backend", async () => {
    const backend = await answering(ok("x".repeat(100_000)));
    const proxy = createProxy();
    const [first, second] = [pair("a.test"), pair("*.b.test")];
    const tls = { certificates: [first, second] };
    const secure = (more: object) =>
      table([listener({ "*": [route("/*", "s")] }, { tls, ...more })], [service("s", [backend.port])]);
    const [state] = await proxy.apply(secure({}));
    const port = state!.port;
    const named = async (servername: string): Promise<string> => {
      const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false });
      await once(socket, "secureConnect");
      const name = String(socket.getPeerCertificate().subject.CN);
      socket.destroy();
      return name;
    };
    assert.equal(await named("a.test"), "a.test");
    assert.equal(await named("x.b.test"), "*.b.test");
    assert.equal(await named("unknown.test"), "a.test");
    const [head, body] = (await get(port, "a.test")).split("\r\n\r\n");
    assert.match(head!, /^HTTP\/1\.1 200 OK\r\n/);
    assert.equal(body, "x".repeat(100_000));
    assert.match(backend.received[0]!, /X-Forwarded-Port: 443\r\nX-Forwarded-Proto: https\r\n/);
    // A new certificate for the same address needs no new socket.
    const [kept] = await proxy.apply(secure({ tls: { certificates: [second] } }));
    assert.equal(kept!.port, port);
    assert.equal(await named("a.test"), "*.b.test");
    // One that cannot be read leaves the old one serving.
    const broken = { certificates: [{ hostnames: [], certificate: "nonsense", key: "nonsense" }] };
    const [failed] = await proxy.apply(secure({ tls: broken }));
    assert.ok(failed!.error);
    assert.equal(await named("a.test"), "*.b.test");
    const plain = new RawClient(port).send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert.doesNotMatch(await plain.untilEnd(), /HTTP/);
    plain.destroy();
    await proxy.close({ graceMs: 0 });
    await backend.close();
  });
});
