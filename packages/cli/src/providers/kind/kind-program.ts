// Running kind: its lines to the log, its stages as the step's detail, its failures with a remedy.

import type { Step } from "../../progress.ts";
import { commandLine, runSuccessfully } from "../../tools/run-program.ts";
import { kindFailures } from "./kind-failures.ts";

/** `kind ARGS --name NAME`. Throws a UserError with kind's words. */
export async function runKind(args: string[], name: string, step: Step): Promise<void> {
  const all = [...args, "--name", name];
  step.output(`$ ${commandLine("kind", all)}`);
  const onLine = (line: string): void => {
    step.output(line);
    const stage = stageOf(line);
    if (stage) step.detail(stage);
  };
  await runSuccessfully({ program: "kind", args: all, onLine }, kindFailures);
}

/** ` • Preparing nodes 📦   ...` begins a stage, ` ✓ ` ends it, ` ✗ ` says which one failed. The pictures are left out. */
export function stageOf(line: string): string | undefined {
  const text = /^ [•✓✗] (.+?)(?: +\.\.\.)?$/u.exec(line)?.[1];
  return text?.replaceAll(/[\p{Extended_Pictographic}\u{fe0f}\u{200d}]/gu, "").trim() || undefined;
}
