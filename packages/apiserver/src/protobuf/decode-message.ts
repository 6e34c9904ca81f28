// A protobuf message to the JSON of the same object: field numbers come from the tables, types from the kind's schema.

import type { Schema } from "@gatehouse/apimachinery/schema";
import { schemaName } from "../kinds/schema-helpers.ts";
import { jsonSchemaProps } from "../kinds/types/json-schema.ts";
import { type Fields, fieldsOf } from "./message-fields.ts";
import { intOrStringOf, microTimeOf, quantityOf, rawJsonOf, timeOf } from "./special-values.ts";
import { MalformedProtobuf, WireReader, wireTypes } from "./wire-reader.ts";

type Tree = Record<string, unknown>;

/** A message in a map or list makes two levels of JSON: twice this is the depth limit of JSON bodies. */
const maxDepth = 128;

const names = new WeakMap<Schema, string>();

/** `core.v1.PodSpec` for `io.k8s.api.core.v1.PodSpec`. */
export function messageName(schema: Schema): string {
  let name = names.get(schema);
  if (name === undefined) {
    name = (schemaName(schema) ?? "").split(".").slice(-3).join(".");
    names.set(schema, name);
  }
  return name;
}

/** A value that is next to be read. */
interface Next {
  reader: WireReader;
  wire: number;
  /** The field it belongs to. */
  name: string;
  /** How many messages are around it. */
  depth: number;
}

/** Decodes a message of the type that `schema` describes. Throws MalformedProtobuf, or 400 for broken JSON inside. */
export function decodeMessage(bytes: Buffer, schema: Schema, depth = 0): Tree {
  const target: Tree = {};
  readFields(target, bytes, schema, fieldsOf(messageName(schema)), depth);
  // A list without items leaves nothing on the wire.
  for (const name of schema.required ?? []) if (schema.properties?.[name]?.type === "array") target[name] ??= [];
  return target;
}

function readFields(target: Tree, bytes: Buffer, schema: Schema, fields: Fields, depth: number): void {
  if (depth > maxDepth) throw new MalformedProtobuf(`it is nested deeper than ${maxDepth} messages`);
  const reader = new WireReader(bytes);
  while (!reader.done) {
    const { number, wire } = reader.tag();
    const field = fields.get(number);
    const property = field && schema.properties?.[field.name];
    if (field?.embedded) {
      const inner = chunkOf({ reader, wire, name: field.name, depth });
      readFields(target, inner, schema, fieldsOf(field.name), depth + 1);
    } else if (property) {
      const zeroCounts = field.pointer || (schema.required?.includes(field.name) ?? false);
      readField(target, property, zeroCounts, { reader, wire, name: field.name, depth });
    }
    // Unknown fields are dropped, as protobuf wants it: the client is newer.
    else reader.skip(wire);
  }
}

function readField(target: Tree, schema: Schema, zeroCounts: boolean, next: Next): void {
  const { name } = next;
  if (schema.type === "array") return readItems((target[name] ??= []) as unknown[], schema, next);
  if (isMap(schema)) return readEntry((target[name] ??= {}) as Tree, schema, next);
  const value = readValue(schema, next);
  if (value === undefined || (!zeroCounts && isZero(value))) delete target[name];
  else target[name] = value;
}

function isMap(schema: Schema): boolean {
  return schema.type === "object" && typeof schema.additionalProperties === "object";
}

function isZero(value: unknown): boolean {
  if (value !== null && typeof value === "object") return Object.keys(value).length === 0;
  return value === "" || value === 0 || value === false;
}

function expectWire({ wire, name }: Next, expected: number): void {
  if (wire !== expected) throw new MalformedProtobuf(`${name} has wire type ${wire} instead of ${expected}`);
}

function chunkOf(next: Next): Buffer {
  expectWire(next, wireTypes.chunk);
  return next.reader.chunk();
}

