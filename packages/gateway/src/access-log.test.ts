import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccessRecord } from "@gatehouse/proxy/access";
import { LineBuffer } from "@gatehouse/proxy/line-buffer";
import { addAccessLine } from "./access-log.ts";
import { parseStaticConfiguration } from "./parse-static-configuration.ts";

const record: AccessRecord = {
  time: Date.UTC(2026, 0, 2, 3, 4, 5),
  duration: 3.7,
  listener: "web",
  clientAddress: "127.0.0.1",
  clientPort: 40000,
  method: "GET",
  target: "/path?q=1",
  protocol: "HTTP/1.1",
  host: "whoami.localhost:8080",
  userAgent: "curl/8",
  referer: "",
  status: 200,
  bytes: 428,
  requestCount: 12,
  route: "httproute/demo/whoami-host/rule/0/match/0",
  service: "demo/whoami-v1:80",
  endpoint: "127.30.1.4:80",
  endpointName: "whoami-v1-a",
  retries: 0,
  reason: "",
};
const routerOf = ({ listener, route }: AccessRecord): string => (route ? `${listener}-router@kubernetesgateway` : "");

function line(flags: string[], changes: Partial<AccessRecord> = {}): string | undefined {
  const { accessLog } = parseStaticConfiguration(["--accesslog", ...flags]).configuration;
  assert.ok(accessLog);
  const out = new LineBuffer(16);
  const changed = { ...record, ...changes };
  addAccessLine(out, changed, accessLog, routerOf(changed));
  return out.used === 0 ? undefined : out.bytes.toString("utf8", 0, out.used);
}

test("the common format is Traefik's", () => {
  assert.equal(
    line([]),
    '127.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET /path?q=1 HTTP/1.1" 200 428 "-" "curl/8" 12 "web-router@kubernetesgateway" "http://127.30.1.4:80" 3ms\n',
  );
  assert.equal(
    line([], { route: "", endpoint: "", status: 404, bytes: 19 }),
    '127.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET /path?q=1 HTTP/1.1" 404 19 "-" "curl/8" 12 "-" "-" 3ms\n',
  );
});

test("consecutive lines name their own routers and endpoints", () => {
  const out = new LineBuffer(16);
  const { accessLog } = parseStaticConfiguration(["--accesslog"]).configuration;
  const endpoints = ["a:1", "a:1", "a:1", "b:1", "", "", "", "a:1", "a:1"];
  for (const endpoint of endpoints) addAccessLine(out, { ...record, endpoint }, accessLog!, routerOf(record));
  const written = out.bytes.toString("utf8", 0, out.used).matchAll(/"web-router@kubernetesgateway" "(.*?)"/g);
  assert.deepEqual(
    [...written].map(([, server]) => server),
    endpoints.map((endpoint) => (endpoint ? `http://${endpoint}` : "-")),
  );
});

test("consecutive lines say what their own requests were, however much they have in common", () => {
  const { accessLog } = parseStaticConfiguration(["--accesslog"]).configuration;
  const others: Partial<AccessRecord>[] = [
    { clientAddress: "::1" },
    { time: record.time + 1000 },
    { method: "PUT" },
    { target: "/other" },
    { protocol: "HTTP/2.0" },
    { referer: "/from" },
    { userAgent: "other/1" },
    { referer: "curl/8", userAgent: "" },
    { method: "", target: "", protocol: "", referer: "", userAgent: "", status: 400 },
  ];
  for (const changes of others) {
    const records = [{}, {}, {}, changes, changes, changes, {}, changes, {}].map((each) => ({ ...record, ...each }));
    const out = new LineBuffer(16);
    for (const each of records) addAccessLine(out, each, accessLog!, "r");
    const said = out.bytes.toString("utf8", 0, out.used).split("\n").slice(0, -1);
    const expected = records.map(
      (each) =>
        `${each.clientAddress} - - [02/Jan/2026:03:04:0${(each.time / 1000) % 60} +0000] ` +
        `"${each.method || "-"} ${each.target || "-"} ${each.protocol || "-"}" ${each.status} 428 ` +
        `"${each.referer || "-"}" "${each.userAgent || "-"}" 12 "r" "http://127.30.1.4:80" 3ms`,
    );
    assert.deepEqual(said, expected);
  }
});

test("connections carried as they are leave no line", () => {
  const carried = { method: "", target: "", protocol: "tcp", status: 0, bytesReceived: 5, requestCount: 0 };
  assert.equal(line([], carried), undefined);
  assert.equal(line(["--accesslog.format=json"], carried), undefined);
});

test("the generic format ends with the user agent", () => {
  assert.equal(
    line(["--accesslog.format=genericCLF"]),
    '127.0.0.1 - - [02/Jan/2026:03:04:05 +0000] "GET /path?q=1 HTTP/1.1" 200 428 "-" "curl/8"\n',
  );
});

test("what a client sends cannot end a line or a quoted field", () => {
  const written = line([], { userAgent: 'a" 200\n127.0.0.1 - forged\u009b', target: "/\r\n\u0000" }) ?? "";
  assert.equal(written.split("\n").length, 2);
  assert.ok(written.includes('"a\\" 200\\x0a127.0.0.1 - forged\\x9b"'), written);
});

test("JSON has Traefik's field names, and modes per field", () => {
  const all = JSON.parse(line(["--accesslog.format=json"]) ?? "") as Record<string, unknown>;
  assert.equal(all.RequestHost, "whoami.localhost");
  assert.equal(all.RequestPort, "8080");
  assert.equal(all.RouterName, "web-router@kubernetesgateway");
  assert.equal(all.ServiceURL, "http://127.30.1.4:80");
  assert.equal(all.Duration, 3_700_000);
  const some = JSON.parse(
    line([
      "--accesslog.format=json",
      "--accesslog.fields.defaultmode=drop",
      "--accesslog.fields.names.RequestPath=keep",
      "--accesslog.fields.names.ClientHost=redact",
    ]) ?? "",
  ) as Record<string, unknown>;
  assert.deepEqual(Object.keys(some).sort(), ["ClientHost", "RequestPath", "level", "msg", "time"]);
  assert.equal(some.ClientHost, "REDACTED");
});

const filtered: [flags: string[], changes: Partial<AccessRecord>, logged: boolean][] = [
  [["--accesslog.filters.statuscodes=400-499,502"], { status: 404 }, true],
  [["--accesslog.filters.statuscodes=400-499,502"], { status: 502 }, true],
  [["--accesslog.filters.statuscodes=400-499,502"], { status: 200 }, false],
  [["--accesslog.filters.minduration=10ms"], { duration: 10 }, true],
  [["--accesslog.filters.minduration=10ms"], { duration: 9.9 }, false],
  [["--accesslog.filters.minduration=10ms", "--accesslog.filters.retryattempts"], { retries: 1 }, true],
];
for (const [flags, changes, logged] of filtered) {
  test(`${flags.join(" ")} ${logged ? "logs" : "drops"} ${JSON.stringify(changes)}`, () => {
    assert.equal(line(flags, changes) !== undefined, logged);
  });
}
