// What decoding JSON into Go's structures makes of an object of a built-in kind: null is the zero value inside maps and lists,
// empty maps and lists are absent, and a value of the wrong type is refused in the words of Go's decoder.

import { parseQuantity } from "@gatehouse/apimachinery/quantity";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { isAmount, isMicroTime, originalSchema, schemaName } from "../kinds/schema-helpers.ts";
import { propertySchema } from "./default.ts";
import { timeFault } from "./go-time.ts";

type Tree = Record<string, unknown>;

/** Where a value sits in Go's types: the structure that has the field, and the fields on the way, without indices and keys. */
interface Place {
  struct: string;
  path: string;
}

export const quantityRule =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

/**
 * Gives `value` the form it has after Go decoded it, in place, and returns the first fault: undefined when all types fit. Fields that
 * the schema does not know are left alone. `path` is where the value is in its object, empty for a whole object of `kind`.
 */
export function decodeTyped(schema: Schema, value: Tree, kind: string, path = ""): string | undefined {
  return decodeStruct(schema, value, { struct: kind, path });
}

function decodeStruct(schema: Schema, value: Tree, place: Place): string | undefined {
  let fault: string | undefined;
  const struct = schemaName(schema)?.split(".").at(-1) ?? place.struct;
  for (const [name, item] of Object.entries(value)) {
    const property = propertySchema(schema, name);
    // A null field is absent: defaults see to that.
    if (!property || item === null) continue;
    const found = decodeValue(property, item, { struct, path: place.path ? `${place.path}.${name}` : name });
    fault ??= found;
    // An empty list of owners is a wish of its own: forget them.
    if (name === "managedFields" || schema.required?.includes(name)) continue;
    if (isEmptyCollection(property, item)) delete value[name];
  }
  return fault;
}

/** Lists and maps are left out when they are empty; structures are not. */
function isEmptyCollection(schema: Schema, value: unknown): boolean {
  if (schema.type === "array") return Array.isArray(value) && value.length === 0;
  if (typeof schema.additionalProperties !== "object") return false;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function decodeValue(schema: Schema, value: unknown, place: Place): string | undefined {
  if (schema["x-kubernetes-int-or-string"]) {
    return typeof value === "string" ? undefined : numberFault({ type: "integer", format: "int32" }, value, place);
  }
  if (isAmount(schema)) return isQuantity(value) ? undefined : quantityRule;
  switch (schema.type) {
    case "array":
      return Array.isArray(value) ? decodeItems(schema, value, place) : mismatch(schema, value, place);
    case "object":
      return isTree(value) ? decodeTree(schema, value, place) : mismatch(schema, value, place);
    case "string":
      return typeof value === "string" ? textFault(schema, value) : mismatch(schema, value, place);
    case "boolean":
      return typeof value === "boolean" ? undefined : mismatch(schema, value, place);
    case "integer":
    case "number":
      return numberFault(schema, value, place);
    default:
      return undefined;
  }
}

function decodeItems({ items }: Schema, list: unknown[], place: Place): string | undefined {
  let fault: string | undefined;
  for (const [index, item] of list.entries()) {
    if (items && item === null) list[index] = zeroOf(items);
    else if (items) fault ??= decodeValue(items, item, place);
  }
  return fault;
}

function decodeTree(schema: Schema, value: Tree, place: Place): string | undefined {
  const { additionalProperties: entries } = schema;
  if (typeof entries !== "object") return decodeStruct(schema, value, place);
  let fault: string | undefined;
  for (const [key, item] of Object.entries(value)) {
    if (item === null) value[key] = zeroOf(entries);
    else fault ??= decodeValue(entries, item, place);
  }
  return fault;
}

/** What Go has where JSON says null. */
function zeroOf(schema: Schema): unknown {
  if (schema["x-kubernetes-int-or-string"]) return 0;
  if (isAmount(schema)) return "0";
  switch (schema.type) {
    case "string":
      return "";
    case "boolean":
      return false;
    case "integer":
    case "number":
      return 0;
    case "object":
      return {};
    default:
      return null;
  }
}

function textFault(schema: Schema, text: string): string | undefined {
  if (schema.format === "byte") return base64Fault(text);
  if (schema.format === "date-time") return timeFault(text, isMicroTime(schema) ? "micro" : "second");
  return undefined;
}

/** Go reads groups of four and names the first byte of the one that is none; line breaks are skipped. */
function base64Fault(text: string): string | undefined {
  const plain = text.replace(/[\r\n]/g, "");
  const whole = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
  if (whole.test(plain)) return undefined;
  const bad = plain.search(/[^A-Za-z0-9+/]/);
  const at = bad === -1 ? plain.length - (plain.length % 4) : bad;
  return `illegal base64 data at input byte ${at}`;
}

function isQuantity(value: unknown): boolean {
  if (typeof value === "number") return true;
  return typeof value === "string" && parseQuantity(value) !== undefined;
}

const ranges: Record<string, [number, number]> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2 ** 63), 2 ** 63],
};

function numberFault(schema: Schema, value: unknown, place: Place): string | undefined {
  if (typeof value !== "number") return mismatch(schema, value, place);
  if (schema.type === "number") return undefined;
  const [least, most] = ranges[schema.format ?? "int64"] ?? [-Infinity, Infinity];
  if (Number.isInteger(value) && value >= least && value <= most) return undefined;
  return unfit(`number ${value}`, schema, place);
}

const mismatch = (schema: Schema, value: unknown, place: Place): string => unfit(jsonKind(value), schema, place);

function unfit(what: string, schema: Schema, { struct, path }: Place): string {
  return `json: cannot unmarshal ${what} into Go struct field ${struct}.${path} of type ${goType(schema)}`;
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}

/** The Go type of a field: texts with fixed values have names of their own there, which no schema tells. */
function goType(schema: Schema): string {
  if (schema.type === "array") return `[]${goType(schema.items ?? {})}`;
  if (schema.type === "object") {
    if (typeof schema.additionalProperties === "object") return `map[string]${goType(schema.additionalProperties)}`;
    return (schemaName(originalSchema(schema)) ?? "struct").split(".").slice(-2).join(".");
  }
  if (schema.type === "boolean") return "bool";
  if (schema.type === "integer") return schema.format ?? "int64";
  if (schema.type === "number") return "float64";
  return schema.format === "byte" ? "[]uint8" : "string";
}

const isTree = (value: unknown): value is Tree => typeof value === "object" && value !== null && !Array.isArray(value);
