// RE2 expressions: what they match, what is refused, and that time stays linear.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRe2 } from "./program.ts";
import type { Meter } from "./program.ts";

class TooMuch extends Error {}

const meter = (limit = 1_000_000): Meter => {
  let left = limit;
  return {
    spend: (units) => {
      left -= units;
      if (left < 0) throw new TooMuch();
    },
  };
};

test("matches as RE2 does", () => {
  const cases: [pattern: string, yes: string[], no: string[]][] = [
    ["^a+b*?c$", ["ac", "aabc"], ["bc", "acd"]],
    ["a|b|", ["", "x"], []],
    ["^(?:a|bc){2,3}$", ["aa", "bcabc", "aaa"], ["a", "aaaa"]],
    ["^a{2}$", ["aa"], ["a", "aaa"]],
    ["^a{,2}$", ["a{,2}"], ["aa"]],
    ["^[^]a]$", ["b"], ["]", "a"]],
    ["^[]a]+$", ["]a"], ["b"]],
    ["^[-a-c.]+$", ["a-.c"], ["d"]],
    ["^[[:alpha:]_]+\\d\\D\\w\\W\\s\\S$", ["a_1a_- x"], ["a_1a_-xx"]],
    ["(?i)^straße$", ["STRAßE"], ["STRASSE"]],
    ["^(?i:a)b$", ["Ab"], ["AB"]],
    ["(?i)^\\.?[a-z_][a-z_0-9]*(\\.[a-z_][a-z_0-9]*)*$", ["com.Example.Foo"], ["com..foo", "1a"]],
    ["^.$", ["é", "🐱"], ["\n", "ab"]],
    ["(?s)^.$", ["\n"], []],
    ["(?m)^b$", ["a\nb\nc"], ["ab"]],
    ["\\bfoo\\b", ["a foo b"], ["afoo"]],
    ["^\\x41\\x{1F431}\\.\\Q.*\\E\\z", ["A🐱..*"], ["A🐱.ab"]],
    ["^\\pL\\p{Greek}\\P{Lu}$", ["xαy"], ["xay", "xαY"]],
    ["^(a*)*$", ["aaa", ""], ["b"]],
    ["^(?P<x>a)(?<y>b)$", ["ab"], ["a"]],
  ];
  for (const [pattern, yes, no] of cases) {
    for (const text of yes) assert.equal(compileRe2(pattern).test(text, meter()), true, `${pattern} on ${text}`);
    for (const text of no) assert.equal(compileRe2(pattern).test(text, meter()), false, `${pattern} on ${text}`);
  }
});

test("finds the leftmost match, and of those the preferred", () => {
  const cases: [pattern: string, text: string, found: [number, number] | undefined][] = [
    ["a+", "baac", [1, 3]],
    ["a+?", "baac", [1, 2]],
    ["a|ab", "xab", [1, 2]],
    ["ab|a", "xab", [1, 3]],
    ["(?U)a+", "aa", [0, 1]],
    ["b*", "abb", [0, 0]],
    ["x", "abc", undefined],
  ];
  for (const [pattern, text, found] of cases) {
    assert.deepEqual(compileRe2(pattern).find(Array.from(text), 0, meter()), found, `${pattern} on ${text}`);
  }
});

test("refuses what RE2 refuses", () => {
  for (const pattern of [
    "(",
    ")",
    "[a",
    "a**",
    "*a",
    "a{1001}",
    "a{2,1}",
    "(?=a)",
    "(?<!a)",
    "\\1",
    "\\q",
    "[b-a]",
    "\\",
    "\\p{Nonsense}",
    "((a{1000}){1000}){1000}",
    "(".repeat(300) + ")".repeat(300),
  ]) {
    assert.throws(() => compileRe2(pattern), SyntaxError, pattern);
  }
});

test("takes time linear to the text", () => {
  const text = "a".repeat(2000);
  const budget = meter(30_000);
  assert.equal(compileRe2("^(a+)+$").test(`${text}!`, budget), false);
  assert.equal(compileRe2("(a|aa)+b").test(text, budget), false);
  assert.throws(() => compileRe2("a").test("b".repeat(100_000), meter(1000)), TooMuch);
});
