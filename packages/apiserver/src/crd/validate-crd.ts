// Whether a CustomResourceDefinition can be served (apiextensions validation): names, versions, schemas, columns.

import { isDeepStrictEqual } from "node:util";
import { compile } from "@gatehouse/apimachinery/json-path";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Schema } from "@gatehouse/apimachinery/schema";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { validateCrdRules } from "../cel/validate-crd-rules.ts";
import { duplicate, invalidValue, notSupported, required } from "../schema/field-cause.ts";
import type { ColumnSource } from "./columns.ts";
import { validateStructure } from "./validate-structure.ts";

type Tree = Record<string, unknown>;

const dnsLabel = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const startingLetter = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const dnsSubdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";

/** The causes for which `crd` cannot be served; empty when it can. The form of the fields is the schema's matter. */
export function validateCrd(crd: KubeObject): StatusCause[] {
  const spec = crd["spec"] as Tree | undefined;
  if (!spec) return [required("spec")];
  const causes = [...validateNames(crd, spec), ...validateVersions(spec)];
  if (spec["preserveUnknownFields"] === true) {
    causes.push(
      invalidValue("spec.preserveUnknownFields", true, "must be false in order to use defaults in the schema"),
    );
  }
  if (causes.length === 0) causes.push(...validateRules(spec));
  const conversion = spec["conversion"] as { strategy?: string } | undefined;
  if (conversion?.strategy === "Webhook") {
    causes.push(
      invalidValue("spec.conversion.strategy", "Webhook", "conversion by webhook is not served here; use None"),
    );
  }
  return causes;
}

function validateNames(crd: KubeObject, spec: Tree): StatusCause[] {
  const causes: StatusCause[] = [];
  const group = String(spec["group"] ?? "");
  const names = (spec["names"] ?? {}) as Tree;
  const plural = String(names["plural"] ?? "");
  if (!group) causes.push(required("spec.group"));
  else if (!dnsSubdomain.test(group))
    causes.push(invalidValue("spec.group", group, "a lowercase RFC 1123 subdomain is needed"));
  else if (!group.includes("."))
    causes.push(invalidValue("spec.group", group, "should be a domain with at least one dot"));
  for (const key of ["plural", "singular", "kind", "listKind"]) {
    const name = names[key];
    const path = `spec.names.${key}`;
    if (typeof name !== "string" || name === "") {
      if (key === "plural" || key === "kind") causes.push(required(path));
    } else if (!startingLetter.test(key.endsWith("ind") ? name.toLowerCase() : name)) {
      causes.push(invalidValue(path, name, labelRule));
    }
  }
  for (const key of ["shortNames", "categories"]) {
    for (const [index, name] of ((names[key] ?? []) as string[]).entries()) {
      if (!dnsLabel.test(name)) causes.push(invalidValue(`spec.names.${key}[${index}]`, name, labelRule));
    }
  }
  if (names["kind"] && names["kind"] === names["listKind"]) {
    causes.push(invalidValue("spec.names.listKind", names["listKind"], "kind and listKind may not be the same"));
  }
  const expected = `${plural}.${group}`;
  if (crd.metadata.name !== expected) {
    causes.push(invalidValue("metadata.name", crd.metadata.name, `must be spec.names.plural+"."+spec.group`));
  }
  return causes;
}

function validateVersions(spec: Tree): StatusCause[] {
  const causes: StatusCause[] = [];
  const versions = (spec["versions"] ?? []) as Tree[];
  const path = "spec.versions";
  const seen = new Set<unknown>();
  for (const [index, version] of versions.entries()) {
    const at = `${path}[${index}]`;
    const name = String(version["name"] ?? "");
    if (!startingLetter.test(name)) causes.push(invalidValue(`${at}.name`, name, labelRule));
    if (seen.has(name)) causes.push(duplicate(`${at}.name`, name));
    seen.add(name);
    causes.push(...validateVersion(version, at));
  }
  const storing = versions.filter(({ storage }) => storage === true).length;
  if (storing !== 1) {
    causes.push(
      invalidValue(
        path,
        versions.map(({ name }) => name),
        "must have exactly one version marked as storage version",
      ),
    );
  }
  return causes;
}

function validateVersion(version: Tree, at: string): StatusCause[] {
  const causes: StatusCause[] = [];
  const schema = (version["schema"] as { openAPIV3Schema?: Schema } | undefined)?.openAPIV3Schema;
  if (!schema) causes.push(required(`${at}.schema.openAPIV3Schema`, "schemas are required"));
  else causes.push(...validateStructure(schema, `${at}.schema.openAPIV3Schema`));
  const columns = (version["additionalPrinterColumns"] ?? []) as ColumnSource[];
  for (const [index, column] of columns.entries()) {
    causes.push(...validateColumn(column, `${at}.additionalPrinterColumns[${index}]`));
  }
  const scale = (version["subresources"] as { scale?: Tree } | undefined)?.scale;
  if (scale) causes.push(...validateScale(scale, `${at}.subresources.scale`));
  return causes;
}

const columnTypes = ["integer", "number", "string", "boolean", "date"];
const columnFormats = ["int32", "int64", "float", "double", "byte", "date", "date-time", "password"];

function validateColumn(column: ColumnSource, at: string): StatusCause[] {
  const causes: StatusCause[] = [];
  if (!column.name) causes.push(required(`${at}.name`));
  if (!column.type) causes.push(required(`${at}.type`, `must be one of ${columnTypes.join(",")}`));
  else if (!columnTypes.includes(column.type)) causes.push(notSupported(`${at}.type`, column.type, columnTypes));
  if (column.format && !columnFormats.includes(column.format)) {
    causes.push(notSupported(`${at}.format`, column.format, columnFormats));
  }
  if (!column.jsonPath) causes.push(required(`${at}.jsonPath`));
  else {
    try {
      compile(column.jsonPath);
    } catch (error) {
      causes.push(invalidValue(`${at}.jsonPath`, column.jsonPath, (error as Error).message));
    }
  }
  return causes;
}

const simplePath = /^(?:\.[A-Za-z_][\w-]*)+$/;

/** The faults of the rules in the versions' schemas, for a definition that is right otherwise: on wrong schemas they would mislead. */
function validateRules(spec: Tree): StatusCause[] {
  const schemas = ((spec["versions"] ?? []) as { schema?: { openAPIV3Schema?: Schema } }[]).map(
    ({ schema }) => schema?.openAPIV3Schema,
  );
  return schemas.flatMap((schema, index) => {
    // Versions often differ in name only, and rules take their time.
    const isKnown = schemas.slice(0, index).some((other) => isDeepStrictEqual(other, schema));
    return schema && !isKnown ? validateCrdRules(schema, `spec.versions[${index}].schema.openAPIV3Schema`) : [];
  });
}

/** Scale paths are plain dotted paths: the spec's under `.spec`, the others under `.status`. */
function validateScale(scale: Tree, at: string): StatusCause[] {
  const causes: StatusCause[] = [];
  const rules: [string, string[], boolean][] = [
    ["specReplicasPath", [".spec."], true],
    ["statusReplicasPath", [".status."], true],
    ["labelSelectorPath", [".spec.", ".status."], false],
  ];
  for (const [key, prefixes, needed] of rules) {
    const path = scale[key];
    if (path === undefined || path === "") {
      if (needed) causes.push(required(`${at}.${key}`));
    } else if (!simplePath.test(String(path)) || !prefixes.some((prefix) => String(path).startsWith(prefix))) {
      causes.push(invalidValue(`${at}.${key}`, path, `should be a json path under ${prefixes.join(" or ")}`));
    }
  }
  return causes;
}
