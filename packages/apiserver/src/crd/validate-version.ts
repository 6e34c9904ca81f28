// One version of a CustomResourceDefinition: columns, subresources, selectable fields, words on deprecation (apiextensions validation).

import { compile } from "@gatehouse/apimachinery/json-path";
import type { Schema } from "@gatehouse/apimachinery/schema";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { readFieldPath } from "../cel/field-path.ts";
import { duplicate, invalidValue, required, tooMany } from "../schema/field-cause.ts";
import type { ColumnSource } from "./columns.ts";

type Tree = Record<string, unknown>;

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
const simplePath = /^(?:\.[A-Za-z_][\w-]*)+$/;
const maxSelectableFields = 8;

/** The causes for columns, found at `path`. */
export function validateColumns(columns: ColumnSource[], path: string): StatusCause[] {
  return columns.flatMap((column, index) => validateColumn(column, `${path}[${index}]`));
}

function validateColumn(column: ColumnSource, at: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (!column.name) causes.push(required(`${at}.name`));
  if (!column.type) causes.push(required(`${at}.type`, `must be one of ${columnTypes.join(",")}`));
  else if (!columnTypes.includes(column.type)) {
    causes.push(invalidValue(`${at}.type`, column.type, `must be one of ${columnTypes.join(",")}`));
  }
  if (column.format && !columnFormats.includes(column.format)) {
    causes.push(invalidValue(`${at}.format`, column.format, `must be one of ${columnFormats.join(",")}`));
  }
  const path = `${at}.JSONPath`;
  if (!column.jsonPath) causes.push(required(path));
  else if (!column.jsonPath.startsWith(".")) {
    causes.push(invalidValue(path, column.jsonPath, "must be a simple json path starting with ."));
  } else {
    try {
      compile(column.jsonPath);
    } catch (error) {
      causes.push(invalidValue(path, column.jsonPath, (error as Error).message));
    }
  }
  return causes;
}

/** The causes for the paths of a scale subresource, found at `at`. */
export function validateScale(scale: Tree, at: string): StatusCause[] {
  const causes: StatusCause[] = [];
  const rules: [key: string, prefixes: string[], words: string, needed: boolean][] = [
    ["specReplicasPath", [".spec."], "under .spec", true],
    ["statusReplicasPath", [".status."], "under .status", true],
    ["labelSelectorPath", [".spec.", ".status."], "under either .spec or .status", false],
  ];
  for (const [key, prefixes, words, needed] of rules) {
    const path = scale[key];
    if (path === undefined || path === "") {
      if (needed) causes.push(required(`${at}.${key}`));
    } else if (!simplePath.test(String(path))) {
      causes.push(invalidValue(`${at}.${key}`, path, "must be a simple json path starting with ."));
    } else if (!prefixes.some((prefix) => String(path).startsWith(prefix))) {
      causes.push(invalidValue(`${at}.${key}`, path, `should be a json path ${words}`));
    }
  }
  return causes;
}

/** The causes for fields that objects are to be selected by (KEP-4358), found at `path`. */
export function validateSelectableFields(fields: { jsonPath?: string }[], schema: Schema, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  const seen = new Set<string>();
  for (const [index, { jsonPath = "" }] of fields.entries()) {
    const at = `${path}[${index}].jsonPath`;
    const fault = selectableFault(jsonPath, schema);
    if (jsonPath === "") causes.push(required(at));
    else if (fault) causes.push(invalidValue(at, jsonPath, fault));
    if (seen.has(jsonPath)) causes.push(duplicate(at, jsonPath));
    seen.add(jsonPath);
  }
  if (fields.length > maxSelectableFields) causes.push(tooMany(path, fields.length, maxSelectableFields));
  return causes;
}

function selectableFault(jsonPath: string, schema: Schema): string | undefined {
  if (jsonPath.startsWith(".metadata")) return "is an invalid path: does not refer to a valid field";
  if (jsonPath.includes("[")) return "is an invalid path: array notation is not allowed";
  if (!jsonPath.startsWith(".")) return `is an invalid path: expected [ or . but got: ${jsonPath.split(".")[0]}`;
  if (!readFieldPath(jsonPath, schema)) return "is an invalid path: does not refer to a valid field";
  let found: Schema | undefined = schema;
  for (const name of jsonPath.slice(1).split(".")) found = found?.properties?.[name];
  return found && ["string", "boolean", "integer"].includes(found.type ?? "")
    ? undefined
    : "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
}

/** The causes for what is said of a version's deprecation, found at `at`. */
export function validateDeprecation(version: Tree, at: string): StatusCause[] {
  const warning = version["deprecationWarning"];
  if (typeof warning !== "string") return [];
  const fault = deprecationFault(warning, version["deprecated"] === true);
  return fault === undefined ? [] : [invalidValue(`${at}.deprecationWarning`, warning, fault)];
}

function deprecationFault(warning: string, isDeprecated: boolean): string | undefined {
  if (!isDeprecated) return "can only be set for deprecated versions";
  if (Buffer.byteLength(warning) > 256) return "must be <= 256 characters long";
  if (warning === "") return "must not be an empty string";
  const index = warning.search(/[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Zl}\p{Zp}]/u);
  return index < 0
    ? undefined
    : `must only contain printable UTF-8 characters; non-printable character found at index ${Buffer.byteLength(warning.slice(0, index))}`;
}
