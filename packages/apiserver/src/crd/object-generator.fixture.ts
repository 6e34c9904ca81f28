// Objects for property-based tests: grown from a schema, or changed in a few places. A seed makes the same objects again.

import type { Schema } from "@gatehouse/apimachinery/schema";
import { compilePattern } from "../schema/pattern.ts";

type Tree = Record<string, unknown>;

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export type Random = () => number;

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;

/** Texts that mean something to one rule or another of the Gateway API. */
const texts = [
  ..."a|foo|foo-bar|whoami-v1|example.com|*.example.com|a.b.c|*.com|EXAMPLE.com|192.0.2.1|2001:db8::1|*|-|".split("|"),
  ..."/|/x|/x/y|x|//|/./|/../|/a//b|/a/..|/%2f|/#|/a b|/é|GET|POST|TRACE|10s|1h|0s|1.5s|500ms|90m|1h1m|bad".split("|"),
  ..."Service|Gateway|HTTPRoute|ConfigMap|Secret|gateway.networking.k8s.io|core|v1|80|8080|65536|True|Unknown".split(
    "|",
  ),
  ..."https://example.com|https://*.example.com|http://x:8080|*|null|spiffe://a/b|Accepted|Pending|x-foo|X_Foo|a b|é".split(
    "|",
  ),
  ..."Exact|PathPrefix|RegularExpression|RequestRedirect|URLRewrite|HTTP|HTTPS|TLS|TCP|UDP|Terminate|Passthrough".split(
    "|",
  ),
  "a".repeat(64),
  "a".repeat(254),
  `${"a".repeat(63)}.example.com`,
  "2026-01-01T00:00:00Z",
  "example.com/controller",
  "example.com/a-b",
];
const numbers = [0, 1, 2, 80, 301, 302, 308, 404, 443, 65_535, 65_536, -1, 100, 101, 1_000_000, 1.5];
const strange: unknown[] = [null, "", 0, true, [], {}, "text", [""], { a: 1 }];

const patterns = new Map<string, (text: string) => boolean>();

function fits(schema: Schema, text: string): boolean {
  const { pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  if (text.length < minLength || text.length > maxLength) return false;
  if (pattern === undefined) return true;
  let test = patterns.get(pattern);
  if (!test) {
    const compiled = compilePattern(pattern);
    test = (value) => compiled.test(value);
    patterns.set(pattern, test);
  }
  return test(text);
}

const fitting = new WeakMap<Schema, string[]>();

function text(schema: Schema, random: Random): string {
  if (random() < 0.04) return pick(random, texts);
  let good = fitting.get(schema);
  if (!good) {
    good = texts.filter((each) => fits(schema, each));
    fitting.set(schema, good);
  }
  return pick(random, good.length > 0 ? good : texts);
}

function number(schema: Schema, random: Random): number {
  if (random() < 0.04) return pick(random, numbers);
  const { minimum = -1, maximum = 70_000 } = schema;
  return random() < 0.3 ? pick(random, [minimum, maximum]) : Math.round(minimum + random() * (maximum - minimum));
}

/** A value of `schema`, mostly a valid one. */
export function grow(schema: Schema, random: Random, depth = 0): unknown {
  if (random() < 0.004) return structuredClone(pick(random, strange));
  if (schema.enum) return random() < 0.02 ? "Other" : pick(random, schema.enum);
  if (schema["x-kubernetes-int-or-string"]) return random() < 0.5 ? number(schema, random) : text(schema, random);
  switch (schema.type) {
    case "object":
      return growObject(schema, random, depth);
    case "array":
      return growList(schema, random, depth);
    case "integer":
    case "number":
      return number(schema, random);
    case "boolean":
      return random() < 0.5;
    default:
      return text(schema, random);
  }
}

function growObject(schema: Schema, random: Random, depth: number): Tree {
  const object: Tree = {};
  const required = new Set(schema.required);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (random() < (required.has(name) ? 0.99 : 0.35 / (1 + depth / 6)))
      object[name] = grow(property, random, depth + 1);
  }
  if (typeof schema.additionalProperties === "object") {
    for (let count = Math.floor(random() * 3); count > 0; count--) {
      object[pick(random, texts)] = grow(schema.additionalProperties, random, depth + 1);
    }
  }
  if (random() < 0.01) object["unknownField"] = 1;
  return object;
}

function growList({ items = {}, minItems = 0, maxItems = 64 }: Schema, random: Random, depth: number): unknown[] {
  const excess = maxItems < 17 && random() < 0.02;
  const count = excess ? maxItems + 1 : Math.min(maxItems, minItems + Math.floor(random() * 3));
  return Array.from({ length: count }, () => grow(items, random, depth + 1));
}

/** A copy of `value` (of `schema`) that differs in one to three places. */
export function mutate(value: unknown, schema: Schema, random: Random): unknown {
  let next: unknown = structuredClone(value);
  for (let count = 1 + Math.floor(random() * 3); count > 0; count--) next = mutateOnce(next, schema, random);
  return next;
}

function mutateOnce(value: unknown, schema: Schema, random: Random): unknown {
  const isHere = random() < 0.2;
  if (Array.isArray(value)) {
    if (value.length === 0 || isHere) return mutateList(value, schema, random);
    const index = Math.floor(random() * value.length);
    value[index] = mutateOnce(value[index], schema.items ?? {}, random);
    return value;
  }
  if (value !== null && typeof value === "object") {
    const tree = value as Tree;
    const names = Object.keys(tree);
    if (names.length === 0 || isHere) return mutateObject(tree, schema, random);
    const name = pick(random, names);
    tree[name] = mutateOnce(tree[name], schema.properties?.[name] ?? asSchema(schema.additionalProperties), random);
    return tree;
  }
  return random() < 0.15 ? structuredClone(pick(random, strange)) : grow(schema, random);
}

const asSchema = (value: Schema | boolean | undefined): Schema => (typeof value === "object" ? value : {});

function mutateList(list: unknown[], { items = {} }: Schema, random: Random): unknown[] {
  const index = Math.floor(random() * list.length);
  if (list.length > 0 && random() < 0.4) return list.toSpliced(index, 1);
  if (list.length > 0 && random() < 0.5) return [...list, structuredClone(list[index])];
  return [...list, grow(items, random)];
}

function mutateObject(tree: Tree, schema: Schema, random: Random): Tree {
  const present = Object.keys(tree);
  if (present.length > 0 && random() < 0.35) {
    const { [pick(random, present)]: _, ...rest } = tree;
    return rest;
  }
  const declared = Object.entries(schema.properties ?? {});
  if (declared.length === 0)
    return { ...tree, [pick(random, texts)]: grow(asSchema(schema.additionalProperties), random) };
  const [name, property] = pick(random, declared);
  return { ...tree, [name]: grow(property, random) };
}
