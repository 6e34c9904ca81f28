import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createLog } from "@gatehouse/apimachinery/log";
import type { AccessRecord } from "@gatehouse/proxy/access";
import { parseStaticConfiguration } from "./parse-static-configuration.ts";
import { startAccessLog } from "./start-access-log.ts";

const record: AccessRecord = {
  time: 0,
  duration: 1,
  listener: "web",
  clientAddress: "127.0.0.1",
  clientPort: 40000,
  method: "GET",
  target: "/path",
  protocol: "HTTP/1.1",
  host: "whoami.localhost",
  userAgent: "curl/8",
  referer: "",
  status: 200,
  bytes: 1,
  requestCount: 1,
  route: "",
  service: "",
  endpoint: "",
  endpointName: "",
  retries: 0,
  reason: "",
};

test("the access log's file may be in an emptyDir volume; in a read-only one it is refused, and nothing is written", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-access-log-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const environment = {
    GATEHOUSE_MOUNTS: JSON.stringify({ "/logs": join(directory, "logs"), "/token": join(directory, "token") }),
    GATEHOUSE_WRITABLE_MOUNTS: JSON.stringify(["/logs"]),
  };
  const said: string[] = [];
  const start = (...flags: string[]) => {
    const { accessLog } = parseStaticConfiguration(flags).configuration;
    return startAccessLog(
      accessLog,
      () => "",
      createLog("gateway", (line) => void said.push(line)),
      environment,
    );
  };
  assert.equal(start(), undefined);
  const log = start("--accesslog.filepath=/logs/access.log");
  log?.write(record);
  await log?.close();
  assert.match(readFileSync(join(directory, "logs/access.log"), "utf8"), /"GET \/path HTTP\/1\.1" 200/);
  assert.deepEqual(said, []);
  assert.equal(start("--accesslog.filepath=/logs/../token/token"), undefined);
  assert.deepEqual(readdirSync(directory), ["logs"]);
  assert.match(said.join(""), /ERROR gateway: no access log: \S+ is in a read-only volume: name a file in an emptyDir/);
});
