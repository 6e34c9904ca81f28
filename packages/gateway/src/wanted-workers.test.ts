import assert from "node:assert/strict";
import { test } from "node:test";
import { wantedWorkers } from "./wanted-workers.ts";

const cases: [string | undefined, number][] = [
  [undefined, 1],
  ["", 1],
  ["1", 1],
  ["4", 4],
  ["0", 1],
  ["-2", 1],
  ["2.5", 1],
  ["two", 1],
  ["999999", 64],
];
for (const [value, expected] of cases) {
  test(`GOMAXPROCS=${value ?? "(unset)"}: ${expected}`, () => assert.equal(wantedWorkers(value), expected));
}
