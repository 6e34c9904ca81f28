// GET of a collection: a consistent snapshot, whole or in pages.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { badRequest, expired, hasReason, type StatusError } from "@gatehouse/apimachinery/status-error";
import type { Answer, ApiContext, ResourceRequest } from "../api-context.ts";
import { invalidListOption } from "../request-options.ts";
import { forbiddenField, notSupported } from "../schema/field-cause.ts";
import { requestedRevision } from "../storage/resource-version.ts";
import { type Selection, selectionOf } from "../storage/selection.ts";
import { present, resourceKey } from "../storage/stored-objects.ts";

interface Page {
  /** The snapshot's revision. */
  revision: number;
  /** The last key of the page before. */
  after: string;
}

/** Throws 400 for parameters that make no sense together, 410 for a snapshot that is gone, 504 for one of the future. */
export async function list(context: ApiContext, request: ResourceRequest): Promise<Answer> {
  await context.store.settled();
  const { query, definition } = request;
  const selection = selectionOf(request);
  const page = pageOf(query, context.store.revision);
  const limit = limitOf(query);
  const items: KubeObject[] = [];
  let last = page.after;
  let remaining = 0;
  for (const [key, stored] of scan(context, request, selection, page)) {
    const object = present(definition, stored);
    if (!selection.matches(object)) continue;
    if (items.length === limit) {
      remaining++;
      continue;
    }
    items.push(object);
    last = key;
  }
  const metadata: Record<string, unknown> = { resourceVersion: String(page.revision) };
  if (remaining > 0) {
    metadata.continue = encodeContinue({ revision: page.revision, after: last });
    if (!selection.selective) metadata.remainingItemCount = remaining;
  }
  return { type: "list", items, metadata };
}

function scan(
  context: ApiContext,
  request: ResourceRequest,
  { prefix }: Selection,
  page: Page,
): Iterable<[string, KubeObject]> {
  return guarded(context.store.scan(resourceKey(request.definition), prefix, page.after, page.revision), request);
}

/** A snapshot lost between two pages is told in the words clients know for it. */
function* guarded(entries: Iterable<[string, KubeObject]>, request: ResourceRequest): Generator<[string, KubeObject]> {
  try {
    yield* entries;
  } catch (error) {
    if (!request.query.get("continue") || !hasReason(error, "Expired")) throw error;
    throw expired(
      "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.",
    );
  }
}

function pageOf(query: URLSearchParams, current: number): Page {
  const match = query.get("resourceVersionMatch") ?? "";
  const version = query.get("resourceVersion") ?? "";
  const token = query.get("continue") ?? "";
  if (query.has("sendInitialEvents")) {
    throw invalidListOption(forbiddenField("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  const refuse = (detail: string): StatusError => invalidListOption(forbiddenField("resourceVersionMatch", detail));
  if (match !== "" && match !== "Exact" && match !== "NotOlderThan") {
    throw invalidListOption(notSupported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]));
  }
  if (token !== "") {
    if (match !== "") throw refuse("resourceVersionMatch is forbidden when continue is provided");
    if (version !== "" && version !== "0")
      throw badRequest("specifying resource version is not allowed when using continue");
    return decodeContinue(token, current);
  }
  if (match !== "" && version === "") {
    throw refuse("resourceVersionMatch is forbidden unless resourceVersion is provided");
  }
  if (match === "Exact" && version === "0") {
    throw refuse('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
  const revision = requestedRevision(query, current);
  return { revision: match === "Exact" && revision !== undefined ? revision : current, after: "" };
}

function limitOf(query: URLSearchParams): number {
  const text = query.get("limit") ?? "";
  if (text === "") return Infinity;
  if (!/^-?\d{1,18}$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  // None, as in Kubernetes.
  return Number(text) <= 0 ? Infinity : Number(text);
}

function encodeContinue({ revision, after }: Page): string {
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: after })).toString("base64url");
}

function decodeContinue(token: string, current: number): Page {
  try {
    const { rv, start } = JSON.parse(Buffer.from(token, "base64url").toString("utf8")) as {
      rv: unknown;
      start: unknown;
    };
    if (Number.isSafeInteger(rv) && Number(rv) <= current && typeof start === "string")
      return { revision: Number(rv), after: start };
  } catch {
    // Not one of ours.
  }
  throw badRequest("continue key is not valid");
}
