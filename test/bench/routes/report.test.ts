import assert from "node:assert/strict";
import { test } from "node:test";
import { asData, type Figure, isMet, type Report, renderScenario, spread } from "./report.ts";

const figure = (value: number, aim?: Figure["aim"]): Figure => ({
  name: "f",
  value,
  unit: "ms",
  ...(aim ? { aim } : {}),
});

const verdicts: [value: number, aim: Figure["aim"], met: boolean | undefined][] = [
  [50, { atMost: 50 }, true],
  [51, { atMost: 50 }, false],
  [49.9, { below: 50 }, true],
  [50, { below: 50 }, false],
  [0, { exactly: 0 }, true],
  [1, { exactly: 0 }, false],
  [1, undefined, undefined],
  [Number.NaN, { below: 50 }, undefined],
];
for (const [value, aim, met] of verdicts) {
  test(`${value} with ${JSON.stringify(aim)} is ${met}`, () => assert.equal(isMet(figure(value, aim)), met));
}

const scenario = {
  name: "probe",
  title: "Routes one after another",
  figures: [figure(4.256, { below: 5 }), figure(170, { below: 50 }), figure(12.34), figure(Number.NaN, { below: 1 })],
  notes: ["a note"],
  load: 1.25,
};

test("a scenario as people read it", () => {
  const lines = renderScenario(scenario)
    .split("\n")
    .map((line) => line.replaceAll(/ +/g, " "));
  assert.deepEqual(lines, [
    "Routes one after another (load average 1.3)",
    "f 4.26 ms below 5 ms met",
    "f 170 ms below 50 ms MISSED",
    "f 12.3 ms",
    "f not measured below 1 ms",
    "a note",
    "",
  ]);
});

test("what failed says so, and keeps what was measured before", () => {
  const text = renderScenario({ ...scenario, failure: "waited 300 s for 10 accepted routes" });
  assert.match(text, /4\.26 ms[^]*failed: waited 300 s/);
});

test("as data every figure has its verdict", () => {
  const report: Report = { date: "2026-12-01", machine: "m", cluster: "c", scenarios: [scenario] };
  const [{ figures }] = (asData(report) as { scenarios: [{ figures: { met?: boolean }[] }] }).scenarios;
  assert.deepEqual(
    figures.map(({ met }) => met),
    [true, false, undefined, undefined],
  );
});

test("a spread, and that of nothing", () => {
  assert.deepEqual(spread([3, 1, 2]), { mean: 2, p50: 2, p99: 3, max: 3 });
  assert.deepEqual(Object.values(spread([])), [NaN, NaN, NaN, NaN]);
});
