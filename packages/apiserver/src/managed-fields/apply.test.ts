// Histories of one object: who applies and updates what, and what it and its owners then are. The expectations are those of
// structured-merge-diff v6.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { applyConfig } from "./apply.ts";
import { compareObjects } from "./compare.ts";
import type { ManagedEntry } from "./entries.ts";
import { pathsOf } from "./field-set.ts";
import { entriesAfterUpdate } from "./track.ts";
import { type Tree, typedSchema } from "./typed-schema.ts";

const text: Schema = { type: "string" };
const port: Schema = {
  type: "object",
  properties: { port: { type: "integer" }, protocol: { type: "string", default: "TCP" }, name: text },
};
const spec: Schema = {
  type: "object",
  properties: {
    replicas: { type: "integer" },
    labels: { type: "object", additionalProperties: text },
    selector: { type: "object", additionalProperties: text, "x-kubernetes-map-type": "atomic" },
    args: { type: "array", items: text, "x-kubernetes-list-type": "atomic" },
    hosts: { type: "array", items: text, "x-kubernetes-list-type": "set" },
    ports: {
      type: "array",
      items: port,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["port", "protocol"],
    },
    items: {
      type: "array",
      items: { type: "object", properties: { name: text, image: text, tag: text } },
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
    },
    open: { "x-kubernetes-preserve-unknown-fields": true },
  },
};
const schema = typedSchema({ type: "object", properties: { spec } });

type Step = ["apply" | "force" | "update", manager: string, spec: Tree];

interface Outcome {
  spec: unknown;
  /** Paths below `.spec` by operation and manager. */
  owners: Record<string, string[]>;
  conflicts: string[];
}

const sorted = (texts: string[]): string[] => texts.toSorted((a, b) => (a < b ? -1 : 1));

function play(steps: Step[]): Outcome {
  let live: Tree = {};
  let entries: ManagedEntry[] = [];
  let conflicts: string[] = [];
  for (const [index, [what, manager, wanted]] of steps.entries()) {
    const now = `2026-01-01T00:00:0${index}Z`;
    if (what === "update") {
      const next = { spec: wanted };
      const changes = compareObjects(schema, live, next, new Set());
      entries = entriesAfterUpdate(entries, changes, { manager, operation: "Update", apiVersion: "v1" }, now);
      live = next;
      continue;
    }
    const actor = { manager, operation: "Apply" as const, apiVersion: "v1" };
    const applied = applyConfig({ schema, live, config: { spec: wanted }, entries, actor, part: "all", now });
    conflicts = applied.conflicts.flatMap(({ entry, fields }) =>
      pathsOf(fields).map((path) => `${entry.manager}: ${path}`),
    );
    if (what === "apply" && conflicts.length > 0) continue;
    live = applied.object;
    entries = applied.entries;
  }
  const owners = entries.map(({ operation, manager, fieldsV1 }) => [
    `${operation} ${manager}`,
    sorted(pathsOf(fieldsV1).map((path) => path.replace(/^\.spec\.?/, ""))),
  ]);
  return { spec: live["spec"], owners: Object.fromEntries(owners), conflicts: sorted(conflicts) };
}

