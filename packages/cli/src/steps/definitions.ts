// The step that installs the Gateway API definitions: from the official release, a file, a URL, or our own bundle; by
// server-side apply, and never over what others installed, or a newer bundle, without asking.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { hasReason, StatusError } from "@gatehouse/apimachinery/status-error";
import { carries } from "../apply-objects.ts";
import type { Decide } from "../decide.ts";
import { untilEstablished } from "../definitions-served.ts";
import { installedMark, installedSelector } from "../installed-mark.ts";
import type { Step } from "../progress.ts";
import { UserError } from "../user-error.ts";
import { customResourceDefinitions } from "../well-known-types.ts";
import { type Bundle, compareBundles, type DefinitionsSource, loadBundle, versionsOf } from "./definition-bundle.ts";

export interface DefinitionsOptions {
  source: DefinitionsSource;
  /** Asked before definitions are replaced that are newer, of another channel, or not from here. */
  decide: Decide;
}

/** The second is that of kinds which exist in the experimental channel only. */
const groups = new Set(["gateway.networking.k8s.io", "gateway.networking.x-k8s.io"]);
const fieldManager = "gatehouse";
const parallelism = 4;

export function definitionsTitle({ source }: DefinitionsOptions): string {
  const from = { bundled: "", official: "", file: " from a file", url: " from a URL" }[source.kind];
  return `Install the Gateway API definitions${from}`;
}

/** Idempotent: what is there already in the wanted version is left alone. Throws a UserError naming what failed. */
export async function installDefinitions(client: ApiClient, options: DefinitionsOptions, step: Step): Promise<void> {
  const [bundle, present] = await Promise.all([loadBundle(options.source, step), presentDefinitions(client)]);
  const wanted = `${bundle.version} (${bundle.channel} channel)`;
  const found = versionsOf(present);
  const verdict = compareBundles(bundle, present);
  step.detail(bundle.note ? `${wanted}: ${bundle.note}` : wanted);
  if (verdict === "same") return step.detail(`${wanted} are there already`);
  if (verdict === "ask" || present.some((definition) => !carries(definition, installedMark))) {
    const question = `This cluster has Gateway API definitions ${found}. Replace them by ${wanted}? Routes that use what only they have would lose it.`;
    if (!(await step.pause(() => options.decide(question))))
      return step.detail(`kept ${found}, which this cluster has`);
  }
  await applyBundle(client, bundle, present);
}

async function presentDefinitions(client: ApiClient): Promise<KubeObject[]> {
  const { items } = await client.list(customResourceDefinitions);
  return items.filter(({ spec }) => groups.has((spec as { group?: string } | undefined)?.group ?? ""));
}

/** All objects of the bundle, definitions first; resolves when the definitions are served. */
async function applyBundle(client: ApiClient, { objects }: Bundle, present: KubeObject[]): Promise<void> {
  const isDefinition = (object: KubeObject): boolean => object.kind === customResourceDefinitions.kind;
  const definitions = objects.filter(isDefinition);
  const queue = definitions.values();
  const worker = async (): Promise<void> => {
    for (const definition of queue) {
      const before = present.find(({ metadata }) => metadata.name === definition.metadata.name);
      const applied = await applyOne(client, definition, !before || carries(before, installedMark));
      await untilEstablished(client, applied);
    }
  };
  await Promise.all(Array.from({ length: parallelism }, worker));
  for (const object of objects.filter((candidate) => !isDefinition(candidate))) await applyOther(client, object);
}

/** What was there before is not marked as ours: `down` leaves it. */
async function applyOne(client: ApiClient, definition: KubeObject, ours: boolean): Promise<KubeObject> {
  const { name } = definition.metadata;
  const labels = { ...definition.metadata.labels, ...installedMark };
  const configuration = ours ? { ...definition, metadata: { ...definition.metadata, labels } } : definition;
  try {
    const options = { fieldManager, force: true };
    return await client.patch(customResourceDefinitions, { name }, "apply", configuration, options);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw new UserError(`definition ${name}: ${error.message}`, 1, { cause: error });
  }
}

/** Newer bundles bring admission policies along. */
async function applyOther(client: ApiClient, object: KubeObject): Promise<void> {
  const { discover } = await import("../resource-mapper.ts");
  const { name } = object.metadata;
  const type = (await discover(client)).byKind(object.apiVersion, object.kind);
  if (!type) throw new UserError(`${object.kind} ${name}: this cluster does not serve ${object.apiVersion}`);
  const marked = {
    ...object,
    metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...installedMark } },
  };
  await client.patch(type, { name }, "apply", marked, { fieldManager, force: true });
}

/** What the cluster has, when that is not what `source` would install: `v1.4.0 (standard channel)`. */
export async function otherDefinitions(client: ApiClient, source: DefinitionsSource): Promise<string | undefined> {
  const [bundle, present] = await Promise.all([loadBundle(source, { detail: () => {} }), presentDefinitions(client)]);
  return compareBundles(bundle, present) === "same" ? undefined : versionsOf(present) || "none";
}

/** The definitions that `up` installed and `down` may remove. */
export async function installedDefinitions(client: ApiClient): Promise<KubeObject[]> {
  return (await presentDefinitions(client)).filter((definition) => carries(definition, installedMark));
}

/**
 * The objects of the kinds that these define, as `HTTPRoute demo/whoami-host`, and `httproutes (may not be listed)` for what
 * this user may not see: somebody's may be among them.
 */
export async function objectsOf(client: ApiClient, definitions: KubeObject[]): Promise<string[]> {
  const found = await Promise.all(
    definitions.map(async ({ spec }) => {
      const { group, names, versions } = spec as DefinitionSpec;
      const version = versions.find(({ served }) => served)?.name;
      if (version === undefined) return [];
      const type = { group, version, plural: names.plural, kind: names.kind, namespaced: true };
      try {
        const { items } = await client.list(type);
        return items.map(
          ({ metadata }) => `${names.kind} ${[metadata.namespace, metadata.name].filter(Boolean).join("/")}`,
        );
      } catch (error) {
        if (hasReason(error, "Forbidden")) return [`${names.plural} (may not be listed)`];
        throw error;
      }
    }),
  );
  return found.flat();
}

interface DefinitionSpec {
  group: string;
  names: { plural: string; kind: string };
  versions: { name: string; served: boolean }[];
}

/** Deletes them, with them all objects of their kinds, and the admission policies that came along. */
export async function deleteDefinitions(client: ApiClient, definitions: KubeObject[]): Promise<void> {
  for (const type of policyTypes) {
    for (const policy of await installedPolicies(client, type)) await deleteIfThere(client, type, policy);
  }
  for (const definition of definitions) await deleteIfThere(client, customResourceDefinitions, definition);
}

const policyTypes: ResourceType[] = [
  ["validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding"],
  ["validatingadmissionpolicies", "ValidatingAdmissionPolicy"],
].map(([plural = "", kind = ""]) => ({
  group: "admissionregistration.k8s.io",
  version: "v1",
  plural,
  kind,
  namespaced: false,
}));

/** None where the cluster is too old for policies, or the caller may not see them. */
async function installedPolicies(client: ApiClient, type: ResourceType): Promise<KubeObject[]> {
  try {
    const { items } = await client.list(type, { labelSelector: installedSelector });
    return items;
  } catch (error) {
    if (hasReason(error, "NotFound") || hasReason(error, "Forbidden")) return [];
    throw error;
  }
}

async function deleteIfThere(client: ApiClient, type: ResourceType, { metadata }: KubeObject): Promise<void> {
  try {
    await client.delete(type, metadata.name);
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
  }
}
