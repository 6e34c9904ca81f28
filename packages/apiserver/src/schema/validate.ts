// Checks a value against a structural schema and words the faults as Kubernetes does
// (kube-openapi validation errors turned into field.Error; list-type rules of apiextensions schema/listtype).

import { isDeepStrictEqual } from "node:util";
import type { Schema } from "@gatehouse/apimachinery/schema";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { duplicate, invalidValue, notSupported, required, tooLong, tooMany, typeInvalid } from "./field-cause.ts";
import { isKnownFormat, matchesFormat } from "./formats.ts";
import { compilePattern } from "./pattern.ts";

type Tree = Record<string, unknown>;

/** A copy of `value` whose objects have sorted keys, as text: equal texts are equal JSON values. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === "object" && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  // Beyond 64 bits Go reads a floating-point number.
  if (typeof value === "number") return Number.isInteger(value) && Math.abs(value) <= 2 ** 63 ? "integer" : "number";
  return typeof value;
}

const join = (path: string, name: string): string => (path ? `${path}.${name}` : name);

/**
 * The causes for which `value` breaks `schema`; empty when it is valid. `path` is the field the value sits at, empty for a
 * whole object. Messages leave the field out (`invalid()` writes `field: message`).
 */
export function validateSchema(schema: Schema, value: unknown, path = ""): StatusCause[] {
  const causes: StatusCause[] = [];
  check(schema, value, path, causes);
  return causes;
}

/**
 * The causes for which `value`, as the successor of `old`, breaks `schema`. What did not change is not held against it: the
 * schema may have become stricter since (ratcheting, KEP-4008). So most of a write of the status is not looked at.
 */
export function validateSchemaChange(schema: Schema, value: unknown, old: unknown): StatusCause[] {
  const causes: StatusCause[] = [];
  check(schema, value, "", causes, old);
  const isRepeat = ({ reason }: StatusCause): boolean => reason === "FieldValueDuplicate";
  if (!causes.some(isRepeat) || !validateSchema(schema, old).some(isRepeat)) return causes;
  return causes.filter((cause) => !isRepeat(cause));
}

/** `old` is what was at this place before; undefined where nothing corresponds. */
function check(schema: Schema, value: unknown, path: string, causes: StatusCause[], old?: unknown): void {
  // The object as a whole is never unchanged: whoever writes it is told what it lacks.
  if (old !== undefined && path !== "" && isDeepStrictEqual(value, old)) return;
  if (value === null || value === undefined) {
    // Only a typed schema refuses null; `nullable` is the way out.
    if (!schema.nullable && (schema.type || schema["x-kubernetes-int-or-string"])) {
      const wanted = schema.type ?? "integer,string";
      causes.push(typeInvalid(path, "null", `${path} in body must be of type ${wanted}: "null"`));
    }
    return;
  }
  const fits = checkType(schema, value, path, causes);
  if (schema.enum && !schema.enum.some((item) => canonicalJson(item) === canonicalJson(value))) {
    causes.push(notSupported(path, value, schema.enum));
  }
  if (!fits) return checkCombinations(schema, value, path, causes);
  if (typeof value === "string") checkString(schema, value, path, causes);
  else if (typeof value === "number") checkNumber(schema, value, path, causes);
  else if (Array.isArray(value)) checkArray(schema, value, path, causes, old);
  else if (typeof value === "object") checkObject(schema, value as Tree, path, causes, old);
  checkCombinations(schema, value, path, causes);
}

function checkType(schema: Schema, value: unknown, path: string, causes: StatusCause[]): boolean {
  const actual = typeOf(value);
  if (schema["x-kubernetes-int-or-string"]) {
    if (actual === "integer" || actual === "string") return true;
    causes.push(typeInvalid(path, actual, `${path} in body must be of type integer,string: ${JSON.stringify(actual)}`));
    return false;
  }
  if (!schema.type || schema.type === actual || (schema.type === "number" && actual === "integer")) return true;
  // As kube-openapi has it: where there is a format it stands for the type, for all but texts and lists.
  const byFormat = isKnownFormat(schema.format) && actual !== "string" && actual !== "array";
  const [wanted, shown] = byFormat ? [schema.format, formatOf(actual)] : [schema.type, actual];
  causes.push(typeInvalid(path, shown, `${path} in body must be of type ${wanted}: ${JSON.stringify(shown)}`));
  return false;
}

/** What kube-openapi takes for the format of a decoded value. */
function formatOf(type: string): string {
  if (type === "integer") return "int64";
  return type === "number" ? "double" : "";
}