const histories: { name: string; steps: Step[]; expected: Partial<Outcome> }[] = [
  {
    name: "a field that its manager no longer applies goes",
    steps: [
      ["apply", "a", { replicas: 1, labels: { x: "1", y: "2" } }],
      ["apply", "a", { labels: { x: "1" } }],
    ],
    expected: { spec: { labels: { x: "1" } }, owners: { "Apply a": ["labels.x"] } },
  },
  {
    name: "it stays when another applier has it too",
    steps: [
      ["apply", "a", { replicas: 1, labels: { x: "1" } }],
      ["apply", "b", { replicas: 1 }],
      ["apply", "a", { labels: { x: "1" } }],
    ],
    expected: {
      spec: { replicas: 1, labels: { x: "1" } },
      owners: { "Apply a": ["labels.x"], "Apply b": ["replicas"] },
    },
  },
  {
    name: "it stays when an updater has taken it over",
    steps: [
      ["apply", "a", { replicas: 1 }],
      ["update", "b", { replicas: 2 }],
      ["apply", "a", {}],
    ],
    expected: { spec: { replicas: 2 }, owners: { "Apply a": [""], "Update b": ["replicas"] } },
  },
  {
    name: "an item goes with whoever applied it, the others stay",
    steps: [
      ["apply", "a", { items: [{ name: "x", image: "1" }] }],
      ["update", "b", { items: [{ name: "x", image: "1", tag: "t" }, { name: "y" }] }],
      ["apply", "a", {}],
    ],
    expected: { spec: { items: [{ name: "y" }] } },
  },
  {
    name: "a list goes with its last applier",
    steps: [
      ["apply", "a", { hosts: ["x"], items: [{ name: "x" }] }],
      ["apply", "a", {}],
    ],
    expected: { spec: {}, owners: { "Apply a": [""] } },
  },
  {
    name: "another value is a conflict, and changes nothing",
    steps: [
      ["apply", "a", { replicas: 1, labels: { x: "1" } }],
      ["apply", "b", { replicas: 2, labels: { x: "2", y: "1" } }],
    ],
    expected: {
      spec: { replicas: 1, labels: { x: "1" } },
      owners: { "Apply a": ["labels.x", "replicas"] },
      conflicts: ["a: .spec.labels.x", "a: .spec.replicas"],
    },
  },
  {
    name: "by force it is taken over",
    steps: [
      ["apply", "a", { replicas: 1, labels: { x: "1" } }],
      ["force", "b", { replicas: 2 }],
    ],
    expected: {
      spec: { replicas: 2, labels: { x: "1" } },
      owners: { "Apply a": ["labels.x"], "Apply b": ["replicas"] },
    },
  },
  {
    name: "the same value is shared without conflict",
    steps: [
      ["update", "a", { replicas: 1 }],
      ["apply", "b", { replicas: 1 }],
    ],
    expected: { conflicts: [], owners: { "Apply b": ["replicas"], "Update a": ["", "replicas"] } },
  },
  {
    name: "one value: an atomic map, an atomic list",
    steps: [
      ["apply", "a", { selector: { x: "1" }, args: ["1"] }],
      ["apply", "b", { selector: { y: "1" }, args: ["1", "2"] }],
    ],
    expected: { conflicts: ["a: .spec.args", "a: .spec.selector"] },
  },
  {
    name: "a set is owned value by value",
    steps: [
      ["apply", "a", { hosts: ["x", "y"] }],
      ["apply", "b", { hosts: ["z", "y"] }],
      ["apply", "a", { hosts: ["x"] }],
    ],
    expected: {
      spec: { hosts: ["x", "z", "y"] },
      owners: { "Apply a": ['hosts[="x"]'], "Apply b": ['hosts[="y"]', 'hosts[="z"]'] },
    },
  },
  {
    name: "items are told apart by their keys, defaults included",
    steps: [
      ["apply", "a", { ports: [{ port: 80 }, { port: 53, protocol: "UDP" }] }],
      ["apply", "b", { ports: [{ port: 80, protocol: "TCP", name: "web" }] }],
    ],
    expected: {
      conflicts: [],
      spec: {
        ports: [
          { port: 80, protocol: "TCP", name: "web" },
          { port: 53, protocol: "UDP" },
        ],
      },
    },
  },
  {
    name: "the applied order wins, live items keep their place between",
    steps: [
      ["update", "a", { items: [{ name: "1" }, { name: "2" }, { name: "3" }, { name: "4" }] }],
      ["apply", "b", { items: [{ name: "4" }, { name: "new" }, { name: "2" }] }],
    ],
    expected: { spec: { items: [{ name: "1" }, { name: "3" }, { name: "4" }, { name: "new" }, { name: "2" }] } },
  },
  {
    name: "items that share a key are owned together",
    steps: [
      [
        "update",
        "a",
        {
          items: [
            { name: "x", image: "1" },
            { name: "x", image: "2" },
          ],
        },
      ],
      ["apply", "b", { items: [{ name: "x", image: "3" }] }],
    ],
    expected: { conflicts: ['a: .spec.items[name="x"]'] },
  },
  {
    name: "where the schema says nothing maps merge and lists do not",
    steps: [
      ["apply", "a", { open: { m: { x: 1 }, l: [1] } }],
      ["apply", "b", { open: { m: { y: 1 }, l: [2] } }],
    ],
    expected: { conflicts: ["a: .spec.open.l"] },
  },
  {
    name: "an empty map is owned as such",
    steps: [["apply", "a", { labels: {}, open: { m: {} } }]],
    expected: { owners: { "Apply a": ["labels", "open.m"] }, spec: { labels: {}, open: { m: {} } } },
  },
  {
    name: "an update takes what it changes, and gives up what it removes",
    steps: [
      ["update", "a", { replicas: 1, labels: { x: "1", y: "1" } }],
      ["update", "b", { replicas: 1, labels: { x: "2" } }],
    ],
    expected: { owners: { "Update a": ["", "labels", "replicas"], "Update b": ["labels.x"] } },
  },
];

