// The x-kubernetes-* fields of structural schemas, and what schemas may say of an object's own fields (apiextensions schema validation).

import type { Schema } from "@gatehouse/apimachinery/schema";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { forbiddenField, invalidValue, notSupported, required } from "../schema/field-cause.ts";

const scalars = ["integer", "number", "string", "boolean"];

/** The causes for what `schema`, found at `path`, says of lists, maps and embedded objects. */
export function validateExtensions(schema: Schema, path: string): StatusCause[] {
  return [...validateOpenness(schema, path), ...validateListType(schema, path), ...validateMapType(schema, path)];
}

function validateOpenness(schema: Schema, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  const preserves = schema["x-kubernetes-preserve-unknown-fields"];
  if (preserves === false) {
    causes.push(invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined"));
  }
  if (!schema["x-kubernetes-embedded-resource"]) return causes;
  if (schema.type !== "object") {
    causes.push(
      schema.type === undefined
        ? required(`${path}.type`, "must be object if x-kubernetes-embedded-resource is true")
        : invalidValue(`${path}.type`, schema.type, "must be object if x-kubernetes-embedded-resource is true"),
    );
  }
  if (!preserves && Object.keys(schema.properties ?? {}).length === 0) {
    const detail =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    causes.push(required(`${path}.properties`, detail));
  }
  return causes;
}

function validateMapType({ type, "x-kubernetes-map-type": mapType }: Schema, path: string): StatusCause[] {
  if (mapType === undefined) return [];
  const causes: StatusCause[] = [];
  if (type !== "object") {
    causes.push(invalidValue(`${path}.type`, type ?? "", "must be object if x-kubernetes-map-type is specified"));
  }
  const known = ["atomic", "granular"];
  if (!known.includes(mapType)) causes.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, known));
  return causes;
}

function validateListType(schema: Schema, path: string): StatusCause[] {
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const at = `${path}.x-kubernetes-list-type`;
  if (listType === undefined) {
    const detail = "must be map if x-kubernetes-list-map-keys is non-empty";
    return keys.length > 0 ? [invalidValue(at, "", detail)] : [];
  }
  const causes: StatusCause[] = [];
  const known = ["atomic", "set", "map"];
  if (!known.includes(listType)) causes.push(notSupported(at, listType, known));
  if (schema.type !== "array") {
    const detail = "must be array if x-kubernetes-list-type is specified";
    causes.push(invalidValue(`${path}.type`, schema.type ?? "", detail));
  }
  if (listType === "set" && schema.items) causes.push(...validateSetItems(schema.items, `${path}.items`));
  if (listType === "map") causes.push(...validateMapKeys(schema, keys, path));
  return causes;
}

/** Items are compared as a whole: nothing inside them may have an owner of its own. */
function validateSetItems(items: Schema, at: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (items.nullable) {
    causes.push(forbiddenField(`${at}.nullable`, "cannot be nullable when x-kubernetes-list-type is set"));
  }
  const detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const mapType = items["x-kubernetes-map-type"];
  if (items.type === "object" && mapType !== "atomic") {
    causes.push(invalidValue(`${at}.x-kubernetes-map-type`, mapType ?? "null", detail));
  }
  const listType = items["x-kubernetes-list-type"];
  if (items.type === "array" && listType !== undefined && listType !== "atomic") {
    causes.push(invalidValue(`${at}.x-kubernetes-list-type`, listType, detail));
  }
  return causes;
}

function validateMapKeys({ items }: Schema, keys: string[], path: string): StatusCause[] {
  const at = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) return [required(at, "must not be empty if x-kubernetes-list-type is map")];
  const causes: StatusCause[] = [];
  if (items?.nullable) {
    causes.push(forbiddenField(`${path}.items.nullable`, "cannot be nullable when x-kubernetes-list-type is map"));
  }
  if (items?.type !== "object") {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    return [...causes, invalidValue(`${path}.items.type`, items?.type ?? "", detail)];
  }
  if (new Set(keys).size < keys.length) causes.push(invalidValue(at, keys, "must not contain duplicate entries"));
  for (const key of new Set(keys)) {
    const property = items.properties?.[key];
    const place = `${path}.items.properties[${key}]`;
    if (!property) {
      causes.push(invalidValue(at, keys, "entries must all be names of item properties"));
      continue;
    }
    if (!scalars.includes(property.type ?? "")) {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      causes.push(invalidValue(`${place}.type`, property.type ?? "", detail));
    }
    if (property.default === undefined && !items.required?.includes(key)) {
      const detail =
        "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
      causes.push(required(`${place}.default`, detail));
    }
    if (property.nullable) {
      const detail = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
      causes.push(forbiddenField(`${place}.nullable`, detail));
    }
  }
  return causes;
}

/** The causes for what the root `schema` says of the fields that every object has. */
export function validateOwnFields({ properties = {} }: Schema, path: string): StatusCause[] {
  const causes: StatusCause[] = [];
  for (const name of ["apiVersion", "kind"]) {
    const { type } = properties[name] ?? {};
    if (type !== undefined && type !== "string") {
      causes.push(invalidValue(`${path}.properties[${name}].type`, type, "must be string"));
    }
  }
  const { metadata } = properties;
  if (!metadata) return causes;
  const at = `${path}.properties[metadata]`;
  if (metadata.type !== "object") {
    return [...causes, invalidValue(`${at}.type`, metadata.type ?? "", "must be object")];
  }
  const { type: _type, properties: own = {}, ...others } = metadata;
  if (Object.keys(others).length > 0 || Object.keys(own).some((name) => name !== "name" && name !== "generateName")) {
    const detail = "must not specify anything other than name and generateName, but metadata is implicitly specified";
    causes.push(forbiddenField(at, detail));
  }
  for (const [name, property] of Object.entries(own)) {
    if (property.default === undefined) continue;
    causes.push(forbiddenField(`${at}.properties[${name}].default`, "must not be set in top-level metadata"));
  }
  return causes;
}
