// Golden tests: each testdata/<rule>.in.yaml is what a user would `kubectl apply`, <rule>.out.yaml the routing table and
// the statuses that follow. UPDATE_GOLDENS=1 rewrites the outputs, which then are to be reviewed against the spec.

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { objectKey } from "@gatehouse/apimachinery/meta";
import { parseAllDocuments, stringify } from "yaml";
import { optionsFor, pickObjects, readObjects } from "../testing/fixtures.ts";
import { withRanks } from "../testing/ranks.ts";
import { withStatus } from "./statuses.ts";
import { translate } from "./translate.ts";
import type { Translation } from "./translator.ts";

const directory = join(import.meta.dirname, "testdata");
const now = "<now>";

for (const file of readdirSync(directory)
  .filter((name) => name.endsWith(".in.yaml"))
  .sort()) {
  const name = file.replace(".in.yaml", "");
  test(name, () => {
    const objects = readObjects(join(directory, file));
    const before = JSON.stringify(objects);
    const output = render(translate(pickObjects(objects), optionsFor(objects)));
    assert.equal(JSON.stringify(objects), before, "the input was changed");
    const expectedPath = join(directory, `${name}.out.yaml`);
    if (process.env.UPDATE_GOLDENS)
      writeFileSync(expectedPath, stringify(output, { lineWidth: 0, aliasDuplicateObjects: false }));
    const [expected] = parseAllDocuments(readFileSync(expectedPath, "utf8"));
    assert.deepEqual(JSON.parse(JSON.stringify(output)), expected?.toJSON());
  });
}

/** What a class supports is long, always the same, and tested in supported-features.test.ts. */
function withoutFeatures(status: unknown): unknown {
  const { supportedFeatures: _, ...rest } = status as { supportedFeatures?: unknown };
  return rest;
}

function render({ table, statuses }: Translation) {
  const written = statuses.flatMap((update): [string, unknown][] => {
    const { object } = update;
    const updated = withStatus(update, object, now);
    return updated ? [[`${object.kind} ${objectKey(object)}`, withoutFeatures(updated.status)]] : [];
  });
  return { table: withRanks(table), statuses: Object.fromEntries(written.sort(([a], [b]) => (a < b ? -1 : 1))) };
}
