// What every write passes through, in Kubernetes' order: decoding into the kind, unknown fields, defaults, the kind's strategy,
// validation, generation, and at last the store. Synchronous from reading the old object to writing the new one.

import { isDeepStrictEqual } from "node:util";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import {
  badRequest,
  conflict,
  invalid,
  type StatusCause,
  type StatusError,
} from "@gatehouse/apimachinery/status-error";
import { admitByPolicies, isPolicyGroup, policyRules } from "./admission/admit.ts";
import type { Policy } from "./admission/policy-types.ts";
import { checkEscalation } from "./auth/escalation.ts";
import { type ApiContext, type ResourceRequest, subjectOf } from "./api-context.ts";
import { allocationsOf } from "./service-allocations.ts";
import { crdResource, establish, isCrd } from "./crd/crd-lifecycle.ts";
import type { ManagedEntry } from "./managed-fields/entries.ts";
import { sameButTimes, setEntries, trackChange, trackNew } from "./managed-fields/manager.ts";
import {
  finalizerWarnings,
  keepSystemFields,
  normalizeMetadata,
  stampNew,
  validateMetadata,
  validateMetadataChange,
} from "./metadata-rules.ts";
import { validateRules } from "./cel/rules.ts";
import { repeatedFields } from "./http/repeated-fields.ts";
import { fieldValidationOf } from "./request-options.ts";
import type { ResourceDefinition } from "./resource-definition.ts";
import { objectMeta } from "./kinds/types/meta.ts";
import { isTree } from "./patch/merge-patch.ts";
import { decodeTyped } from "./schema/decode-typed.ts";
import { applyDefaults } from "./schema/default.ts";
import { invalidValue } from "./schema/field-cause.ts";
import { pruneUnknown } from "./schema/prune.ts";
import { validateSchema, validateSchemaChange } from "./schema/validate.ts";
import { removeObject, writeObject } from "./storage/stored-objects.ts";

/** A write. Without an identity it is the server's own. */
export type WriteRequest = Pick<ResourceRequest, "definition" | "namespace" | "name" | "query" | "warnings"> &
  Partial<Pick<ResourceRequest, "body" | "identity" | "userAgent" | "subresource" | "verb">> & {
    /** Who owns the fields afterwards, when an apply has found that out. */
    managed?: ManagedEntry[];
  };

/** The decoded body as an object of the request's kind. Throws 400 when it is something else or names another object. */
export function decodeObject(request: WriteRequest, value: unknown): KubeObject {
  const { definition } = request;
  const apiVersion = apiVersionOf(definition.type);
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw badRequest(`the body must be a ${definition.type.kind} object`);
  }
  const object = value as KubeObject;
  if (definition.custom && !object.kind) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${definition.type.kind}): Object 'Kind' is missing in '${shorten(value)}'`,
    );
  }
  if ((object.apiVersion || definition.custom) && object.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${object.apiVersion ?? ""}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (object.kind && object.kind !== definition.type.kind) {
    throw badRequest(
      `the kind in the data (${object.kind}) does not match the expected kind (${definition.type.kind})`,
    );
  }
  object.apiVersion = apiVersion;
  object.kind = definition.type.kind;
  const fault = decodeFault(definition, object);
  // What a patch made of an object is told by validation, with the field and its index.
  if (fault !== undefined && (request.verb === "create" || request.verb === "update"))
    throw undecodable(request, fault);
  const { unknown, causes } = normalizeMetadata(object);
  if (causes.length > 0) throw invalid(kindSubject(object, definition), causes);
  reportUnknown(request, [...unknown, ...pruneUnknown(definition.schema, object)]);
  checkPlace(request, object);
  return object;
}

/** As much of a body as a message has room for. */
const shorten = (value: unknown): string => JSON.stringify(value).slice(0, 200);

/** Gives the object the form that decoding gives it in Kubernetes, in place. Of custom kinds only the metadata has Go types. */
function decodeFault({ schema, type, custom }: ResourceDefinition, object: KubeObject): string | undefined {
  if (!custom) return decodeTyped(schema, object, type.kind);
  const metadata = object.metadata as unknown;
  return isTree(metadata) ? decodeTyped(objectMeta, metadata, "ObjectMeta") : undefined;
}

function undecodable({ definition }: WriteRequest, fault: string): StatusError {
  const { kind, version } = definition.type;
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${fault}`);
}

