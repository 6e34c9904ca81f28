// The echo server's gRPC mode, asked by raw HTTP/2 as a gRPC client would.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type IncomingHttpHeaders, type SecureClientSessionOptions } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, test, type TestContext } from "node:test";
import { testAuthority } from "./testing-authority.ts";
import { type RunningImage, runImage } from "./testing.ts";

const reference = "registry.k8s.io/gateway-api/echo-basic:v1.5.1";
const service = "/gateway_api_conformance.echo_basic.grpcecho.GrpcEcho";
const authority = testAuthority("grpc");
const directory = mkdtempSync(join(tmpdir(), "gatehouse-secret-"));
let image: RunningImage;
before(async () => {
  const { certificate, key } = authority.issue("grpc.example.com");
  writeFileSync(join(directory, "crt"), certificate);
  writeFileSync(join(directory, "key"), key);
  image = await runImage(reference, ["3000/tcp", "8443/tcp"], {
    environment: {
      GRPC_ECHO_SERVER: "1",
      NAMESPACE: "n",
      POD_NAME: "p",
      TLS_SERVER_CERT: "/tls/crt",
      TLS_SERVER_PRIV_KEY: "/tls/key",
    },
    mounts: { "/tls": directory },
  });
});
after(async () => {
  await image.close();
  rmSync(directory, { recursive: true });
});

test("Echo and EchoTwo say method, metadata, authority and pod", async (t) => {
  for (const method of ["Echo", "EchoTwo"]) {
    const answer = await call(t, { path: `${service}/${method}`, metadata: { "x-two": ["a", "b"], "x-bin": "aGk=" } });
    assert.equal(answer.headers["content-type"], "application/grpc");
    assert.equal(answer.trailers["grpc-status"], "0");
    const [assertions] = messages(answer.message, 1);
    assert.ok(assertions);
    assert.deepEqual(strings(assertions, 1), [`${service}/${method}`]);
    const metadata = messages(assertions, 2).map((each) => [strings(each, 1)[0], strings(each, 2)[0]]);
    assert.deepEqual(metadata, [
      [":authority", "echo.example.com"],
      ["content-type", "application/grpc"],
      ["user-agent", "test/1"],
      ["x-two", "a"],
      ["x-two", "b"],
      ["x-bin", "hi"],
    ]);
    assert.deepEqual(strings(assertions, 3), ["echo.example.com"]);
    const [context] = messages(assertions, 4);
    assert.ok(context);
    assert.deepEqual([strings(context, 1), strings(context, 2), strings(context, 4)], [["n"], [], ["p"]]);
    assert.deepEqual(messages(assertions, 5), []);
  }
});

test("over TLS it says what the handshake agreed on", async (t) => {
  const options = { ca: authority.certificate, servername: "grpc.example.com" };
  const { message } = await call(t, { path: `${service}/Echo`, tls: options });
  const [assertions] = messages(message, 1);
  const [facts] = messages(assertions ?? Buffer.alloc(0), 5);
  assert.ok(facts);
  assert.deepEqual(
    [strings(facts, 1), strings(facts, 2), strings(facts, 3)],
    [["TLSv1.3"], ["h2"], ["grpc.example.com"]],
  );
});

test("what is not there is UNIMPLEMENTED in one block of headers, with the reason", async (t) => {
  const cases: [string, string][] = [
    [`${service}/EchoThree`, "method EchoThree not implemented"],
    [`${service}/EchoFour`, `unknown method EchoFour for service ${service.slice(1)}`],
    ["/other.Service/Echo", "unknown service other.Service"],
    ["/", 'malformed method name: "/"'],
  ];
  for (const [path, message] of cases) {
    const { headers } = await call(t, { path });
    assert.deepEqual([headers[":status"], headers["grpc-status"], headers["grpc-message"]], [200, "12", message], path);
  }
  const compressed = await call(t, { path: `${service}/Echo`, body: Buffer.from([1, 0, 0, 0, 0]) });
  assert.equal(compressed.headers["grpc-status"], "12");
});

test("a cut-off, missing or oversized message is an error; what is no gRPC gets an HTTP status", async (t) => {
  const path = `${service}/Echo`;
  const cut = await call(t, { path, body: Buffer.from([0, 0, 0, 0, 9, 1]) });
  const missing = await call(t, { path, body: Buffer.alloc(0) });
  const oversized = await call(t, { path, body: Buffer.from([0, 1, 0, 0, 0, 1]) });
  assert.deepEqual(
    [cut, missing, oversized].map(({ headers }) => headers["grpc-status"]),
    ["13", "13", "8"],
  );
  assert.equal((await call(t, { path, contentType: "application/json" })).headers[":status"], 415);
  assert.equal((await call(t, { path, method: "GET" })).headers[":status"], 405);
});

interface Call {
  path: string;
  method?: string;
  contentType?: string;
  metadata?: Record<string, string | string[]>;
  body?: Buffer;
  tls?: SecureClientSessionOptions;
}

async function call(
  t: TestContext,
  { path, method = "POST", contentType = "application/grpc", metadata = {}, body = Buffer.alloc(5), tls }: Call,
): Promise<{ headers: IncomingHttpHeaders; trailers: IncomingHttpHeaders; message: Buffer }> {
  const port = image.portOf(tls ? "8443/tcp" : "3000/tcp");
  const session = connect(`${tls ? "https" : "http"}://127.0.0.1:${port}`, tls);
  t.after(() => session.destroy());
  const stream = session.request({
    ":method": method,
    ":path": path,
    ":authority": "echo.example.com",
    te: "trailers",
    "content-type": contentType,
    "user-agent": "test/1",
    "grpc-timeout": "5S",
    ...metadata,
  });
  const trailers: IncomingHttpHeaders = {};
  stream.on("trailers", (received) => Object.assign(trailers, received));
  stream.end(method === "GET" ? undefined : body);
  const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
  const data = await buffer(stream);
  if (data.length > 0) assert.deepEqual([data.readUInt8(0), data.readUInt32BE(1)], [0, data.length - 5]);
  return { headers, trailers, message: data.subarray(5) };
}

/** The values of a length-delimited field; every field here is one. */
function messages(data: Buffer, wanted: number): Buffer[] {
  const values: Buffer[] = [];
  let at = 0;
  const varint = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = data.readUInt8(at++);
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  while (at < data.length) {
    const tag = varint();
    assert.equal(tag & 7, 2);
    const length = varint();
    if (tag >> 3 === wanted) values.push(data.subarray(at, at + length));
    at += length;
  }
  assert.equal(at, data.length);
  return values;
}

function strings(data: Buffer, wanted: number): string[] {
  return messages(data, wanted).map(String);
}
