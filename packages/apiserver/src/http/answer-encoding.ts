// From a verb's answer to the bytes of a response: plain JSON, a Table, or metadata alone, as the Accept header asks.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import type { Answer } from "../api-context.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import type { WatchEventType } from "../verbs/watch.ts";

/** How objects are shown to this client. */
export type View = "plain" | "table" | "metadata";

/** The first form of the Accept header that can be served; plain JSON when none is named. */
export function viewOf(accept: string): View {
  for (const part of accept.split(",")) {
    const [type = "", ...parameters] = part.split(";").map((item) => item.trim().toLowerCase());
    if (type !== "application/json") continue;
    const as = parameters.find((parameter) => parameter.startsWith("as="))?.slice(3);
    if (as === "table") return "table";
    if (as === "partialobjectmetadata" || as === "partialobjectmetadatalist") return "metadata";
    if (as === undefined) return "plain";
  }
  return "plain";
}

/** How much of each object a Table's rows carry. */
export type IncludeObject = "None" | "Metadata" | "Object";

/** The JSON text of an answer other than a stream. */
export async function encodeAnswer(
  answer: Exclude<Answer, { type: "stream" }>,
  definition: ResourceDefinition,
  view: View,
  include: IncludeObject,
): Promise<string> {
  if (answer.type === "json") return JSON.stringify(answer.body);
  if (view === "table") {
    const { renderTable } = await import("../table.ts");
    if (answer.type === "list") return JSON.stringify(renderTable(definition, answer.items, answer.metadata, include));
    const { resourceVersion } = answer.object.metadata;
    return JSON.stringify(renderTable(definition, [answer.object], { resourceVersion }, include));
  }
  if (answer.type === "object") return JSON.stringify(view === "metadata" ? metadataOf(answer.object) : answer.object);
  const items = view === "metadata" ? answer.items.map(metadataOf) : answer.items;
  const apiVersion = view === "metadata" ? "meta.k8s.io/v1" : apiVersionOf(definition.type);
  const kind = view === "metadata" ? "PartialObjectMetadataList" : `${definition.type.kind}List`;
  return JSON.stringify({ kind, apiVersion, metadata: answer.metadata, items });
}

/** What a watch's client sees of an event. */
export type EventView = (type: WatchEventType, object: KubeObject) => unknown;

/** Shows objects of watch events; undefined when they are shown as they are. */
export async function eventView(
  definition: ResourceDefinition,
  view: View,
  include: IncludeObject,
): Promise<EventView | undefined> {
  if (view === "plain") return undefined;
  if (view === "metadata") return (_type, object) => metadataOf(object);
  const { renderTable } = await import("../table.ts");
  return (type, object) => {
    const { resourceVersion } = object.metadata;
    // A bookmark is no object: it has nothing to fill a row with.
    return renderTable(definition, type === "BOOKMARK" ? [] : [object], { resourceVersion }, include);
  };
}

function metadataOf({ metadata }: KubeObject): unknown {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
}
