// The step that installs the Gateway API definitions: from the official release, a file, a URL, or our own bundle; by
// server-side apply, and never over a newer bundle without asking.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { carries } from "../apply-objects.ts";
import type { Decide } from "../decide.ts";
import { installedMark } from "../installed-mark.ts";
import type { Step } from "../progress.ts";
import { UserError } from "../user-error.ts";
import { customResourceDefinitions } from "../well-known-types.ts";
import { type Bundle, compareBundles, type DefinitionsSource, loadBundle, versionsOf } from "./definition-bundle.ts";

export interface DefinitionsOptions {
  source: DefinitionsSource;
  /** Asked before a newer bundle, or one of another channel, is replaced. */
  decide: Decide;
}

const fieldManager = "gatehouse";
const parallelism = 4;
const establishedWithinMs = 30_000;

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
  if (verdict === "ask") {
    const question = `This cluster has Gateway API definitions ${found}. Replace them by ${wanted}? Routes that use what only they have would lose it.`;
    if (!(await options.decide(question))) return step.detail(`kept ${found}, which this cluster has`);
  }
  await applyBundle(client, bundle, present);
}

async function presentDefinitions(client: ApiClient): Promise<KubeObject[]> {
  const { items } = await client.list(customResourceDefinitions);
  return items.filter(({ spec }) => (spec as { group?: string } | undefined)?.group === "gateway.networking.k8s.io");
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
    throw new UserError(`definition ${name}: ${(error as Error).message}`, 1, { cause: error });
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

/** A new kind's objects can be written only once the server serves it. */
async function untilEstablished(client: ApiClient, definition: KubeObject): Promise<void> {
  if (isEstablished(definition)) return;
  const signal = AbortSignal.timeout(establishedWithinMs);
  const fieldSelector = `metadata.name=${definition.metadata.name}`;
  for await (const event of client.watch(customResourceDefinitions, { fieldSelector, signal })) {
    if (isEstablished(event.object)) return;
  }
  throw new UserError(`definition ${definition.metadata.name} is not served after ${establishedWithinMs / 1000} s`);
}

function isEstablished({ status }: KubeObject): boolean {
  const { conditions = [] } = (status ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.some(({ type, status: value }) => type === "Established" && value === "True");
}

/** The definitions that `up` installed and `down` may remove. */
export async function installedDefinitions(client: ApiClient): Promise<KubeObject[]> {
  return (await presentDefinitions(client)).filter((definition) => carries(definition, installedMark));
}

/** Deletes them, and with them all objects of their kinds. */
export async function deleteDefinitions(client: ApiClient, definitions: KubeObject[]): Promise<void> {
  for (const { metadata } of definitions) {
    try {
      await client.delete(customResourceDefinitions, metadata.name);
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
  }
}
