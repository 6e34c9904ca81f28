import assert from "node:assert/strict";
import { test } from "node:test";
import { translateMatch } from "./matches.ts";

const problemOf = (value: string): unknown => {
  const match = translateMatch({ path: { type: "RegularExpression", value } }, "rules[0].matches[0]");
  return "reason" in match ? match.message : undefined;
};

test("expressions that need backtracking are refused, as in Traefik", () => {
  for (const pattern of ["^/(?=a)", "/(?!a)", "(?<=a)b", "(?<!a)b", "(a)\\1", "(?<x>a)\\k<x>"]) {
    assert.match(String(problemOf(pattern)), /look-around or a back-reference/, pattern);
  }
  for (const pattern of ["^/(?:a|b)/\\d+$", "(?<x>a)", "\\\\1", "/a.*"])
    assert.equal(problemOf(pattern), undefined, pattern);
});
