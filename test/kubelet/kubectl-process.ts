// kubectl as a process of a test: bytes in, bytes out, or left running until the test ends.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { TestContext } from "node:test";

export interface KubectlResult {
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

/** Runs kubectl to its end with `input` as its standard input. */
export async function runKubectl(
  environment: NodeJS.ProcessEnv,
  args: string[],
  input: Buffer | string = "",
): Promise<KubectlResult> {
  const child = spawn("kubectl", args, { env: environment });
  const stdout: Buffer[] = [];
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  // It may end without reading.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout: Buffer.concat(stdout), stderr };
}

export interface RunningKubectl {
  child: ChildProcess;
  /** Everything it has printed so far, errors as well. */
  output(): string;
  /** Resolves with the first match of what it printed; rejects when it ends before. */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code. */
  ended: Promise<number | null>;
}

/** Starts kubectl; it is ended with the test. */
export function startKubectl(t: TestContext, environment: NodeJS.ProcessEnv, args: string[]): RunningKubectl {
  const child = spawn("kubectl", args, { env: environment });
  let output = "";
  const listeners = new Set<() => void>();
  const add = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const listener of listeners) listener();
  };
  child.stdout.on("data", add);
  child.stderr.on("data", add);
  const ended = once(child, "close").then(([code]) => code as number | null);
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return {
    child,
    output: () => output,
    prints: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const match = pattern.exec(output);
          if (match) resolve(match);
        };
        listeners.add(check);
        check();
        void ended.then(() => reject(new Error(`kubectl ${args.join(" ")} ended; it printed: ${output}`)));
      }),
    ended,
  };
}
