import assert from "node:assert/strict";
import { test } from "node:test";
import { createTablePrinter, type Table, type TableOptions } from "./table-printer.ts";

const row = (cells: unknown[], labels?: Record<string, string>): NonNullable<Table["rows"]>[number] => ({
  cells,
  object: { metadata: { name: String(cells[0]), namespace: "demo", ...(labels ? { labels } : {}) } },
});

const pods: Table = {
  apiVersion: "meta.k8s.io/v1",
  kind: "Table",
  columnDefinitions: [{ name: "Name" }, { name: "Ready" }, { name: "Restarts" }, { name: "Node", priority: 1 }],
  rows: [row(["whoami-v1-abcde", "1/1", 0, "node"], { b: "2", a: "1" }), row(["x", "0/1", 12, null])],
};

const print = (options: TableOptions, table = pods): string => createTablePrinter(options).format(table);

const cases: [what: string, options: TableOptions, expected: string[]][] = [
  ["plain", {}, ["NAME              READY   RESTARTS", "whoami-v1-abcde   1/1     0", "x                 0/1     12"]],
  [
    "wide",
    { wide: true },
    [
      "NAME              READY   RESTARTS   NODE",
      "whoami-v1-abcde   1/1     0          node",
      "x                 0/1     12         ",
    ],
  ],
  ["no headers", { noHeaders: true }, ["whoami-v1-abcde   1/1   0", "x                 0/1   12"]],
  [
    "with namespace and prefix",
    { withNamespace: true, namePrefix: "pod/" },
    [
      "NAMESPACE   NAME                  READY   RESTARTS",
      "demo        pod/whoami-v1-abcde   1/1     0",
      "demo        pod/x                 0/1     12",
    ],
  ],
  [
    "labels",
    { showLabels: true, labelColumns: ["example.com/a"] },
    [
      "NAME              READY   RESTARTS   A     LABELS",
      "whoami-v1-abcde   1/1     0                a=1,b=2",
      "x                 0/1     12               <none>",
    ],
  ],
];

for (const [what, options, expected] of cases) {
  test(what, () => assert.equal(print(options), expected.map((line) => `${line}\n`).join("")));
}

test("no rows print nothing, not even a header", () => {
  assert.equal(print({}, { ...pods, rows: [] }), "");
});

test("later tables keep widths and leave out the header, also when the first was empty", () => {
  const printer = createTablePrinter({});
  assert.equal(printer.format({ ...pods, rows: [] }), "");
  printer.format(pods);
  assert.equal(
    printer.format({ ...pods, columnDefinitions: [], rows: [row(["y", "1/1", 3, ""])] }),
    "y                 1/1     3\n",
  );
});

test("a cell cannot break the table", () => {
  const table = { ...pods, rows: [row(["a\nb", "\u001b[31m", { k: 1 }, ""])] };
  assert.equal(print({}, table), 'NAME   READY   RESTARTS\na...    [31m   {"k":1}\n');
});
