// The rules every object's metadata obeys: what the server sets, what a writer may change, and which names are valid
// (apimachinery api/validation/objectmeta.go).

import { randomUUID } from "node:crypto";
import type { KubeObject, ObjectMeta } from "@gatehouse/apimachinery/meta";
import { timestamp } from "@gatehouse/apimachinery/meta";
import { generatedName } from "@gatehouse/apimachinery/names";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { ResourceDefinition } from "./resource-definition.ts";
import { invalidValue, required, typeInvalid } from "./schema/field-cause.ts";
import { labelRule, subdomainRule } from "./strategies/names.ts";

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const qualifiedName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const maxAnnotationBytes = 256 * 1024;

const dns1035Rule =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const labelValueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const qualifiedNameRule =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

type FieldType = "string" | "number" | "map" | "list" | "strings";

const fields: Readonly<Record<string, FieldType>> = {
  name: "string",
  namespace: "string",
  generateName: "string",
  uid: "string",
  resourceVersion: "string",
  generation: "number",
  selfLink: "string",
  creationTimestamp: "string",
  deletionTimestamp: "string",
  deletionGracePeriodSeconds: "number",
  labels: "map",
  annotations: "map",
  ownerReferences: "list",
  finalizers: "strings",
  managedFields: "list",
};

/**
 * Gives `object.metadata` the right shape in place: nulls and empty collections go, unknown fields are dropped and named in
 * the first list, wrong types are causes in the second.
 */
export function normalizeMetadata(object: KubeObject): { unknown: string[]; causes: StatusCause[] } {
  const unknown: string[] = [];
  const causes: StatusCause[] = [];
  const metadata = (object.metadata ?? {}) as unknown;
  if (typeof metadata !== "object" || Array.isArray(metadata)) {
    object.metadata = { name: "" };
    return { unknown, causes: [typeInvalid("metadata", metadata, "must be an object")] };
  }
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(metadata as object)) {
    const type = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!type) unknown.push(`metadata.${name}`);
    // An empty list of owners is a wish of its own: forget them.
    else if (value === null || (isEmpty(value) && name !== "managedFields")) continue;
    else if (!hasType(value, type)) causes.push(typeInvalid(`metadata.${name}`, value, `must be a ${type}`));
    else kept[name] = value;
  }
  delete kept.selfLink;
  object.metadata = kept as unknown as ObjectMeta;
  return { unknown, causes };
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function hasType(value: unknown, type: FieldType): boolean {
  if (type === "list") return Array.isArray(value);
  if (type === "strings") return Array.isArray(value) && value.every((item) => typeof item === "string");
  if (type !== "map") return typeof value === type;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((item) => typeof item === "string");
}

/** Sets what the server decides about a new object, in place; also makes a name from `generateName`. */
export function stampNew(object: KubeObject, namespace: string | undefined, tracksGeneration: boolean): void {
  const { metadata } = object;
  if (!metadata.name && metadata.generateName) metadata.name = generatedName(metadata.generateName);
  if (namespace === undefined) delete metadata.namespace;
  else metadata.namespace = namespace;
  metadata.uid = randomUUID();
  metadata.creationTimestamp = timestamp();
  delete metadata.resourceVersion;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  if (tracksGeneration) metadata.generation = 1;
  else delete metadata.generation;
}

/** Puts back what a writer cannot change, in place. */
export function keepSystemFields(object: KubeObject, old: KubeObject): void {
  const systemFields = [
    "name",
    "namespace",
    "generateName",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
  ] as const;
  const metadata = object.metadata as unknown as Record<string, unknown>;
  for (const field of systemFields) {
    if (old.metadata[field] === undefined) delete metadata[field];
    else metadata[field] = old.metadata[field];
  }
}

/** Causes for a new object's metadata. */
export function validateMetadata(object: KubeObject, definition: ResourceDefinition): StatusCause[] {
  const { metadata } = object;
  const causes: StatusCause[] = [];
  if (!metadata.name) causes.push(required("metadata.name", "name or generateName is required"));
  else causes.push(...nameCauses(metadata.name, definition));
  causes.push(
    ...labelCauses(metadata.labels ?? {}, "metadata.labels"),
    ...annotationCauses(metadata.annotations ?? {}),
  );
  causes.push(...ownerCauses(metadata));
  for (const [index, finalizer] of (metadata.finalizers ?? []).entries()) {
    causes.push(...qualifiedNameCauses(finalizer, `metadata.finalizers[${index}]`));
  }
  return causes;
}

