// The conformance suite's echo server as a real process.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import {
  connect as http2Connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test, type TestContext } from "node:test";
import { testAuthority } from "./testing-authority.ts";
import { type RunningImage, runImage } from "./testing.ts";

const reference = "gcr.io/k8s-staging-gateway-api/echo-basic:v20240412-v1.0.0-394-g40c666fd";
let image: RunningImage;
before(async () => {
  const environment = { POD_NAME: "p", NAMESPACE: "n", SERVICE_NAME: "s", INGRESS_NAME: "" };
  image = await runImage(reference, ["3000/tcp", "3001/tcp"], { environment });
});
after(() => image.close());

test("echoes the request as indented JSON in the order of the original", async () => {
  const { response, body } = await image.send({
    path: "/a//b?q=1",
    headers: { host: "example.com", "x-b": ["2", "1"], "x-A": "0" },
  });
  assert.equal(response.headers["content-type"], "application/json");
  assert.equal(
    body,
    JSON.stringify(
      {
        path: "/a//b?q=1",
        host: "example.com",
        method: "GET",
        proto: "HTTP/1.1",
        headers: { Connection: ["close"], "X-A": ["0"], "X-B": ["2", "1"] },
        httpPort: "3000",
        namespace: "n",
        ingress: "",
        service: "s",
        pod: "p",
      },
      undefined,
      1,
    ),
  );
});

test("sets the headers it is asked for, names as written", async () => {
  const { response } = await image.send({ headers: { "X-Echo-Set-Header": "X-aB:1, c:d,X-aB: 2" } });
  assert.ok(response.rawHeaders.includes("X-aB"));
  assert.equal(response.headers["x-ab"], "1,2");
  assert.equal(response.headers.c, "d");
});

test("status, health, and what it cannot parse", async () => {
  const cases: [string, number][] = [
    ["/health", 200],
    ["/status/418", 418],
    ["/status/abc", 400],
    ["/status/200/x", 400],
    ["/?delay=1ms", 200],
    ["/?delay=nonsense", 500],
    ["/retry/?succeedAfter=1", 400],
    ["/retry/?uuid=a", 400],
    ["/ws", 400],
  ];
  for (const [path, expected] of cases) assert.equal((await image.send({ path })).response.statusCode, expected, path);
});

test("/retry fails as often as asked, by reset or by status, per uuid", async () => {
  await assert.rejects(image.send({ path: "/retry/?uuid=a&succeedAfter=1" }), { code: "ECONNRESET" });
  assert.equal((await image.send({ path: "/retry/?uuid=a&succeedAfter=1" })).response.statusCode, 200);
  const path = "/retry/?uuid=b&succeedAfter=1&responseCode=503";
  assert.equal((await image.send({ path })).response.statusCode, 503);
  assert.equal((await image.send({ path })).response.statusCode, 200);
});

test("a delay holds an answer back, a failing one too, and no other", async () => {
  const order: string[] = [];
  const send = async (path: string, name: string): Promise<void> => {
    const { response } = await image.send({ path });
    order.push(`${name} ${response.statusCode}`);
  };
  await Promise.all([
    send("/?delay=400ms", "delayed"),
    send("/retry/?uuid=d&succeedAfter=1&responseCode=500&delayRetry=800ms", "delayed retry"),
    send("/", "quick"),
  ]);
  assert.deepEqual(order, ["quick 200", "delayed 200", "delayed retry 500"]);
});

test("/ws sends back what it receives", async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${image.port}/ws`);
  await once(socket, "open");
  socket.send("ping");
  const [event] = (await once(socket, "message")) as [{ data: unknown }];
  assert.equal(event.data, "ping");
  socket.close();
});

test("the h2c port takes HTTP/2 by its preface, in whatever pieces it comes, and refuses HTTP/1.1", async (t) => {
  const { body, headers } = await getByHttp2(t, `http://127.0.0.1:${image.portOf("3001/tcp")}`, {
    ":path": "/x?y=1",
    ":authority": "example.com",
    "x-echo-set-header": "x-asked:yes",
  });
  assert.equal(headers["x-asked"], "yes");
  const { proto, host, path, headers: echoed, httpPort } = JSON.parse(body) as Record<string, unknown>;
  assert.deepEqual([proto, host, path, httpPort], ["HTTP/2.0", "example.com", "/x?y=1", "3000"]);
  assert.deepEqual(echoed, { "X-Echo-Set-Header": ["x-asked:yes"] });
  const old = await image.send({ port: image.portOf("3001/tcp") });
  assert.deepEqual([old.response.statusCode, old.body], [400, "Expected h2c request"]);
  const split = connect(image.portOf("3001/tcp"), "127.0.0.1");
  t.after(() => split.destroy());
  split.setNoDelay().write("PRI * HT");
  setImmediate(() => split.write("TP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"));
  const [settings] = (await once(split, "data")) as [Buffer];
  assert.equal(settings[3], 4, "the first frame of an HTTP/2 server is SETTINGS");
});

