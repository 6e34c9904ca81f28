// The annotation of client-side apply, as far as `kubectl apply --server-side` still goes by it
// (managedfields/internal lastappliedmanager.go, lastappliedupdater.go). Only the manager `kubectl` does.

import { goJson } from "@gatehouse/apimachinery/go-json";
import { lastAppliedAnnotation } from "@gatehouse/apimachinery/meta";
import { decodeJson } from "../http/decode-json.ts";
import { compareObjects } from "./compare.ts";
import { difference, type FieldSet, union } from "./field-set.ts";
import { unownedMetadata } from "./owned-metadata.ts";
import { toFieldSet } from "./to-field-set.ts";
import { appliedFaults } from "./validate-applied.ts";
import type { Tree, TypedSchema } from "./typed-schema.ts";

/** What all annotations of an object may have together; above it the object goes without this one. */
const maxAnnotationBytes = 256 * 1024;

/** The manager whose objects carry the annotation. */
export const kubectlManager = "kubectl";

/** The fields that client-side apply has set and that are still so: its successor may take them over. Undefined when unknown. */
export function lastAppliedFields(schema: TypedSchema, live: Tree, apiVersion: string): FieldSet | undefined {
  const text = annotationsOf(live)[lastAppliedAnnotation];
  const last = text ? parsed(text) : undefined;
  if (last?.["apiVersion"] !== apiVersion || appliedFaults(schema, last).length > 0) return undefined;
  const { added, modified, removed } = compareObjects(schema, last, live, unownedMetadata);
  return difference(toFieldSet(schema, last), union(union(added, modified), removed));
}

/** `object` with the annotation brought up to date, where it has one. */
export function withLastApplied(object: Tree, config: Tree): Tree {
  if (!annotationsOf(object)[lastAppliedAnnotation]) return object;
  const metadata = object["metadata"] as Tree;
  const { [lastAppliedAnnotation]: _, ...others } = annotationsOf(object);
  const wanted = { ...others, [lastAppliedAnnotation]: textOf(config) };
  const bytes = Buffer.byteLength(Object.entries(wanted).flat().join(""));
  const annotations = bytes > maxAnnotationBytes ? others : wanted;
  return { ...object, metadata: { ...metadata, annotations } };
}

/** The configuration without the annotation, as JSON and a newline. */
function textOf(config: Tree): string {
  const metadata = { ...(config["metadata"] as Tree) };
  const { [lastAppliedAnnotation]: _, ...annotations } = annotationsOf(config);
  delete metadata["annotations"];
  if (Object.keys(annotations).length > 0) metadata["annotations"] = annotations;
  return `${goJson({ ...config, metadata })}\n`;
}

function annotationsOf(object: Tree): Record<string, string> {
  const { annotations } = (object["metadata"] ?? {}) as { annotations?: Record<string, string> | null };
  return annotations ?? {};
}

function parsed(text: string): Tree | undefined {
  try {
    const value = decodeJson(Buffer.from(text));
    return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Tree) : undefined;
  } catch {
    return undefined;
  }
}
