import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTemplate } from "./json-path-template.ts";
import { UserError } from "./user-error.ts";

const data = {
  kind: "List",
  items: [
    {
      metadata: { name: "a", labels: { "app.kubernetes.io/name": "x", plain: "p" } },
      status: {
        conditions: [
          { type: "Ready", status: "True", n: 1 },
          { type: "Other", status: "False", n: 2 },
        ],
      },
    },
    { metadata: { name: "b" }, status: { conditions: [{ type: "Ready", status: "False", n: 3 }] } },
    { metadata: { name: "c" } },
  ],
};

const templates: [template: string, text: string][] = [
  ["{.kind}", "List"],
  ["{$.kind}", "List"],
  ["{@.kind}", "List"],
  ["plain", "plain"],
  ["{.items[*].metadata.name}", "a b c"],
  ["{.items[0].metadata.name}", "a"],
  ["{.items[-1].metadata.name}", "c"],
  ["{.items[9].metadata.name}", ""],
  ["{.items[0:2].metadata.name}", "a b"],
  ["{.items[1:].metadata.name}", "b c"],
  ["{.items[::2].metadata.name}", "a c"],
  ["{.items[0,2].metadata.name}", "a c"],
  ["{.items[0]['metadata','kind'].name}", "a"],
  ["{.items[0].metadata['name']}", "a"],
  ["{.items[0].metadata.labels.app\\.kubernetes\\.io/name}", "x"],
  ["{.items[0].metadata.labels['app.kubernetes.io/name']}", "x"],
  ["{..name}", "a b c"],
  ["{.missing.deeper}", ""],
  ["{.items[0].metadata.toString}", ""],
  ['{.items[*].status.conditions[?(@.type=="Ready")].status}', "True False"],
  ["{.items[*].status.conditions[?(@.type=='Ready')].status}", "True False"],
  ['{.items[*].status.conditions[?(@.type!="Ready")].n}', "2"],
  ["{.items[*].status.conditions[?(@.n>1)].n}", "2 3"],
  ["{.items[*].status.conditions[?(@.n<=1)].n}", "1"],
  ["{.items[?(@.status)].metadata.name}", "a b"],
  ['{range .items[*]}{.metadata.name}{"\\n"}{end}', "a\nb\nc\n"],
  ['{range .items[*]}[{.metadata.name}, {range .status.conditions[*]}{.n}{" "}{end}]{end}', "[a, 1 2 ][b, 3 ][c, ]"],
  ['{range .items[*]}{$.kind}{"\\t"}{end}', "List\tList\tList\t"],
  ["{.items[0].status.conditions[0]}", '{"type":"Ready","status":"True","n":1}'],
  ["name={.items[0].metadata.name} n={.items[1].status.conditions[0].n}", "name=a n=3"],
  ['{"}{"}', "}{"],
  ["{.items[0].metadata.name .kind}", "aList"],
];

for (const [template, expected] of templates) {
  test(template, () => assert.equal(parseTemplate(template)(data), expected));
}

for (const template of ["{.a", "{range .items[*]}x", "{end}", "{.a[}", "{.a[x]}", '{"x}', "{.a[?(b)]}", "{a'b}"]) {
  test(`${template} is refused and quoted`, () => {
    assert.throws(
      () => parseTemplate(template),
      (error) => error instanceof UserError && error.exitCode === 2 && error.message.includes(template),
    );
  });
}
