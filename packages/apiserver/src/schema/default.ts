// Structural defaulting (apiextensions schema/defaulting): fills what is absent, treats null as absent unless it is allowed.

import type { Schema } from "@gatehouse/apimachinery/schema";
import { normalizerOf } from "./normalize.ts";

type Tree = Record<string, unknown>;

/** The schema of one property, declared or additional. */
export function propertySchema(schema: Schema, name: string): Schema | undefined {
  if (schema.properties && Object.hasOwn(schema.properties, name)) return schema.properties[name];
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

/**
 * Sets the defaults of `schema` in `value`, in place and depth first. A null that is not `nullable` becomes the default, or
 * is dropped where there is none. A default is only set inside an object that is there (or is itself defaulted).
 */
export function applyDefaults(schema: Schema, value: unknown): void {
  if (Array.isArray(value)) defaultItems(schema, value);
  else if (value !== null && typeof value === "object") defaultProperties(schema, value as Tree);
}

function defaultItems(schema: Schema, value: unknown[]): void {
  const { items } = schema;
  if (!items) return;
  for (const [index, item] of value.entries()) {
    if (item === null && !items.nullable && items.default !== undefined) value[index] = structuredClone(items.default);
    applyDefaults(items, value[index]);
  }
}

function defaultProperties(schema: Schema, value: Tree): void {
  normalize(schema, value);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (property.default === undefined) continue;
    const current = Object.hasOwn(value, name) ? value[name] : undefined;
    if (current === undefined || (current === null && !property.nullable)) {
      value[name] = structuredClone(property.default);
    }
  }
  for (const name of Object.keys(value)) {
    const property = propertySchema(schema, name);
    if (!property) continue;
    if (value[name] === null && !property.nullable && isConstrained(property)) {
      if (property.default === undefined) delete value[name];
      else value[name] = structuredClone(property.default);
    }
    applyDefaults(property, value[name]);
  }
}

function normalize(schema: Schema, value: Tree): void {
  for (const name of Object.keys(value)) {
    const property = propertySchema(schema, name);
    const normalizer = property && normalizerOf(property);
    if (!normalizer) continue;
    const meant = normalizer(value[name]);
    if (meant === undefined) delete value[name];
    else value[name] = meant;
  }
}

/** Null is a value of its own only where the schema says nothing of the type (preserved, untyped fields). */
function isConstrained(schema: Schema): boolean {
  return schema.type !== undefined || schema["x-kubernetes-int-or-string"] === true;
}
