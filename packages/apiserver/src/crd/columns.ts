// additionalPrinterColumns of a CustomResourceDefinition, compiled from their JSONPaths.

import { compile } from "@gatehouse/apimachinery/json-path";
import type { PrinterColumn } from "../resource-definition.ts";
import { ageColumn, nameColumn, since } from "../kinds/columns.ts";

/** One entry of `spec.versions[].additionalPrinterColumns`. */
export interface ColumnSource {
  name: string;
  type: string;
  jsonPath: string;
  format?: string;
  description?: string;
  priority?: number;
}

/** Name, then the columns of the definition; just the age when it has none. */
export function compileColumns(sources: ColumnSource[] | undefined): PrinterColumn[] {
  if (!sources || sources.length === 0) return [nameColumn, { ...ageColumn, type: "date" }];
  return [nameColumn, ...sources.map(compileColumn)];
}

function compileColumn(source: ColumnSource): PrinterColumn {
  const find = compile(source.jsonPath);
  const show = cells[source.type] ?? cells["string"];
  return {
    name: source.name,
    type: source.type as PrinterColumn["type"],
    ...(source.format ? { format: source.format } : {}),
    description: source.description || `Custom resource definition column (in JSONPath format): ${source.jsonPath}`,
    priority: source.priority ?? 0,
    // Only the first result is shown, as in Kubernetes.
    cell: (object) => {
      const [value] = find(object);
      return value === undefined || value === null ? null : (show?.(value) ?? null);
    },
  };
}

const cells: Record<string, (value: unknown) => unknown> = {
  // Lists and objects appear as JSON.
  string: (value) => (typeof value === "object" ? JSON.stringify(value) : String(value)),
  integer: (value) => (typeof value === "number" ? Math.trunc(value) : null),
  number: (value) => (typeof value === "number" ? value : null),
  boolean: (value) => (typeof value === "boolean" ? value : null),
  date: (value) => {
    if (typeof value !== "string") return null;
    return Number.isNaN(Date.parse(value)) ? "<invalid>" : since(value);
  },
};
