// meta.k8s.io/v1 Tables: what `kubectl get` prints.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { PrinterColumn, ResourceDefinition } from "./resource-definition.ts";

/** Metadata of the answered list, or of the one object. */
interface TableMeta {
  resourceVersion?: string | undefined;
  continue?: string | undefined;
  remainingItemCount?: number | undefined;
}

interface Table {
  kind: "Table";
  apiVersion: "meta.k8s.io/v1";
  metadata: TableMeta;
  columnDefinitions: { name: string; type: string; format: string; description: string; priority: number }[];
  rows: { cells: unknown[]; object?: unknown; conditions?: unknown[] }[];
}

/** A row for each object; `includeObject` says how much of it travels along (`Metadata` is what clients get by default). */
export function renderTable(
  definition: ResourceDefinition,
  objects: readonly KubeObject[],
  listMeta: TableMeta,
  includeObject: "None" | "Metadata" | "Object",
): Table {
  const { columns } = definition;
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: listMeta,
    columnDefinitions: columns.map(header),
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object) ?? null),
      ...completion(object),
      ...carried(object, includeObject),
    })),
  };
}

function header({ name, type, format = "", description, priority }: PrinterColumn): Table["columnDefinitions"][number] {
  return { name, type, format, description, priority };
}

/** Clients may hide pods that have run to their end. */
function completion({ apiVersion, kind, status }: KubeObject): { conditions?: unknown[] } {
  if (apiVersion !== "v1" || kind !== "Pod") return {};
  const phase = (status as { phase?: string } | undefined)?.phase;
  if (phase !== "Succeeded" && phase !== "Failed") return {};
  const message = phase === "Succeeded" ? "The pod has completed successfully." : "The pod failed.";
  return { conditions: [{ type: "Completed", status: "True", reason: phase, message }] };
}

function carried(object: KubeObject, includeObject: "None" | "Metadata" | "Object"): { object?: unknown } {
  if (includeObject === "None") return {};
  if (includeObject === "Object") return { object };
  return { object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata } };
}
