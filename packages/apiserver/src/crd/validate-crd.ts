// Whether a CustomResourceDefinition can be served (apiextensions validation): names, versions, schemas, columns.

import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Schema } from "@gatehouse/apimachinery/schema";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { validateCrdRules } from "../cel/validate-crd-rules.ts";
import { forbiddenField, invalidValue, notSupported, required } from "../schema/field-cause.ts";
import type { ColumnSource } from "./columns.ts";
import { validateStructure } from "./validate-structure.ts";
import { validateColumns, validateDeprecation, validateScale, validateSelectableFields } from "./validate-version.ts";

type Tree = Record<string, unknown>;

const label = /^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const dnsSubdomain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const labelRule =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/** The causes for which `crd` cannot be served as the successor of `old`; empty when it can. The form of the fields is the schema's matter. */
export function validateCrd(crd: KubeObject, old?: KubeObject): StatusCause[] {
  const spec = crd["spec"] as Tree | undefined;
  if (!spec) return [required("spec")];
  const causes = [...validateNames(crd, spec), ...validateApproval(crd, old), ...validateVersions(spec)];
  const scopes = ["Cluster", "Namespaced"];
  if (!scopes.includes(String(spec["scope"]))) causes.push(notSupported("spec.scope", spec["scope"] ?? "", scopes));
  if (spec["preserveUnknownFields"] === true) {
    const detail =
      "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
    causes.push(invalidValue("spec.preserveUnknownFields", true, detail));
  }
  causes.push(...validateConversion(spec));
  if (causes.length === 0) causes.push(...validateRules(spec));
  return causes;
}

function validateConversion(spec: Tree): StatusCause[] {
  const conversion = spec["conversion"] as { strategy?: string; webhook?: unknown } | undefined;
  const strategies = ["None", "Webhook"];
  if (!conversion) return [];
  if (!strategies.includes(conversion.strategy ?? "")) {
    return [notSupported("spec.conversion.strategy", conversion.strategy ?? "", strategies)];
  }
  if (conversion.strategy === "Webhook") {
    const detail = "conversion by webhook is not served here; use None";
    return [invalidValue("spec.conversion.strategy", "Webhook", detail)];
  }
  if (conversion.webhook === undefined) return [];
  return [forbiddenField("spec.conversion.webhook", "should not be set when strategy is not set to Webhook")];
}

function validateNames(crd: KubeObject, spec: Tree): StatusCause[] {
  const causes: StatusCause[] = [];
  const group = String(spec["group"] ?? "");
  const names = (spec["names"] ?? {}) as Tree;
  if (!group) causes.push(required("spec.group"));
  else if (!dnsSubdomain.test(group)) {
    causes.push(invalidValue("spec.group", group, "a lowercase RFC 1123 subdomain is needed"));
  } else if (!group.includes(".")) {
    causes.push(invalidValue("spec.group", group, "should be a domain with at least one dot"));
  }
  for (const key of ["plural", "singular", "kind", "listKind"]) {
    const name = names[key];
    const path = `spec.names.${key}`;
    const isKind = key.toLowerCase().endsWith("kind");
    if (typeof name !== "string" || name === "") {
      if (key === "plural" || key === "kind") causes.push(required(path));
    } else if (!label.test(isKind ? name.toLowerCase() : name)) {
      const prefix = isKind ? "may have mixed case, but should otherwise match: " : "";
      causes.push(invalidValue(path, name, prefix + labelRule));
    }
  }
  for (const key of ["shortNames", "categories"]) {
    for (const [index, name] of ((names[key] ?? []) as string[]).entries()) {
      if (!label.test(name)) causes.push(invalidValue(`spec.names.${key}[${index}]`, name, labelRule));
    }
  }
  if (names["kind"] && names["kind"] === names["listKind"]) {
    causes.push(invalidValue("spec.names.listKind", names["listKind"], "kind and listKind may not be the same"));
  }
  if (crd.metadata.name !== `${String(names["plural"] ?? "")}.${group}`) {
    causes.push(invalidValue("metadata.name", crd.metadata.name, `must be spec.names.plural+"."+spec.group`));
  }
  return causes;
}

const approval = "api-approved.kubernetes.io";