/** Completes and checks a new object in place. Throws 422 naming every fault. */
export function admitNew(context: ApiContext, request: WriteRequest, object: KubeObject): void {
  const { definition } = request;
  const given = takeManagedFields(object);
  stampNew(object, definition.type.namespaced ? request.namespace : undefined, tracksGeneration(context, definition));
  if (definition.subresources.status && !definition.strategy.keepsStatus) delete object.status;
  applyDefaults(definition.schema, object);
  // The schema first: a strategy may then rely on the types of what it reads.
  refuse(object, definition, formFaults(context, definition, object, undefined, validateMetadata(object, definition)));
  definition.strategy.complete?.(object, undefined);
  // What the server adds from here on is nobody's.
  if (request.managed) setEntries(object, request.managed);
  else trackNew(request, object, given);
  definition.strategy.prepareForCreate?.(object, allocationsOf(context.store, object.metadata.name));
  if (isCrd(definition)) establish(object, undefined, definitionsIn(context));
  refuse(object, definition, definition.strategy.validate?.(object, undefined) ?? []);
  if (request.identity) checkEscalation(context.store, definition, request.identity, object);
  request.warnings.push(...writeWarnings(definition, object, undefined));
  if (isPolicy(definition)) policyRules().checkPolicyTypes(context.registry, object as Policy);
}

/** How a change came in: to the object, or to its status alone. */
export type ChangeScope = "object" | "status";

/**
 * Completes and checks `object` (a private tree) as the successor of `old`, in place where it can. Returns what is to be stored.
 * Throws 409 for a stale resourceVersion or another UID, 422 naming every fault.
 */
export function admitChange(
  context: ApiContext,
  request: WriteRequest,
  old: KubeObject,
  object: KubeObject,
  scope: ChangeScope,
): KubeObject {
  const { definition } = request;
  checkPreconditions(context, definition, old, object, request.verb === "patch");
  const grace = object.metadata.deletionGracePeriodSeconds;
  if (grace !== undefined && grace !== old.metadata.deletionGracePeriodSeconds) {
    throw invalid(kindSubject(old, definition), [immutable("metadata.deletionGracePeriodSeconds", grace)]);
  }
  keepSystemFields(object, old);
  const given = takeManagedFields(object);
  // On the caller's own tree, before anything of the stored one is mixed in.
  applyDefaults(definition.schema, object);
  const next = isolate(definition, old, object, scope);
  refuse(next, definition, formFaults(context, definition, next, old, validateMetadataChange(next, old, definition)));
  if (scope === "object") definition.strategy.complete?.(next, old);
  if (request.managed) setEntries(next, request.managed);
  else trackChange(context.registry, request, old, next, given);
  if (scope === "object") {
    definition.strategy.prepareForUpdate?.(next, old, allocationsOf(context.store, object.metadata.name));
    if (isCrd(definition)) establish(next, old, definitionsIn(context));
    refuse(next, definition, definition.strategy.validate?.(next, old) ?? []);
    if (request.identity) checkEscalation(context.store, definition, request.identity, next);
    bumpGeneration(context, definition, old, next);
    request.warnings.push(...writeWarnings(definition, next, old));
    if (isPolicy(definition)) policyRules().checkPolicyTypes(context.registry, next as Policy);
  }
  // A Scale is judged as such (subresources/scale.ts).
  const subresource = scope === "status" ? "status" : request.subresource;
  if (subresource !== "scale")
    admitByPolicies(context, request, { operation: "UPDATE", object: next, old, subresource });
  return next;
}

function writeWarnings(definition: ResourceDefinition, object: KubeObject, old: KubeObject | undefined): string[] {
  if (definition.custom) return finalizerWarnings(object, old);
  return definition.strategy.warnings?.(object) ?? [];
}

/** All CustomResourceDefinitions. */
function* definitionsIn({ store }: ApiContext): Generator<KubeObject> {
  for (const [, object] of store.scan(crdResource)) yield object;
}

/** The kind whose expressions are checked against the kinds they are for. */
function isPolicy(definition: ResourceDefinition): boolean {
  return isPolicyGroup(definition) && definition.subresources.status === true;
}

/** What a client says of owners is no part of the object: it is judged apart. */
function takeManagedFields(object: KubeObject): unknown[] | undefined {
  const { managedFields, ...metadata } = object.metadata;
  if (managedFields) object.metadata = metadata;
  return managedFields;
}

/** `metadataFaults`, those of the schema and, for custom kinds, those of its rules. */
function formFaults(
  context: ApiContext,
  definition: ResourceDefinition,
  object: KubeObject,
  old: KubeObject | undefined,
  metadataFaults: StatusCause[],
): StatusCause[] {
  const { schema } = definition;
  const custom = context.registry.isCustom(definition);
  const found = custom && old ? validateSchemaChange(schema, object, old) : validateSchema(schema, object);
  // Owners have rules of their own, in their own words.
  const causes = [...metadataFaults, ...found.filter(({ field }) => !field?.startsWith("metadata.ownerReferences"))];
  if (!custom) return causes;
  return [...causes, ...validateRules(schema, object, old, causes)];
}

function refuse(object: KubeObject, definition: ResourceDefinition, causes: StatusCause[]): void {
  if (causes.length > 0) throw invalid(kindSubject(object, definition), causes);
}

