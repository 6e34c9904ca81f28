// Everything that can be said of the code without running it: types, lint (floors, cycles, floating promises), format.

import { runTool } from "./run-tool.ts";

export async function check(): Promise<boolean> {
  const outcomes = [
    await runTool("types", "tsc", ["--noEmit", "-p", "."]),
    await runTool("types of the page", "tsc", ["--noEmit", "-p", "packages/dashboard/src/page"]),
    await runTool("lint", "oxlint", ["--type-aware", "--deny-warnings"]),
    await runTool("format", "oxfmt", ["--check", "packages", "scripts", "test"]),
  ];
  return outcomes.every((passed) => passed);
}

if (import.meta.main) process.exitCode = (await check()) ? 0 : 1;
