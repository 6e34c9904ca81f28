import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { SharedStrings } from "./shared-strings.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** MiB that a thousand objects take of which each says the same things and one of its own. */
function memoryOf(take: (parsed: object) => void): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  const kept: object[] = [];
  for (let index = 0; index < 1_000; index++) {
    const own = `an object of its own, number ${index}`;
    const parsed = JSON.parse(
      JSON.stringify({ own, list: Array.from({ length: 100 }, (_, at) => `said by all: ${at}`) }),
    );
    take(parsed as object);
    kept.push(parsed as object);
  }
  collect();
  const used = process.memoryUsage().heapUsed - before;
  assert.equal(kept.length, 1_000);
  return used / 2 ** 20;
}

test("what objects say again and again is there once", () => {
  const strings = new SharedStrings();
  const [shared, own] = [memoryOf((parsed) => strings.shareIn(parsed)), memoryOf(() => {})];
  assert.ok(shared < own / 2, `${shared} MiB shared, ${own} MiB each for itself`);
});

test("the objects are as they were", () => {
  const object = {
    text: "a",
    empty: "",
    long: "x".repeat(1_000),
    list: ["a", 1, null, { deep: "a" }],
    no: null,
    flag: true,
  };
  const copy = structuredClone(object);
  new SharedStrings().shareIn(copy);
  assert.deepEqual(copy, object);
});

test("thousands of strings of which each comes once stay what they are", () => {
  const strings = new SharedStrings();
  const texts = Array.from({ length: 5_000 }, (_, index) => `text ${index}`);
  const copy = [...texts];
  strings.shareIn(copy);
  strings.shareIn(copy);
  assert.deepEqual(copy, texts);
});