function readItems(items: unknown[], schema: Schema, next: Next): void {
  const item = schema.items ?? {};
  const isNumber = item.type === "integer" || item.type === "boolean" || item.type === "number";
  if (!isNumber || next.wire !== wireTypes.chunk) {
    const value = readValue(item, next);
    // What is nothing in JSON, such as the zero time, still counts.
    items.push(value ?? null);
    return;
  }
  // Numbers may be packed: one chunk without tags.
  const reader = new WireReader(next.reader.chunk());
  const wire = item.type === "number" ? wireTypes.fixed64 : wireTypes.varint;
  while (!reader.done) items.push(readValue(item, { ...next, reader, wire }));
}

/** A map is a list of messages { key = 1, value = 2 }; what an entry leaves out is empty. */
function readEntry(map: Tree, schema: Schema, next: Next): void {
  const reader = new WireReader(chunkOf(next));
  const valueSchema = schema.additionalProperties as Schema;
  let key = "";
  let value: unknown;
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1 && wire === wireTypes.chunk) key = reader.text();
    else if (number === 2) value = readMapValue(valueSchema, { ...next, reader, wire });
    else reader.skip(wire);
  }
  value ??= valueSchema.type === "string" ? "" : valueSchema.type === "array" ? [] : {};
  // Not by assignment: the key may be __proto__.
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Lists in maps (ExtraValue) are messages with the items in field 1. */
function readMapValue(schema: Schema, next: Next): unknown {
  if (schema.type !== "array") return readValue(schema, next);
  const reader = new WireReader(chunkOf(next));
  const items: unknown[] = [];
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1) readItems(items, schema, { ...next, reader, wire });
    else reader.skip(wire);
  }
  return items;
}

function readValue(schema: Schema, next: Next): unknown {
  const { reader, depth } = next;
  const special = specialCodec(schema);
  if (special) return special(chunkOf(next), depth);
  switch (schema.type) {
    case "integer":
      expectWire(next, wireTypes.varint);
      return reader.int64();
    case "boolean":
      expectWire(next, wireTypes.varint);
      return reader.int64() !== 0;
    case "number":
      expectWire(next, wireTypes.fixed64);
      return finite(reader.double());
    case "string": {
      if (schema.format !== "byte") {
        expectWire(next, wireTypes.chunk);
        return reader.text();
      }
      return chunkOf(next).toString("base64");
    }
    default:
      return decodeMessage(chunkOf(next), schema, depth + 1);
  }
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new MalformedProtobuf("a number is not finite");
  return value;
}

type Codec = (bytes: Buffer, depth: number) => unknown;

const specialCodecs: Record<string, Codec> = {
  "meta.v1.Time": timeOf,
  "meta.v1.MicroTime": microTimeOf,
  "api.resource.Quantity": quantityOf,
  "util.intstr.IntOrString": intOrStringOf,
  "apiextensions.v1.JSONSchemaPropsOrBool": schemaOrBool,
  "apiextensions.v1.JSONSchemaPropsOrArray": schemaOrArray,
};

function specialCodec(schema: Schema): Codec | undefined {
  const codec = specialCodecs[messageName(schema)];
  if (codec || !schema["x-kubernetes-preserve-unknown-fields"]) return codec;
  return schema.type === "object" ? (bytes) => rawJsonOf(bytes) ?? {} : rawJsonOf;
}

const choices: Schema = {
  properties: {
    allows: { type: "boolean" },
    schema: jsonSchemaProps,
    jSONSchemas: { type: "array", items: jsonSchemaProps },
  },
};

function schemaOrBool(bytes: Buffer, depth: number): unknown {
  const choice: Tree = {};
  readFields(choice, bytes, choices, fieldsOf("apiextensions.v1.JSONSchemaPropsOrBool"), depth + 1);
  return choice["schema"] ?? choice["allows"] ?? false;
}

function schemaOrArray(bytes: Buffer, depth: number): unknown {
  const choice: Tree = {};
  readFields(choice, bytes, choices, fieldsOf("apiextensions.v1.JSONSchemaPropsOrArray"), depth + 1);
  return choice["jSONSchemas"] ?? choice["schema"];
}
