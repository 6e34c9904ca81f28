import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { contestsFrom, type Figures, median, nothing } from "./figures.ts";

const costs = (...values: number[]): Figures[] => values.map((cpu) => ({ ...nothing, cpu }));

describe("figures", () => {
  it("takes the median of odd and even counts", () => {
    assert.equal(median([5, 1, 3]), 3);
    assert.equal(median([4, 1, 3, 2]), 2.5);
  });

  it("has no median of nothing, nor of what was not measured", () => {
    assert.ok(Number.isNaN(median([])));
    assert.ok(Number.isNaN(median([1, Number.NaN, 2])));
  });

  it("compares round by round, so that a slow round of all changes nothing", () => {
    const contests = contestsFrom([
      { name: "ours", hosts: 0, rounds: costs(10, 100, 20) },
      { name: "nginx", hosts: 0, rounds: costs(5, 50, 10) },
    ]);
    assert.deepEqual(
      contests.map(({ ratio }) => ratio),
      [1, 0.5],
    );
  });

  it("compares with ours of as many hosts, and growth with the same contestant's fewest", () => {
    const contests = contestsFrom([
      { name: "ours", hosts: 10, rounds: costs(10, 10) },
      { name: "nginx", hosts: 10, rounds: costs(20, 20) },
      { name: "ours", hosts: 1000, rounds: costs(11, 11) },
      { name: "nginx", hosts: 1000, rounds: costs(44, 44) },
    ]);
    assert.deepEqual(
      contests.map(({ ratio, growth }) => [ratio, growth]),
      [
        [1, 1],
        [2, 1],
        [1, 1.1],
        [4, 2.2],
      ],
    );
  });

  it("has no ratio without ours", () => {
    const [contest] = contestsFrom([{ name: "nginx", hosts: 0, rounds: costs(1) }]);
    assert.ok(Number.isNaN(contest?.ratio));
  });

  it("sums up what failed instead of hiding it in a median", () => {
    const rounds = [0, 0, 3].map((errors) => ({ ...nothing, errors }));
    assert.equal(contestsFrom([{ name: "ours", hosts: 0, rounds }])[0]?.median.errors, 3);
  });
});
