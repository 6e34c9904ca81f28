// Running one of the project's own tools (node_modules/.bin) or programs, with its output passed on.

import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** True when the tool ended with exit code 0. Prints one line with the time it took. */
export async function runTool(label: string, tool: string, args: string[]): Promise<boolean> {
  const started = performance.now();
  const passed = await run(join(root, "node_modules/.bin", tool), args);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(` ${passed ? "✓" : "✗"} ${label} (${seconds} s)\n`);
  return passed;
}

/** True for exit code 0. */
export function run(program: string, args: string[], environment: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: "inherit", env: environment });
    child.once("error", reject);
    child.once("exit", (code) => resolve(code === 0));
  });
}
