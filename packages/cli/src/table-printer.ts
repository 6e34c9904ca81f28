// kubectl's tables: columns padded by three spaces, at least six wide, empty last cells without trailing space.

import type { ObjectMeta } from "@gatehouse/apimachinery/meta";

/** meta.k8s.io/v1 Table. Rows of a watch come without column definitions. */
export interface Table {
  apiVersion: string;
  kind: "Table";
  metadata?: { resourceVersion?: string; continue?: string };
  columnDefinitions?: { name: string; type?: string; priority?: number }[];
  rows?: { cells: unknown[]; object?: { metadata?: ObjectMeta } }[];
}

export interface TableOptions {
  wide?: boolean;
  noHeaders?: boolean;
  /** A NAMESPACE column comes first. */
  withNamespace?: boolean;
  /** Goes before each name, e.g. `pod/`. */
  namePrefix?: string;
  showLabels?: boolean;
  labelColumns?: readonly string[];
}

const padding = 3;
const minimumWidth = 6;

export interface TablePrinter {
  /** Lines with their newline, empty for no rows. Later calls keep the columns' widths and leave out the header. */
  format(table: Table): string;
}

/** A printer for the tables of one resource: its pages, then its watch. */
export function createTablePrinter(options: TableOptions): TablePrinter {
  let columns: NonNullable<Table["columnDefinitions"]> = [];
  let headerDone = options.noHeaders ?? false;
  const widths: number[] = [];
  return {
    format: (table) => {
      if (table.columnDefinitions?.length) columns = table.columnDefinitions;
      const rows = (table.rows ?? []).map((row) => cellsOf(row, columns, options));
      if (rows.length === 0) return "";
      const lines = headerDone ? rows : [headerOf(columns, options), ...rows];
      headerDone = true;
      widen(widths, lines);
      return lines.map((cells) => `${pad(cells, widths)}\n`).join("");
    },
  };
}

function headerOf(columns: NonNullable<Table["columnDefinitions"]>, options: TableOptions): string[] {
  return [
    ...(options.withNamespace ? ["NAMESPACE"] : []),
    ...columns.filter((column) => isShown(column, options)).map(({ name }) => name.toUpperCase()),
    ...(options.labelColumns ?? []).map((label) => (label.split("/").at(-1) ?? label).toUpperCase()),
    ...(options.showLabels ? ["LABELS"] : []),
  ];
}

function cellsOf(
  row: NonNullable<Table["rows"]>[number],
  columns: NonNullable<Table["columnDefinitions"]>,
  options: TableOptions,
): string[] {
  const { namespace = "", labels = {} } = row.object?.metadata ?? {};
  const nameColumn = columns.findIndex(({ name }) => name === "Name");
  const cells = columns.flatMap((column, index) => {
    if (!isShown(column, options)) return [];
    return [(index === nameColumn ? (options.namePrefix ?? "") : "") + cellText(row.cells[index])];
  });
  return [
    ...(options.withNamespace ? [namespace] : []),
    ...cells,
    ...(options.labelColumns ?? []).map((label) => labels[label] ?? ""),
    ...(options.showLabels ? [labelText(labels)] : []),
  ];
}

const isShown = ({ priority = 0 }: { priority?: number }, { wide = false }: TableOptions): boolean =>
  wide || priority === 0;

/** Only the first line of a text, and no control characters: a cell must not break the table. */
function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const [first = "", ...more] = text.split(/[\n\r\f]/);
  // oxlint-disable-next-line no-control-regex
  return first.replace(/[\u0000-\u001f\u007f]/g, " ") + (more.length > 0 ? "..." : "");
}

/** `a=b,c=d` in the order of keys, or `<none>`. */
function labelText(labels: Record<string, string> | undefined): string {
  const entries = Object.entries(labels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, value]) => `${key}=${value}`).join(",") || "<none>";
}

function widen(widths: number[], lines: readonly string[][]): void {
  for (const cells of lines) {
    for (const [index, cell] of cells.slice(0, -1).entries()) {
      widths[index] = Math.max(widths[index] ?? minimumWidth, widthOf(cell) + padding);
    }
  }
}

function pad(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, index) => (index === cells.length - 1 ? cell : cell + " ".repeat((widths[index] ?? 0) - widthOf(cell))))
    .join("");
}

/** Go's tabwriter counts code points. */
const widthOf = (text: string): number => Array.from(text).length;