test("a retry over HTTP/2 has no connection to reset", async (t) => {
  const path = { ":path": "/retry/?uuid=h2&succeedAfter=1" };
  const https = await startHttps(t);
  const first = await getByHttp2(t, https.origin, path, { ca: https.ca, servername: "abc.example.com" });
  assert.equal(first.headers[":status"], 500);
  assert.match(first.body, /does not support hijacking/);
  const second = await getByHttp2(t, https.origin, path, { ca: https.ca, servername: "abc.example.com" });
  assert.equal(second.headers[":status"], 200);
});

test("HTTPS says what the handshake agreed on; a client's certificate is shown, and refused when another authority signed it", async (t) => {
  const https = await startHttps(t);
  const trusted = { ca: https.ca, servername: "abc.example.com" };
  const anonymous = JSON.parse((await getByHttp2(t, https.origin, {}, trusted)).body) as Echo;
  assert.deepEqual([anonymous.tls?.version, anonymous.tls?.serverName], ["TLSv1.3", "abc.example.com"]);
  assert.deepEqual([anonymous.tls?.negotiatedProtocol, anonymous.tls?.peerCertificates], ["h2", undefined]);
  assert.match(anonymous.tls?.cipherSuite ?? "", /^TLS_/);
  const known = https.authority.issue("client");
  const client = { cert: known.certificate, key: known.key };
  const shown = JSON.parse((await getByHttp2(t, https.origin, {}, { ...trusted, ...client })).body) as Echo;
  assert.deepEqual(shown.tls?.peerCertificates, [known.certificate]);
  const stranger = testAuthority("someone-else").issue("client");
  const refused = { ...trusted, cert: stranger.certificate, key: stranger.key };
  await assert.rejects(getByHttp2(t, https.origin, {}, refused));
});

test("without a certificate the HTTPS port stays closed; one that cannot be read ends the program", async () => {
  const plain = await runImage(reference, ["3000/tcp", "3001/tcp", "8443/tcp"]);
  await assert.rejects(once(connect(plain.portOf("8443/tcp"), "127.0.0.1"), "connect"), { code: "ECONNREFUSED" });
  await plain.close();
  const environment = { TLS_SERVER_CERT: "/missing/crt", TLS_SERVER_PRIVKEY: "/missing/key" };
  const failing = await runImage(reference, ["3000/tcp", "3001/tcp"], { environment });
  assert.equal((await failing.process.exited).exitCode, 1);
  await failing.log.end();
  assert.match(readFileSync(failing.log.path, "utf8"), /Failed to start listening: ENOENT/);
  await failing.close();
});

test("logs each echo as the suite expects to find it", async () => {
  await image.send({ path: "/seen" });
  image.process.terminate();
  await image.process.exited;
  await image.log.end();
  assert.match(
    readFileSync(image.log.path, "utf8"),
    /stdout F Echoing back request made to \/seen to client \(127\.0\.0\.1:\d+\)/,
  );
});

interface Echo {
  tls?: {
    version: string;
    serverName: string;
    negotiatedProtocol?: string;
    cipherSuite: string;
    peerCertificates?: string[];
  };
}

/** An image with a certificate for abc.example.com that asks clients for theirs. */
async function startHttps(t: TestContext) {
  const authority = testAuthority("here");
  const { certificate, key } = authority.issue("abc.example.com");
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-secret-"));
  writeFileSync(join(directory, "crt"), certificate);
  writeFileSync(join(directory, "key"), key);
  writeFileSync(join(directory, "ca.crt"), authority.certificate);
  const environment = {
    TLS_SERVER_CERT: "/etc/secret-volume/crt",
    TLS_SERVER_PRIVKEY: "/etc/secret-volume/key",
    TLS_CLIENT_CACERTS: "/etc/secret-volume/ca.crt",
  };
  const mounts = { "/etc/secret-volume": directory };
  const running = await runImage(reference, ["3000/tcp", "3001/tcp", "8443/tcp"], { environment, mounts });
  t.after(async () => {
    await running.close();
    rmSync(directory, { recursive: true });
  });
  return { origin: `https://127.0.0.1:${running.portOf("8443/tcp")}`, ca: authority.certificate, authority };
}

/** One request over HTTP/2 on a connection of its own. */
async function getByHttp2(
  t: TestContext,
  origin: string,
  headers: OutgoingHttpHeaders,
  options: SecureClientSessionOptions = {},
): Promise<{ headers: IncomingHttpHeaders; body: string }> {
  const session = http2Connect(origin, options);
  t.after(() => session.destroy());
  const failed = new Promise<never>((_, reject) => {
    session.once("error", reject);
    session.once("close", () => reject(new Error("closed")));
  });
  const stream = session.request(headers);
  stream.on("error", () => {});
  const [answer] = (await Promise.race([once(stream, "response"), failed])) as [IncomingHttpHeaders];
  return { headers: answer, body: await text(stream) };
}
