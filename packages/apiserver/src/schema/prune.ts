// Removes what a structural schema does not know (apiextensions schema/pruning).

import type { Schema } from "@gatehouse/apimachinery/schema";
import { objectMeta } from "../kinds/types/meta.ts";

type Tree = Record<string, unknown>;

const metaFields = new Set(["apiVersion", "kind", "metadata"]);

/** Where a field is kept or dropped and its sub-schema; `any` keeps the whole subtree. */
type Verdict = Schema | "any" | "unknown";

/**
 * Drops the fields of the object `value` that `schema` does not declare, in place, and returns their paths in Kubernetes'
 * form (`spec.foo`, `spec.rules[0].bar`), sorted. The root's apiVersion, kind and metadata are left alone.
 */
export function pruneUnknown(schema: Schema, value: unknown): string[] {
  const dropped: string[] = [];
  prune({ ...schema, "x-kubernetes-embedded-resource": true }, value, "", dropped);
  return dropped.sort();
}

/** Of an embedded resource the metadata is known, whatever the schema says of it. */
function pruneMeta(value: unknown, path: string, dropped: string[]): void {
  if (path !== "metadata") prune(objectMeta, value, path, dropped);
}

function prune(schema: Schema, value: unknown, path: string, dropped: string[]): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      prune(schema.items ?? keepAll(schema), item, `${path}[${index}]`, dropped);
  } else if (value !== null && typeof value === "object") {
    pruneObject(schema, value as Tree, path, dropped);
  }
}

/** The items of a list whose schema has none are kept only where unknown fields are. */
function keepAll(schema: Schema): Schema {
  return schema["x-kubernetes-preserve-unknown-fields"] ? { "x-kubernetes-preserve-unknown-fields": true } : {};
}

function pruneObject(schema: Schema, value: Tree, path: string, dropped: string[]): void {
  for (const name of Object.keys(value)) {
    const field = path ? `${path}.${name}` : name;
    if (schema["x-kubernetes-embedded-resource"] && metaFields.has(name)) {
      if (name === "metadata") pruneMeta(value[name], field, dropped);
      continue;
    }
    const verdict = judge(schema, name);
    if (verdict === "unknown") {
      delete value[name];
      dropped.push(field);
    } else if (verdict !== "any") {
      prune(verdict, value[name], field, dropped);
    }
  }
}

function judge(schema: Schema, name: string): Verdict {
  const { additionalProperties, properties } = schema;
  if (properties && Object.hasOwn(properties, name)) return properties[name] ?? "any";
  if (typeof additionalProperties === "object") return additionalProperties;
  if (additionalProperties === true || schema["x-kubernetes-preserve-unknown-fields"]) return "any";
  return "unknown";
}
