// The rules every object's metadata obeys: what the server sets, what a writer may change, and which names are valid
// (apimachinery api/validation/objectmeta.go).

import { randomUUID } from "node:crypto";
import type { KubeObject, ObjectMeta } from "@gatehouse/apimachinery/meta";
import { foregroundFinalizer, orphanFinalizer, timestamp } from "@gatehouse/apimachinery/meta";
import { generatedName } from "@gatehouse/apimachinery/names";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import type { ResourceDefinition } from "./resource-definition.ts";
import { invalidValue, required, typeInvalid } from "./schema/field-cause.ts";
import {
  dns1035Faults,
  labelRule,
  labelValueFaults,
  nameCauses as faultCauses,
  pathSegmentFaults,
  qualifiedNameFaults,
  subdomainRule,
} from "./strategies/names.ts";

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const maxAnnotationBytes = 256 * 1024;

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
  causes.push(...finalizerCauses(metadata.finalizers ?? [], definition));
  return causes;
}

/** Finalizers of Kubernetes itself; all others are named by a domain. */
const standardFinalizers = new Set(["kubernetes", orphanFinalizer, foregroundFinalizer]);

function finalizerCauses(finalizers: string[], { custom }: ResourceDefinition): StatusCause[] {
  const field = "metadata.finalizers";
  if (finalizers.includes(orphanFinalizer) && finalizers.includes(foregroundFinalizer)) {
    const detail = `finalizer ${orphanFinalizer} and ${foregroundFinalizer} cannot be both set`;
    return [invalidValue(field, finalizers, detail)];
  }
  return finalizers.flatMap((finalizer, index) => {
    const causes = faultCauses(field, finalizer, qualifiedNameFaults);
    // Of custom kinds a short name is tolerated, with a warning.
    if (causes.length > 0 || custom || finalizer.includes("/") || standardFinalizers.has(finalizer)) return causes;
    const detail = "name is neither a standard finalizer name nor is it fully qualified";
    return [invalidValue(`${field}[${index}]`, finalizer, detail)];
  });
}

/** What a writer of a custom object should hear of its finalizers. */
export function finalizerWarnings({ metadata }: KubeObject, old: KubeObject | undefined): string[] {
  const before = new Set(old?.metadata.finalizers ?? []);
  return (metadata.finalizers ?? [])
    .filter((name) => !before.has(name) && !name.includes("/") && !standardFinalizers.has(name))
    .map(
      (name) =>
        `metadata.finalizers: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers`,
    );
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
  if (group === "rbac.authorization.k8s.io") return faultCauses(field, name, pathSegmentFaults);
  if (group === "" && plural === "services") {
    return faultCauses(field, name, dns1035Faults).slice(0, 1);
  }
  if (group === "" && plural === "namespaces") {
    if (name.length > 63) return [invalidValue(field, name, "must be no more than 63 characters")];
    return label.test(name) ? [] : [invalidValue(field, name, labelRule)];
  }
  if (name.length > 253) return [invalidValue(field, name, "must be no more than 253 characters")];
  return subdomain.test(name) ? [] : [invalidValue(field, name, subdomainRule)];
}

/** Causes for the keys and values of labels at `field`. */
export function labelCauses(labels: Record<string, string>, field: string): StatusCause[] {
  const causes: StatusCause[] = [];
  for (const [name, value] of Object.entries(labels)) {
    causes.push(...faultCauses(field, name, qualifiedNameFaults), ...faultCauses(field, value, labelValueFaults));
  }
  return causes;
}

function annotationCauses(annotations: Record<string, string>): StatusCause[] {
  let bytes = 0;
  const causes: StatusCause[] = [];
  for (const [name, value] of Object.entries(annotations)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
    const faults = qualifiedNameFaults(name.toLowerCase());
    causes.push(...faults.map((fault) => invalidValue("metadata.annotations", name, fault)));
  }
  if (bytes > maxAnnotationBytes) {
    const message = `Too long: may not be more than ${maxAnnotationBytes} bytes`;
    causes.push({ reason: "FieldValueTooLong", message, field: "metadata.annotations" });
  }
  return causes;
}

function ownerCauses(metadata: ObjectMeta): StatusCause[] {
  const path = "metadata.ownerReferences";
  const causes: StatusCause[] = [];
  const owners = metadata.ownerReferences ?? [];
  for (const owner of owners) {
    if (owner?.apiVersion === "v1" && owner.kind === "Event") {
      causes.push(invalidValue(path, owner, "/v1, Kind=Event is disallowed from being an owner"));
    }
    const apiVersion = owner?.apiVersion ?? "";
    if (!/^(?:[^/]+\/)?[^/]+$/.test(apiVersion)) {
      causes.push(invalidValue(`${path}.apiVersion`, apiVersion, "version must not be empty"));
    }
    for (const field of ["kind", "name", "uid"] as const) {
      if (!owner?.[field]) causes.push(invalidValue(`${path}.${field}`, "", "must not be empty"));
    }
  }
  const [first, second] = owners.filter((owner) => owner?.controller === true);
  if (first && second) {
    const found = `Found "true" in references for ${first.kind}/${first.name} and ${second.kind}/${second.name}`;
    causes.push(invalidValue(path, owners, `Only one reference can have Controller set to true. ${found}`));
  }
  return causes;
}