/** Causes for changed metadata: as for new, and no finalizers may join an object that is being deleted. */
export function validateMetadataChange(
  object: KubeObject,
  old: KubeObject,
  definition: ResourceDefinition,
): StatusCause[] {
  const causes = validateMetadata(object, definition);
  if (!old.metadata.deletionTimestamp) return causes;
  const before = new Set(old.metadata.finalizers ?? []);
  const added = (object.metadata.finalizers ?? []).filter((finalizer) => !before.has(finalizer));
  if (added.length === 0) return causes;
  const shown = added.map((finalizer) => JSON.stringify(finalizer)).join(", ");
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${shown}}`;
  return [...causes, { reason: "FieldValueForbidden", message, field: "metadata.finalizers" }];
}

/** Names of RBAC objects are path segments; Services and Namespaces are labels; the rest are subdomains. */
function nameCauses(name: string, definition: ResourceDefinition): StatusCause[] {
  const { group, plural } = definition.type;
  const field = "metadata.name";
  if (group === "rbac.authorization.k8s.io") return pathSegmentCauses(name, field);
  if (group === "" && plural === "services") {
    if (name.length > 63) return [invalidValue(field, name, "must be no more than 63 characters")];
    return /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name) ? [] : [invalidValue(field, name, dns1035Rule)];
  }
  if (group === "" && plural === "namespaces") {
    if (name.length > 63) return [invalidValue(field, name, "must be no more than 63 characters")];
    return label.test(name) ? [] : [invalidValue(field, name, labelRule)];
  }
  if (name.length > 253) return [invalidValue(field, name, "must be no more than 253 characters")];
  return subdomain.test(name) ? [] : [invalidValue(field, name, subdomainRule)];
}

function pathSegmentCauses(name: string, field: string): StatusCause[] {
  if (name === "." || name === "..") return [invalidValue(field, name, `may not be '${name}'`)];
  const bad = ["/", "%"].find((character) => name.includes(character));
  return bad ? [invalidValue(field, name, `may not contain '${bad}'`)] : [];
}

/** Causes for the keys and values of labels at `field`. */
export function labelCauses(labels: Record<string, string>, field: string): StatusCause[] {
  const causes: StatusCause[] = [];
  for (const [name, value] of Object.entries(labels)) {
    causes.push(...qualifiedNameCauses(name, field));
    if (value.length > 63) causes.push(invalidValue(field, value, "must be no more than 63 characters"));
    else if (!labelValue.test(value)) causes.push(invalidValue(field, value, labelValueRule));
  }
  return causes;
}

function annotationCauses(annotations: Record<string, string>): StatusCause[] {
  let bytes = 0;
  const causes: StatusCause[] = [];
  for (const [name, value] of Object.entries(annotations)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
    causes.push(...qualifiedNameCauses(name.toLowerCase(), "metadata.annotations"));
  }
  if (bytes > maxAnnotationBytes) {
    const message = `Too long: may not be more than ${maxAnnotationBytes} bytes`;
    causes.push({ reason: "FieldValueTooLong", message, field: "metadata.annotations" });
  }
  return causes;
}

function qualifiedNameCauses(name: string, field: string): StatusCause[] {
  const parts = name.split("/");
  if (parts.length > 2) {
    return [
      invalidValue(
        field,
        name,
        "a qualified name must consist of alphanumeric characters, '-', '_' or '.', with an optional DNS subdomain prefix and '/'",
      ),
    ];
  }
  const prefix = parts.length === 2 ? parts[0] : undefined;
  const own = parts.at(-1) ?? "";
  const causes: StatusCause[] = [];
  if (prefix !== undefined && (prefix.length > 253 || !subdomain.test(prefix))) {
    causes.push(invalidValue(field, name, `prefix part ${subdomainRule}`));
  }
  if (own.length > 63) causes.push(invalidValue(field, name, "name part must be no more than 63 characters"));
  else if (!qualifiedName.test(own)) causes.push(invalidValue(field, name, qualifiedNameRule));
  return causes;
}

function ownerCauses(metadata: ObjectMeta): StatusCause[] {
  const causes: StatusCause[] = [];
  const owners = metadata.ownerReferences ?? [];
  for (const [index, owner] of owners.entries()) {
    for (const field of ["apiVersion", "kind", "name", "uid"] as const) {
      if (!owner?.[field]) causes.push(required(`metadata.ownerReferences[${index}].${field}`, "must not be empty"));
    }
  }
  if (owners.filter((owner) => owner?.controller === true).length > 1) {
    causes.push(invalidValue("metadata.ownerReferences", owners, "Only one reference can have Controller set to true"));
  }
  return causes;
}
