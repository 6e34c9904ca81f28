// JSON as the values its schema makes of it: whole numbers of type number are doubles, texts with a time format are times, ...

import { isDeepStrictEqual } from "node:util";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { propertyName } from "./property-names.ts";
import { parseDuration, parseTimestamp } from "./time.ts";
import { fieldSchema, typeOfSchema } from "./types.ts";
import { CelError, type Identity, List, type MapLike, Opaque, type Value } from "./values.ts";

type Tree = Record<string, unknown>;

/** `json` as a value. Throws CelError when it is not of its schema's type. */
export function valueOf(schema: Schema, json: unknown): Value {
  if (json === null || json === undefined) {
    if (schema.nullable) return null;
    throw new CelError("invalid data, got null for schema with nullable=false");
  }
  if (schema["x-kubernetes-int-or-string"]) return intOrString(json);
  switch (schema.type) {
    case "array":
      return listValue(schema, json);
    case "object":
      return objectValue(schema, json);
    case "string":
      return typeof json === "string" && schema.format ? formatted(schema.format, json) : scalar(schema.type, json);
    default:
      return scalar(schema.type, json);
  }
}

function listValue(schema: Schema, json: unknown): List {
  const { items } = schema;
  if (!Array.isArray(json)) {
    throw new CelError("invalid data, expected an array for the provided schema with type=array");
  }
  const item = (index: number): Value => {
    const value: unknown = json[index];
    return items && (items.type || items["x-kubernetes-int-or-string"]) ? valueOf(items, value) : new Json(value);
  };
  return new List(json.length, item, identityOf(schema));
}

function objectValue(schema: Schema, json: unknown): MapLike {
  const { additionalProperties } = schema;
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw new CelError("invalid data, expected a map for the provided schema with type=object");
  }
  if (typeof additionalProperties === "object") return new JsonMap(json as Tree, additionalProperties);
  return new JsonObject(json as Tree, schema);
}

function intOrString(json: unknown): Value {
  if (typeof json === "string") return json;
  if (typeof json === "number" && Number.isInteger(json)) return BigInt(json);
  throw new CelError("invalid data, expected XIntOrString value to be either a string or integer");
}

function scalar(type: string | undefined, json: unknown): Value {
  if (type === "integer" && typeof json === "number" && Number.isInteger(json)) return BigInt(json);
  if (type === "number" && typeof json === "number") return json;
  if (type === "boolean" && typeof json === "boolean") return json;
  if (type === "string" && typeof json === "string") return json;
  throw new CelError(`invalid data, expected ${type ?? "a known type"}`);
}

function formatted(format: string, text: string): Value {
  if (format === "duration") return parseDuration(text);
  if (format === "date") return parseTimestamp(`${text}T00:00:00Z`);
  if (format === "date-time") return parseTimestamp(text);
  return format === "byte" ? Buffer.from(text, "base64") : text;
}

function identityOf(schema: Schema): Identity | undefined {
  const listType = schema["x-kubernetes-list-type"];
  if (listType === "set") return { set: true };
  return listType === "map" ? { keys: schema["x-kubernetes-list-map-keys"] ?? [] } : undefined;
}

/** An object with declared fields, spelled as expressions spell them. Fields that are null count as absent. */
class JsonObject implements MapLike {
  readonly kind = "object";
  readonly #json: Tree;
  readonly #schema: Schema;

  constructor(json: Tree, schema: Schema) {
    this.#json = json;
    this.#schema = schema;
  }

  get size(): number {
    return this.keys().length;
  }

  get(key: Value): Value | undefined {
    const name = typeof key === "string" ? propertyName(key) : undefined;
    const json = name === undefined ? undefined : this.#present(name);
    const schema = name === undefined || json === undefined ? undefined : fieldSchema(this.#schema, name);
    return schema && valueOf(schema, json);
  }

  keys(): string[] {
    return Object.keys(this.#json).filter((name) => this.#present(name) !== undefined);
  }

  entry(name: Value): Value | undefined {
    if (typeof name !== "string") return undefined;
    const json = this.#present(name);
    if (json === undefined) return undefined;
    const schema = fieldSchema(this.#schema, name);
    return schema && typeOfSchema(schema) ? valueOf(schema, json) : new Json(json);
  }

  #present(name: string): unknown {
    return Object.hasOwn(this.#json, name) ? (this.#json[name] ?? undefined) : undefined;
  }
}

/** A value whose form the schema leaves open: all one can do is compare it, as part of the object around it. */
class Json extends Opaque {
  readonly kind = "json";
  readonly #json: unknown;

  constructor(json: unknown) {
    super();
    this.#json = json;
  }

  equals(other: Opaque): boolean {
    return other instanceof Json && isDeepStrictEqual(other.#json, this.#json);
  }
}

class JsonMap implements MapLike {
  readonly kind = "map";
  readonly #json: Tree;
  readonly #values: Schema;

  constructor(json: Tree, values: Schema) {
    this.#json = json;
    this.#values = values;
  }

  get size(): number {
    return Object.keys(this.#json).length;
  }

  get(key: Value): Value | undefined {
    if (typeof key !== "string" || !Object.hasOwn(this.#json, key)) return undefined;
    return valueOf(this.#values, this.#json[key]);
  }

  keys(): string[] {
    return Object.keys(this.#json);
  }

  entry(key: Value): Value | undefined {
    return this.get(key);
  }
}
