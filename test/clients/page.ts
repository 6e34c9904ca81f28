// docs/compatibility.md: made from the rows and what came of them, with the results of absent clients taken over from the page
// as it is.

import type { Group, Result, Row } from "./rows.ts";

export interface RunGroup extends Group {
  /** Absent: the client is not on this machine. */
  results?: Map<Row, Result>;
}

const head = `# What clients find here

Made by \`npm run compatibility\`, which runs every line below against an embedded cluster; a test fails when the page says
something else than its run. \`pass\`: the command does what it must. \`refused\`: Gatehouse does not have it, and says so in the
words quoted.
`;

/** The page as Markdown. `previous` is the page before, empty when there is none. */
export function compatibilityPage(groups: RunGroup[], previous: string): string {
  const known = rowsOf(previous);
  const clients = [...new Set(groups.map(({ client }) => client))];
  const sections = clients.map((client) => {
    const tables = groups
      .filter((group) => group.client === client)
      .map((group) => `### ${group.title}\n\n${table(group, known)}`);
    return `## ${client}\n\n${tables.join("\n")}`;
  });
  return [head, summary(groups, known), ...sections].join("\n");
}

function summary(groups: RunGroup[], known: Map<string, string>): string {
  const rows = groups.flatMap((group) =>
    group.rows.map((row) => ({ client: group.client, text: line(group, row, known) })),
  );
  const lines = [...Map.groupBy(rows, ({ client }) => client)].map(([client, of]) => {
    const refused = of.filter(({ text }) => / \| refused: [^|]* \|$/.test(text)).length;
    const passed = of.filter(({ text }) => text.endsWith(" | pass |")).length;
    return `| ${client} | ${passed} | ${refused} | ${of.length - passed - refused} |`;
  });
  return `| client | pass | refused by name | neither |\n|---|---|---|---|\n${lines.join("\n")}\n`;
}

function table(group: RunGroup, known: Map<string, string>): string {
  const rows = group.rows.map((row) => line(group, row, known));
  return `| command | what it must do | result |\n|---|---|---|\n${rows.join("\n")}\n`;
}

function line({ client, results }: RunGroup, row: Row, known: Map<string, string>): string {
  const start = `| \`${cell(row.command)}\` | ${cell(row.must)} |`;
  if (!results) return known.get(`${client} ${start}`) ?? `${start} never run |`;
  return `${start} ${cell(results.get(row)?.outcome ?? "not reached")} |`;
}

/** A pipe would end the cell, a line break the row. */
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll(/\s*\n\s*/g, " ");

/** The lines of a page by client, command and demand. */
function rowsOf(page: string): Map<string, string> {
  const rows = new Map<string, string>();
  let client = "";
  for (const text of page.split("\n")) {
    if (text.startsWith("## ")) client = text.slice(3);
    const start = /^(\| `.*` \| .* \|) [^|]* \|$/.exec(text)?.[1];
    if (start) rows.set(`${client} ${start}`, text);
  }
  return rows;
}
