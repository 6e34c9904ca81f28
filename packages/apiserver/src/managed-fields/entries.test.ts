import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Actor,
  capEntries,
  entryOf,
  isReset,
  lastOfEachActor,
  type ManagedEntry,
  readEntries,
  sortEntries,
} from "./entries.ts";

const time = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, "0")}Z`;
const update = (manager: string, second: number, field = manager, apiVersion = "v1"): ManagedEntry =>
  entryOf({ manager, operation: "Update", apiVersion }, { [`f:${field}`]: {} }, time(second));

test("an empty list and one empty entry ask to forget the owners, nothing else does", () => {
  for (const given of [[], [{}], [{ manager: null, time: null }]]) assert.ok(isReset(given), JSON.stringify(given));
  for (const given of [[{}, {}], [{ manager: "a" }], [null]]) assert.ok(!isReset(given), JSON.stringify(given));
});

test("entries of clients are read into their one form, or not at all", () => {
  const given = {
    manager: "m",
    operation: "Update",
    apiVersion: "v1",
    time: time(1),
    fieldsType: "FieldsV1",
    fieldsV1: { "f:b": { 'k:{"y":1, "x":2}': { ".": {} } }, "f:a": {}, "z:later": {}, "f:c": { ".": {}, "f:d": {} } },
    unknown: 1,
  };
  const fieldsV1 = { "f:a": {}, "f:b": { 'k:{"x":2,"y":1}': {} }, "f:c": { ".": {}, "f:d": {} } };
  const { unknown: _unknown, ...known } = given;
  assert.equal(JSON.stringify(readEntries([given])), JSON.stringify([{ ...known, fieldsV1 }]));
  const again = { ...given, fieldsV1: { "f:last": {} } };
  assert.deepEqual(
    readEntries([given, again])?.map((entry) => entry.fieldsV1),
    [{ "f:last": {} }],
  );
  const broken: unknown[] = [
    { ...given, operation: "Merge" },
    { ...given, operation: undefined },
    { ...given, apiVersion: "" },
    { ...given, fieldsType: "FieldsV2" },
    { ...given, fieldsV1: "f:a" },
    { ...given, fieldsV1: { name: {} } },
    { ...given, manager: 1 },
    null,
    "text",
  ];
  for (const entry of broken) assert.equal(readEntries([given, entry]), undefined, JSON.stringify(entry));
});

test("appliers come first, then the oldest", () => {
  const applier = entryOf({ manager: "z", operation: "Apply", apiVersion: "v1" }, { "f:a": {} }, time(9));
  const [late, early, untimed] = [update("a", 5), update("b", 2), entryOf(update("c", 0), {}, undefined)];
  assert.deepEqual(sortEntries([late, early, applier, untimed]), [applier, untimed, early, late]);
});

test("ten Update managers are kept apart, the oldest of one version become one", () => {
  const ten = Array.from({ length: 10 }, (_, index) => update(`m${index}`, index));
  const applier = entryOf({ manager: "z", operation: "Apply", apiVersion: "v1" }, { "f:a": {} }, time(0));
  assert.deepEqual(capEntries([...ten, applier]), [...ten, applier]);
  const capped = sortEntries(capEntries([...ten, update("m10", 10), update("m11", 11), applier]));
  assert.equal(capped.length, 11);
  const ancient = capped.find(({ manager }) => manager === "ancient-changes");
  assert.deepEqual(ancient?.fieldsV1, { "f:m0": {}, "f:m1": {}, "f:m2": {} });
  assert.equal(ancient?.time, time(2));
  const again = capEntries([...capped, update("m12", 12)]);
  assert.deepEqual(again.filter(({ operation }) => operation === "Update").length, 10);
  assert.deepEqual(Object.keys(again.find(({ manager }) => manager === "ancient-changes")?.fieldsV1 ?? {}).length, 4);
});

test("an older bucket of the same version takes in what becomes too much, wherever its time puts it", () => {
  const entries = Array.from({ length: 11 }, (_, index) => update(`m${index}`, index));
  const capped = capEntries([...entries, update("ancient-changes", 30, "before")]);
  assert.equal(capped.length, 10);
  const buckets = capped.filter(({ manager }) => manager === "ancient-changes");
  assert.deepEqual(
    buckets.map(({ time: at, fieldsV1 }) => [at, fieldsV1]),
    [[time(1), { "f:before": {}, "f:m0": {}, "f:m1": {} }]],
  );
});

test("Update managers of other versions are not mixed", () => {
  const entries = Array.from({ length: 11 }, (_, index) =>
    update(`m${index}`, index, "a", index === 0 ? "v1beta1" : "v1"),
  );
  const capped = capEntries(entries);
  assert.equal(capped.length, 10);
  assert.ok(capped.includes(entries[0] as ManagedEntry));
  assert.deepEqual(capped.find(({ manager }) => manager === "ancient-changes")?.apiVersion, "v1");
});

test("the work for many entries grows with their number, not with its square", () => {
  const count = 2000;
  let reads = 0;
  const counting = (entry: ManagedEntry): ManagedEntry =>
    new Proxy(entry, { get: (target, name: keyof Actor) => (reads++, target[name]) });
  const entries = Array.from({ length: count }, (_, index) => counting(update(`m${index}`, (index * 7) % 60)));
  for (const work of [lastOfEachActor, sortEntries, capEntries]) {
    reads = 0;
    work(entries);
    assert.ok(reads > 0 && reads < 50 * count, `${work.name}: ${reads} reads of ${count} entries`);
  }
  const [bucket] = capEntries(entries).filter(({ manager }) => manager === "ancient-changes");
  assert.equal(Object.keys(bucket?.fieldsV1 ?? {}).length, count - 9);
});

test("a path element that is JSON nested without end makes entries unreadable, not the server fail", () => {
  for (const open of ["[", '{"a":']) {
    const depth = 20_000;
    const text = `${open.repeat(depth)}1${(open === "[" ? "]" : "}").repeat(depth)}`;
    for (const kind of ["v", "k"]) {
      const deep = { ...update("m", 0), fieldsV1: { "f:a": { [`${kind}:${text}`]: {} } } };
      assert.equal(readEntries([deep]), undefined, `${kind} ${open}`);
    }
  }
});
