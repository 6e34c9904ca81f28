import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Bundle, experimental } from "./bundle.ts";
import {
  atomicList,
  boolean,
  enumeration,
  type Infer,
  integer,
  mapList,
  mapOf,
  object,
  only,
  rule,
  setList,
  string,
} from "./schema-builder.ts";

const standard: Bundle = { version: "v1.4.0", channel: "standard" };
const newer: Bundle = { version: "v1.6.1", channel: "standard" };
const trial: Bundle = { version: "v1.4.0", channel: "experimental" };

/** Compiles only when both types are the same, optional members included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function sameType<A, B>(_same: Same<A, B>): void {}

describe("schemas", () => {
  test("scalars carry type, description and keywords", () => {
    assert.deepEqual(string("A name.", { minLength: 1, pattern: "^a$" }).render(standard), {
      description: "A name.",
      type: "string",
      minLength: 1,
      pattern: "^a$",
    });
    assert.deepEqual(integer("A port.", { format: "int32", maximum: 65535 }).render(standard), {
      description: "A port.",
      type: "integer",
      format: "int32",
      maximum: 65535,
    });
    assert.deepEqual(boolean("A switch.").render(standard), {
      description: "A switch.",
      type: "boolean",
    });
  });

  test("an enumeration knows the values of the bundle, in order, and the type of its values", () => {
    const color = enumeration("A colour.", ["red", only("green", experimental), "blue"]);
    assert.deepEqual(color.render(standard), {
      description: "A colour.",
      type: "string",
      enum: ["red", "blue"],
    });
    assert.deepEqual(color.render(trial).enum, ["red", "green", "blue"]);
    assert.equal(enumeration("A code.", [301, only(308, { since: "v1.6.1" })]).render(newer).type, "integer");
  });

  test("an object requires what is neither optional, defaulted nor gated, sorted by name", () => {
    const schema = object("Thing.", {
      b: string("b"),
      a: string("a"),
      c: string("c").optional(),
      d: integer("d").default(1),
      e: string("e").only(experimental),
    });
    assert.deepEqual(schema.render(standard).required, ["a", "b"]);
    assert.deepEqual(Object.keys(schema.render(standard).properties ?? {}), ["b", "a", "c", "d"]);
    assert.deepEqual(schema.render(trial).required, ["a", "b"]);
    assert.deepEqual(Object.keys(schema.render(trial).properties ?? {}), ["b", "a", "c", "d", "e"]);
    assert.equal(schema.render(standard).properties?.d?.default, 1);
  });

  test("an object without required fields has no `required`", () => {
    assert.equal("required" in object("Thing.", { a: string("a").optional() }).render(standard), false);
  });

  test("a field may be optional in some bundles only", () => {
    const schema = object("Thing.", { a: string("a").optional({ since: "v1.6.1" }) });
    assert.deepEqual(schema.render(standard).required, ["a"]);
    assert.equal(schema.render(newer).required, undefined);
  });

  test("keywords may differ by bundle, the later override wins", () => {
    const value = string("v", { maxLength: 8 })
      .when({ since: "v1.6.1" }, { maxLength: 16 })
      .when({ channel: "experimental" }, { maxLength: 32 });
    assert.deepEqual(
      [standard, newer, trial].map((bundle) => value.render(bundle).maxLength),
      [8, 16, 32],
    );
  });

  test("rules are kept in order and by bundle, without the clauses", () => {
    const value = string("v").rules(rule("first", "self != ''"), rule("second", "true", experimental));
    assert.deepEqual(value.render(standard)["x-kubernetes-validations"], [{ message: "first", rule: "self != ''" }]);
    assert.equal(value.render(trial)["x-kubernetes-validations"]?.length, 2);
    assert.equal(
      "x-kubernetes-validations" in
        string("v")
          .rules(rule("r", "true", experimental))
          .render(standard),
      false,
    );
  });

  test("lists say how they merge", () => {
    const item = object("Item.", { name: string("Name.") });
    assert.equal(atomicList("l", item).render(standard)["x-kubernetes-list-type"], "atomic");
    assert.equal(setList("l", string("s")).render(standard)["x-kubernetes-list-type"], "set");
    const map = mapList("l", ["name"], item, { maxItems: 2 }).render(standard);
    assert.deepEqual([map["x-kubernetes-list-type"], map["x-kubernetes-list-map-keys"]], ["map", ["name"]]);
    assert.equal(map.maxItems, 2);
    assert.deepEqual(map.items, item.render(standard));
  });

  test("a map describes its values", () => {
    const schema = mapOf("Labels.", string("Value.", { maxLength: 63 }), {
      maxProperties: 8,
    }).render(standard);
    assert.deepEqual(schema.additionalProperties, {
      description: "Value.",
      type: "string",
      maxLength: 63,
    });
    assert.equal(schema.maxProperties, 8);
  });

  test("nested fields are gated too", () => {
    const inner = object("Inner.", { a: string("a").only(experimental) });
    const outer = object("Outer.", { list: atomicList("l", inner) });
    assert.deepEqual(outer.render(standard).properties?.list?.items?.properties, {});
    assert.ok(outer.render(trial).properties?.list?.items?.properties?.a);
  });
});

describe("definitions", () => {
  test("are immutable: a changed copy leaves the original as it was", () => {
    const original = string("Original.");
    original.describe("Other.").optional().default("x").rules(rule("m", "true")).when({}, { maxLength: 1 });
    assert.deepEqual(original.render(standard), { description: "Original.", type: "string" });
    assert.deepEqual(object("o", { original }).render(standard).required, ["original"]);
  });

  test("render fresh trees: changing one leaves the next untouched", () => {
    const definition = object("Thing.", {
      kinds: atomicList("Kinds.", enumeration("Kind.", ["A", "B"])).default(["A"]),
    }).rules(rule("m", "true"));
    const expected = structuredClone(definition.render(standard));
    const spoilt = definition.render(standard);
    const kinds = spoilt.properties?.kinds ?? assert.fail("no property kinds");
    (kinds.default as string[]).push("B");
    kinds.items?.enum?.pop();
    spoilt["x-kubernetes-validations"]?.pop();
    assert.deepEqual(definition.render(standard), expected);
  });
});

describe("static types (checked by the compiler)", () => {
  const thing = object("Thing.", {
    name: string("n"),
    mode: enumeration("m", ["Exact", only("Prefix", experimental)]).default("Exact"),
    code: enumeration("c", [301, 302]),
    on: boolean("o").only(experimental),
    tags: setList("t", string("tag")).optional(),
    labels: mapOf("l", string("v")).optional({ since: "v1.6.1" }),
    nested: atomicList("n", object("i", { port: integer("p") })),
  });

  test("are inferred from the fields", () => {
    interface Expected {
      name: string;
      mode?: "Exact" | "Prefix";
      code: 301 | 302;
      on?: boolean;
      tags?: string[];
      labels?: Record<string, string>;
      nested: { port: number }[];
    }
    const toExpected: (value: Infer<typeof thing>) => Expected = (value) => value;
    const fromExpected: (value: Expected) => Infer<typeof thing> = (value) => value;
    assert.equal(typeof toExpected, typeof fromExpected);
    sameType<Infer<typeof thing>["mode"], "Exact" | "Prefix" | undefined>(true);
    sameType<Infer<typeof thing>["nested"], { port: number }[]>(true);
  });

  test("refuse what the schema refuses", () => {
    type Thing = Infer<typeof thing>;
    const good: Thing = { name: "a", code: 301, nested: [] };
    // @ts-expect-error: a required field is missing
    const missing: Thing = { name: "a", nested: [] };
    // @ts-expect-error: not one of the values
    const wrongValue: Thing = { ...good, mode: "Suffix" };
    // @ts-expect-error: an unknown field
    const unknownField: Thing = { ...good, nmae: "a" };
    // @ts-expect-error: the default must be a value of the type
    const wrongDefault = enumeration("m", ["a", "b"]).default("c");
    // @ts-expect-error: a map key must be a field of the items
    const wrongKey = mapList("l", ["nmae"], object("i", { name: string("n") }));
    assert.equal([missing, wrongValue, unknownField, wrongDefault, wrongKey].length, 5);
  });
});
