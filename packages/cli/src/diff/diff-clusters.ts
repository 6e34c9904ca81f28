// The comparison as a whole: read both clusters, compare what they hold, ask both the same, and report.

import { StatusError } from "@gatehouse/apimachinery/status-error";
import { type ClientContext, withClient } from "../client-context.ts";
import { UserError } from "../user-error.ts";
import { askClusters, targetOf } from "./ask-clusters.ts";
import { type ClusterEntries, findEntries, type GivenEntry } from "./cluster-entries.ts";
import { type ClusterSnapshot, readSnapshot, routesOf } from "./cluster-snapshot.ts";
import { compareClusters } from "./compare-clusters.ts";
import { deriveRequests } from "./derive-requests.ts";
import type { PlannedRequest } from "./planned-request.ts";
import { type ClusterHeading, createReport, type DiffReport, type RequestFindings, type Skipped } from "./report.ts";

export interface DiffOptions {
  contexts: readonly [string, string];
  kubeconfig?: string;
  /** Only this one; default: all. */
  namespace?: string;
  /** The user's addresses, by context. */
  entries: ReadonlyMap<string, GivenEntry[]>;
  /** The user's requests; undefined: none are sent at all. */
  requests: readonly PlannedRequest[] | undefined;
  /** Make requests from the routes too. */
  derive: boolean;
  unsafeMethods: boolean;
  messages: boolean;
  all: boolean;
  ignoreBody: boolean;
  /** For one request, to an API server or an entry. */
  timeoutMs: number;
  parallel: number;
}

/** Throws a UserError (exit code 2) when one of the clusters cannot be read or asked, or when there is nothing to compare. */
export async function diffClusters(options: DiffOptions): Promise<DiffReport> {
  const { namespace, timeoutMs, requests = [] } = options;
  const [a, b] = await both(options, (context) => readSnapshot(context, namespace, timeoutMs));
  if (requests.length === 0) refuseNothing(a, b, namespace);
  const objects = compareClusters(a, b, options);
  const { findings, skipped, entries } = await compareRequests(a, b, options);
  const headings = { a: heading(a, entries?.[0]), b: heading(b, entries?.[1]) };
  return createReport(headings, objects, findings, skipped);
}

/** A mistyped namespace would be equal everywhere. */
function refuseNothing(a: ClusterSnapshot, b: ClusterSnapshot, namespace: string | undefined): void {
  const objects = [...a.objects, ...b.objects];
  if (namespace === undefined && objects.length === 0) {
    throw new UserError("neither cluster has Gateway API objects: there is nothing to compare", 2);
  }
  if (namespace !== undefined && !objects.some(({ metadata }) => metadata.namespace === namespace)) {
    throw new UserError(`namespace "${namespace}" has no Gateway API objects in either cluster: see -n`, 2);
  }
}

/** The same work in both clusters at once. What fails there cannot be compared: exit code 2, with the context's name. */
async function both<T>(options: DiffOptions, work: (context: ClientContext) => Promise<T>): Promise<[T, T]> {
  const outcomes = await Promise.allSettled(options.contexts.map((context) => inContext(context, options, work)));
  const failures = outcomes.filter((outcome) => outcome.status === "rejected").map(({ reason }) => reason as unknown);
  const unexpected = failures.find((failure) => !(failure instanceof UserError));
  if (unexpected) throw unexpected;
  // Each is one line; when both clusters are down both are told.
  const lines = failures.map((failure) => (failure as UserError).message);
  if (lines.length > 0) throw new UserError(lines.join("\nerror: "), 2, { cause: failures[0] });
  return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<T>).value) as [T, T];
}

async function inContext<T>(
  context: string,
  { kubeconfig, timeoutMs }: DiffOptions,
  work: (context: ClientContext) => Promise<T>,
): Promise<T> {
  let result: { value: T } | undefined;
  try {
    await withClient({ context, ...(kubeconfig === undefined ? {} : { kubeconfig }) }, async (client) => {
      result = { value: await work(client) };
    });
  } catch (error) {
    if (error instanceof StatusError) {
      const why = `cluster of context "${context}" refused (${error.reason}): ${error.message}`;
      throw new UserError(why, 2, { cause: error });
    }
    // What node:http makes of an AbortSignal's timeout.
    if ((error as NodeJS.ErrnoException).code === "ABORT_ERR") {
      const why = `cluster of context "${context}" does not answer within ${timeoutMs / 1_000} s: see whether it runs, or give it longer with --timeout`;
      throw new UserError(why, 2, { cause: error });
    }
    throw error;
  }
  return (result as { value: T }).value;
}

interface ComparedRequests {
  findings: RequestFindings[];
  skipped: Skipped[];
  entries?: [ClusterEntries, ClusterEntries];
}

async function compareRequests(
  a: ClusterSnapshot,
  b: ClusterSnapshot,
  options: DiffOptions,
): Promise<ComparedRequests> {
  if (!options.requests) return { findings: [], skipped: [] };
  const source = (each: ClusterSnapshot) => ({ routes: routesOf(each), gateways: each.gateways });
  const derived = options.derive ? deriveRequests(source(a), source(b), options) : { requests: [], skipped: [] };
  const requests = [...options.requests, ...derived.requests].map((each) =>
    options.ignoreBody ? { ...each, ignoreBody: true } : each,
  );
  if (requests.length === 0) return { findings: [], skipped: [...derived.skipped, ...otherRoutes(a, b)] };
  const entries = await both(options, ({ client, context }) => {
    const side = context === options.contexts[0] ? "a" : "b";
    const targets = requests.map((request) => targetOf(request, side));
    return findEntries(client, context, targets, options.entries.get(context) ?? []);
  });
  const sides = [a, b].map(({ context }, index) => ({ context, entries: entries[index] as ClusterEntries }));
  const [left, right] = sides as [(typeof sides)[number], (typeof sides)[number]];
  const { findings, skipped } = await askClusters(requests, left, right, options);
  return { findings, skipped: [...derived.skipped, ...otherRoutes(a, b), ...skipped], entries };
}

/** Routes that no request is made from: said once per kind. */
function otherRoutes(a: ClusterSnapshot, b: ClusterSnapshot): Skipped[] {
  const kinds = new Set([...a.objects, ...b.objects].map(({ kind }) => kind));
  const others = [...kinds].filter((kind) => kind.endsWith("Route") && kind !== "HTTPRoute").sort();
  return others.map((kind) => ({ what: `traffic of ${kind}s`, why: "only their objects and statuses are compared" }));
}

const heading = (snapshot: ClusterSnapshot, entries: ClusterEntries | undefined): ClusterHeading => ({
  context: snapshot.context,
  kubernetes: snapshot.kubernetes,
  gatewayApi: snapshot.gatewayApi,
  entries: entries?.heading ?? [],
});
