import assert from "node:assert/strict";
import { test } from "node:test";
import { complaintOf, missedBy, readSuiteOutput, type TestOutcome } from "./suite-output.ts";

const mark = "\x16";

/** What comes of the text, given in pieces of `size` characters. */
function read(
  text: string,
  size = text.length,
): { outcomes: TestOutcome[]; begun: string[]; other: readonly string[] } {
  const outcomes: TestOutcome[] = [];
  const begun: string[] = [];
  const output = readSuiteOutput(
    (outcome) => outcomes.push(outcome),
    (name) => begun.push(name),
  );
  for (let at = 0; at < text.length; at += size) output.write(text.slice(at, at + size));
  return { outcomes, begun, other: output.otherLines };
}

const twoTests = `Supported features for GatewayClass traefik: [Gateway]
${mark}=== RUN   TestConformance
    suite.go:1: setting up
${mark}=== RUN   TestConformance/HTTPRouteWeight
    conformance.go:1: 2026-12-01T06:19:39.8Z: Applying tests/httproute-weight.yaml
${mark}=== RUN   TestConformance/HTTPRouteWeight/part_one
    http.go:276: 2026-12-01T06:19:39.8Z: Response expectation failed for request: {...} not ready yet: expected 200, got 500 (after 1s)
    http.go:257: 2026-12-01T06:19:40.8Z: timeout while waiting after 6 attempts
${mark}--- FAIL: TestConformance/HTTPRouteWeight/part_one (6.00s)
${mark}=== NAME  TestConformance/HTTPRouteWeight
    apply.go:283: 2026-12-01T06:19:41.8Z: Deleting weighted HTTPRoute
${mark}--- FAIL: TestConformance/HTTPRouteWeight (6.50s)
${mark}=== RUN   TestConformance/HTTPRouteMatching
${mark}--- PASS: TestConformance/HTTPRouteMatching (0.25s)
${mark}=== NAME  TestConformance
    conformance.go:9: Conformance report: ...
${mark}--- FAIL: TestConformance (10.00s)
FAIL
`;

test("each test is told once, when it has ended, with what was printed in it, in whatever pieces it comes", () => {
  for (const size of [twoTests.length, 7, 1]) {
    const { outcomes, begun, other } = read(twoTests, size);
    assert.deepEqual(
      outcomes.map(({ name, outcome, seconds }) => [name, outcome, seconds]),
      [
        ["HTTPRouteWeight", "FAIL", 6.5],
        ["HTTPRouteMatching", "PASS", 0.25],
      ],
    );
    assert.deepEqual(begun, ["HTTPRouteWeight", "HTTPRouteMatching"]);
    assert.equal(outcomes[0]?.lines.length, 5);
    assert.ok(other.includes("    suite.go:1: setting up"));
    assert.ok(!other.some((line) => line.includes("Deleting")));
  }
});

test("lines of tests that run in turns go to their own test", () => {
  const { outcomes } = read(
    [
      `${mark}=== RUN   TestConformance/A`,
      `${mark}=== PAUSE TestConformance/A`,
      `${mark}=== RUN   TestConformance/B`,
      "of b",
      `${mark}=== CONT  TestConformance/A`,
      "of a",
      `${mark}=== NAME  TestConformance/B`,
      "of b too",
      `${mark}--- PASS: TestConformance/B (0.00s)`,
      `${mark}--- PASS: TestConformance/A (0.00s)`,
      "",
    ].join("\n"),
  );
  assert.deepEqual(
    outcomes.map(({ name, lines }) => [name, lines]),
    [
      ["B", ["of b", "of b too"]],
      ["A", ["of a"]],
    ],
  );
});

const outcome = (state: TestOutcome["outcome"], name: string, ...lines: string[]): TestOutcome => ({
  name,
  outcome: state,
  seconds: 1,
  lines,
});

test("the complaint is the first failing part's, without place, time and what was tidied up after it", () => {
  assert.equal(
    complaintOf(read(twoTests).outcomes[0]!),
    "expected 200, got 500; timeout while waiting after 6 attempts",
  );
  const asserted = outcome(
    "FAIL",
    "A",
    "    Error Trace: x.go:1",
    "    Error:       Should be true",
    "    Messages:    no label",
    "    apply.go:283: 2026-12-01T06:19:41.8Z: Deleting it",
  );
  assert.equal(complaintOf(asserted), "Should be true; no label");
  assert.equal(complaintOf(outcome("FAIL", "A")), "");
});

test("a test that was left out is missed, unless it is a mesh's", () => {
  const line = "    conformance.go:9: Skipping X: suite does not support HTTPRouteRetry";
  assert.equal(missedBy(outcome("SKIP", "HTTPRouteRetry", line)), "HTTPRouteRetry is not supported");
  const skipped = "    conformance.go:66: Skipping A: test explicitly skipped";
  assert.equal(missedBy(outcome("SKIP", "A", skipped)), "Skipping A: test explicitly skipped");
  assert.equal(missedBy(outcome("SKIP", "A")), "skipped");
  assert.equal(missedBy(outcome("SKIP", "MeshBasic", "suite does not support Mesh")), undefined);
  assert.equal(missedBy(outcome("PASS", "A")), undefined);
});
