import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { isAlive } from "./process-liveness.ts";

test("a running process is alive, an ended one is not", async () => {
  assert.equal(isAlive(process.pid), true);
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  assert.equal(isAlive(child.pid ?? 0), false);
});
