import assert from "node:assert/strict";
import { test } from "node:test";
import { whyNotHere } from "./machine-check.ts";

test("a machine on which both ports open will do", async () => {
  const asked: string[] = [];
  const probe = (host: string, port: number): Promise<undefined> => {
    asked.push(`${host}:${port}`);
    return Promise.resolve(undefined);
  };
  assert.equal(await whyNotHere(probe), undefined);
  assert.deepEqual(asked, ["127.15.0.1:80", "127.15.0.1:443"]);
});

test("one that refuses is told why, and what helps", async () => {
  const cases: [number, string, RegExp][] = [
    [80, "EACCES", /127\.15\.0\.1:80: ports below 1024 need privileges: .*ip_unprivileged_port_start/],
    [443, "EADDRINUSE", /127\.15\.0\.1:443: a program listens on that port of every address/],
    [80, "EADDRNOTAVAIL", /run it on Linux/],
    [80, "EMFILE", /EMFILE/],
  ];
  for (const [refused, code, message] of cases) {
    const why = await whyNotHere((_host, port) => Promise.resolve(port === refused ? code : undefined));
    assert.match(why ?? "", message);
  }
});
