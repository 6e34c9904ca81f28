// The conformance suite's echo server as a real process.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { type RunningImage, runImage } from "./testing.ts";

const reference = "gcr.io/k8s-staging-gateway-api/echo-basic:v20240412-v1.0.0-394-g40c666fd";
let image: RunningImage;
before(async () => {
  const environment = { POD_NAME: "p", NAMESPACE: "n", SERVICE_NAME: "s", INGRESS_NAME: "" };
  image = await runImage(reference, 3000, { environment });
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

test("modes that are not there yet are refused by name", async () => {
  const refused = await runImage(reference, 3000, { environment: { GRPC_ECHO_SERVER: "1" } });
  assert.equal((await refused.process.exited).exitCode, 1);
  await refused.log.end();
  assert.match(readFileSync(refused.log.path, "utf8"), /GRPC_ECHO_SERVER is not supported yet/);
  await refused.close();
});
