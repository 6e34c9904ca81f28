// What merging needs to know of a kind's schema: which maps and lists are one value, and what tells the items of a list apart
// (KEP-555; the reading of OpenAPI is kube-openapi's schemaconv).

import type { Schema } from "@gatehouse/apimachinery/schema";
import { schemaName } from "../kinds/schema-helpers.ts";

/** What a value is made of, whatever its schema. */
export type Form = "map" | "list" | "scalar";

export interface TypedField {
  schema: TypedSchema;
  /** Named by the schema; not an entry of a map with free keys. */
  declared: boolean;
  /** A structure that Go always has, empty when nothing is said: it cannot come or go, so nobody owns it as such. */
  always: boolean;
}

/** Names of such structures in the built-in kinds (no pointers in k8s.io/api). */
const alwaysThere = new Set(
  (
    "metadata spec status template strategy updateStrategy resources involvedObject regarding source deprecatedSource " +
    "loadBalancer nodeInfo daemonEndpoints kubeletEndpoint port backend names acceptedNames"
  ).split(" "),
);

/** One place of a schema. Made on first use, and kept as long as the schema is. */
export class TypedSchema {
  /** The only form the schema allows, if it does not allow all. */
  readonly only: Form | undefined;
  readonly scalar: "string" | "number" | "boolean" | undefined;
  readonly atomicMap: boolean;
  readonly listType: "atomic" | "set" | "map";
  /** Sorted. */
  readonly keys: readonly string[];
  readonly #schema: Schema;
  readonly #isGo: boolean;
  readonly #fields = new Map<string, TypedField | undefined>();
  #items: TypedSchema | undefined;

  constructor(schema: Schema) {
    this.#schema = schema;
    this.#isGo = isGo(schema);
    this.only = onlyForm(schema);
    this.scalar = scalarType(schema);
    const listType = schema["x-kubernetes-list-type"] ?? "atomic";
    this.keys = schema["x-kubernetes-list-map-keys"]?.toSorted() ?? [];
    this.listType = this.only === "map" || this.only === "scalar" || !schema.items ? "atomic" : listType;
    this.atomicMap = this.only === "list" || this.only === "scalar" || schema["x-kubernetes-map-type"] === "atomic";
  }

  /** What null counts as. */
  get form(): Form {
    return this.only ?? "map";
  }

  /** The entry `name` of a map; undefined when the schema has none of that name. */
  field(name: string): TypedField | undefined {
    if (!this.#fields.has(name)) {
      // Keys of free maps come from users: remembering each would never end.
      const field = this.#find(name);
      if (!field?.declared) return field;
      this.#fields.set(name, field);
    }
    return this.#fields.get(name);
  }

  get items(): TypedSchema {
    return (this.#items ??= this.#schema.items ? typedSchema(this.#schema.items) : untyped);
  }

  /** What an item is taken to have for the key `name` when it does not say. */
  keyDefault(name: string): unknown {
    const { properties, required } = this.#schema.items ?? {};
    const key = properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (key?.default !== undefined || !this.#schema.items || !isGo(this.#schema.items)) return key?.default;
    // What Go's structures must have, they have: the empty text, or zero.
    if (!required?.includes(name)) return undefined;
    return key?.type === "string" ? "" : 0;
  }

  #find(name: string): TypedField | undefined {
    const { properties, additionalProperties } = this.#schema;
    const declared = properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (declared) return { schema: typedSchema(declared), declared: true, always: this.#isGo && alwaysThere.has(name) };
    const free = (schema: TypedSchema): TypedField => ({ schema, declared: false, always: false });
    if (typeof additionalProperties === "object") return free(typedSchema(additionalProperties));
    if (additionalProperties === true || isOpen(this.#schema)) return free(deduced);
    return undefined;
  }
}

/** True for structures of the built-in kinds, which are Go's. */
const isGo = (schema: Schema): boolean => schemaName(schema) !== undefined;

/** True where a structure without declared fields, or one that keeps unknown ones, takes any. */
function isOpen(schema: Schema): boolean {
  return (
    schema["x-kubernetes-preserve-unknown-fields"] === true ||
    schema["x-kubernetes-embedded-resource"] === true ||
    (schema.additionalProperties === undefined && Object.keys(schema.properties ?? {}).length === 0)
  );
}

function onlyForm(schema: Schema): Form | undefined {
  if (schema.type === "object" || schema.properties) return "map";
  if (schema.type === "array") return "list";
  if (schema.type !== undefined || schema["x-kubernetes-int-or-string"] || schema.oneOf) return "scalar";
  return undefined;
}

function scalarType({ type, format }: Schema): TypedSchema["scalar"] {
  if (type === "integer" || type === "number") return "number";
  if (type === "boolean") return "boolean";
  return type === "string" && (format === undefined || format === "byte") ? "string" : undefined;
}

const cache = new WeakMap<Schema, TypedSchema>();

/** Maps are merged, lists replaced: what there is to know where no schema tells. */
const deduced = new TypedSchema({});
/** Everything is one value. */
const untyped = new TypedSchema({ "x-kubernetes-map-type": "atomic" });

export function typedSchema(schema: Schema): TypedSchema {
  let typed = cache.get(schema);
  if (!typed) cache.set(schema, (typed = new TypedSchema(schema)));
  return typed;
}

export type Tree = Record<string, unknown>;

/** How `value` is to be taken: by what it is, or by the schema for null. */
export function formOf(schema: TypedSchema, value: unknown): Form {
  if (value === null || value === undefined) return schema.form;
  if (Array.isArray(value)) return "list";
  return typeof value === "object" ? "map" : "scalar";
}

/** True when a value of this form is merged by parts, false when it is one value. */
export function isGranular(schema: TypedSchema, form: Form): boolean {
  if (form === "scalar") return false;
  return form === "map" ? !schema.atomicMap : schema.listType !== "atomic";
}