describe("the history", () => {
  for (const { name, steps, expected } of histories) {
    test(name, () => {
      const outcome = play(steps);
      const actual = Object.fromEntries(Object.keys(expected).map((what) => [what, outcome[what as keyof Outcome]]));
      assert.deepEqual(actual, expected);
    });
  }
});

test("applying the same again gives the same entries", () => {
  const config = { spec: { replicas: 1, items: [{ name: "x" }] } };
  const application = {
    schema,
    config,
    part: "all" as const,
    actor: { manager: "a", operation: "Apply" as const, apiVersion: "v1" },
  };
  const first = applyConfig({ ...application, live: {}, entries: [], now: "2026-01-01T00:00:00Z" });
  const again = applyConfig({
    ...application,
    live: first.object,
    entries: first.entries,
    now: "2026-01-01T00:00:01Z",
  });
  assert.equal(again.entries, first.entries);
  assert.deepEqual(again.object, first.object);
});

test("another version of the same applier replaces its entry", () => {
  const config = { spec: { replicas: 1 } };
  const actor = (apiVersion: string) => ({ manager: "a", operation: "Apply" as const, apiVersion });
  const first = applyConfig({
    schema,
    live: {},
    config,
    entries: [],
    actor: actor("v1beta1"),
    part: "all",
    now: "2026-01-01T00:00:00Z",
  });
  const next = {
    schema,
    live: first.object,
    config,
    entries: first.entries,
    part: "all" as const,
    now: "2026-01-01T00:00:01Z",
  };
  const { entries } = applyConfig({ ...next, actor: actor("v1") });
  assert.deepEqual(
    entries.map(({ apiVersion }) => apiVersion),
    ["v1"],
  );
});

test("an object called __proto__ stays an entry", () => {
  const config = JSON.parse('{"spec":{"labels":{"__proto__":"1"}}}') as Tree;
  const actor = { manager: "a", operation: "Apply" as const, apiVersion: "v1" };
  const live = JSON.parse('{"spec":{"labels":{"x":"1"}}}') as Tree;
  const { object, entries } = applyConfig({
    schema,
    live,
    config,
    entries: [],
    actor,
    part: "all",
    now: "2026-01-01T00:00:00Z",
  });
  assert.equal(JSON.stringify(object), '{"spec":{"labels":{"x":"1","__proto__":"1"}}}');
  assert.deepEqual(pathsOf(entries[0]?.fieldsV1 ?? {}), [".spec.labels.__proto__"]);
});
