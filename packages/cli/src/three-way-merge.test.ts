import assert from "node:assert/strict";
import { test } from "node:test";
import { threeWayMergePatch } from "./three-way-merge.ts";

type Tree = Record<string, unknown>;

/** Keys that every JavaScript object has, as data. */
const odd = (value: unknown): Tree =>
  Object.fromEntries(["__proto__", "constructor", "toString"].map((key) => [key, value]));

const table: [what: string, original: Tree, modified: Tree, live: Tree, patch: Tree][] = [
  ["nothing differs", { a: 1 }, { a: 1 }, { a: 1, status: {} }, {}],
  ["a value changes", { a: 1 }, { a: 2 }, { a: 1 }, { a: 2 }],
  ["drift is set back", { a: 1 }, { a: 1 }, { a: 5 }, { a: 1 }],
  ["a value is new", {}, { a: 1 }, {}, { a: 1 }],
  ["a key that was ours goes", { a: 1, b: 1 }, { a: 1 }, { a: 1, b: 1 }, { b: null }],
  ["a key of others stays", { a: 1 }, { a: 1 }, { a: 1, b: 1 }, {}],
  ["a key that was ours and is gone already", { a: 1, b: 1 }, { a: 1 }, { a: 1 }, {}],
  [
    "nested: only what differs",
    { m: { x: 1, y: 2 } },
    { m: { x: 1, y: 3 } },
    { m: { x: 1, y: 2, z: 9 } },
    { m: { y: 3 } },
  ],
  [
    "nested: ours goes, others stay",
    { m: { x: 1, y: 2 } },
    { m: { x: 1 } },
    { m: { x: 1, y: 2, z: 9 } },
    { m: { y: null } },
  ],
  ["a whole mapping of ours goes", { m: { x: 1 } }, {}, { m: { x: 1 } }, { m: null }],
  ["a list is replaced as a whole", { l: [1, 2] }, { l: [1, 3] }, { l: [1, 2] }, { l: [1, 3] }],
  ["a shorter list too", { l: [1, 2] }, { l: [1] }, { l: [1, 2] }, { l: [1] }],
  ["an emptied list", { l: [1] }, { l: [] }, { l: [1] }, { l: [] }],
  ["defaults in list items are no change", { l: [{ a: 1 }] }, { l: [{ a: 1 }] }, { l: [{ a: 1, d: 2 }] }, {}],
  [
    "drift in a list item is set back",
    { l: [{ a: 1 }] },
    { l: [{ a: 1 }] },
    { l: [{ a: 2, d: 2 }] },
    { l: [{ a: 1 }] },
  ],
  [
    "an item that others added is removed",
    { l: [{ a: 1 }] },
    { l: [{ a: 1 }] },
    { l: [{ a: 1 }, { a: 2 }] },
    { l: [{ a: 1 }] },
  ],
  [
    "a key removed from a list item",
    { l: [{ a: 1, b: 2 }] },
    { l: [{ a: 1 }] },
    { l: [{ a: 1, b: 2 }] },
    { l: [{ a: 1 }] },
  ],
  [
    "unknown history: only additions",
    {},
    { a: 1, l: [{ a: 1 }] },
    { a: 1, b: 2, l: [{ a: 1, d: 1 }] },
    { l: [{ a: 1 }] },
  ],
  ["null in the manifest removes what was ours", { a: 1 }, { a: null }, { a: 1 }, { a: null }],
  ["null in the manifest of what is the server's", {}, { creationTimestamp: null }, { creationTimestamp: "t" }, {}],
  ["null twice", { a: null }, { a: null }, { a: 1 }, {}],
  ["nulls inside a new mapping are not sent", {}, { m: { a: 1, b: null, c: { d: null } } }, {}, { m: { a: 1, c: {} } }],
  ["a scalar becomes a mapping", { a: 1 }, { a: { b: 1 } }, { a: 1 }, { a: { b: 1 } }],
  ["a mapping becomes a list", { a: { b: 1 } }, { a: [1] }, { a: { b: 1 } }, { a: [1] }],
  [
    "false, 0 and empty text are values",
    { a: true, b: 1, c: "x" },
    { a: false, b: 0, c: "" },
    { a: true, b: 1, c: "x" },
    { a: false, b: 0, c: "" },
  ],
  ["keys that every object has: new", {}, odd("1"), {}, odd("1")],
  ["keys that every object has: nested", {}, { m: odd({ a: 1 }) }, { m: {} }, { m: odd({ a: 1 }) }],
  ["keys that every object has: changed", odd("1"), odd("2"), odd("1"), odd("2")],
  ["keys that every object has: ours go", odd("1"), {}, odd("1"), odd(null)],
  ["keys that every object has: gone already", odd("1"), {}, {}, {}],
  ["keys that every object has: of others stay", {}, {}, odd("1"), {}],
  ["keys that every object has: in list items", { l: [odd({})] }, { l: [odd({})] }, { l: [{}] }, { l: [odd({})] }],
];

for (const [what, original, modified, live, patch] of table) {
  test(what, () => {
    const before = structuredClone([original, modified, live]);
    assert.deepEqual(threeWayMergePatch(original, modified, live), patch);
    assert.deepEqual([original, modified, live], before, "inputs stay as they are");
  });
}
