// Structural schemas (KEP-1693 "vanilla OpenAPI subset: structural schema"): every level typed, nothing hidden in combinators.

import type { Schema } from "@gatehouse/apimachinery/schema";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { forbiddenField, invalidValue, notSupported, required } from "../schema/field-cause.ts";
import { applyDefaults } from "../schema/default.ts";
import { compilePattern } from "../schema/pattern.ts";
import { validateSchema } from "../schema/validate.ts";

const types = ["array", "boolean", "integer", "number", "object", "string"];

/** Fields of OpenAPI that structural schemas do without. */
const refused = ["$ref", "$schema", "id", "additionalItems", "definitions", "dependencies", "patternProperties"];

/** Fields that may only stand on the main level, not inside allOf, anyOf, oneOf or not. */
const mainLevelOnly = [
  "description",
  "type",
  "default",
  "additionalProperties",
  "nullable",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
  "x-kubernetes-validations",
] as const;

/** The causes for which `schema`, found at `path`, is no structural schema. */
export function validateStructure(schema: Schema, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (schema.type !== "object") {
    causes.push(
      schema.type === undefined
        ? required(`${path}.type`, "must not be empty at the root")
        : invalidValue(`${path}.type`, schema.type, "must be object at the root"),
    );
  }
  check(schema, path, causes, true);
  return causes;
}

function check(schema: Schema, path: string, causes: StatusCause[], isRoot: boolean): void {
  checkType(schema, path, causes, isRoot);
  for (const key of refused) {
    if ((schema as Record<string, unknown>)[key] !== undefined) {
      causes.push(forbiddenField(`${path}.${key}`, `${key} is not supported`));
    }
  }
  if (schema.uniqueItems === true) {
    causes.push(
      forbiddenField(
        `${path}.uniqueItems`,
        "uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
      ),
    );
  }
  if (schema.properties && schema.additionalProperties) {
    causes.push(
      forbiddenField(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive"),
    );
  }
  if (schema.pattern !== undefined) checkPattern(schema.pattern, path, causes);
  checkList(schema, path, causes);
  if (schema.default !== undefined) {
    const value = structuredClone(schema.default);
    applyDefaults(schema, value);
    causes.push(...validateSchema(schema, value, `${path}.default`));
  }
  for (const key of ["allOf", "anyOf", "oneOf"] as const) {
    for (const [index, part] of (schema[key] ?? []).entries())
      checkNested(schema, part, `${path}.${key}[${index}]`, causes);
  }
  if (schema.not) checkNested(schema, schema.not, `${path}.not`, causes);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    check(property, `${path}.properties[${name}]`, causes, false);
  }
  if (typeof schema.additionalProperties === "object") {
    check(schema.additionalProperties, `${path}.additionalProperties`, causes, false);
  }
  if (schema.items) check(schema.items, `${path}.items`, causes, false);
}

function checkType(schema: Schema, path: string, causes: StatusCause[], isRoot: boolean): void {
  const open = schema["x-kubernetes-int-or-string"] || schema["x-kubernetes-preserve-unknown-fields"];
  if (schema.type === undefined) {
    if (!open && !isRoot) causes.push(required(`${path}.type`, "must not be empty for specified object fields"));
  } else if (!types.includes(schema.type)) {
    causes.push(notSupported(`${path}.type`, schema.type, types));
  } else if (schema["x-kubernetes-int-or-string"]) {
    causes.push(invalidValue(`${path}.type`, schema.type, "must be empty if x-kubernetes-int-or-string is true"));
  }
  if (schema["x-kubernetes-embedded-resource"] && schema.type !== "object") {
    causes.push(
      invalidValue(`${path}.type`, schema.type ?? "", "must be object if x-kubernetes-embedded-resource is true"),
    );
  }
  if (schema.type === "array" && !schema.items) causes.push(required(`${path}.items`, "must be specified"));
}

function checkPattern(pattern: string, path: string, causes: StatusCause[]): void {
  try {
    compilePattern(pattern);
  } catch (error) {
    causes.push(
      invalidValue(
        `${path}.pattern`,
        pattern,
        `must be a valid regular expression, but isn't: ${(error as Error).message}`,
      ),
    );
  }
}

function checkList(schema: Schema, path: string, causes: StatusCause[]): void {
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const at = `${path}.x-kubernetes-list-type`;
  if (listType === undefined) {
    if (keys.length > 0) causes.push(invalidValue(at, "", "must be map if x-kubernetes-list-map-keys is non-empty"));
    return;
  }
  if (!["atomic", "set", "map"].includes(listType)) causes.push(notSupported(at, listType, ["atomic", "map", "set"]));
  if (schema.type !== "array")
    causes.push(
      invalidValue(`${path}.type`, schema.type ?? "", "must be array if x-kubernetes-list-type is specified"),
    );
  if (listType !== "map") return;
  if (keys.length === 0)
    causes.push(required(`${path}.x-kubernetes-list-map-keys`, "must not be empty if x-kubernetes-list-type is map"));
  for (const [index, key] of keys.entries()) {
    if (schema.items?.properties?.[key]) continue;
    causes.push(
      invalidValue(`${path}.x-kubernetes-list-map-keys[${index}]`, key, "entries must all be names of item properties"),
    );
  }
}

/** Inside a combinator a schema may only restrict what the main level (`main`) declares. */
function checkNested(main: Schema, part: Schema, path: string, causes: StatusCause[]): void {
  for (const key of mainLevelOnly) {
    if (part[key] === undefined) continue;
    // anyOf: [{type: integer}, {type: string}] is the usual long form of int-or-string.
    if (key === "type" && main["x-kubernetes-int-or-string"]) continue;
    causes.push(forbiddenField(`${path}.${key}`, "must be empty to be structural"));
  }
  if (part.pattern !== undefined) checkPattern(part.pattern, path, causes);
  for (const [name, property] of Object.entries(part.properties ?? {})) {
    const declared = main.properties?.[name] ?? (main["x-kubernetes-preserve-unknown-fields"] ? {} : undefined);
    if (!declared) causes.push(required(pathOfProperty(path, name), "because it is defined in a combinator"));
    else checkNested(declared, property, `${path}.properties[${name}]`, causes);
  }
  if (part.items) checkNested(main.items ?? {}, part.items, `${path}.items`, causes);
  for (const key of ["allOf", "anyOf", "oneOf"] as const) {
    for (const [index, inner] of (part[key] ?? []).entries())
      checkNested(main, inner, `${path}.${key}[${index}]`, causes);
  }
  if (part.not) checkNested(main, part.not, `${path}.not`, causes);
}

/** Where the main level would have to declare a property that only a combinator at `path` names. */
function pathOfProperty(path: string, name: string): string {
  return `${path.replace(/\.(?:allOf|anyOf|oneOf|not)(?:\[\d+\])?(?=\.|$)/g, "")}.properties[${name}]`;
}
