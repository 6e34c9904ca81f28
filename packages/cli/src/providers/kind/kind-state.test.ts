import assert from "node:assert/strict";
import { test } from "node:test";
import { clusterMark, type KindState, type Ownership, ownership } from "./kind-state.ts";

const directory = "/home/u/.gatehouse/kind/gatehouse";
const ours = `/home/u/.gatehouse/kind/gatehouse/${clusterMark(directory)} /${clusterMark(directory)} /var/lib/docker/volumes/x /var`;
const theirs = "/var/lib/docker/volumes/y /var";

const cases: [name: string, made: KindState["made"] | undefined, mounts: string[], expected: Ownership][] = [
  ["nothing anywhere", undefined, [], "absent"],
  ["removed by hand", "yes", [], "absent"],
  ["another's", undefined, [theirs], "foreign"],
  ["another's, after an attempt of ours that kind tidied up", "no", [theirs], "foreign"],
  ["another's, made while ours was still pulling its image", "begun", [theirs], "foreign"],
  ["removed by hand, and another made by hand", "yes", [theirs], "foreign"],
  ["another state directory's", "yes", [ours.replaceAll("gatehouse-", "gatehouse-0")], "foreign"],
  ["cut off", "begun", [ours], "half"],
  ["left behind by a kind that failed", "no", [ours], "half"],
  ["ours, and its state is lost", undefined, [ours], "half"],
  ["ours", "yes", [ours], "whole"],
  ["ours, with a node of somebody else's", "yes", [ours, theirs], "foreign"],
];
for (const [name, made, mounts, expected] of cases) {
  test(`whose cluster it is: ${name}`, () => {
    const nodes = mounts.map((each) => ({ mounts: each }));
    assert.equal(ownership(made && { made }, nodes, directory), expected);
  });
}
