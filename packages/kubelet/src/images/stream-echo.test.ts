// The echo server's TCP and UDP modes, and coredns: what answers without HTTP.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { connect as tlsConnect } from "node:tls";
import { testAuthority } from "./testing-authority.ts";
import { type RunningImage, type RunOptions, runImage } from "./testing.ts";

const echo = "registry.k8s.io/gateway-api/echo-basic:v1.6.0-dev.2";
const coredns = "registry.k8s.io/coredns/coredns:v1.12.2";
const banner = "Gateway API Test TCP Server\n";
const pod = { NAMESPACE: "n", INGRESS_NAME: "i", SERVICE_NAME: "s", POD_NAME: "p" };

async function start(t: TestContext, reference: string, ports: string[], options: RunOptions): Promise<RunningImage> {
  const image = await runImage(reference, ports, options);
  t.after(() => image.close());
  return image;
}

/** A directory that is gone with the test. */
function volume(t: TestContext, files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-volume-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** All that comes after `lines` were sent and the client's side was ended. */
async function converse(socket: Socket, ...lines: string[]): Promise<string> {
  for (const line of lines) socket.write(line);
  socket.end();
  return text(socket);
}

test("TCP: a banner, then an answer to each line that is known, the last one unended", async (t) => {
  const image = await start(t, echo, ["3000/tcp"], { environment: { TCP_ECHO_SERVER: "1", ...pod } });
  const answer = await converse(connect(image.port, "127.0.0.1"), "TE", "ST\nIS_TLS\r\nnonsense\nPI", "NG");
  const payload = {
    namespace: "n",
    ingress: "i",
    service: "s",
    pod: "p",
    tcpport: "3000",
    tlsport: "8443",
    isTLS: false,
  };
  assert.equal(answer, `${banner}${JSON.stringify(payload)}\nfalse\nPONG\n`);
});

test("TCP: a line without an end is not waited for, and a stop ends connections", async (t) => {
  const image = await start(t, echo, ["3000/tcp"], { environment: { TCP_ECHO_SERVER: "1" } });
  const endless = connect(image.port, "127.0.0.1");
  endless.on("error", () => {});
  endless.write("x".repeat(70_000));
  assert.equal(await text(endless), banner);
  const idle = connect(image.port, "127.0.0.1");
  await once(idle, "connect");
  image.process.terminate();
  assert.equal(await text(idle), banner);
  assert.equal((await image.process.exited).exitCode, 0);
});

test("TCP: over TLS it says so", async (t) => {
  const authority = testAuthority("tcp");
  const { certificate, key } = authority.issue("abc.example.com");
  const image = await start(t, echo, ["3000/tcp", "8443/tcp"], {
    environment: { TCP_ECHO_SERVER: "1", ...pod, TLS_SERVER_CERT: "/tls/crt", TLS_SERVER_PRIV_KEY: "/tls/key" },
    mounts: { "/tls": volume(t, { crt: certificate, key }) },
  });
  const port = image.portOf("8443/tcp");
  const socket = tlsConnect({ port, host: "127.0.0.1", servername: "abc.example.com", ca: authority.certificate });
  const [first, second, third] = (await converse(socket, "IS_TLS\nTEST\n")).split("\n");
  assert.deepEqual([`${first}\n`, second], [banner, "true"]);
  const { isTLS, tls } = JSON.parse(third ?? "") as { isTLS: boolean; tls: Record<string, string> };
  assert.deepEqual([isTLS, tls.version, tls.serverName], [true, "TLS 1.3", "abc.example.com"]);
});

test("a port that is no number ends the program by name", async (t) => {
  const image = await start(t, echo, ["3000/tcp"], { environment: { TCP_ECHO_SERVER: "1", TCP_PORT: "http" } });
  assert.equal((await image.process.exited).exitCode, 1);
  await image.log.end();
  assert.match(readFileSync(image.log.path, "utf8"), /non-integer value in TCP_PORT 'http'/);
});

test("UDP: each datagram comes back as JSON, its first 1024 bytes", async (t) => {
  const image = await start(t, echo, ["8080/udp"], { environment: { UDP_ECHO_SERVER: "1", ...pod } });
  const identity = { namespace: "n", ingress: "i", service: "s", pod: "p" };
  assert.equal((await ask(image.port, Buffer.from("hi"))).toString(), JSON.stringify({ request: "hi", ...identity }));
  const long = JSON.parse((await ask(image.port, Buffer.from("y".repeat(2_000)))).toString()) as { request: string };
  assert.equal(long.request, "y".repeat(1_024));
});

test("coredns: whoami for its zone, failure for what would be forwarded, silence for what is no question", async (t) => {
  const corefile = ".:53 {\n  forward . 192.0.2.1 {\n    max_fails 1\n  }\n  log\n}\nfoo.bar.com:53 {\n  whoami\n}\n";
  const image = await start(t, coredns, ["53/udp"], {
    args: ["-conf", "/root/Corefile"],
    mounts: { "/root": volume(t, { Corefile: corefile }) },
  });
  const known = await ask(image.port, query(7, "Foo.Bar.com"));
  assert.deepEqual([known.readUInt16BE(0), known.readUInt16BE(2), known.readUInt16BE(10)], [7, 0x8500, 2]);
  assert.ok(known.includes(Buffer.from([0x7f, 0, 0, 1])), "the address of who asks");
  const unknown = await ask(image.port, query(8, "example.com"));
  assert.deepEqual([unknown.readUInt16BE(0), unknown.readUInt16BE(2) & 15], [8, 2]);
  // A response is no query: only the question after it is answered.
  const response = query(9, "foo.bar.com");
  response.writeUInt8(0x80, 2);
  assert.equal((await ask(image.port, response, query(10, "foo.bar.com"))).readUInt16BE(0), 10);
});

test("coredns: without a Corefile whoami for all; a broken one ends it with the line", async (t) => {
  const image = await start(t, coredns, ["53/udp"], {});
  assert.equal((await ask(image.port, query(1, "any.example"))).readUInt16BE(2) & 15, 0);
  const only = ["-conf=/root/Corefile"];
  const zoned = await start(t, coredns, ["53/udp"], {
    args: only,
    mounts: { "/root": volume(t, { Corefile: "example.org {\n whoami\n}" }) },
  });
  assert.equal((await ask(zoned.port, query(2, "example.com"))).readUInt16BE(2) & 15, 5);
  const broken = await start(t, coredns, ["53/udp"], {
    args: only,
    mounts: { "/root": volume(t, { Corefile: "whoami\n" }) },
  });
  assert.equal((await broken.process.exited).exitCode, 1);
  await broken.log.end();
  assert.match(readFileSync(broken.log.path, "utf8"), /\/root\/Corefile: line 1: a server block opens with "\{"/);
});

/** Sends the datagrams one after another; resolves with the first answer. */
async function ask(port: number, ...datagrams: Buffer[]): Promise<Buffer> {
  const socket = createSocket("udp4");
  try {
    for (const datagram of datagrams) socket.send(datagram, port, "127.0.0.1");
    const [answer] = (await once(socket, "message")) as [Buffer];
    return answer;
  } finally {
    socket.close();
  }
}

/** A DNS query for an address, recursion desired. */
function query(id: number, name: string): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(0x0100, 2);
  header.writeUInt16BE(1, 4);
  const labels = name.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}