/** Stores an admitted change: nothing when nothing changed, a removal when it was the last finalizer's. */
export function storeChange(
  context: ApiContext,
  definition: ResourceDefinition,
  old: KubeObject,
  next: KubeObject,
): KubeObject {
  next.metadata.resourceVersion = old.metadata.resourceVersion ?? "";
  if (sameButTimes(next, old)) return old;
  if (mayVanish(next)) return removeObject(context.store, definition, next);
  return writeObject(context.store, definition, next);
}

/** True when a terminating object has nothing left that holds it. */
export function mayVanish(object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata;
  if (!deletionTimestamp || (finalizers?.length ?? 0) > 0 || (deletionGracePeriodSeconds ?? 0) > 0) return false;
  if (object.kind !== "Namespace" || object.apiVersion !== "v1") return true;
  return ((object.spec as { finalizers?: string[] } | undefined)?.finalizers?.length ?? 0) === 0;
}

/** The subject of 422 answers. */
export function kindSubject(
  object: KubeObject,
  definition: ResourceDefinition,
): { group: string; kind: string; name: string } {
  return { group: definition.type.group, kind: definition.type.kind, name: object.metadata.name ?? "" };
}

function reportUnknown(request: WriteRequest, paths: string[]): void {
  const mode = fieldValidationOf(request);
  if (mode === "Ignore") return;
  const repeated = isJson(request.body?.contentType) ? repeatedFields(request.body?.bytes.toString() ?? "") : [];
  const messages = [
    ...repeated.map((path) => `duplicate field ${JSON.stringify(path)}`),
    ...paths.map((path) => `unknown field ${JSON.stringify(path)}`),
  ];
  if (messages.length === 0) return;
  if (mode === "Warn") {
    request.warnings.push(...messages);
    return;
  }
  throw undecodable(request, `strict decoding error: ${messages.join(", ")}`);
}

/** Bodies and patches of JSON; nothing said is JSON too. */
const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && /^(|application\/((strategic-)?merge-patch\+)?json)$/.test(contentType);

function checkPlace(request: WriteRequest, object: KubeObject): void {
  const { metadata } = object;
  if (request.definition.type.namespaced && metadata.namespace && metadata.namespace !== request.namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  if (request.name !== undefined && metadata.name && metadata.name !== request.name) {
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${request.name})`);
  }
}

function checkPreconditions(
  context: ApiContext,
  definition: ResourceDefinition,
  old: KubeObject,
  object: KubeObject,
  patched: boolean,
): void {
  const subject = subjectOf(definition, old.metadata.name);
  const { uid, resourceVersion } = object.metadata;
  if (uid && uid !== old.metadata.uid) {
    if (patched) throw invalid(kindSubject(old, definition), [immutable("metadata.uid", uid)]);
    throw conflict(
      subject,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
    );
  }
  if (!resourceVersion) {
    if (!context.registry.isCustom(definition) && definition.type.group !== "coordination.k8s.io") return;
    throw invalid(kindSubject(old, definition), [
      {
        reason: "FieldValueInvalid",
        message: "Invalid value: 0x0: must be specified for an update",
        field: "metadata.resourceVersion",
      },
    ]);
  }
  if (resourceVersion !== old.metadata.resourceVersion) {
    throw conflict(
      subject,
      "the object has been modified; please apply your changes to the latest version and try again",
    );
  }
}

const immutable = (field: string, value: unknown): StatusCause => invalidValue(field, value, "field is immutable");

/** Spec writers cannot touch the status, status writers nothing else. */
function isolate(definition: ResourceDefinition, old: KubeObject, object: KubeObject, scope: ChangeScope): KubeObject {
  if (scope === "status") {
    const { managedFields: _, ...metadata } = old.metadata;
    const next: KubeObject = { ...old, metadata };
    if (object.status === undefined) delete next.status;
    else next.status = object.status;
    return next;
  }
  if (!definition.subresources.status) return object;
  if (old.status === undefined) delete object.status;
  else object.status = structuredClone(old.status);
  return object;
}

const generationGroups = new Set([
  "apps",
  "batch",
  "policy",
  "networking.k8s.io",
  "discovery.k8s.io",
  "apiextensions.k8s.io",
  "admissionregistration.k8s.io",
]);

function tracksGeneration(context: ApiContext, definition: ResourceDefinition): boolean {
  if (definition.type.plural === "controllerrevisions") return false;
  return context.registry.isCustom(definition) || generationGroups.has(definition.type.group);
}

function bumpGeneration(context: ApiContext, definition: ResourceDefinition, old: KubeObject, next: KubeObject): void {
  if (!tracksGeneration(context, definition)) return;
  const desired = ({ metadata: _metadata, status, ...rest }: KubeObject): unknown =>
    definition.subresources.status ? rest : { ...rest, status };
  if (!isDeepStrictEqual(desired(next), desired(old))) next.metadata.generation = (old.metadata.generation ?? 0) + 1;
}
