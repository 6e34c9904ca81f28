// Client-side apply: makes the cluster say what manifests say, in kubectl's way (same annotation, same three-way merge), so
// that both can be used on the same objects in turn.

import { isDeepStrictEqual } from "node:util";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { goJson } from "@gatehouse/apimachinery/go-json";
import { type KubeObject, lastAppliedAnnotation, type ObjectMeta } from "@gatehouse/apimachinery/meta";
import { apiVersionOf, type ResourceType } from "@gatehouse/apimachinery/resource-type";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { untilEstablished } from "./definitions-served.ts";
import { objectRef } from "./resource-arguments.ts";
import type { ResourceMapper } from "./resource-mapper.ts";
import { threeWayMergePatch } from "./three-way-merge.ts";
import { UserError } from "./user-error.ts";
import { customResourceDefinitions, wellKnownType } from "./well-known-types.ts";

/** kubectl's own name: field ownership then is one and the same whichever of the two applied. */
const fieldManager = "kubectl-client-side-apply";

export interface ApplyOptions {
  /** For namespaced objects that name none. Default: `default`. */
  namespace?: string;
  /** `server`: the server does everything but store it. `client`: nothing is sent. */
  dryRun?: "none" | "server" | "client";
  /** Types that need no discovery, beside the built-in ones and those that CustomResourceDefinitions of `objects` define. */
  types?: readonly ResourceType[];
  /** Asked for kinds that are not known otherwise. Without it they fail. */
  mapper?: () => Promise<ResourceMapper>;
  /**
   * Labels by which what is created is known again; not part of the last applied configuration, so that applying the
   * manifest again keeps them. What is there without them is somebody else's: left alone (Namespaces) or refused.
   */
  marks?: Record<string, string>;
  onWarning?: (warning: string) => void;
}

/** What became of `objects[index]`. `ref` is kubectl's name of it, e.g. `deployment.apps/whoami-v1`. */
export type ApplyOutcome = { ref: string; index: number } & (
  | { result: "created" | "configured" | "unchanged"; object: KubeObject; error?: undefined }
  | { result: "failed"; error: Error; object?: undefined }
);

/**
 * Applies all objects and yields an outcome for each, in their order. One failure does not stop the others.
 * Namespaces and CustomResourceDefinitions go first, then what pods refer to, then the rest; inside such a phase objects
 * are applied in parallel, unless two manifests are of the same object: then in their order.
 */
export async function* applyObjects(
  client: ApiClient,
  objects: readonly KubeObject[],
  options: ApplyOptions = {},
): AsyncGenerator<ApplyOutcome, void> {
  const outcomes = objects.map(() => Promise.withResolvers<ApplyOutcome>());
  const types = createTypeResolver(objects, options);
  const one = async (index: number): Promise<void> => {
    const object = objects[index] as KubeObject;
    const ref = objectRef({ kind: object.kind, group: groupOf(object) }, object.metadata.name);
    try {
      const applied = await applyObject(client, await types(object), object, options);
      outcomes[index]?.resolve({ ref, index, ...applied });
    } catch (error) {
      outcomes[index]?.resolve({ ref, index, result: "failed", error: error as Error });
    }
  };
  const all = runPhases(client, objects, one, outcomes, options);
  for (const { promise } of outcomes) yield await promise;
  await all;
}

async function runPhases(
  client: ApiClient,
  objects: readonly KubeObject[],
  one: (index: number) => Promise<void>,
  outcomes: { promise: Promise<ApplyOutcome> }[],
  options: ApplyOptions,
): Promise<void> {
  for (const phase of [0, 1, 2]) {
    const indexes = objects.keys().filter((index) => phaseOf(objects[index] as KubeObject) === phase);
    const groups = Map.groupBy(indexes, (index) => identity(objects[index] as KubeObject, options.namespace));
    await inParallel([...groups.values()], async (group) => {
      for (const index of group) await one(index);
    });
    if (phase > 0 || options.dryRun === "server" || options.dryRun === "client") continue;
    for (const [index, object] of objects.entries()) {
      const outcome = isDefinition(object) ? await outcomes[index]?.promise : undefined;
      if (outcome?.result === "created") await untilEstablished(client, outcome.object);
    }
  }
}

const parallelism = 8;

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallelism, items.length) }, worker));
}

const early = new Set([
  "ServiceAccount",
  "ConfigMap",
  "Secret",
  "IngressClass",
  "PriorityClass",
  "StorageClass",
  "GatewayClass",
]);

function phaseOf(object: KubeObject): 0 | 1 | 2 {
  if ((object.kind === "Namespace" && object.apiVersion === "v1") || isDefinition(object)) return 0;
  return early.has(object.kind) || object.apiVersion.startsWith("rbac.authorization.k8s.io/") ? 1 : 2;
}

const isDefinition = (object: KubeObject): boolean =>
  object.kind === customResourceDefinitions.kind && groupOf(object) === customResourceDefinitions.group;

const groupOf = ({ apiVersion }: KubeObject): string =>
  apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";

const identity = (object: KubeObject, namespace = "default"): string =>
  [groupOf(object), object.kind, object.metadata.namespace ?? namespace, object.metadata.name].join("/");

// Types

type TypeResolver = (object: KubeObject) => Promise<ResourceType>;

