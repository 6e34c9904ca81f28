import assert from "node:assert/strict";
import { test } from "node:test";
import { type KindState, ownership } from "./kind-state.ts";

type Remembered = Pick<KindState, "made" | "containers"> | undefined;

const cases: [name: string, state: Remembered, nodes: string[], expected: ReturnType<typeof ownership>][] = [
  ["nothing anywhere", undefined, [], "absent"],
  ["removed by hand", { made: "yes", containers: ["a"] }, [], "absent"],
  ["another's", undefined, ["a"], "foreign"],
  ["another's, after an attempt of ours that kind tidied up", { made: "no" }, ["a"], "foreign"],
  ["cut off", { made: "begun" }, ["a"], "half"],
  ["cut off while a whole one was replaced", { made: "begun", containers: ["a"] }, ["b"], "half"],
  ["ours", { made: "yes", containers: ["a"] }, ["a"], "whole"],
  ["ours, with a node more", { made: "yes", containers: ["a"] }, ["b", "a"], "whole"],
  ["removed by hand, and another made by hand", { made: "yes", containers: ["a"] }, ["b"], "foreign"],
];
for (const [name, state, nodes, expected] of cases) {
  test(`whose cluster it is: ${name}`, () => {
    const containers = nodes.map((id) => ({ id }));
    assert.equal(ownership(state, containers), expected);
  });
}