function checkString(schema: Schema, value: string, path: string, causes: StatusCause[]): void {
  // Lengths count code points, as Go counts runes. (Its message says bytes all the same.)
  const length = schema.maxLength === undefined && schema.minLength === undefined ? 0 : Array.from(value).length;
  // The first of these that is broken stands for all.
  if (schema.maxLength !== undefined && length > schema.maxLength) causes.push(tooLong(path, schema.maxLength));
  else if (schema.minLength !== undefined && length < schema.minLength) {
    causes.push(invalidValue(path, value, `${path} in body should be at least ${schema.minLength} chars long`));
  } else if (schema.pattern !== undefined && !compilePattern(schema.pattern).test(value)) {
    causes.push(invalidValue(path, value, `${path} in body should match '${schema.pattern}'`));
  }
  if (schema.format !== undefined && !matchesFormat(schema.format, value)) {
    causes.push(typeInvalid(path, value, `${path} in body must be of type ${schema.format}: ${JSON.stringify(value)}`));
  }
}

const ranges: Record<string, [number, number]> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [-(2 ** 63), 2 ** 63],
};

function checkNumber(schema: Schema, value: number, path: string, causes: StatusCause[]): void {
  const fail = (detail: string): number =>
    causes.push(invalidValue(path, value, `${path} in body should be ${detail}`));
  const range = schema.type === "integer" ? ranges[schema.format ?? "int64"] : undefined;
  if (range && (value < range[0] || value > range[1])) {
    const format = schema.format ? `with format ${schema.format}` : "(default format)";
    causes.push(invalidValue(path, value, `Checked value must be of type integer ${format} in ${path}`));
  }
  const { minimum, maximum, multipleOf } = schema;
  if (maximum !== undefined && schema.exclusiveMaximum && value >= maximum) fail(`less than ${maximum}`);
  else if (maximum !== undefined && value > maximum) fail(`less than or equal to ${maximum}`);
  if (minimum !== undefined && schema.exclusiveMinimum && value <= minimum) fail(`greater than ${minimum}`);
  else if (minimum !== undefined && value < minimum) fail(`greater than or equal to ${minimum}`);
  if (multipleOf !== undefined && multipleOf > 0) {
    const ratio = value / multipleOf;
    if (Math.abs(ratio - Math.round(ratio)) > 1e-9) fail(`a multiple of ${multipleOf}`);
  }
}

function checkArray(schema: Schema, value: unknown[], path: string, causes: StatusCause[], old: unknown): void {
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    causes.push(tooMany(path, value.length, schema.maxItems));
  }
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    causes.push(invalidValue(path, value.length, `${path} in body should have at least ${schema.minItems} items`));
  }
  const { items } = schema;
  const before = correlatedItems(schema, old);
  if (items) value.forEach((item, index) => check(items, item, `${path}[${index}]`, causes, before(item)));
  checkUnique(schema, value, path, causes);
}

/** The old item with the keys of a new one, for lists that are maps; items of other lists have no predecessors. */
function correlatedItems(schema: Schema, old: unknown): (item: unknown) => unknown {
  if (schema["x-kubernetes-list-type"] !== "map" || !Array.isArray(old)) return () => undefined;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const identity = (item: unknown): string => canonicalJson(mapKey(item, keys));
  const byKey = new Map(old.map((item: unknown) => [identity(item), item]));
  return (item) => byKey.get(identity(item));
}

const repeating = new WeakSet<Schema>();

/** Lets items of the list `schema` repeat: built-in lists such as env merge by key, and yet Kubernetes stores them as they come. */
export function mayRepeat(schema: Schema): Schema {
  repeating.add(schema);
  return schema;
}

/** Sets have no equal items, maps no two items with the same keys; one cause for each value that repeats. */
function checkUnique(schema: Schema, value: unknown[], path: string, causes: StatusCause[]): void {
  const listType = schema["x-kubernetes-list-type"];
  if ((listType !== "set" && listType !== "map") || repeating.has(schema)) return;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const seen = new Map<string, number>();
  value.forEach((item, index) => {
    if (listType === "map" && item !== null && typeOf(item) !== "object") {
      causes.push(invalidValue(`${path}[${index}]`, item, "must be an object for an array of list-type map"));
      return;
    }
    const identity = listType === "set" ? item : mapKey(item, keys);
    const text = canonicalJson(identity);
    const times = (seen.get(text) ?? 0) + 1;
    seen.set(text, times);
    if (times === 2) causes.push(duplicate(`${path}[${index}]`, identity));
  });
}

