// Running a tool of the user's (kind, docker, helm): its output line by line as it comes, its exit code, and a failure
// that says what was run, how it ended and what can be done. An interruption reaches the tool first.

import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { basename } from "node:path";
import { printable } from "../printable.ts";
import { shellWord, withoutPasswords } from "../shell-word.ts";
import { UserError } from "../user-error.ts";

export interface ProgramRun {
  program: string;
  args: string[];
  environment?: NodeJS.ProcessEnv;
  /** Written to its standard input. */
  input?: string;
  /** Each line of standard output and standard error, as it comes. */
  onLine?: (line: string) => void;
  /** Milliseconds after which it is ended. */
  timeoutMs?: number;
}

export interface ProgramResult {
  /** 128 + the signal's number where a signal ended it, as in a shell. */
  code: number;
  stdout: string;
  /** Standard output and standard error as they came; of very much output the end. */
  lines: string[];
}

/** A failure that is known, by what the tool prints, and what the user can do then. */
export interface KnownFailure {
  pattern: RegExp;
  remedy: string | ((match: RegExpMatchArray) => string);
}

const keptLines = 5_000;

/**
 * Resolves whatever the exit code. Throws a UserError when the program is not there, takes longer than `timeoutMs`, or was
 * ended because this process was told to end (exit code 128 + the signal's number).
 */
export function runProgram(run: ProgramRun): Promise<ProgramResult> {
  const { program, args, environment = process.env, input = "", timeoutMs } = run;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: environment, stdio: ["pipe", "pipe", "pipe"] });
    const output = collectOutput(child, run.onLine);
    const signals = passSignals(child);
    const leave = (): void => {
      clearTimeout(timer);
      signals.release();
    };
    const expire = (): void => {
      leave();
      // What it started may live on and hold its pipes: they are not waited for.
      child.kill("SIGKILL");
      output.close();
      reject(new UserError(`${commandLine(program, args)} did not end within ${(timeoutMs ?? 0) / 1000} s`));
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
    child.once("error", (error) => {
      leave();
      reject(notStarted(program, error));
    });
    child.once("close", (code, signal) => {
      leave();
      const received = signals.received();
      if (received) reject(interrupted(run, received));
      else resolve({ code: code ?? signalCode(signal ?? "SIGKILL"), ...output.close() });
    });
    // A program that ends without reading its input is no failure of ours.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** As `runProgram`, and throws a UserError for an exit code that is not 0: command, code, last lines, remedy. */
export async function runSuccessfully(run: ProgramRun, failures: KnownFailure[] = []): Promise<ProgramResult> {
  const result = await runProgram(run);
  if (result.code === 0) return result;
  throw new UserError(failureText(run, result, failures));
}

const shownLines = 8;
const shownCharacters = 400;

/** Several lines: the command with its exit code, the end of its output, and what to do. */
export function failureText(
  { program, args }: Pick<ProgramRun, "program" | "args">,
  { code, lines }: Pick<ProgramResult, "code" | "lines">,
  failures: KnownFailure[],
): string {
  const remedy = remedyFor(lines.join("\n"), failures);
  return [
    `${commandLine(program, args)} failed with exit code ${code}`,
    ...shownEnd(lines)
      .map(printable)
      .map((line) => `  | ${line.length > shownCharacters ? `${line.slice(0, shownCharacters)}…` : line}`),
    ...(remedy ? [`remedy: ${remedy}`] : []),
  ].join("\n");
}

/** The last lines, and before them the one that says what failed, when much follows it. */
function shownEnd(lines: string[]): string[] {
  const spoken = lines.filter((line) => line.trim() !== "");
  const last = spoken.slice(-shownLines);
  const headline = spoken.findLastIndex((line) => /^error:/i.test(line));
  const first = spoken.length - last.length;
  if (headline < 0 || headline >= first) return last;
  const left = first - headline - 1;
  return [spoken[headline] ?? "", ...(left > 0 ? [`… ${left} more lines …`] : []), ...last];
}

function remedyFor(output: string, failures: KnownFailure[]): string | undefined {
  for (const { pattern, remedy } of failures) {
    const match = output.match(pattern);
    if (match) return typeof remedy === "string" ? remedy : remedy(match);
  }
  return undefined;
}

/** As one would type it. */
export function commandLine(program: string, args: string[]): string {
  return [basename(program), ...args.map(withoutPasswords)].map(shellWord).join(" ");
}

function notStarted(program: string, error: Error): UserError {
  const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
  const why = missing ? `${program} is not installed, or not in PATH` : `${program} cannot be run: ${error.message}`;
  return new UserError(`${why}: gatehouse doctor says how to get what is missing`, 1, { cause: error });
}

function interrupted({ program, args }: ProgramRun, signal: NodeJS.Signals): UserError {
  return new UserError(
    `interrupted while ${commandLine(program, args)} was running; run the same command again to go on from here`,
    signalCode(signal),
  );
}

const signalCode = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];

/** What ends this process ends the tool first, so that none works on alone; who insists has it killed. */
function passSignals(child: ChildProcess): { received(): NodeJS.Signals | undefined; release(): void } {
  let received: NodeJS.Signals | undefined;
  const pass = (signal: NodeJS.Signals): void => {
    child.kill(received ? "SIGKILL" : signal);
    received ??= signal;
  };
  const passed = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of passed) process.on(signal, pass);
  return {
    received: () => received,
    release: () => {
      for (const signal of passed) process.off(signal, pass);
    },
  };
}

function collectOutput(
  { stdout, stderr }: ReturnType<typeof spawn>,
  onLine: (line: string) => void = () => {},
): { close(): Omit<ProgramResult, "code"> } {
  const lines: string[] = [];
  const pieces: string[] = [];
  const take = (line: string): void => {
    lines.push(line);
    if (lines.length > 2 * keptLines) lines.splice(0, keptLines);
    onLine(line);
  };
  const [out, err] = [lineSplitter(take), lineSplitter(take)];
  stdout?.setEncoding("utf8").on("data", (text: string) => {
    pieces.push(text);
    out.add(text);
  });
  stderr?.setEncoding("utf8").on("data", (text: string) => err.add(text));
  return {
    close: () => {
      stdout?.destroy();
      stderr?.destroy();
      out.flush();
      err.flush();
      return { stdout: pieces.join(""), lines };
    },
  };
}

/** Whole lines out of pieces of text; a carriage return begins a line anew, as on a terminal. */
function lineSplitter(take: (line: string) => void): { add(text: string): void; flush(): void } {
  let rest = "";
  return {
    add: (text) => {
      if (!/[\r\n]/.test(text) && !rest.endsWith("\r")) {
        rest += text;
        return;
      }
      // The other half of a line break may be in the next piece.
      const parts = (rest + text).split(/\r?\n|\r(?!\n|$)/);
      rest = parts.pop() ?? "";
      parts.forEach(take);
    },
    flush: () => {
      if (rest !== "") take(rest.replace(/\r$/, ""));
      rest = "";
    },
  };
}
