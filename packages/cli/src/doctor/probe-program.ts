// Asking a program something, with a limit that holds whatever the program does: it is ended with all it started, and its
// output is not waited for.

import { spawn } from "node:child_process";

export type Probe =
  | { outcome: "ended"; code: number | null; stdout: string; stderr: string }
  /** Not in PATH. */
  | { outcome: "missing" }
  /** There, but the system does not run it: its code, e.g. `EACCES`. */
  | { outcome: "refused"; code: string }
  | { outcome: "hung"; limitMs: number };

export interface ProbeOptions {
  environment: NodeJS.ProcessEnv;
  limitMs: number;
}

/** More than any answer has; what comes after it is dropped. */
const maxOutput = 4 * 1024 * 1024;

/** Runs the program without input and without a terminal. Never rejects, and resolves within `limitMs`. */
export function probeProgram(program: string, args: string[], { environment, limitMs }: ProbeOptions): Promise<Probe> {
  return new Promise((resolve) => {
    // A group of its own, so that a wrapper's children can be ended too.
    const detached = process.platform !== "win32";
    const child = spawn(program, args, { env: environment, stdio: ["ignore", "pipe", "pipe"], detached });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => {
        if (output[name].length < maxOutput) output[name] += text;
      });
    }
    const limit = setTimeout(() => {
      endGroup(child.pid, detached);
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      resolve({ outcome: "hung", limitMs });
    }, limitMs);
    child.once("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(limit);
      resolve(error.code === "ENOENT" ? { outcome: "missing" } : { outcome: "refused", code: error.code ?? "unknown" });
    });
    child.once("close", (code) => {
      clearTimeout(limit);
      resolve({ outcome: "ended", code, ...output });
    });
  });
}

function endGroup(pid: number | undefined, group: boolean): void {
  if (pid === undefined) return;
  try {
    process.kill(group ? -pid : pid, "SIGKILL");
  } catch {
    // It ended this very moment.
  }
}
