// The static types of expressions, and the types that schemas give to `self`.

import type { Schema } from "@gatehouse/apimachinery/schema";
import { propertyName } from "./property-names.ts";
import type { Kind } from "./values.ts";

/** `dyn` is what only a running expression can tell. */
export type Type =
  | { kind: "dyn" | Exclude<Kind, "list" | "map" | "object" | "optional"> }
  | { kind: "list"; item: Type }
  | { kind: "map"; key: Type; value: Type }
  | { kind: "object"; field: (name: string) => Type | undefined }
  | { kind: "optional"; value: Type };

export type SimpleKind = Exclude<Kind, "list" | "map" | "object" | "optional"> | "dyn";

const simple = new Map<SimpleKind, Type>();

export function simpleType(kind: SimpleKind): Type {
  const known = simple.get(kind);
  if (known) return known;
  const type: Type = { kind };
  simple.set(kind, type);
  return type;
}

export const dyn = simpleType("dyn");
export const listOf = (item: Type): Type => ({ kind: "list", item });
export const mapOf = (key: Type, value: Type): Type => ({ kind: "map", key, value });
export const optionalOf = (value: Type): Type => ({ kind: "optional", value });

/** As cel-go prints types in messages. */
export function typeText(type: Type): string {
  switch (type.kind) {
    case "list":
      return `list(${typeText(type.item)})`;
    case "map":
      return `map(${typeText(type.key)}, ${typeText(type.value)})`;
    case "optional":
      return `optional_type(${typeText(type.value)})`;
    case "duration":
    case "timestamp":
      return `google.protobuf.${type.kind === "duration" ? "Duration" : "Timestamp"}`;
    default:
      return type.kind;
  }
}

/** False only when no value can be of both types. */
export function compatible(a: Type, b: Type): boolean {
  if (a.kind === "dyn" || b.kind === "dyn") return true;
  if (a.kind === "null") return nullable(b);
  if (b.kind === "null") return nullable(a);
  if (a.kind === "list" && b.kind === "list") return compatible(a.item, b.item);
  if (a.kind === "map" && b.kind === "map") return compatible(a.key, b.key) && compatible(a.value, b.value);
  if (a.kind === "optional" && b.kind === "optional") return compatible(a.value, b.value);
  return a.kind === b.kind;
}

function nullable({ kind }: Type): boolean {
  return !["bool", "int", "uint", "double", "string", "bytes", "list", "map", "type"].includes(kind);
}

/** What may be either: one of them when they agree, dyn otherwise. */
export function common(a: Type, b: Type): Type {
  if (a === b || a.kind === "null") return b;
  if (b.kind === "null") return a;
  if (a.kind === "list" && b.kind === "list") return listOf(common(a.item, b.item));
  if (a.kind === "map" && b.kind === "map") return mapOf(common(a.key, b.key), common(a.value, b.value));
  if (a.kind === "optional" && b.kind === "optional") return optionalOf(common(a.value, b.value));
  return a.kind === b.kind && a.kind !== "object" ? a : dyn;
}

const types = new WeakMap<Schema, Type>();
const formats: Record<string, SimpleKind> = {
  byte: "bytes",
  duration: "duration",
  date: "timestamp",
  "date-time": "timestamp",
};

/** The type of values of `schema`; undefined for those whose form it leaves open, which no expression can reach. */
export function typeOfSchema(schema: Schema): Type | undefined {
  if (schema["x-kubernetes-int-or-string"]) return dyn;
  switch (schema.type) {
    case "boolean":
      return simpleType("bool");
    case "integer":
      return simpleType("int");
    case "number":
      return simpleType("double");
    case "string":
      return simpleType((Object.hasOwn(formats, schema.format ?? "") && formats[schema.format ?? ""]) || "string");
    case "array": {
      const item = schema.items && typeOfSchema(schema.items);
      return item && listOf(item);
    }
    case "object":
      return typeof schema.additionalProperties === "object"
        ? mapType(schema.additionalProperties)
        : objectType(schema);
    default:
      return undefined;
  }
}

function mapType(values: Schema): Type | undefined {
  const value = typeOfSchema(values);
  return value && mapOf(simpleType("string"), value);
}

function objectType(schema: Schema): Type {
  const known = types.get(schema);
  if (known) return known;
  const type: Type = {
    kind: "object",
    field: (name) => {
      const property = propertyName(name);
      const declared = property === undefined ? undefined : fieldSchema(schema, property);
      return declared && typeOfSchema(declared);
    },
  };
  types.set(schema, type);
  return type;
}

const text: Schema = { type: "string" };
const metadata: Schema = { type: "object", properties: { name: text, generateName: text } };
const ofEveryObject: Record<string, Schema> = { apiVersion: text, kind: text, metadata };

/** The declared field `name` of objects of `schema`. Of metadata, rules only see name and generateName. */
export function fieldSchema(schema: Schema, name: string): Schema | undefined {
  const isWhole = schema["x-kubernetes-embedded-resource"] || schema["x-kubernetes-group-version-kind"];
  if (isWhole && Object.hasOwn(ofEveryObject, name)) return ofEveryObject[name];
  return schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
}
