// `get` in the forms that show whole objects (json, yaml, name, jsonpath), once or as they change.

import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { type Status, StatusError } from "@gatehouse/apimachinery/status-error";
import { type ClientContext, reportFailure } from "./client-context.ts";
import type { Selection } from "./get-tables.ts";
import { createObjectPrinter, listOf, type OutputFormat, withoutManagedFields } from "./object-printer.ts";
import type { ResourceArgument } from "./resource-arguments.ts";
import type { MappedResource } from "./resource-mapper.ts";

type WholeObjectFormat = Exclude<OutputFormat, { kind: "table" }>;

export interface FoundObject {
  resource: MappedResource;
  object: KubeObject;
}

/** Every object that the arguments name or select, with failures reported and left out. */
export async function findObjects(
  context: ClientContext,
  targets: readonly ResourceArgument[],
  selection: Selection,
): Promise<FoundObject[]> {
  const found: FoundObject[] = [];
  for (const target of targets) {
    for (const get of requestsFor(context, target, selection)) {
      try {
        found.push(
          ...(await get()).map((object) => ({ resource: target.resource, object: complete(object, target.resource) })),
        );
      } catch (error) {
        if (selection.ignoreNotFound && error instanceof StatusError && error.code === 404) continue;
        reportFailure(context, error);
      }
    }
  }
  return found;
}

function requestsFor(
  context: ClientContext,
  { resource, names }: ResourceArgument,
  selection: Selection,
): (() => Promise<KubeObject[]>)[] {
  const { client } = context;
  if (names.length > 0) return names.map((name) => async () => [await client.get(resource, name, context.namespace)]);
  return [async () => (await client.list(resource, listOptions(context, selection))).items];
}

const listOptions = (context: ClientContext, { selector, fieldSelector }: Selection) => ({
  ...(context.allNamespaces ? {} : { namespace: context.namespace }),
  ...(selector ? { labelSelector: selector } : {}),
  ...(fieldSelector ? { fieldSelector } : {}),
});

/** The items of lists do not say what they are. */
function complete(object: KubeObject, resource: MappedResource): KubeObject {
  return { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind };
}

/** One named object is printed itself, everything else as a List; names go line by line. */
export async function getObjects(
  context: ClientContext,
  targets: readonly ResourceArgument[],
  selection: Selection,
  format: WholeObjectFormat,
  options: { showManagedFields?: boolean },
): Promise<void> {
  const print = await createObjectPrinter(format);
  const found = await findObjects(context, targets, selection);
  const shown = found.map(({ resource, object }) => ({
    resource,
    object: options.showManagedFields ? object : withoutManagedFields(object),
  }));
  if (format.kind === "name") {
    for (const { resource, object } of shown) context.out(print(object, resource));
    return;
  }
  const single = targets.length === 1 && targets[0]?.names.length === 1;
  const [first] = shown;
  if (!first && (single || process.exitCode === 1 || selection.ignoreNotFound)) return;
  const resource = first?.resource ?? (targets[0] as ResourceArgument).resource;
  context.out(print(single && first ? first.object : listOf(shown.map(({ object }) => object)), resource));
}

/** Prints each object when it is seen first and at every change, until the process ends. */
export async function watchObjects(
  context: ClientContext,
  { resource, names }: ResourceArgument,
  selection: Selection,
  format: WholeObjectFormat,
  options: { showManagedFields?: boolean; watchOnly?: boolean },
): Promise<void> {
  const print = await createObjectPrinter(format);
  const show = (object: KubeObject): void => {
    const whole = complete(object, resource);
    context.out(
      (format.kind === "yaml" ? "---\n" : "") +
        print(options.showManagedFields ? whole : withoutManagedFields(whole), resource),
    );
  };
  const [name] = names;
  if (name !== undefined) await context.client.get(resource, name, context.namespace);
  const scope = listOptions(
    context,
    name === undefined ? selection : { ...selection, fieldSelector: `metadata.name=${name}` },
  );
  const list = await context.client.list(resource, scope);
  if (!options.watchOnly) list.items.forEach(show);
  let reached = list.metadata.resourceVersion;
  for (;;) {
    const began = Date.now();
    for await (const event of context.client.watch(resource, { ...scope, resourceVersion: reached })) {
      if (event.type === "ERROR") throw new StatusError(event.object as unknown as Status);
      reached = event.object.metadata.resourceVersion ?? reached;
      if (event.type !== "BOOKMARK") show(event.object);
    }
    if (Date.now() - began < 1_000) await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
