import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { DescriptorGuard, reserveOf } from "./descriptor-guard.ts";

const skip = process.platform === "linux" ? false : "the limit is read from /proc";

test("descriptors below the reserve are for clients, those of the reserve are not", { skip }, (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const limit = Number(/^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))![1]);
  const said: string[] = [];
  const guard = new DescriptorGuard((line) => said.push(line));
  assert.ok(guard.admits(20));
  // As of a connection that is gone already.
  assert.ok(guard.admits(-1));
  t.mock.timers.tick(60_000);
  assert.deepEqual(said, []);
  for (let count = 0; count < 5; count++) assert.equal(guard.admits(limit - 8), false);
  assert.ok(guard.admits(20));
  const line = (closed: string): string =>
    `no file descriptors left for further clients, ${closed} closed: raise the limit of ${limit} (ulimit -n)`;
  assert.deepEqual(said.splice(0), [line("1 connection was")]);
  t.mock.timers.tick(10_000);
  assert.deepEqual(said.splice(0), [line("4 connections were")]);
  // Nothing more has happened, nothing more is said.
  t.mock.timers.tick(60_000);
  assert.deepEqual(said, []);
});

test("where the system knows no limit, or does not tell it, no descriptor is kept from clients", () => {
  assert.equal(reserveOf(Infinity), Infinity);
  assert.equal(reserveOf(1024), 896);
  assert.equal(reserveOf(32), 24);
});
