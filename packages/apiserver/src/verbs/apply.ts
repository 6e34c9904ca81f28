// PATCH with application/apply-patch+yaml: server-side apply (KEP-555). The merged object then passes what any other write passes.

import { type KubeObject, timestamp } from "@gatehouse/apimachinery/meta";
import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import { badRequest, conflict, notFound, StatusError } from "@gatehouse/apimachinery/status-error";
import { type Answer, type ApiContext, type ResourceRequest, subjectOf } from "../api-context.ts";
import type { Body } from "../http/decode-body.ts";
import { decodeJson } from "../http/decode-json.ts";
import { actorOf } from "../managed-fields/actor.ts";
import { type Applied, applyConfig } from "../managed-fields/apply.ts";
import { type Conflict, conflictError } from "../managed-fields/conflicts.ts";
import type { ManagedEntry } from "../managed-fields/entries.ts";
import { difference, isEmpty } from "../managed-fields/field-set.ts";
import { kubectlManager, lastAppliedFields, withLastApplied } from "../managed-fields/last-applied.ts";
import { entryBeforeApply, knownEntries, storedEntries } from "../managed-fields/manager.ts";
import { partOf } from "../managed-fields/owned-metadata.ts";
import { typedSchema } from "../managed-fields/typed-schema.ts";
import { appliedFaults } from "../managed-fields/validate-applied.ts";
import { isTree } from "../patch/merge-patch.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import { readObject } from "../storage/stored-objects.ts";
import { invalidOption, isDryRun } from "../request-options.ts";
import { admitChange, type ChangeScope, decodeObject, storeChange } from "../write-pipeline.ts";
import { createObject } from "./create.ts";

type Config = Record<string, unknown> & { metadata?: Record<string, unknown> | null };

/**
 * Answers 200, or 201 when it made the object (`mayCreate` throws 403 when the caller may not). Throws 400 for a configuration
 * of something else, 404, 409 for fields that others own, 422 for faults, 500 (as Kubernetes) for one that does not fit its type.
 */
export async function apply(
  context: ApiContext,
  request: ResourceRequest,
  scope: ChangeScope,
  mayCreate: () => void,
): Promise<Answer> {
  const dryRun = isDryRun(request);
  const { definition, namespace, name = "" } = request;
  checkApplyOptions(request.query);
  const config = await decodeConfig(request.body);
  const old = readObject(context.store, definition, namespace, name);
  if (!old && scope === "status") throw notFound(subjectOf(definition, name));
  checkConfig(config, { apiVersion: apiVersionOf(definition.type), kind: definition.type.kind });
  const stored = old
    ? applyToObject(context, request, old, config, scope, dryRun)
    : createApplied(context, request, config, dryRun, mayCreate);
  await context.store.committed();
  return { type: "object", code: old ? 200 : 201, object: stored };
}

/** Throws 422 when nobody says who applies. */
export function checkApplyOptions(query: URLSearchParams): void {
  if (query.get("fieldManager")) return;
  const cause = {
    reason: "FieldValueRequired",
    message: "Required value: is required for apply patch",
    field: "fieldManager",
  };
  throw invalidOption("patch", cause);
}

/** The configuration, from JSON or YAML. Throws 400. */
export async function decodeConfig({ bytes }: Body): Promise<Config> {
  // JSON is YAML too, and what clients send; the YAML reader is far slower.
  const value = asJson(bytes) ?? (await import("../http/decode-yaml.ts")).decodeYaml(bytes);
  if (!isTree(value)) throw badRequest("error decoding YAML: an apply configuration is an object");
  if (value["metadata"] !== null && value["metadata"] !== undefined && !isTree(value["metadata"])) {
    throw badRequest("error decoding YAML: metadata must be an object");
  }
  return value;
}

function asJson(bytes: Buffer): unknown {
  try {
    return bytes[0] === 0x7b ? decodeJson(bytes) : undefined;
  } catch {
    // A flow mapping of YAML begins with a brace too.
    return undefined;
  }
}

/** Throws 400 when the configuration is of another kind, or says who owns what. */
export function checkConfig(config: Config, wanted: { apiVersion: string; kind: string }): void {
  const { apiVersion, kind, metadata } = config;
  if (apiVersion !== wanted.apiVersion || kind !== wanted.kind) {
    throw badRequest(`invalid object type: ${kindText(String(apiVersion ?? ""), String(kind ?? ""))}`);
  }
  if (metadata?.["managedFields"] !== undefined && metadata["managedFields"] !== null) {
    throw badRequest("metadata.managedFields must be nil");
  }
}

