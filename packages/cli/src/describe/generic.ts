// Any object as an indented tree, in kubectl's words: `parentRefs` becomes `Parent Refs`.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { DescribeWriter } from "./describe-writer.ts";

const inHead = new Set(["name", "namespace", "labels", "annotations", "managedFields", "generateName", "selfLink"]);

/** Everything but the head (name, namespace, labels, annotations) and managedFields. */
export function describeTree(writer: DescribeWriter, object: KubeObject): void {
  const { apiVersion, kind, metadata, ...rest } = object;
  writer.line(0, "API Version:", apiVersion);
  writer.line(0, "Kind:", kind);
  const shown = Object.entries(metadata).filter(([field]) => !inHead.has(field));
  describeFields(writer, 0, { ...rest, metadata: Object.fromEntries(shown) });
}

/** The fields of a mapping, sorted, each in its own line or block. */
export function describeFields(writer: DescribeWriter, level: number, fields: Record<string, unknown>): void {
  for (const [field, value] of Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (isRecord(value)) {
      writer.line(level, `${titleOf(field)}:`);
      describeFields(writer, level + 1, value);
    } else if (Array.isArray(value)) {
      writer.line(level, `${titleOf(field)}:`);
      for (const item of value) {
        if (isRecord(item)) describeFields(writer, level + 1, item);
        else writer.line(level + 1, textOf(item));
      }
    } else writer.line(level, `${titleOf(field)}:`, textOf(value));
  }
}

const acronyms = new Set(["api", "uid", "url", "ip", "tls", "guid"]);

/** `observedGeneration` to `Observed Generation`, `clusterIPs` to `Cluster IPs`; keys with dots or slashes stay. */
export function titleOf(field: string): string {
  if (/[./_-]/.test(field) || field === "") return field;
  const words = field.match(/[A-Z]+s?(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z]+/g) ?? [field];
  return words
    .map((word) =>
      acronyms.has(word.toLowerCase()) ? word.toUpperCase() : word.slice(0, 1).toUpperCase() + word.slice(1),
    )
    .join(" ");
}

const textOf = (value: unknown): string =>
  value === null || value === undefined ? "<nil>" : typeof value === "string" ? value : JSON.stringify(value);

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
