// `get` in tables: the server makes them (Accept: as=Table), page by page; a watch adds rows as things change.

import { lines } from "@gatehouse/apimachinery/api-client";
import { resourcePath } from "@gatehouse/apimachinery/resource-type";
import { type Status, StatusError } from "@gatehouse/apimachinery/status-error";
import { type ClientContext, reportFailure } from "./client-context.ts";
import { qualifiedKind, type ResourceArgument } from "./resource-arguments.ts";
import { createTablePrinter, type Table, type TableOptions, type TablePrinter } from "./table-printer.ts";

export interface Selection {
  selector?: string;
  fieldSelector?: string;
  ignoreNotFound?: boolean;
}

const pageSize = "500";
const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" };

/** Prints a table for each resource. `options` lacks only what depends on the resource. */
export async function getTables(
  context: ClientContext,
  targets: readonly ResourceArgument[],
  selection: Selection,
  options: TableOptions,
): Promise<void> {
  const groups = joinSameResource(targets);
  let printed = false;
  let failed = false;
  for (const target of groups) {
    const printer = printerFor(context, target, options, groups.length > 1);
    for (const pages of tablesOf(context, target, selection)) {
      try {
        for await (const table of pages) {
          const text = printer.format(table);
          if (text !== "") context.out((printed && !printer.continued ? "\n" : "") + text);
          if (text !== "") printer.continued = printed = true;
        }
      } catch (error) {
        if (selection.ignoreNotFound && error instanceof StatusError && error.code === 404) continue;
        failed = true;
        reportFailure(context, error);
      }
    }
  }
  if (!printed && !failed && !selection.ignoreNotFound) context.err(noneFound(context, groups));
}

/** kubectl's words for an empty answer. */
export function noneFound(context: ClientContext, targets: readonly ResourceArgument[]): string {
  const inNamespace = !context.allNamespaces && targets.every(({ resource }) => resource.namespaced);
  return inNamespace ? `No resources found in ${context.namespace} namespace.` : "No resources found";
}

/** `pod/a pod/b` is one table. */
function joinSameResource(targets: readonly ResourceArgument[]): ResourceArgument[] {
  const groups = Map.groupBy(targets, ({ resource }) => resource);
  return [...groups].map(([resource, group]) => ({ resource, names: group.flatMap(({ names }) => names) }));
}

function printerFor(
  context: ClientContext,
  { resource }: ResourceArgument,
  options: TableOptions,
  several: boolean,
): TablePrinter & { continued: boolean } {
  const printer = createTablePrinter({
    ...options,
    withNamespace: context.allNamespaces && resource.namespaced,
    ...(several ? { namePrefix: `${qualifiedKind(resource)}/` } : {}),
  });
  return { ...printer, continued: false };
}

function tablesOf(context: ClientContext, target: ResourceArgument, selection: Selection): AsyncGenerator<Table>[] {
  const { resource, names } = target;
  if (names.length === 0) return [pages(context, target, selection)];
  return names.map(async function* (name) {
    yield await context.client.json<Table>({
      method: "GET",
      path: resourcePath(resource, context.namespace, name),
      headers,
    });
  });
}

async function* pages(
  context: ClientContext,
  { resource }: ResourceArgument,
  selection: Selection,
): AsyncGenerator<Table> {
  let next: string | undefined = "";
  while (next !== undefined) {
    const query = queryOf({ ...selectors(selection), limit: pageSize, ...(next ? { continue: next } : {}) });
    const table: Table = await context.client.json({
      method: "GET",
      path: collection(context, resource) + query,
      headers,
    });
    yield table;
    next = table.metadata?.continue || undefined;
  }
}

/** Prints the present state, then a row for every change, until the server refuses or the process ends. */
export async function watchTable(
  context: ClientContext,
  target: ResourceArgument,
  selection: Selection,
  options: TableOptions & { watchOnly?: boolean },
): Promise<void> {
  const { resource, names } = target;
  const printer = printerFor(context, target, options, false);
  const [name] = names;
  const narrowed = name === undefined ? selection : { ...selection, fieldSelector: `metadata.name=${name}` };
  // A name that is not there is an error, as it is without -w.
  if (name !== undefined) await context.client.get(resource, name, context.namespace);
  let reached: string | undefined;
  for await (const table of pages(context, target.names.length > 0 ? { resource, names: [] } : target, narrowed)) {
    reached = table.metadata?.resourceVersion ?? reached;
    if (!options.watchOnly) context.out(printer.format(table));
  }
  for (;;) reached = await followTable(context, target, narrowed, printer, reached);
}

interface TableEvent {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  object: Table | Status;
}

/** One watch; servers end it now and then, and the next goes on from the version reached. */
async function followTable(
  context: ClientContext,
  { resource }: ResourceArgument,
  selection: Selection,
  printer: TablePrinter,
  from: string | undefined,
): Promise<string | undefined> {
  const began = Date.now();
  let reached = from;
  const query = queryOf({
    ...selectors(selection),
    watch: "true",
    allowWatchBookmarks: "true",
    ...(reached ? { resourceVersion: reached } : {}),
  });
  const response = await context.client.stream({ method: "GET", path: collection(context, resource) + query, headers });
  for await (const line of lines(response)) {
    const { type, object } = JSON.parse(line) as TableEvent;
    if (type === "ERROR") throw new StatusError(object as Status);
    const table = object as Table;
    reached = table.rows?.at(-1)?.object?.metadata?.resourceVersion ?? table.metadata?.resourceVersion ?? reached;
    if (type !== "BOOKMARK") context.out(printer.format(table));
  }
  // A server that ends watches at once would otherwise be asked without a pause.
  if (Date.now() - began < 1_000) await new Promise((resolve) => setTimeout(resolve, 1_000));
  return reached;
}

const collection = (context: ClientContext, resource: ResourceArgument["resource"]): string =>
  resourcePath(resource, context.allNamespaces ? undefined : context.namespace);

const selectors = ({ selector, fieldSelector }: Selection): Record<string, string> => ({
  ...(selector ? { labelSelector: selector } : {}),
  ...(fieldSelector ? { fieldSelector } : {}),
});

function queryOf(parameters: Record<string, string>): string {
  return `?${new URLSearchParams(parameters).toString()}`;
}
