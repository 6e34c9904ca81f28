// Structural schemas (KEP-1693 "vanilla OpenAPI subset: structural schema"): every level typed, nothing hidden in combinators.

import type { Schema } from "@gatehouse/apimachinery/schema";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { forbiddenField, invalidValue, notSupported, required } from "../schema/field-cause.ts";
import { applyDefaults } from "../schema/default.ts";
import { pruneUnknown } from "../schema/prune.ts";
import { compilePattern } from "../schema/pattern.ts";
import { validateSchema } from "../schema/validate.ts";
import { validateExtensions, validateOwnFields } from "./validate-extensions.ts";

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
  causes.push(...validateOwnFields(schema, path));
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
  causes.push(...validateExtensions(schema, path));
  // A default of null is none.
  if (schema.default !== undefined && schema.default !== null) causes.push(...checkDefault(schema, `${path}.default`));
  for (const key of ["allOf", "anyOf", "oneOf"] as const) {
    for (const [index, part] of (schema[key] ?? []).entries())
      checkNested(schema, part, `${path}.${key}[${index}]`, causes, isRoot);
  }
  if (schema.not) checkNested(schema, schema.not, `${path}.not`, causes, isRoot);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    check(property, `${path}.properties[${name}]`, causes, false);
  }
  if (typeof schema.additionalProperties === "object") {
    check(schema.additionalProperties, `${path}.additionalProperties`, causes, false);
  }
  if (schema.items) check(schema.items, `${path}.items`, causes, false);
}

function checkDefault(schema: Schema, at: string): StatusCause[] {
  const value = structuredClone(schema.default);
  const unknown = pruneUnknown({ properties: { value: schema } }, { value });
  if (unknown.length > 0) return [invalidValue(at, schema.default, "must not have unknown fields")];
  applyDefaults(schema, value);
  // Messages of kube-openapi leave out where in the definition it is.
  return validateSchema(schema, value, at).map((cause) => ({
    ...cause,
    message: cause.message.replaceAll(at, ""),
  }));
}

function checkType(schema: Schema, path: string, causes: StatusCause[], isRoot: boolean): void {
  const open = schema["x-kubernetes-int-or-string"] || schema["x-kubernetes-preserve-unknown-fields"];
  if (schema.type === undefined) {
    if (!open && !isRoot) causes.push(required(`${path}.type`, "must not be empty for specified object fields"));
  } else if (!types.includes(schema.type)) {
    causes.push(notSupported(`${path}.type`, schema.type, types));
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

/**
 * Inside a combinator a schema may only restrict what the main level (`main`) declares; for those of the root (`isComplete`) the
 * API server also insists that it declares it.
 */
function checkNested(main: Schema, part: Schema, path: string, causes: StatusCause[], isComplete: boolean): void {
  for (const key of mainLevelOnly) {
    if (part[key] === undefined) continue;
    // anyOf: [{type: integer}, {type: string}] is the usual long form of int-or-string.
    if (key === "type" && main["x-kubernetes-int-or-string"]) continue;
    const wanted = { default: "undefined", nullable: "false" }[key as string] ?? "empty";
    causes.push(forbiddenField(`${path}.${key}`, `must be ${wanted} to be structural`));
  }
  if (part.pattern !== undefined) checkPattern(part.pattern, path, causes);
  for (const [name, property] of Object.entries(part.properties ?? {})) {
    const declared =
      main.properties?.[name] ??
      (typeof main.additionalProperties === "object" ? main.additionalProperties : undefined);
    if (!declared && isComplete) {
      const at = `${path}.properties[${name}]`;
      causes.push(required(pathOfProperty(path, name), `because it is defined in ${at}`));
    } else checkNested(declared ?? {}, property, `${path}.properties[${name}]`, causes, isComplete);
  }
  if (part.items) checkNested(main.items ?? {}, part.items, `${path}.items`, causes, isComplete);
  for (const key of ["allOf", "anyOf", "oneOf"] as const) {
    for (const [index, inner] of (part[key] ?? []).entries())
      checkNested(main, inner, `${path}.${key}[${index}]`, causes, isComplete);
  }
  if (part.not) checkNested(main, part.not, `${path}.not`, causes, isComplete);
}

/** Where the main level would have to declare a property that only a combinator at `path` names. */
function pathOfProperty(path: string, name: string): string {
  return `${path.replace(/\.(?:allOf|anyOf|oneOf|not)(?:\[\d+\])?(?=\.|$)/g, "")}.properties[${name}]`;
}
