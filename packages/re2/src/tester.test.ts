// The automaton says what the simulation says, and is in no hurry to be kept busy.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRe2 } from "./program.ts";
import { StepTable } from "./step-table.ts";
import { Re2Tester } from "./tester.ts";

const matches = (pattern: string, text: string): boolean => new Re2Tester(pattern, 20_000).test(text);

test("searches anywhere, with anchors and word boundaries", () => {
  const cases: [pattern: string, yes: string[], no: string[]][] = [
    ["b", ["abc", "b", "ab"], ["", "ac"]],
    ["^b", ["b", "bc"], ["ab", ""]],
    ["b$", ["b", "ab"], ["ba", ""]],
    ["^$", [""], ["a"]],
    ["", ["", "a"], []],
    ["^a|b$", ["ax", "xb", "ab"], ["xax", "bx"]],
    ["(?m)^b$", ["a\nb\nc", "b"], ["ab\nc"]],
    ["(?m)^$", ["a\n\nb", ""], ["a"]],
    ["\\bfoo\\b", ["a foo b", "foo"], ["afoo", "foob", "foo_"]],
    ["\\Boo", ["foo"], ["oo", "a oo"]],
    ["a\\b", ["a", "a-"], ["ab"]],
    ["\\A\\d+\\z", ["123"], ["1a", "a1", ""]],
    ["^.$", ["é", "🐱"], ["\n", "ab", "🐱🐱"]],
    ["^[^a]*$", ["", "🐱bé"], ["🐱a"]],
    ["(?i)straße", ["die STRAßE"], ["strasse"]],
    ["^(?:a|bc){2,3}$", ["aa", "bcabc"], ["a", "aaaa"]],
    ["x{2,}", ["axx"], ["x"]],
    ["\\p{Greek}+$", ["αβ", "xα"], ["αx"]],
  ];
  for (const [pattern, yes, no] of cases) {
    for (const text of yes) assert.equal(matches(pattern, text), true, `${pattern} on ${text}`);
    for (const text of no) assert.equal(matches(pattern, text), false, `${pattern} on ${text}`);
  }
});

test("reads lone surrogates as themselves", () => {
  assert.equal(matches("^.{2}$", "\ud83dx"), true);
  assert.equal(matches("^.$", "\ud83d"), true);
});

test("answers the same whatever it was asked before", () => {
  const tester = new Re2Tester("^(?:a+b|a+c)d$", 1_000);
  const texts = ["aabd", "aacd", "abcd", "", "d", "aab", "aabdx", "éaabd", "aabd"];
  const first = texts.map((text) => tester.test(text));
  assert.deepEqual(first, [true, true, false, false, false, false, false, false, true]);
  assert.deepEqual(
    texts.map((text) => tester.test(text)),
    first,
  );
});

/** Always the same numbers. */
function* numbers(): Generator<number> {
  for (let state = 12_345; ;) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    yield state >>> 8;
  }
}

test("agrees with the simulation and with JavaScript's engine on random expressions and texts", () => {
  const random = numbers();
  const upTo = (count: number): number => random.next().value! % count;
  const atoms = ["a", "b", "ab", ".", "[ab]", "[^a]", "\\w", "\\b", "\\B", "^", "$", "é", "\\d"];
  const expression = (depth: number): string => {
    const kind = depth === 0 ? 0 : upTo(7);
    if (kind <= 1) return atoms[upTo(atoms.length)]!;
    if (kind === 2) return `(?:${expression(depth - 1)}|${expression(depth - 1)})`;
    if (kind === 3) return `(?:${expression(depth - 1)})${["*", "+", "?", "{2}", "{1,3}", "{0,2}"][upTo(6)]}`;
    return expression(depth - 1) + expression(depth - 1);
  };
  const unmetered = { spend: (): void => {} };
  let compared = 0;
  for (let each = 0; each < 1_500; each++) {
    const pattern = expression(4);
    const tester = new Re2Tester(pattern, 20_000);
    const theirs = new RegExp(pattern, "u");
    for (let sample = 0; sample < 6; sample++) {
      const text = Array.from({ length: upTo(9) }, () => ["a", "b", "c", "_", " ", "1", "é", "\n", "🐱"][upTo(9)]).join(
        "",
      );
      const expected = compileRe2(pattern).test(text, unmetered);
      assert.equal(tester.test(text), expected, `${pattern} on ${JSON.stringify(text)}`);
      // JavaScript's engine also looks between the halves of a surrogate pair.
      if (!text.includes("🐱")) {
        assert.equal(theirs.test(text), expected, `${pattern} on ${JSON.stringify(text)}, as JavaScript has it`);
      }
      compared++;
    }
  }
  assert.equal(compared, 9_000);
});

test("goes through a text once, whatever the expression", () => {
  // Each of these would take JavaScript's engine longer than the universe has been there.
  const hostile: [pattern: string, text: string, expected: boolean][] = [
    ["^(a+)+$", `${"a".repeat(50_000)}!`, false],
    ["^(a|aa)+$", `${"a".repeat(50_000)}!`, false],
    ["^(([a-z])+.)+[A-Z]([a-z])+$", "a".repeat(50_000), false],
    ["(.*){1,50}[0-9]$", "a".repeat(50_000), false],
    ["^(?:(?:a?){30}){20}b$", "a".repeat(50_000), false],
    ["^(a?){40}a{40}$", "a".repeat(40), true],
    ["(x+x+){1,9}y", "x".repeat(50_000), false],
  ];
  for (const [pattern, text, expected] of hostile) assert.equal(matches(pattern, text), expected, pattern);
});

test("does not grow with what it is asked", () => {
  const random = numbers();
  const text = (length: number): string =>
    Array.from({ length }, () => (random.next().value! & 1 ? "x" : "z")).join("");
  // So many sets of places that none is met twice: they are given up, and the answers stay right.
  const tester = new Re2Tester("x.{60}y", 1_000);
  const before = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
  for (let each = 0; each < 20; each++) assert.equal(tester.test(text(5_000)), false);
  assert.equal(tester.test(`${text(5_000)}x${"z".repeat(60)}y`), true);
  assert.equal(tester.test(`x${"z".repeat(59)}y`), false);
  const grown = process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed - before;
  assert.ok(grown < 64 * 1024 * 1024, `${grown} bytes`);
});

test("work per character is bounded by the program's size", () => {
  const { steps } = compileRe2("^(?:(?:a?){30}){20}b$");
  const table = new StepTable(steps);
  let places: number[] = [];
  for (let at = 0; at < 100; at++) {
    table.follow(2, 2, places);
    assert.ok(table.reading <= steps.length);
    places = table.read("a".charCodeAt(0));
    assert.equal(new Set(places).size, places.length);
  }
});

test("refuses what RE2 refuses, and what is too large", () => {
  for (const pattern of ["(?=a)", "(?<!a)", "\\1", "(", "a{1001}"]) {
    assert.throws(() => new Re2Tester(pattern, 20_000), SyntaxError, pattern);
  }
  assert.throws(() => new Re2Tester("a{1000}", 1_000), /expression too large/);
  assert.doesNotThrow(() => new Re2Tester("a{999}", 1_000));
});
