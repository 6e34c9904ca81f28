import assert from "node:assert/strict";
import { test } from "node:test";
import { shortcomings, shortcomingsOf, type SuiteReport, summaryPage } from "./suite-report.ts";

type Profile = SuiteReport["profiles"][number];
const statistics = (Passed: number, Failed = 0, Skipped = 0) => ({ Passed, Failed, Skipped });

function reportOf(change: Partial<Profile> = {}): SuiteReport {
  const profile: Profile = {
    name: "GATEWAY-HTTP",
    core: { result: "success", statistics: statistics(33) },
    extended: {
      result: "success",
      statistics: statistics(28),
      supportedFeatures: ["HTTPRouteCORS", "GatewayPort8080"],
    },
    ...change,
  };
  return {
    gatewayAPIVersion: "v1.4.0",
    gatewayAPIChannel: "experimental",
    date: "2026-12-01T06:00:00Z",
    implementation: { version: "v0.1.0" },
    profiles: [profile],
    succeededProvisionalTests: ["UDPRoute"],
  };
}

const wanted = ["GATEWAY-HTTP"];

test("nothing is wanting where all passed, nothing was left out and every feature is supported", () => {
  assert.deepEqual(shortcomings(reportOf(), wanted, [{ name: "A", outcome: "PASS", seconds: 1, lines: [] }]), []);
});

test("each failure, skip, unsupported feature and missing profile is named", () => {
  const core = { result: "failure" as const, statistics: statistics(30, 2, 1) };
  const extended = { result: "partial" as const, statistics: statistics(5, 0, 1), unsupportedFeatures: ["X", "Y"] };
  assert.deepEqual(shortcomings(reportOf({ core, extended }), [...wanted, "GATEWAY-TLS"], []), [
    "GATEWAY-TLS: not in the report",
    "GATEWAY-HTTP core: 2 tests failed",
    "GATEWAY-HTTP core: 1 test skipped",
    "GATEWAY-HTTP extended: 1 test skipped",
    "GATEWAY-HTTP: not supported: X, Y",
  ]);
  const { extended: _, ...bare } = reportOf().profiles[0]!;
  const untested = { ...reportOf(), profiles: [bare] };
  assert.deepEqual(shortcomings(untested, wanted, []), ["GATEWAY-HTTP extended: nothing was tested"]);
});

test("tests that the report does not count are seen all the same", () => {
  const lines = ["suite does not support UDPRoute"];
  assert.deepEqual(
    shortcomingsOf([
      { name: "A", outcome: "FAIL", seconds: 1, lines: [] },
      { name: "UDPRoute", outcome: "SKIP", seconds: 0, lines },
      { name: "MeshBasic", outcome: "SKIP", seconds: 0, lines: ["suite does not support Mesh"] },
    ]),
    ["A failed", "UDPRoute did not run: UDPRoute is not supported"],
  );
});

test("the page has a row per profile and level, the features, and what is wanting", () => {
  const outcomes = (["PASS", "PASS", "FAIL", "SKIP"] as const).map((outcome, index) => ({
    name: `Test${index}`,
    outcome,
    seconds: 1,
    lines: [],
  }));
  const mesh = { name: "MeshBasic", outcome: "SKIP" as const, seconds: 0, lines: [] };
  const options = {
    outcomes: [...outcomes, mesh],
    wanting: ["GATEWAY-TLS: not in the report"],
    command: "npm run x",
    seconds: 99,
  };
  const page = summaryPage(reportOf(), options);
  assert.match(page, /^4 tests of Gateways: 2 passed, 1 failed, 1 left out\./m);
  assert.match(page, /2026-12-01\. Made by the official suite, unmodified, in 99 seconds:\n\n {4}npm run x$/m);
  assert.match(page, /^# Gateway API v1\.4\.0, experimental channel: conformance$/m);
  assert.match(page, /^\| GATEWAY-HTTP \| core \| 33 \| 0 \| 0 \|$/m);
  assert.match(page, /^\| GATEWAY-HTTP \| extended \| 28 \| 0 \| 0 \|$/m);
  assert.match(page, /^\*\*Extended features supported \(2\):\*\* GatewayPort8080, HTTPRouteCORS$/m);
  assert.match(page, /^\*\*Not supported \(0\):\*\* none$/m);
  assert.match(page, /^- GATEWAY-TLS: not in the report$/m);
  assert.doesNotMatch(summaryPage(reportOf(), { ...options, wanting: [] }), /Wanting/);
});
