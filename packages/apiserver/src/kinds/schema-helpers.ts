// Builders for the schemas of the built-in kinds, so that kinds/*.ts read like the Go types they describe.

import type { Schema } from "@gatehouse/apimachinery/schema";
import { mayRepeat } from "../schema/validate.ts";
import { amountAsText, emptyIsAbsent, normalizerOf, normalizing, zeroIsAbsent } from "../schema/normalize.ts";

const names = new WeakMap<Schema, string>();
/** From a field's copy of a shared structure to the structure itself. */
const originals = new WeakMap<Schema, Schema>();

/** The OpenAPI name of a shared structure, e.g. `io.k8s.api.core.v1.PodSpec`; undefined for anonymous schemas. */
export function schemaName(schema: Schema): string | undefined {
  return names.get(schema);
}

/** The shared structure behind `schema`, without what one field says of it. */
export function originalSchema(schema: Schema): Schema {
  return originals.get(schema) ?? schema;
}

/** Gives `schema` the OpenAPI name `name`: documents refer to it instead of repeating it. */
export function named<T extends Schema>(name: string, schema: T): T {
  names.set(schema, name);
  return schema;
}

type Extra = Omit<Schema, "description" | "type">;

const scalar =
  (base: Schema) =>
  (description?: string, extra?: Extra): Schema => ({
    ...base,
    ...(description ? { description } : {}),
    ...extra,
  });

const text = scalar({ type: "string" });

/** A text; where it has a default or fixed values, the empty text counts as absent. */
export function str(description?: string, extra?: Extra): Schema {
  const schema = text(description, extra);
  return extra?.default !== undefined || extra?.enum ? normalizing(schema, emptyIsAbsent) : schema;
}

export const bool = scalar({ type: "boolean" });
export const int32 = scalar({ type: "integer", format: "int32" });
/** A number for which zero counts as absent. */
export const positiveInt32 = (description: string, extra: Extra): Schema =>
  normalizing(int32(description, extra), zeroIsAbsent);
export const int64 = scalar({ type: "integer", format: "int64" });
export const double = scalar({ type: "number", format: "double" });
/** Base64 text. */
export const bytes = scalar({ type: "string", format: "byte" });
/** Any JSON value, kept as it is. */
export const anything = scalar({ "x-kubernetes-preserve-unknown-fields": true });
/** Any JSON object, kept as it is. */
export const anyObject = scalar({ type: "object", "x-kubernetes-preserve-unknown-fields": true });
/** A list nobody merges. */
export const strings = scalar({ type: "array", items: str(), "x-kubernetes-list-type": "atomic" });
export const stringMap = scalar({ type: "object", additionalProperties: str() });

const reference =
  (name: string, base: Schema) =>
  (description?: string, extra?: Extra): Schema =>
    field(named(name, base), description, extra);

export const intOrString = reference("io.k8s.apimachinery.pkg.util.intstr.IntOrString", {
  "x-kubernetes-int-or-string": true,
});
export const time = reference("io.k8s.apimachinery.pkg.apis.meta.v1.Time", {
  type: "string",
  format: "date-time",
});
const microTimeName = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime";
export const microTime = reference(microTimeName, {
  type: "string",
  format: "date-time",
});
const quantityName = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const amount = reference(quantityName, {
  oneOf: [{ type: "string" }, { type: "number" }],
});
/** True for a field that is an amount. */
export function isAmount(schema: Schema): boolean {
  return schemaName(schema) === quantityName;
}

/** True for a time with microseconds; the other times have seconds. */
export function isMicroTime(schema: Schema): boolean {
  return schemaName(schema) === microTimeName;
}

/** An amount such as `100m` or `2Gi`; plain numbers are read too, as Kubernetes does. */
export function quantity(description?: string, extra?: Extra): Schema {
  return normalizing(amount(description, extra), amountAsText);
}
export const quantities = (description?: string): Schema => mapOf(quantity(), description);

/** A string that is one of `values`. */
export function oneOf(values: string[], description?: string, extra?: Extra): Schema {
  return str(description, { enum: values, ...extra });
}

/** An object with any keys and these values. */
export function mapOf(value: Schema, description?: string): Schema {
  return { type: "object", ...(description ? { description } : {}), additionalProperties: value };
}

/** A list that is replaced as a whole. */
export function listOf(items: Schema, description?: string, extra?: Extra): Schema {
  return {
    type: "array",
    ...(description ? { description } : {}),
    items,
    "x-kubernetes-list-type": "atomic",
    ...extra,
  };
}

/** A list of primitives without repetition. */
export function setOf(items: Schema, description?: string, extra?: Extra): Schema {
  return { ...listOf(items, description, extra), "x-kubernetes-list-type": "set" };
}

/** How a keyed list behaves: `patch` is its strategic merge strategy; `repeats` allows items with equal keys. */
interface KeyedList {
  patch?: "merge" | "merge,retainKeys" | "none";
  repeats?: boolean;
}

/** A list whose items are told apart by `keys`; strategic merge patches go by the first key. */
export function listBy(keys: string[], items: Schema, description?: string, options: KeyedList = {}): Schema {
  const { patch = "merge", repeats = false } = options;
  const schema: Schema = {
    type: "array",
    ...(description ? { description } : {}),
    items,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": keys,
    ...(patch === "none"
      ? {}
      : { "x-kubernetes-patch-strategy": patch, "x-kubernetes-patch-merge-key": keys[0] ?? "" }),
  };
  return repeats ? mayRepeat(schema) : schema;
}

/** `schema` as a field, with the field's own words, default or merge rules; it keeps its OpenAPI name. */
export function field(schema: Schema, description: string | undefined, extra?: Extra): Schema {
  const copy: Schema = { ...schema, ...(description ? { description } : {}), ...extra };
  const normalizer = normalizerOf(schema);
  if (normalizer) normalizing(copy, normalizer);
  const name = schemaName(schema);
  if (!name) return copy;
  originals.set(copy, originalSchema(schema));
  return named(name, copy);
}

const prefixOf = (name: string): string =>
  name.startsWith("meta.") ? "io.k8s.apimachinery.pkg.apis." : name.startsWith("io.") ? "" : "io.k8s.api.";

/** A structure of the API, e.g. `core.v1.PodSpec`. A field whose name ends in `!` is required. */
export function struct(name: string, description: string, fields: Record<string, Schema>, extra?: Extra): Schema {
  const entries = Object.entries(fields);
  const required = entries.filter(([key]) => key.endsWith("!")).map(([key]) => key.slice(0, -1));
  return named(`${prefixOf(name)}${name}`, {
    description,
    type: "object",
    properties: Object.fromEntries(entries.map(([key, schema]) => [key.replace(/!$/, ""), schema])),
    ...(required.length > 0 ? { required } : {}),
    ...extra,
  });
}
