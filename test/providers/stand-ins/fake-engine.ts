// What the stand-ins for docker, kind and helm share: one pretended Docker in a directory (GATEHOUSE_FAKE_ENGINE), with its
// containers, the faults it was told to have, and a record of every call.

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** Exit code for arguments that the real program would not understand, or that the stand-in does not know. */
export const misused = 64;

export interface FakeContainer {
  id: string;
  name: string;
  cluster: string;
  status: "Created" | "Up 2 minutes" | "Exited (137) 2 minutes ago";
  ports: { hostPort: number; containerPort: number }[];
  mounts: { hostPath: string; containerPath: string }[];
}

export interface FakeCall {
  program: string;
  args: string[];
}

const directory = process.env.GATEHOUSE_FAKE_ENGINE ?? "";
if (directory === "") throw new Error("GATEHOUSE_FAKE_ENGINE is not set: a stand-in runs in tests only");

export const engineDirectory = directory;

export function recordCall(program: string, args: string[]): void {
  appendFileSync(join(directory, "calls.jsonl"), `${JSON.stringify({ program, args } satisfies FakeCall)}\n`);
}

/** What the fault says (its file's content), or undefined when there is none of this name. */
export function fault(name: string): string | undefined {
  const path = join(directory, "faults", name);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

export function containers(): FakeContainer[] {
  const path = join(directory, "containers");
  if (!existsSync(path)) return [];
  return readdirSync(path).map((name) => JSON.parse(readFileSync(join(path, name), "utf8")) as FakeContainer);
}

/** Whole or not at all: a stand-in may be ended at any moment. */
export function writeWhole(path: string, text: string): void {
  const temporary = join(directory, `${process.pid}.tmp`);
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

export function saveContainer(container: FakeContainer): void {
  mkdirSync(join(directory, "containers"), { recursive: true });
  writeWhole(join(directory, "containers", container.name), JSON.stringify(container));
}

export function removeContainer(name: string): void {
  rmSync(join(directory, "containers", name), { force: true });
}

/** Ends the stand-in, as a program that does not know these arguments. */
export function refuse(program: string, args: string[], why: string): never {
  const line = `stand-in ${program}: ${why}: ${[program, ...args].join(" ")}`;
  appendFileSync(join(directory, "misuses.txt"), `${line}\n`);
  process.stderr.write(`${line}\n`);
  process.exit(misused);
}

export function fail(code: number, ...lines: string[]): never {
  process.stderr.write(lines.map((line) => `${line}\n`).join(""));
  process.exit(code);
}

/**
 * The values of exactly these flags, each given once as `--flag value`; a flag that is not optional (`?`) must be there.
 * Words that are no flags are left over.
 */
export function parseFlags(
  program: string,
  args: string[],
  known: string[],
): { flags: Record<string, string>; words: string[] } {
  const names = new Set(known.map((name) => name.replace("?", "")));
  const flags: Record<string, string> = {};
  const words: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? "";
    if (!word.startsWith("-")) {
      words.push(word);
      continue;
    }
    if (!names.has(word)) refuse(program, args, `unknown flag ${word}`);
    if (word in flags) refuse(program, args, `${word} is given twice`);
    const value = args[++index];
    if (value === undefined || value === "") refuse(program, args, `${word} needs a value`);
    flags[word] = value;
  }
  for (const name of known) {
    if (!name.endsWith("?") && !(name in flags)) refuse(program, args, `${name} is missing`);
  }
  return { flags, words };
}
