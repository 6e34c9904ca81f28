// From a verb's answer to the bytes of a response: plain JSON, a Table, or metadata alone, as the Accept header asks.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import type { Answer } from "../api-context.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import type { WatchEventType } from "../verbs/watch.ts";

/** How objects are shown to this client. */
export type View = "plain" | "table" | "metadata";

/** What a client takes: how objects are shown, and in which notation. */
export interface Form {
  view: View;
  notation: "json" | "yaml";
}

/**
 * The first form of the Accept header that can be served. Who takes protobuf alone gets JSON, and is told so by the content type: Go's
 * clients read that. Throws 406 when nothing can be served.
 */
export function formOf(accept: string): Form {
  let protobuf = false;
  for (const part of accept.split(",")) {
    const [type = "", ...parameters] = part.split(";").map((item) => item.trim().toLowerCase());
    if (type === "application/vnd.kubernetes.protobuf") protobuf = true;
    const view = viewOf(parameters.find((parameter) => parameter.startsWith("as="))?.slice(3));
    if (!view) continue;
    if (type === "" || type === "application/json" || type === "*/*" || type === "application/*") {
      return { view, notation: "json" };
    }
    if (type === "application/yaml") return { view, notation: "yaml" };
  }
  if (protobuf) return { view: "plain", notation: "json" };
  throw notAcceptable();
}

function viewOf(as: string | undefined): View | undefined {
  if (as === undefined) return "plain";
  if (as === "table") return "table";
  return as === "partialobjectmetadata" || as === "partialobjectmetadatalist" ? "metadata" : undefined;
}

function notAcceptable(): StatusError {
  return new StatusError({
    code: 406,
    reason: "NotAcceptable",
    message: "only the following media types are accepted: application/json, application/yaml",
    details: {},
  });
}

/** The library takes its time: what is larger is sent as JSON, which is YAML too. */
const maxYamlLength = 256 * 1024;

/** The text of a document in the notation asked for, and its media type. */
export async function inNotation(json: string, notation: Form["notation"]): Promise<[type: string, text: string]> {
  if (notation === "json") return ["application/json", json];
  if (json.length > maxYamlLength) return ["application/yaml", json];
  const { stringify } = await import("yaml");
  return ["application/yaml", stringify(JSON.parse(json), { lineWidth: 0 })];
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
