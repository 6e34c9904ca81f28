// JSON as the values its schema makes of it: whole numbers of type number are doubles, texts with a time format are times, ...

import type { Schema } from "@gatehouse/apimachinery/schema";
import { escapeName, unescapeName } from "./property-names.ts";
import { parseDuration, parseTimestamp } from "./time.ts";
import { fieldSchema, typeOfSchema } from "./types.ts";
import { CelError, type Identity, List, type MapLike, type Value } from "./values.ts";

type Tree = Record<string, unknown>;

/** `json` as a value. Throws CelError when it is not of its schema's type. */
export function valueOf(schema: Schema, json: unknown): Value {
  if (json === null || json === undefined) return null;
  if (schema["x-kubernetes-int-or-string"]) return scalar(typeof json === "number" ? "integer" : "string", json);
  if (schema.type === "array" && Array.isArray(json) && schema.items) {
    const { items } = schema;
    return new List(json.length, (index) => valueOf(items, json[index]), identityOf(schema));
  }
  if (schema.type === "object" && typeof json === "object") {
    const { additionalProperties } = schema;
    if (typeof additionalProperties === "object") return new JsonMap(json as Tree, additionalProperties);
    return new JsonObject(json as Tree, schema);
  }
  if (schema.type === "string" && typeof json === "string" && schema.format) return formatted(schema.format, json);
  return scalar(schema.type, json);
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

/** An object with declared fields, spelled as expressions spell them. */
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
    if (typeof key !== "string") return undefined;
    const name = unescapeName(key);
    const json = Object.hasOwn(this.#json, name) ? this.#json[name] : undefined;
    const schema = json === undefined ? undefined : fieldSchema(this.#schema, name);
    return schema && valueOf(schema, json);
  }

  keys(): string[] {
    return Object.keys(this.#json).flatMap((name) => {
      const schema = fieldSchema(this.#schema, name);
      const key = schema && typeOfSchema(schema) ? escapeName(name) : undefined;
      return key === undefined ? [] : [key];
    });
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
}
