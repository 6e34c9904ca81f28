import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePattern } from "./pattern.ts";

test("RE2's syntax is understood", () => {
  const cases: [string, string, boolean][] = [
    ["^[-_a-z0-9]+$", "a-_9", true],
    ["^[a-z\\-\\.]+$", "a-.", true],
    ["^a\\-b\\_c$", "a-b_c", true],
    ["^[[:alnum:]]+$", "aB9", true],
    ["^[[:alnum:]]+$", "a-b", false],
    ["^[^[:space:]]+$", "a b", false],
    ["(?i)^abc$", "ABC", true],
    ["^(?P<name>a)b$", "ab", true],
    ["\\Aabc\\z", "abc", true],
    ["^\\Qa.b\\E$", "a.b", true],
    ["^\\Qa.b\\E$", "axb", false],
    ["^[]a]+$", "]a", true],
    ["^[/\\\\]$", "\\", true],
    ["^\\x{1F600}$", "😀", true],
    ["^.$", "😀", true],
    ["^\\d{3}$", "123", true],
    ["^#!@%&=~'\"<>,;:`$", "#!@%&=~'\"<>,;:`", true],
    // The pattern of HTTPRoute header names.
    ["^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$", "X-Real`Ip", true],
  ];
  for (const [source, text, matches] of cases) assert.equal(compilePattern(source).test(text), matches, source);
});

test("what RE2 refuses is refused", () => {
  for (const source of ["(?=a)", "(?!a)", "(?<=a)b", "(a)\\1", "(", "[a", "a{2,1}", "*"]) {
    assert.throws(() => compilePattern(source), SyntaxError, source);
  }
});

test("an expression made to be slow is not", () => {
  const slow = compilePattern("^(a+)+$");
  assert.equal(slow.test("a".repeat(5_000)), true);
  assert.equal(slow.test(`${"a".repeat(5_000)}!`), false);
});

test("a text that would cost too much does not match, a shorter one does", () => {
  const pattern = compilePattern("(a?){1000}$");
  assert.equal(pattern.test("a".repeat(10)), true);
  // Without its cost this would match, too.
  assert.equal(pattern.test("a".repeat(12_000)), false);
  // Too large to remember its states.
  assert.equal(compilePattern("^(a?){1000}(b?){1000}$").test("aab"), true);
  assert.equal(compilePattern("^(a?){1000}(b?){1000}$").test("aba"), false);
});
