// Columns of `kubectl get` for the built-in kinds: names and cells are those of kube-apiserver's printers.

import { humanDuration } from "@gatehouse/apimachinery/duration";
import type { KubeObject, LabelSelector } from "@gatehouse/apimachinery/meta";
import type { PrinterColumn } from "../resource-definition.ts";

type Cell<T extends KubeObject> = (object: T) => unknown;

/** A column that is always shown. `T` is the kind's static type; the server only passes objects of the column's kind. */
export function column<T extends KubeObject>(
  name: string,
  description: string,
  cell: Cell<T>,
  type: PrinterColumn["type"] = "string",
): PrinterColumn {
  return { name, type, description, priority: 0, cell: (object) => cell(object as T) };
}

/** A column of `-o wide`. */
export function wideColumn<T extends KubeObject>(name: string, description: string, cell: Cell<T>): PrinterColumn {
  return { ...column(name, description, cell), priority: 1 };
}

export const nameColumn: PrinterColumn = {
  ...column("Name", "Name of the object.", (object) => object.metadata.name),
  format: "name",
};

/** The time since `timestamp` (RFC 3339) as an age, `<unknown>` without one. */
export function since(timestamp: string | null | undefined): string {
  const time = timestamp ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(time) ? "<unknown>" : humanDuration(Date.now() - time);
}

export const ageColumn = column("Age", "Time since the object was created.", (object) =>
  since(object.metadata.creationTimestamp),
);

/** What kinds without columns of their own show. */
export const defaultColumns: PrinterColumn[] = [
  nameColumn,
  column("Created At", "When the object was created.", (object) => object.metadata.creationTimestamp ?? null, "date"),
];

/** `a=1,b=2`, sorted by key; `<none>` when there are none. */
export function formatLabels(labels: Record<string, string> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length > 0 ? pairs.sort().join(",") : "<none>";
}

/** A label selector in the text form of `-l`: `app=web,tier in (a,b),!old`; `<none>` when empty. */
export function formatSelector(selector: LabelSelector | undefined): string {
  const parts: [string, string][] = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => [
    key,
    `${key}=${value}`,
  ]);
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    const list = `(${[...values].sort().join(",")})`;
    if (operator === "In") parts.push([key, `${key} in ${list}`]);
    else if (operator === "NotIn") parts.push([key, `${key} notin ${list}`]);
    else parts.push([key, operator === "Exists" ? key : `!${key}`]);
  }
  parts.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return parts.length > 0 ? parts.map(([, text]) => text).join(",") : "<none>";
}

/** The first `limit` entries, and how many more there are; `empty` when there are none. */
export function formatList(list: string[], empty: string, limit = 3): string {
  const shown = list.slice(0, limit).join(",");
  if (list.length > limit) return `${shown} + ${list.length - limit} more...`;
  return shown === "" ? empty : shown;
}

interface ContainerNames {
  spec?: { template?: { spec?: { containers?: { name: string; image?: string }[] } } };
}

const containersOf = (object: KubeObject) =>
  (object as KubeObject & ContainerNames).spec?.template?.spec?.containers ?? [];

/** Containers, images and selector of a workload, for `-o wide`. */
export const workloadColumns: PrinterColumn[] = [
  wideColumn("Containers", "Names of the template's containers.", (object) =>
    containersOf(object)
      .map(({ name }) => name)
      .join(","),
  ),
  wideColumn("Images", "Images of the template's containers.", (object) =>
    containersOf(object)
      .map(({ image }) => image ?? "")
      .join(","),
  ),
  wideColumn("Selector", "Which pods belong to it.", (object) =>
    formatSelector((object as KubeObject & { spec?: { selector?: LabelSelector } }).spec?.selector),
  ),
];
