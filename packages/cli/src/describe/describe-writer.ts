// The text of `describe`: indented lines whose cells are aligned as Go's tabwriter aligns them, column by column over
// neighbouring lines.

export interface DescribeWriter {
  /** One line; each cell but the last is padded to the width of its column. Level 1 is two spaces in. */
  line(level: number, ...cells: string[]): void;
  /** The same with labels from `a=b` texts: the first beside the name, the others below it. */
  list(level: number, name: string, values: readonly string[]): void;
  /** A table with its header underlined, or `<none>` beside the name. */
  table(level: number, name: string, header: readonly string[], rows: readonly (readonly string[])[]): void;
  toString(): string;
}

const gap = 2;

export function createDescribeWriter(): DescribeWriter {
  const lines: string[][] = [];
  const line = (level: number, ...cells: string[]): void => {
    const [first = "", ...rest] = cells;
    const indent = "  ".repeat(level);
    // A text of several lines goes on under its own beginning; inside a table it has to stay in its row.
    const last = rest.length === 1 ? (rest.pop() ?? "").trimEnd().split("\n") : [];
    const [value, ...more] = last;
    lines.push([indent + flat(first), ...rest.map(flat), ...(value === undefined ? [] : [value])]);
    for (const text of more) lines.push([indent, text]);
  };
  return {
    line,
    list: (level, name, values) => {
      const [first = "<none>", ...rest] = values;
      line(level, `${name}:`, first);
      for (const value of rest) line(level, "", value);
    },
    table: (level, name, header, rows) => {
      if (rows.length === 0) {
        line(level, `${name}:`, "<none>");
        return;
      }
      line(level, `${name}:`);
      line(level + 1, ...header);
      line(level + 1, ...header.map((title) => "-".repeat(title.length)));
      for (const row of rows) line(level + 1, ...row);
    },
    toString: () => align(lines),
  };
}

const flat = (text: string): string => text.replace(/\s*\n\s*/g, " ");

function align(lines: readonly string[][]): string {
  const padded = lines.map((cells) => [...cells]);
  alignColumn(padded, 0, lines.length, 0);
  return padded.map((cells) => `${cells.join("").trimEnd()}\n`).join("");
}

/** Pads column `column` of the lines from..to, block by block: a line without the column ends a block. */
function alignColumn(lines: string[][], from: number, to: number, column: number): void {
  let start = from;
  while (start < to) {
    let end = start;
    let width = 0;
    while (end < to && (lines[end]?.length ?? 0) > column + 1) {
      width = Math.max(width, (lines[end]?.[column] ?? "").length);
      end++;
    }
    if (end === start) {
      start++;
      continue;
    }
    for (const cells of lines.slice(start, end)) cells[column] = (cells[column] ?? "").padEnd(width + gap);
    alignColumn(lines, start, end, column + 1);
    start = end;
  }
}
