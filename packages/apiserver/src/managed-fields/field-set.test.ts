import assert from "node:assert/strict";
import { test } from "node:test";
import { difference, type FieldSet, intersection, isMember, pathsOf, union, unionOf } from "./field-set.ts";

const dot = { ".": {} };

const cases: { name: string; a: FieldSet; b: FieldSet; both: FieldSet; only: FieldSet; common: FieldSet }[] = [
  {
    name: "leaves",
    a: { "f:a": {}, "f:b": {} },
    b: { "f:b": {}, "f:c": {} },
    both: { "f:a": {}, "f:b": {}, "f:c": {} },
    only: { "f:a": {} },
    common: { "f:b": {} },
  },
  {
    name: "a field and one below it are two",
    a: { "f:a": {} },
    b: { "f:a": { "f:b": {} } },
    both: { "f:a": { ...dot, "f:b": {} } },
    only: { "f:a": {} },
    common: {},
  },
  {
    name: "what is left of a field with fields below it",
    a: { "f:a": { ...dot, "f:b": {} } },
    b: { "f:a": { "f:b": {} } },
    both: { "f:a": { ...dot, "f:b": {} } },
    only: { "f:a": {} },
    common: { "f:a": { "f:b": {} } },
  },
  {
    name: "nothing below is left",
    a: { "f:a": { "f:b": { "f:c": {} } } },
    b: { "f:a": { "f:b": { ...dot, "f:c": {} } } },
    both: { "f:a": { "f:b": { ...dot, "f:c": {} } } },
    only: {},
    common: { "f:a": { "f:b": { "f:c": {} } } },
  },
  {
    name: "order",
    a: { 'k:{"port":443}': {}, "v:1": {} },
    b: { "f:z": {}, 'k:{"port":80}': {} },
    both: { "f:z": {}, 'k:{"port":80}': {}, 'k:{"port":443}': {}, "v:1": {} },
    only: { 'k:{"port":443}': {}, "v:1": {} },
    common: {},
  },
  { name: "nothing", a: {}, b: { "f:a": {} }, both: { "f:a": {} }, only: {}, common: {} },
];

test("union, difference and intersection", () => {
  for (const { name, a, b, both, only, common } of cases) {
    const before = structuredClone([a, b]);
    assert.equal(JSON.stringify(union(a, b)), JSON.stringify(both), `${name}: union`);
    assert.equal(JSON.stringify(difference(a, b)), JSON.stringify(only), `${name}: difference`);
    assert.equal(JSON.stringify(intersection(a, b)), JSON.stringify(common), `${name}: intersection`);
    assert.deepEqual([a, b], before, `${name}: the sets are left alone`);
  }
});

test("a difference that takes nothing away is the set itself", () => {
  const set = { "f:a": { ...dot, "f:b": {} } };
  assert.equal(difference(set, { "f:a": { "f:c": {} }, "f:d": {} }), set);
});

test("membership and paths: those of a place before those below it", () => {
  const set: FieldSet = { "f:a": { "f:b": {} }, "f:c": { ...dot, 'k:{"name":"x"}': {} } };
  assert.deepEqual([isMember(set["f:a"] as FieldSet), isMember(set["f:c"] as FieldSet)], [false, true]);
  assert.deepEqual(pathsOf(set), [".c", ".a.b", '.c[name="x"]']);
});

test("a set that has all of the other is their union itself", () => {
  const a: FieldSet = { "f:a": { ".": {}, "f:b": {} }, "f:c": {} };
  for (const b of [{}, a, { "f:c": {} }, { "f:a": {} }, { "f:a": { "f:b": {} } }]) assert.equal(union(a, b), a);
  const bare: FieldSet = { "f:a": { "f:b": {} } };
  assert.deepEqual(union(bare, { "f:a": {} }), { "f:a": { ".": {}, "f:b": {} } });
  assert.deepEqual(bare, { "f:a": { "f:b": {} } }, "sets are never changed in place");
});

test("many sets are united at once, in order", () => {
  assert.deepEqual(unionOf([]), {});
  const sets = ["c", "a", "e", "b", "d", "a"].map((name): FieldSet => ({ [`f:${name}`]: {} }));
  assert.deepEqual(Object.keys(unionOf(sets)), ["f:a", "f:b", "f:c", "f:d", "f:e"]);
  assert.deepEqual(unionOf(sets.slice(0, 1)), { "f:c": {} });
});
