import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToMerge } from "./write-context.ts";

test("of several kubeconfig files the first that exists is written, and the last when there is none", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-test-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const [first = "", second = "", third = ""] = ["a", "b", "c"].map((name) => join(directory, name));
  assert.equal(pathToMerge([first]), first);
  assert.equal(pathToMerge([first, second, third]), third);
  writeFileSync(second, "");
  assert.equal(pathToMerge([first, second, third]), second);
});
