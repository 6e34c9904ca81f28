// Watching a collection: what is there (when asked for), then every change in order, as one JSON document a line.

import type { KubeObject, ObjectMeta } from "@gatehouse/apimachinery/meta";
import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import { badRequest, type Status, type StatusError } from "@gatehouse/apimachinery/status-error";
import type { ApiContext, ResourceRequest } from "../api-context.ts";
import type { StoreEvent } from "../storage/collection.ts";
import { isTrue } from "../http/request-info.ts";
import { invalidListOption } from "../request-options.ts";
import { forbiddenField } from "../schema/field-cause.ts";
import { requestedRevision } from "../storage/resource-version.ts";
import { type Selection, selectionOf } from "../storage/selection.ts";
import type { CommittedEvent } from "../storage/store.ts";
import { present, resourceKey } from "../storage/stored-objects.ts";

export type WatchEventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";

/** Where a watch's events go. `json` is the object's encoding when that is already known, `size` about how long it is. */
export interface WatchSink {
  send(type: WatchEventType, object: KubeObject, json?: string, size?: number): void;
  /** An ERROR event. */
  fail(status: Status): void;
  /** No more events; what was sent still goes out. */
  end(): void;
}

interface WatchPlan {
  selection: Selection;
  /** Changes after this revision follow. */
  from: number;
  /** Sent as ADDED before anything else. */
  initial: KubeObject[];
  /** Follows `initial`, marking its end (KEP-3157). */
  initialBookmark: boolean;
  bookmarks: boolean;
  timeoutMs: number;
}

const bookmarkMs = 60_000;
/** As kube-apiserver's --min-request-timeout: without a wish, a watch lasts 30 to 60 minutes. */
const minTimeoutMs = 30 * 60_000;

/** A watch that is ready to run. Throws 400 or 422 for parameters that make no sense, 410 or 504 for a revision it cannot start from. */
export async function watch(context: ApiContext, request: ResourceRequest): Promise<(sink: WatchSink) => void> {
  await context.store.settled();
  const plan = planOf(context, request);
  const missed = context.store.changesSince(resourceKey(request.definition), plan.from);
  return (sink) => run(context, request, plan, missed, sink);
}

function planOf(context: ApiContext, request: ResourceRequest): WatchPlan {
  const { query, definition } = request;
  const current = context.store.revision;
  const selection = selectionOf(request);
  const bookmarks = isTrue(query.get("allowWatchBookmarks"));
  const sendInitial = wantsInitialEvents(request);
  const revision = requestedRevision(query, current);
  const withState = sendInitial ?? revision === undefined;
  const initial: KubeObject[] = [];
  if (withState) {
    for (const [, stored] of context.store.scan(resourceKey(definition), selection.prefix)) {
      const object = present(definition, stored);
      if (selection.matches(object)) initial.push(object);
    }
  }
  return {
    selection,
    initial,
    from: withState ? current : (revision ?? current),
    initialBookmark: sendInitial === true && bookmarks,
    bookmarks,
    timeoutMs: timeoutOf(query),
  };
}

/** Absent when the client did not say (the resourceVersion then decides). */
function wantsInitialEvents({ query }: ResourceRequest): boolean | undefined {
  const match = query.get("resourceVersionMatch") ?? "";
  const text = query.get("sendInitialEvents");
  const refuse = (detail: string): StatusError => invalidListOption(forbiddenField("resourceVersionMatch", detail));
  if (text === null) {
    if (match !== "") throw refuse("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    return undefined;
  }
  if (match !== "NotOlderThan") {
    throw refuse("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  return isTrue(text);
}

function timeoutOf(query: URLSearchParams): number {
  const text = query.get("timeoutSeconds") ?? "";
  if (text === "" || text === "0") return minTimeoutMs * (1 + Math.random());
  if (!/^\d{1,7}$/.test(text)) throw badRequest(`invalid timeoutSeconds "${text}"`);
  return Number(text) * 1000;
}

function run(
  context: ApiContext,
  request: ResourceRequest,
  plan: WatchPlan,
  missed: StoreEvent[],
  sink: WatchSink,
): void {
  const { definition } = request;
  const resource = resourceKey(definition);
  const closers: (() => void)[] = [];
  let finished = false;
  const finish = (): void => {
    if (finished) return;
    finished = true;
    for (const close of closers) close();
    request.signal.removeEventListener("abort", finish);
    sink.end();
  };
  const deliver = (event: StoreEvent | CommittedEvent): void => {
    // A write of the turn in which the state was read is already part of that state.
    if (event.revision <= plan.from) return;
    try {
      deliverEvent(request, plan.selection, event, sink);
    } catch (error) {
      // This client starts over; the commit that runs us, and its other listeners, go on.
      context.log.error(`a watch of ${resource} failed`, error);
      finish();
    }
  };
  const bookmark = (annotations?: Record<string, string>): void => {
    const resourceVersion = String(Math.max(plan.from, context.store.committedRevision));
    const metadata = { resourceVersion, ...(annotations ? { annotations } : {}) };
    // Without a name, as in Kubernetes: a bookmark is no object, only a revision of one's kind.
    const { kind } = definition.type;
    sink.send("BOOKMARK", {
      apiVersion: apiVersionOf(definition.type),
      kind,
      metadata: metadata as unknown as ObjectMeta,
    });
  };
  for (const object of plan.initial) sink.send("ADDED", object);
  if (plan.initialBookmark) bookmark({ "k8s.io/initial-events-end": "true" });
  for (const event of missed) deliver(event);
  if (finished) return;
  closers.push(context.store.subscribe(resource, deliver));
  const beat = plan.bookmarks ? setInterval(() => bookmark(), bookmarkMs) : undefined;
  const deadline = setTimeout(finish, plan.timeoutMs);
  closers.push(() => {
    clearInterval(beat);
    clearTimeout(deadline);
  });
  request.signal.addEventListener("abort", finish, { once: true });
  if (request.signal.aborted) finish();
}

/** An object that enters the selection is ADDED, one that leaves it DELETED in its last selected state. */
function deliverEvent(
  request: ResourceRequest,
  selection: Selection,
  event: StoreEvent | CommittedEvent,
  sink: WatchSink,
): void {
  if (!event.key.startsWith(selection.prefix)) return;
  const { definition } = request;
  const object = present(definition, event.object);
  const encoded = "json" in event ? event.json : undefined;
  const json = object === event.object ? encoded : undefined;
  const size = encoded?.length;
  const previous = event.previous && present(definition, event.previous);
  const was = previous !== undefined && selection.matches(previous);
  if (event.type === "DELETED") {
    if (was) sink.send("DELETED", object, json, size);
    return;
  }
  const is = selection.matches(object);
  if (is) sink.send(was ? "MODIFIED" : "ADDED", object, json, size);
  else if (was) {
    const metadata = { ...previous.metadata, resourceVersion: String(event.revision) };
    sink.send("DELETED", { ...previous, metadata }, undefined, size);
  }
}
