// What a runtime that is not quite as expected is given: never half of the fast way.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

/** What is chosen by a runtime in which `before` was done. */
async function chosen(before: string): Promise<string> {
  const module = JSON.stringify(new URL("network.ts", import.meta.url).href);
  const program = `${before}; console.log((await import(${module})).BEST_IO)`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  return stdout.trim();
}

test("handles are used where those of TCP and of TLS are there, sockets where either is not", async () => {
  const [all, otherTls, noTcp] = await Promise.all([
    chosen(""),
    chosen("const { TLSSocket } = await import('node:tls'); TLSSocket.prototype._wrapHandle = () => {}"),
    chosen("process.binding = undefined"),
  ]);
  assert.deepEqual([all, otherTls, noTcp], ["handles", "sockets", "sockets"]);
});
