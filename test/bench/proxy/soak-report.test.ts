import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { growthOf, renderSoak, type Sample, type SoakReport } from "./soak-report.ts";

/** Five minutes, a sample each second. */
function soakOf(sampleAt: (second: number) => Partial<Sample>): SoakReport {
  const samples = Array.from({ length: 300 }, (_, second) => {
    return { second, rss: 102_400, pss: 51_200, heap: 10_240, descriptors: 100, ...sampleAt(second) };
  });
  const about = { date: "2026-01-01", machine: "a machine", busy: 1, name: "ours", processor: 0.5 };
  return { ...about, seconds: 300, loads: [{ kind: "keep-alive", requests: 5, errors: 2 }], samples };
}

const growing = (report: SoakReport): string[] =>
  growthOf(report)
    .filter(({ constant }) => !constant)
    .map(({ figure }) => figure);

describe("a soak", () => {
  it("is constant whatever the first minute, and single samples, show", () => {
    const report = soakOf((second) => ({
      pss: second < 60 ? 10_000 : second % 50 === 0 ? 500_000 : 50_000,
      heap: second < 2 ? Number.NaN : 10_000,
    }));
    assert.deepEqual(growing(report), []);
  });

  it("tells what has grown between the second minute and the last", () => {
    assert.deepEqual(growing(soakOf((second) => ({ heap: 10_000 + 20 * second }))), ["heap"]);
    assert.deepEqual(growing(soakOf((second) => ({ descriptors: 100 + second, rss: 100 }))), ["descriptors"]);
  });

  it("that was never measured is not constant", () => {
    assert.deepEqual(growing(soakOf(() => ({ heap: Number.NaN }))), ["heap"]);
  });

  it("is printed as a table with a verdict for each figure, and for errors", () => {
    const text = renderSoak(soakOf((second) => ({ descriptors: second < 150 ? 100 : 200 })));
    assert.match(text, /^ {7}0 s {7}100\.0 {8}50\.0 {8}10\.0 {9}100$/m);
    assert.match(text, /^ {5}280 s {7}100\.0 {8}50\.0 {8}10\.0 {9}200$/m);
    assert.match(text, /✓ PSS MiB: 50\.0 in the second fifth, 50\.0 in the last/);
    assert.match(text, /✗ descriptors: 100\.0 in the second fifth, 200\.0 in the last/);
    assert.match(text, /✗ errors: 2/);
  });
});
