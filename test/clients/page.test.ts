import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { compatibilityPage, type RunGroup } from "./page.ts";
import { refusal, row, runRow } from "./rows.ts";

const piped = row("a | b", "a pipe", /x/);
const plain = row("c", "nothing", /x/);

const group = (client: string, ...outcomes: string[]): RunGroup => ({
  client,
  title: "rows",
  rows: [piped, plain],
  ...(outcomes.length > 0
    ? { results: new Map([piped, plain].map((one, at) => [one, { outcome: outcomes[at] ?? "" }])) }
    : {}),
});

test("the page has a line for each row and a sum for each client", () => {
  const page = compatibilityPage([group("one", "pass", "refused: not here"), group("two", "pass", "FAIL")], "");
  assert.match(page, /^\| one \| 1 \| 1 \| 0 \|\n\| two \| 1 \| 0 \| 1 \|$/m);
  assert.match(page, /^\| `a \\\| b` \| a pipe \| pass \|\n\| `c` \| nothing \| refused: not here \|$/m);
});

test("rows of an absent client stay as they are, and only its own", () => {
  const before = compatibilityPage([group("one", "pass", "FAIL"), group("two", "refused: no", "pass")], "");
  assert.equal(compatibilityPage([group("one"), group("two")], before), before);
  const after = compatibilityPage([group("one"), group("two", "pass", "pass")], before);
  assert.match(after, /^\| one \| 1 \| 0 \| 1 \|\n\| two \| 2 \| 0 \| 0 \|$/m);
  assert.match(compatibilityPage([group("three")], before), /^\| `c` \| nothing \| never run \|$/m);
});

test("a row passes by what it says and how it ends", async () => {
  const outcome = async (one: ReturnType<typeof row>) => (await runRow(one, process.env, tmpdir())).outcome;
  assert.equal(await outcome(row("echo yes", "", /^yes$/m)), "pass");
  assert.equal(await outcome(row("echo no", "", /^yes$/m)), "FAIL");
  assert.equal(await outcome(row("echo yes; exit 3", "", /yes/)), "FAIL");
  assert.equal(await outcome(row("echo yes >&2; exit 3", "", /yes/, 3)), "pass");
  assert.equal(
    await outcome(refusal("echo 'it has no such thing'; exit 1", "", /(no such.*)/)),
    "refused: no such thing",
  );
  assert.equal(await outcome(refusal("echo 'it has no such thing'", "", /(no such.*)/)), "FAIL");
});