/** Groups of the Kubernetes project need its approval (KEP-1111); what was stored without it may stay. */
function validateApproval(crd: KubeObject, old: KubeObject | undefined): StatusCause[] {
  const { group } = crd["spec"] as { group?: string };
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group ?? "")) return [];
  const value = crd.metadata.annotations?.[approval] ?? "";
  if (old && value === (old.metadata.annotations?.[approval] ?? "")) return [];
  const at = `metadata.annotations[${approval}]`;
  const words = `protected groups must have approval annotation "${approval}"`;
  const see = "see https://github.com/kubernetes/enhancements/pull/1111";
  if (value === "") return [required(at, `${words}, ${see}`)];
  if (value.startsWith("unapproved") || /^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(value)) return [];
  return [invalidValue(at, value, `${words} with either a URL or a reason starting with "unapproved", ${see}`)];
}

function validateVersions(spec: Tree): StatusCause[] {
  const causes: StatusCause[] = [];
  const versions = (spec["versions"] ?? []) as Tree[];
  const names = versions.map(({ name }) => String(name ?? ""));
  for (const [index, version] of versions.entries()) {
    const at = `spec.versions[${index}]`;
    const name = names[index] ?? "";
    if (!label.test(name)) causes.push(invalidValue(`${at}.name`, name, labelRule));
    causes.push(...validateDeprecation(version, at));
  }
  if (new Set(names).size < names.length) {
    causes.push(invalidValue("spec.versions", names, "must contain unique version names"));
  }
  if (versions.filter(({ storage }) => storage === true).length !== 1) {
    causes.push(invalidValue("spec.versions", names, "must have exactly one version marked as storage version"));
  }
  return [...causes, ...validateParts(versions)];
}

/**
 * Where a part of the versions is: the API server takes what all versions have alike out of them, and its messages show that
 * (apiextensions/v1 conversion to the internal version).
 */
function placesOf(versions: Tree[], key: string, shared: string): { part: unknown; path: string }[] {
  const [first, ...others] = versions.map((version) => version[key]);
  if (others.every((other) => isDeepStrictEqual(other, first))) {
    return versions.length > 0 ? [{ part: first, path: `spec.${shared}` }] : [];
  }
  return versions.map((version, index) => ({ part: version[key], path: `spec.versions[${index}].${key}` }));
}

const schemaOf = (part: unknown): Schema | undefined =>
  (part as { openAPIV3Schema?: Schema } | undefined)?.openAPIV3Schema;

function validateParts(versions: Tree[]): StatusCause[] {
  const causes: StatusCause[] = [];
  for (const { part, path } of placesOf(versions, "schema", "validation")) {
    const schema = schemaOf(part);
    if (schema) causes.push(...validateStructure(schema, `${path}.openAPIV3Schema`));
  }
  for (const [index, version] of versions.entries()) {
    if (schemaOf(version["schema"])) continue;
    causes.push(required(`spec.versions[${index}].schema.openAPIV3Schema`, "schemas are required"));
  }
  for (const { part, path } of placesOf(versions, "additionalPrinterColumns", "additionalPrinterColumns")) {
    causes.push(...validateColumns((part ?? []) as ColumnSource[], path));
  }
  for (const { part, path } of placesOf(versions, "subresources", "subresources")) {
    const { scale } = (part ?? {}) as { scale?: Tree };
    if (scale) causes.push(...validateScale(scale, `${path}.scale`));
  }
  for (const { part, path } of placesOf(versions, "selectableFields", "selectableFields")) {
    const owner = versions.find((version) => version["selectableFields"] === part);
    const schema = schemaOf(owner?.["schema"]);
    if (schema) causes.push(...validateSelectableFields((part ?? []) as { jsonPath?: string }[], schema, path));
  }
  return causes;
}

/** The faults of the rules in the versions' schemas, for a definition that is right otherwise: on wrong schemas they would mislead. */
function validateRules(spec: Tree): StatusCause[] {
  const places = placesOf((spec["versions"] ?? []) as Tree[], "schema", "validation");
  return places.flatMap(({ part, path }, index) => {
    // Versions often differ in name only, and rules take their time.
    const isKnown = places.slice(0, index).some((other) => isDeepStrictEqual(other.part, part));
    const schema = schemaOf(part);
    return schema && !isKnown ? validateCrdRules(schema, `${path}.openAPIV3Schema`) : [];
  });
}
