import assert from "node:assert/strict";
import { test } from "node:test";
import { difference } from "./difference.ts";

const cases: [name: string, before: string, after: string, removed: string, added: string][] = [
  ["nothing changes", "abc", "abc", "", ""],
  ["all comes", "", "abc", "", "abc"],
  ["all goes", "abc", "", "abc", ""],
  ["one comes in between", "abd", "abcd", "", "c"],
  ["one comes at the end", "abc", "abcd", "", "d"],
  ["one comes at the beginning", "bcd", "abcd", "", "a"],
  ["one goes in between", "abcd", "acd", "b", ""],
  ["one goes at the end", "abcd", "abc", "d", ""],
  ["one is replaced", "abcd", "abxd", "c", "x"],
  ["the last is replaced", "abcd", "abcx", "d", "x"],
  ["one goes and another comes far from it", "abcdefgh", "acdefxgh", "b", "x"],
  ["one comes and another goes far from it", "acdefxgh", "abcdefgh", "x", "b"],
  ["several in a row are replaced", "abcdef", "axyzef", "bcd", "xyz"],
  ["several in a row come", "af", "abcdef", "", "bcde"],
  ["one moves to the back", "abcd", "acdb", "", ""],
  ["one moves to the front", "abcd", "dabc", "", ""],
  ["neighbours change places", "abcd", "acbd", "", ""],
  ["everything is turned around and something comes", "abcd", "dcxba", "", "x"],
];
for (const [name, before, after, removed, added] of cases) {
  test(name, () => {
    const [from, to] = [before.split(""), after.split("")];
    assert.deepEqual(difference(from, to), { removed: removed.split(""), added: added.split("") });
  });
}

test("as comparing sets has it, whatever changes", () => {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  for (let round = 0; round < 2_000; round++) {
    const before = Array.from({ length: random(12) }, (_, at) => at);
    const after = before.filter(() => random(5) > 0);
    for (let index = random(4); index > 0; index--) after.splice(random(after.length + 1), 0, 100 + index);
    if (after.length > 0 && random(3) === 0) after.push(...after.splice(random(after.length), 1));
    const found = difference(before, after);
    const context = `${before.join(" ")} -> ${after.join(" ")}`;
    assert.deepEqual(
      found.removed,
      before.filter((each) => !after.includes(each)),
      context,
    );
    assert.deepEqual(
      found.added.toSorted((a, b) => a - b),
      after.filter((each) => !before.includes(each)).toSorted((a, b) => a - b),
      context,
    );
  }
});
