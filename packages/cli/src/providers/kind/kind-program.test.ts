import assert from "node:assert/strict";
import { test } from "node:test";
import { stageOf } from "./kind-program.ts";

/** Lines as kind prints them without a terminal -> what the step shows. */
const lines: [line: string, stage: string | undefined][] = [
  [" • Ensuring node image (kindest/node:v1.34.0) 🖼  ...", "Ensuring node image (kindest/node:v1.34.0)"],
  [" ✓ Ensuring node image (kindest/node:v1.34.0) 🖼", "Ensuring node image (kindest/node:v1.34.0)"],
  [" • Preparing nodes 📦   ...", "Preparing nodes"],
  [" • Preparing nodes 📦 📦   ...", "Preparing nodes"],
  [" ✗ Preparing nodes 📦 ", "Preparing nodes"],
  [" • Starting control-plane 🕹️  ...", "Starting control-plane"],
  [" • Waiting ≤ 3m0s for control-plane = Ready ⏳  ...", "Waiting ≤ 3m0s for control-plane = Ready"],
  [" • Ready after 15s 💚", "Ready after 15s"],
  ['Creating cluster "x" ...', undefined],
  ["", undefined],
  ["ERROR: failed to create cluster: no", undefined],
];
for (const [line, stage] of lines) {
  test(`stage of ${JSON.stringify(line)}`, () => assert.equal(stageOf(line), stage));
}
