import assert from "node:assert/strict";
import { test } from "node:test";
import { formatLabelSelector, matchesLabels, parseLabelSelector, requirementsOf } from "./selectors.ts";
import { StatusError } from "./status-error.ts";

const labels = { app: "whoami", tier: "a", empty: "", "example.com/part": "x", weight: "5" };

const table: [selector: string, matches: boolean][] = [
  ["", true],
  ["  ", true],
  ["app=whoami", true],
  ["app==whoami", true],
  ["app = whoami", true],
  ["app=other", false],
  ["app!=other", true],
  ["app!=whoami", false],
  ["missing!=x", true],
  ["app", true],
  ["missing", false],
  ["!missing", true],
  ["! missing", true],
  ["!app", false],
  ["tier in (a,b)", true],
  ["tier in ( b , c )", false],
  ["tier notin (b)", true],
  ["tier notin (a, b)", false],
  ["missing notin (a)", true],
  ["empty=", true],
  ["empty in ()", true],
  ["app=", false],
  ["app=whoami,tier in (a,b),!old", true],
  ["app=whoami,tier in (c),!old", false],
  ["example.com/part=x", true],
  // Names of Object.prototype are valid label keys and not labels of anything.
  ["constructor", false],
  ["!constructor", true],
  ["toString!=x", true],
  ["weight>4", true],
  ["weight > 5", false],
  ["weight<6,app", true],
  ["weight<-1", false],
  ["app>4", false],
  ["missing<4", false],
];

for (const [selector, expected] of table) {
  test(`selector "${selector}" ${expected ? "matches" : "does not match"}`, () => {
    assert.equal(matchesLabels(parseLabelSelector(selector), labels), expected);
  });
}

test("absent labels match only what asks for absence", () => {
  assert.equal(matchesLabels(parseLabelSelector("!a,b!=c"), undefined), true);
  assert.equal(matchesLabels(parseLabelSelector("a"), undefined), false);
});

for (const selector of [
  "a>",
  "a>b",
  "a<1.5",
  ">1",
  "a,",
  ",",
  "a,,b",
  "a=b=c",
  "!a=b",
  "a in (b",
  "a in b",
  "a b",
  "-a",
  "a=-b",
  "Upper.example/a=b",
  "/a",
  "a/b/c",
  `${"k".repeat(64)}=x`,
  `a=${"v".repeat(64)}`,
]) {
  test(`selector "${selector.slice(0, 20)}" is refused and quoted`, () => {
    assert.throws(
      () => parseLabelSelector(selector),
      (error) => error instanceof StatusError && error.code === 400 && error.message.includes(`"${selector}"`),
    );
  });
}

test("an object's selector holds both of its halves", () => {
  const requirements = requirementsOf({
    matchLabels: { app: "whoami" },
    matchExpressions: [{ key: "tier", operator: "In", values: ["a", "b"] }],
  });
  assert.equal(matchesLabels(requirements, labels), true);
  assert.equal(matchesLabels(requirements, { app: "whoami", tier: "c" }), false);
  assert.equal(matchesLabels(requirements, { tier: "a" }), false);
  assert.equal(matchesLabels(requirementsOf({}), labels), true);
});

test("formatting gives text that parses to the same requirements", () => {
  const requirements = parseLabelSelector("a=b,c!=d,e in (f,g),h notin (i,j),k,!l,m=");
  assert.equal(formatLabelSelector(requirements), "a=b,c!=d,e in (f,g),h notin (i,j),k,!l,m=");
  assert.deepEqual(parseLabelSelector(formatLabelSelector(requirements)), requirements);
});