const kindText = (apiVersion: string, kind: string): string =>
  `${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${kind}`;

/** Applies `config` to the object `old` and stores the result (which it returns) unless it is a rehearsal. */
export function applyToObject(
  context: ApiContext,
  request: ResourceRequest,
  old: KubeObject,
  config: Config,
  scope: ChangeScope,
  dryRun: boolean,
): KubeObject {
  const { definition } = request;
  const { object, entries } = merged(context, request, old, config, scope);
  const next = decodeObject(request, structuredClone(object));
  next.metadata.resourceVersion ||= old.metadata.resourceVersion ?? "";
  const admitted = admitChange(context, { ...request, managed: entries }, old, next, scope);
  return dryRun ? admitted : storeChange(context, definition, old, admitted);
}

function createApplied(
  context: ApiContext,
  request: ResourceRequest,
  config: Config,
  dryRun: boolean,
  mayCreate: () => void,
): KubeObject {
  const { definition, name = "" } = request;
  const { apiVersion, kind, metadata } = config as unknown as KubeObject;
  if (!metadata?.name) {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  }
  if (metadata.uid) {
    const why = `uid mismatch: the provided object specified uid ${metadata.uid}, and no existing object was found`;
    throw conflict(subjectOf(definition, name), why);
  }
  const nothing = { apiVersion, kind, metadata: {} } as unknown as KubeObject;
  const { object, entries } = merged(context, request, nothing, config, "object");
  const created = decodeObject(request, structuredClone(object));
  mayCreate();
  return createObject(context, { ...request, managed: entries }, created, dryRun);
}

/** The live object with the configuration in it. Throws 409 for fields of others, unless the caller takes them by force. */
function merged(
  context: ApiContext,
  request: ResourceRequest,
  old: KubeObject,
  config: Config,
  scope: ChangeScope,
): { object: Config; entries: ManagedEntry[] } {
  const { definition } = request;
  const schema = typedSchema(definition.schema);
  checkFit(definition, request, config);
  const actor = actorOf(request, "Apply");
  const { managedFields: _, ...metadata } = old.metadata;
  const live: KubeObject = { ...old, metadata };
  const known = knownEntries(context.registry, definition, storedEntries(old));
  const entries = known.length > 0 || !old.metadata.uid ? known : entryBeforeApply(actor, live, definition);
  const part = partOf(definition.subresources.status === true, scope);
  const applied = applyConfig({ schema, live, config, entries, actor, part, now: timestamp() });
  if (!isForced(request.query))
    refuseConflicts(applied, () => lastAppliedFields(schema, live, actor.apiVersion), actor.manager);
  const object = actor.manager === kubectlManager ? withLastApplied(applied.object, config) : applied.object;
  return { object, entries: applied.entries };
}

const isForced = (query: URLSearchParams): boolean => /^(1|t|true)$/i.test(query.get("force") ?? "");

function checkFit({ schema, type }: ResourceDefinition, request: ResourceRequest, config: Config): void {
  const faults = appliedFaults(typedSchema(schema), config);
  if (faults.length === 0) return;
  const what = `${request.namespace ?? ""}/${request.name ?? ""}; ${kindText(apiVersionOf(type), type.kind)}`;
  const list = faults.length === 1 ? faults[0] : ["errors:", ...faults.map((fault) => `  ${fault}`)].join("\n");
  throw new StatusError({
    code: 500,
    reason: "InternalError",
    message: `failed to create typed patch object (${what}): ${list}`,
  });
}

/** kubectl's server-side apply takes over what its client-side apply has set, by the annotation. */
function refuseConflicts(
  { conflicts }: Applied,
  fieldsOfClientSide: () => ReturnType<typeof lastAppliedFields>,
  manager: string | undefined,
): void {
  if (conflicts.length === 0) return;
  const allowed = (manager === kubectlManager && fieldsOfClientSide()) || {};
  const left: Conflict[] = conflicts
    .map(({ entry, fields }) => ({ entry, fields: difference(fields, allowed) }))
    .filter(({ fields }) => !isEmpty(fields));
  if (left.length > 0) throw conflictError(left);
}