function createTypeResolver(objects: readonly KubeObject[], options: ApplyOptions): TypeResolver {
  const given = [...(options.types ?? []), ...objects.filter(isDefinition).flatMap(typesDefinedBy)];
  return async (object) => {
    const { apiVersion, kind, metadata } = object;
    const known =
      given.find((type) => type.kind === kind && apiVersionOf(type) === apiVersion) ?? wellKnownType(apiVersion, kind);
    const type = known ?? (await options.mapper?.())?.byKind(apiVersion, kind);
    if (type) return type;
    throw new UserError(
      `resource mapping not found for name: "${metadata.name}" namespace: "${metadata.namespace ?? ""}": ` +
        `no matches for kind "${kind}" in version "${apiVersion}": ensure CRDs are installed first`,
    );
  };
}

interface DefinitionSpec {
  group: string;
  scope: string;
  names: { plural: string; kind: string };
  versions?: { name: string }[];
}

function typesDefinedBy(definition: KubeObject): ResourceType[] {
  const { group, scope, names, versions = [] } = (definition.spec ?? {}) as Partial<DefinitionSpec>;
  if (group === undefined || names === undefined) return [];
  const { plural, kind } = names;
  return versions.map(({ name }) => ({ group, version: name, plural, kind, namespaced: scope === "Namespaced" }));
}

// One object

async function applyObject(client: ApiClient, type: ResourceType, object: KubeObject, options: ApplyOptions) {
  if (!object.metadata.name) {
    const hint = object.metadata.generateName ? " (generateName cannot be applied, only created)" : "";
    throw new UserError(`error when retrieving current configuration: resource name may not be empty${hint}`);
  }
  const manifest = inNamespace(object, type, options.namespace ?? "default");
  const modified = marked(withLastApplied(manifest), options.marks);
  const live = await liveObject(client, type, manifest.metadata);
  if (live) return configure(client, type, modified, live, options);
  if (options.dryRun === "client") return { result: "created" as const, object: manifest };
  try {
    return { result: "created" as const, object: await client.create(type, modified, writeOptions(options)) };
  } catch (error) {
    // Somebody else made it since we looked: then it is theirs and ours to merge.
    const theirs = hasReason(error, "AlreadyExists") ? await liveObject(client, type, manifest.metadata) : undefined;
    if (!theirs) throw error;
    return configure(client, type, modified, theirs, options);
  }
}

const writeOptions = ({ dryRun, onWarning }: ApplyOptions) => ({
  fieldManager,
  fieldValidation: "Strict" as const,
  ...(dryRun === "server" ? { dryRun: true } : {}),
  ...(onWarning ? { onWarning } : {}),
});

async function liveObject(
  client: ApiClient,
  type: ResourceType,
  { name, namespace }: ObjectMeta,
): Promise<KubeObject | undefined> {
  try {
    return await client.get(type, name, namespace);
  } catch (error) {
    if (hasReason(error, "NotFound")) return undefined;
    throw error;
  }
}

async function configure(
  client: ApiClient,
  type: ResourceType,
  modified: KubeObject,
  live: KubeObject,
  options: ApplyOptions,
) {
  const { name, namespace } = modified.metadata;
  if (!carries(live, options.marks)) {
    if (type.kind === "Namespace") return { result: "unchanged" as const, object: live };
    const labels = Object.entries(options.marks ?? {}).map((pair) => pair.join("="));
    throw new UserError(
      `is there already, and not from here: delete it, or hand it over with the label ${labels.join(",")}`,
    );
  }
  const original = lastAppliedOf(live);
  if (!original) options.onWarning?.(missingAnnotation(type, name));
  const patch = threeWayMergePatch(original ?? {}, { ...modified }, { ...live });
  if (Object.keys(patch).length === 0) return { result: "unchanged" as const, object: live };
  if (options.dryRun === "client") return { result: "configured" as const, object: live };
  const target = { name, ...(namespace ? { namespace } : {}) };
  const object = await client.patch(type, target, "merge", patch, writeOptions(options));
  // What the server fills in may make a change of the manifest's words no change of the object.
  const result = isDeepStrictEqual(essence(object), essence(live)) ? ("unchanged" as const) : ("configured" as const);
  return { result, object };
}

function essence({ metadata, ...rest }: KubeObject): unknown {
  const { managedFields: _, resourceVersion: __, generation: ___, ...kept } = metadata;
  return { metadata: kept, ...rest };
}

const missingAnnotation = ({ plural, group }: ResourceType, name: string): string =>
  `resource ${group ? `${plural}.${group}` : plural}/${name} is missing the ${lastAppliedAnnotation} annotation which is required by ` +
  "apply. It should only be used on resources created declaratively. The missing annotation will be patched automatically.";

function inNamespace(object: KubeObject, type: ResourceType, fallback: string): KubeObject {
  if (!type.namespaced || object.metadata.namespace) return object;
  return { ...object, metadata: { ...object.metadata, namespace: fallback } };
}

// The annotation

/** The manifest with itself, as JSON, in its annotation: byte for byte what kubectl writes. */
export function withLastApplied(manifest: KubeObject): KubeObject {
  const { [lastAppliedAnnotation]: _, ...annotations } = manifest.metadata.annotations ?? {};
  const bare = { ...manifest, metadata: { ...manifest.metadata, annotations } };
  return {
    ...bare,
    metadata: { ...bare.metadata, annotations: { ...annotations, [lastAppliedAnnotation]: `${goJson(bare)}\n` } },
  };
}

function marked(object: KubeObject, marks: Record<string, string> | undefined): KubeObject {
  if (!marks) return object;
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...marks } } };
}

/** True when all marks are on it. */
export function carries({ metadata }: KubeObject, marks: Record<string, string> = {}): boolean {
  return Object.entries(marks).every(([label, value]) => metadata.labels?.[label] === value);
}

function lastAppliedOf(live: KubeObject): Record<string, unknown> | undefined {
  const text = live.metadata.annotations?.[lastAppliedAnnotation];
  if (!text) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
