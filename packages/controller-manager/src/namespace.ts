// The namespace controller: empties namespaces that are being deleted, then lets them go.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { type Condition, timestamp } from "@gatehouse/apimachinery/meta";
import { resourcePath, type ResourceType } from "@gatehouse/apimachinery/resource-type";
import { hasReason, StatusError } from "@gatehouse/apimachinery/status-error";
import { type Namespace, namespaces } from "@gatehouse/apimachinery/types/core-v1";
import { type Controller, type ControllerContext, controllerQueue } from "./controller.ts";
import { servedResources } from "./discovery.ts";
import { statusDiffers } from "./canonical-json.ts";

const firstLookMs = 20;
const maxLookMs = 5_000;

/** What is left of one kind, and whether something else (a finalizer) holds it. */
export interface Remaining {
  resource: string;
  count: number;
  finalizers: string[];
}

/**
 * How long a namespace's content stays after the deletion: Kubernetes waits five seconds. It is what lets `kubectl delete -f`
 * of a directory, which begins with the namespace, still find the objects that it deletes next.
 */
const graceMs = 500;

export function startNamespaceController(context: ControllerContext): Controller {
  const { view } = context;
  const looks = new Map<string, number>();
  /** When each terminating namespace was first seen so. */
  const terminating = new Map<string, number>();
  const queue = controllerQueue("namespace-controller", context, async (name) => {
    const namespace = view.namespaces.get(name);
    if (!namespace?.metadata.deletionTimestamp) {
      looks.delete(name);
      terminating.delete(name);
      return;
    }
    const since = terminating.get(name) ?? Date.now();
    terminating.set(name, since);
    const early = since + graceMs - Date.now();
    if (early > 0) return queue.addAfter(name, early);
    const remaining = await empty(context.client, name);
    if (remaining.length === 0) return finalize(context, namespace);
    await report(context, namespace, remaining);
    // Pods that end bring the namespace back at once; for the rest it is looked at again, ever less often.
    const look = looks.get(name) ?? firstLookMs;
    looks.set(name, Math.min(look * 2, maxLookMs));
    queue.addAfter(name, look);
  });
  const subscriptions = [
    view.namespaces.onChange(({ old, current }) => queue.add((current ?? old)?.metadata.name ?? "")),
    view.pods.onChange(({ old, current }) => {
      const namespace = old?.metadata.namespace ?? "";
      if (!current && view.namespaces.get(namespace)?.metadata.deletionTimestamp) queue.add(namespace);
    }),
  ];
  return {
    stop: async () => {
      for (const unsubscribe of subscriptions) unsubscribe();
      await queue.stop();
    },
  };
}

/** Asks for the deletion of everything in the namespace; returns what is still there. */
async function empty(client: ApiClient, namespace: string): Promise<Remaining[]> {
  const kinds = (await servedResources(client)).filter(
    ({ type, verbs }) => type.namespaced && verbs.includes("list") && verbs.includes("delete"),
  );
  const rests = await Promise.all(kinds.map(({ type, verbs }) => emptyKind(client, namespace, type, verbs)));
  return rests.filter((rest) => rest.count > 0);
}

async function emptyKind(
  client: ApiClient,
  namespace: string,
  type: ResourceType,
  verbs: string[],
): Promise<Remaining> {
  const resource = type.group ? `${type.plural}.${type.group}` : type.plural;
  try {
    const { items } = await client.list(type, { namespace });
    const present = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (present.length === 0) return remainingOf(resource, items);
    if (verbs.includes("deletecollection")) {
      const response = await client.stream({ method: "DELETE", path: resourcePath(type, namespace) });
      response.resume();
    } else await Promise.all(present.map(({ metadata }) => remove(client, type, metadata.name, namespace)));
    return remainingOf(resource, (await client.list(type, { namespace })).items);
  } catch (error) {
    // A kind that vanished meanwhile (its CustomResourceDefinition was deleted) holds nothing.
    if (hasReason(error, "NotFound")) return { resource, count: 0, finalizers: [] };
    throw error;
  }
}

const remainingOf = (resource: string, items: { metadata: { finalizers?: string[] } }[]): Remaining => ({
  resource,
  count: items.length,
  finalizers: items.flatMap(({ metadata }) => metadata.finalizers ?? []),
});

async function remove(client: ApiClient, type: ResourceType, name: string, namespace: string): Promise<void> {
  try {
    await client.delete(type, name, namespace);
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
  }
}

async function finalize({ client }: ControllerContext, namespace: Namespace): Promise<void> {
  const { name } = namespace.metadata;
  const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== "kubernetes");
  try {
    await client.json({
      method: "PUT",
      path: resourcePath(namespaces, undefined, name, "finalize"),
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...namespace, spec: { ...namespace.spec, finalizers } }),
    });
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
  }
}

async function report(
  { client, view }: ControllerContext,
  namespace: Namespace,
  remaining: Remaining[],
): Promise<void> {
  const conditions = deletionConditions(namespace.status?.conditions ?? [], remaining);
  if (!statusDiffers(namespace.status?.conditions, conditions)) return;
  try {
    const status = { ...namespace.status, conditions };
    view.namespaces.wrote(await client.updateStatus(namespaces, { ...namespace, status }));
  } catch (error) {
    const overtaken = error instanceof StatusError && (error.reason === "NotFound" || error.reason === "Conflict");
    if (!overtaken) throw error;
  }
}

/** Pure: the conditions by which `kubectl describe namespace` shows what a deletion waits for. */
function deletionConditions(present: Condition[], remaining: Remaining[], now: string = timestamp()): Condition[] {
  const byFinalizer = new Map<string, number>();
  for (const finalizer of remaining.flatMap((rest) => rest.finalizers)) {
    byFinalizer.set(finalizer, (byFinalizer.get(finalizer) ?? 0) + 1);
  }
  const kinds = remaining.map(({ resource, count }) => `${resource} has ${count} resource instances`).sort();
  const holders = [...byFinalizer].map(([name, count]) => `${name} in ${count} resource instances`).sort();
  const wanted: [string, string, string][] = [
    ["NamespaceContentRemaining", "SomeResourcesRemain", `Some resources are remaining: ${kinds.join(", ")}`],
    [
      "NamespaceFinalizersRemaining",
      "SomeFinalizersRemain",
      `Some content in the namespace has finalizers remaining: ${holders.join(", ")}`,
    ],
  ];
  return wanted
    .filter(([type]) => type === "NamespaceContentRemaining" || holders.length > 0)
    .map(([type, reason, message]) => {
      const before = present.find((condition) => condition.type === type);
      return { type, status: "True", reason, message, lastTransitionTime: before?.lastTransitionTime ?? now };
    });
}