function mapKey(item: unknown, keys: string[]): Tree {
  const tree = item !== null && typeof item === "object" ? (item as Tree) : {};
  return Object.fromEntries(keys.filter((key) => tree[key] !== undefined).map((key) => [key, tree[key]]));
}

function checkObject(schema: Schema, value: Tree, path: string, causes: StatusCause[], old: unknown): void {
  const names = Object.keys(value);
  const { additionalProperties, properties } = schema;
  if (schema.minProperties !== undefined && names.length < schema.minProperties) {
    causes.push(
      invalidValue(path, names.length, `${path} in body should have at least ${schema.minProperties} properties`),
    );
  }
  if (schema.maxProperties !== undefined && names.length > schema.maxProperties) {
    causes.push(tooMany(path, names.length, schema.maxProperties));
  }
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name) || value[name] === undefined) causes.push(required(join(path, name)));
  }
  const before = typeOf(old) === "object" ? (old as Tree) : {};
  for (const name of names) {
    const was = Object.hasOwn(before, name) ? before[name] : undefined;
    const property = properties && Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (property) {
      if (value[name] !== undefined) check(property, value[name], join(path, name), causes, was);
    } else if (additionalProperties === false) {
      causes.push(invalidValue(path, "", `${path}.${name} in body is a forbidden property`));
    } else if (typeof additionalProperties === "object") {
      check(additionalProperties, value[name], join(path, name), causes, was);
    }
  }
  if (schema["x-kubernetes-embedded-resource"]) checkEmbedded(value, path, causes);
}

const kindRule =
  "may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/** An embedded resource is an object of its own: it needs its type, and metadata that is an object. */
function checkEmbedded(value: Tree, path: string, causes: StatusCause[]): void {
  for (const name of ["apiVersion", "kind"]) {
    const text = value[name];
    const at = join(path, name);
    if (text === undefined) causes.push(required(at, "must not be empty"));
    else if (typeof text !== "string") causes.push(typeInvalid(at, text, "must be a string"));
    else if (text === "") causes.push(invalidValue(at, text, "must not be empty"));
    else if (name === "apiVersion" && text.split("/").length > 2) {
      causes.push(invalidValue(at, text, `unexpected GroupVersion string: ${text}`));
    } else if (name === "kind" && !/^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/i.test(text)) {
      causes.push(invalidValue(at, text, kindRule));
    }
  }
  const { metadata } = value;
  if (metadata !== undefined && typeOf(metadata) !== "object") {
    causes.push(typeInvalid(join(path, "metadata"), metadata, "must be an object"));
  }
}

function checkCombinations(schema: Schema, value: unknown, path: string, causes: StatusCause[]): void {
  const quoted = JSON.stringify(path);
  // These come without a field, which Go prints as nil: it is part of the sentence.
  const fail = (detail: string): number => causes.push(invalidValue("<nil>", "", `${quoted} must ${detail}`));
  const attempts = (list: Schema[]): StatusCause[][] =>
    list
      .map((part) => ({ causes: validateSchema(part, value, path), likeness: likenessOf(part, value) }))
      .sort((a, b) => Number(a.causes.length > 0) - Number(b.causes.length > 0) || b.likeness - a.likeness)
      .map(({ causes: found }) => found);
  if (schema.allOf) {
    const all = schema.allOf.map((part) => validateSchema(part, value, path));
    const valid = all.filter((result) => result.length === 0).length;
    causes.push(...all.flat());
    if (valid < all.length) fail(`validate all the schemas (allOf)${valid === 0 ? ". None validated" : ""}`);
  }
  if (schema.anyOf) {
    const [best = []] = attempts(schema.anyOf);
    if (best.length > 0) {
      fail("validate at least one schema (anyOf)");
      causes.push(...best);
    }
  }
  if (schema.oneOf) {
    const all = attempts(schema.oneOf);
    const valid = all.filter((result) => result.length === 0).length;
    if (valid !== 1) {
      const found = valid === 0 ? "Found none valid" : `Found ${valid} valid alternatives`;
      fail(`validate one and only one schema (oneOf). ${found}`);
      if (valid === 0) causes.push(...(all[0] ?? []));
    }
  }
  if (schema.not && validateSchema(schema.not, value, path).length === 0) fail("not validate the schema (not)");
}

/** How much of `value` is as `schema` wants it: faults are told of the alternative that was most likely meant. */
function likenessOf({ properties = {} }: Schema, value: unknown): number {
  if (value === null || typeof value !== "object") return 0;
  const tree = value as Tree;
  const named = Object.entries(properties).filter(([name]) => Object.hasOwn(tree, name));
  return named.filter(([name, property]) => validateSchema(property, tree[name]).length === 0).length;
}
