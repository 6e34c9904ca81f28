// Fields that an applier wants otherwise than those who own them: the 409 of server-side apply, in Kubernetes' words.

import { StatusError } from "@gatehouse/apimachinery/status-error";
import type { ManagedEntry } from "./entries.ts";
import { type FieldSet, pathsOf } from "./field-set.ts";

export interface Conflict {
  entry: ManagedEntry;
  fields: FieldSet;
}

/** 409 naming every field and its owner. */
export function conflictError(conflicts: Conflict[]): StatusError {
  const owners = conflicts
    .map(({ entry, fields }) => ({ owner: ownerText(entry), paths: pathsOf(fields) }))
    .sort((a, b) => (a.owner < b.owner ? -1 : 1));
  const causes = owners.flatMap(({ owner, paths }) =>
    paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${owner}`, field })),
  );
  return new StatusError({
    code: 409,
    reason: "Conflict",
    message: messageOf(owners, causes.length),
    details: { causes },
  });
}

function messageOf(owners: { owner: string; paths: string[] }[], count: number): string {
  if (count === 1) return `Apply failed with 1 conflict: conflict with ${owners[0]?.owner}: ${owners[0]?.paths[0]}`;
  const lines = owners.flatMap(({ owner, paths }) => [`conflicts with ${owner}:`, ...paths.map((path) => `- ${path}`)]);
  return `Apply failed with ${count} conflicts: ${lines.join("\n")}`;
}

function ownerText({ manager, operation, apiVersion, subresource }: ManagedEntry): string {
  const name = JSON.stringify(manager ?? "");
  const where = subresource ? `${name} with subresource ${JSON.stringify(subresource)}` : name;
  return operation === "Update" ? `${where} using ${apiVersion}` : where;
}
