import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readToken } from "./find-api-server.ts";

test("a token that rotates is taken over after ten seconds, and a file that is missing then is an error each time", (context) => {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-token-"));
  context.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "token");
  let now = 0;
  writeFileSync(path, "first\n");
  const token = readToken(path, () => now);
  assert.equal(token(), "first");
  writeFileSync(path, "second\n");
  now = 9_999;
  assert.equal(token(), "first");
  now = 10_000;
  assert.equal(token(), "second");
  rmSync(path);
  now = 20_000;
  for (let attempt = 0; attempt < 2; attempt++) assert.throws(token, /ENOENT/);
});
