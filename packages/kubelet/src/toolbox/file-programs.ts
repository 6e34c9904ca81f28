// Programs of the toolbox that read and list files.

import { createReadStream, type Stats } from "node:fs";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { FileError, type FoundFile, isDirectory } from "./container-files.ts";
import { parseOptions, type Program, type Toolbox, UsageError } from "./program.ts";

/** A file's bytes, or standard input for `-`. Throws a FileError. */
function open(path: string, { files, stdin }: Toolbox): Readable {
  if (path === "-") return stdin;
  const found = files.find(path);
  if (isDirectory(found)) throw new FileError(path, "EISDIR");
  if (!found.stats?.isFile()) throw new FileError(path, "EACCES");
  return createReadStream(found.real);
}

export const cat: Program = async (args, box) => {
  const { operands } = parseOptions(args, "u");
  for (const path of operands.length > 0 ? operands : ["-"])
    for await (const chunk of open(path, box)) await box.out(chunk as Buffer);
  return 0;
};

interface Amount {
  unit: "lines" | "bytes";
  count: number;
  /** With `+N`: from the N-th on. */
  fromStart: boolean;
}

function amountOf(args: string[]): { amount: Amount; paths: string[] } {
  // The old spelling, `head -5`.
  const modern = args.flatMap((arg) => (/^-\d+$/.test(arg) ? ["-n", arg.slice(1)] : [arg]));
  const { values, operands } = parseOptions(modern, "q", "nc");
  const text = values.get("c") ?? values.get("n") ?? "10";
  if (!/^[+-]?\d+$/.test(text)) throw new UsageError(`invalid number '${text}'`);
  const unit = values.has("c") ? "bytes" : "lines";
  const amount: Amount = { unit, count: Number(text.replace(/^[+-]/, "")), fromStart: text.startsWith("+") };
  return { amount, paths: operands.length > 0 ? operands : ["-"] };
}

export const head: Program = async (args, box) => {
  const { amount, paths } = amountOf(args);
  for (const path of paths) {
    let left = amount.count;
    const source = open(path, box);
    for await (const chunk of source) {
      const bytes = chunk as Buffer;
      const end = amount.unit === "bytes" ? Math.min(left, bytes.length) : endOfLines(bytes, left);
      left -= amount.unit === "bytes" ? end : countLines(bytes.subarray(0, end));
      await box.out(bytes.subarray(0, end));
      if (left <= 0) break;
    }
  }
  return 0;
};

export const tail: Program = async (args, box) => {
  const { amount, paths } = amountOf(args);
  for (const path of paths) {
    if (amount.fromStart) await skip(open(path, box), { ...amount, count: Math.max(0, amount.count - 1) }, box);
    else await box.out(await lastOf(open(path, box), amount));
  }
  return 0;
};

async function skip(source: Readable, { unit, count }: Amount, box: Toolbox): Promise<void> {
  let left = count;
  for await (const chunk of source) {
    const bytes = chunk as Buffer;
    const start = left <= 0 ? 0 : unit === "bytes" ? Math.min(left, bytes.length) : endOfLines(bytes, left);
    left -= unit === "bytes" ? start : countLines(bytes.subarray(0, start));
    await box.out(bytes.subarray(start));
  }
}

/** Keeps no more than what is asked for, and a chunk. */
async function lastOf(source: Readable, { unit, count }: Amount): Promise<Buffer> {
  let kept: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    kept = Buffer.concat([kept, chunk as Buffer]);
    kept = kept.subarray(startOfLast(kept, unit, count));
  }
  return kept;
}

function startOfLast(bytes: Buffer, unit: Amount["unit"], count: number): number {
  if (unit === "bytes") return Math.max(0, bytes.length - count);
  if (count === 0) return bytes.length;
  // The newline at the very end closes the last line.
  let at = bytes.length - 1;
  for (let lines = 0; lines < count; lines++) {
    at = at <= 0 ? -1 : bytes.lastIndexOf(0x0a, at - 1);
    if (at < 0) return 0;
  }
  return at + 1;
}

function endOfLines(bytes: Buffer, count: number): number {
  let end = 0;
  for (let lines = 0; lines < count; lines++) {
    const next = bytes.indexOf(0x0a, end);
    if (next < 0) return bytes.length;
    end = next + 1;
  }
  return end;
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(0x0a); at >= 0; at = bytes.indexOf(0x0a, at + 1)) lines++;
  return lines;
}

export const ls: Program = async (args, box) => {
  const { flags, operands } = parseOptions(args, "1aAld");
  const paths = operands.length > 0 ? operands : ["."];
  let failed = false;
  for (const [index, path] of paths.entries()) {
    try {
      const found = box.files.find(path);
      const inside = isDirectory(found) && !flags.has("d");
      if (inside && paths.length > 1) await box.out(`${index > 0 ? "\n" : ""}${path}:\n`);
      const names = inside ? namesIn(path, flags, box) : [path];
      for (const name of names) {
        const line = flags.has("l") ? longLine(inside ? posix.join(path, name) : path, name, box) : name;
        await box.out(`${line}\n`);
      }
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await box.err(`ls: ${error.message}`);
      failed = true;
    }
  }
  return failed ? 1 : 0;
};

function namesIn(path: string, flags: Set<string>, { files }: Toolbox): string[] {
  const names = files.list(path);
  if (flags.has("a")) return [".", "..", ...names];
  return flags.has("A") ? names : names.filter((name) => !name.startsWith("."));
}

function longLine(path: string, name: string, { files }: Toolbox): string {
  const found = files.find(path, false);
  const { stats } = found;
  const size = String(stats?.size ?? 0).padStart(10);
  const time = (stats?.mtime ?? new Date()).toISOString().slice(0, 16).replace("T", " ");
  const mode = modeText(found);
  return `${mode} ${stats?.nlink ?? 1} ${stats?.uid ?? 0} ${stats?.gid ?? 0} ${size} ${time} ${name}`;
}

function modeText(found: FoundFile): string {
  const type = found.stats?.isSymbolicLink() ? "l" : isDirectory(found) ? "d" : "-";
  const mode = found.stats?.mode ?? 0o755;
  const letters = "rwxrwxrwx".split("").map((letter, index) => (mode & (0o400 >> index) ? letter : "-"));
  return type + letters.join("");
}

/** `test EXPRESSION` with one operator, and `!`. */
export const test: Program = (args, box) => (evaluate(args, box) ? 0 : 1);

function evaluate(args: string[], box: Toolbox): boolean {
  const [first = "", second = "", third = ""] = args;
  if (first === "!" && args.length > 1) return !evaluate(args.slice(1), box);
  if (args.length <= 1) return first !== "";
  if (args.length === 2) {
    if (first === "-n") return second !== "";
    if (first === "-z") return second === "";
    const check = fileChecks[first];
    if (!check) throw new UsageError(`${first}: unknown operand`);
    const found = box.files.exists(second);
    return found !== undefined && check(found, found.stats);
  }
  const compare = args.length === 3 ? comparisons[second] : undefined;
  if (!compare) throw new UsageError("only one operator at a time");
  return compare(first, third);
}

const fileChecks: Record<string, (found: FoundFile, stats: Stats | undefined) => boolean> = {
  "-e": () => true,
  "-r": () => true,
  "-d": (found) => isDirectory(found),
  "-f": (_found, stats) => stats?.isFile() === true,
  "-s": (_found, stats) => (stats?.size ?? 0) > 0,
};

const comparisons: Record<string, (left: string, right: string) => boolean> = {
  "=": (left, right) => left === right,
  "!=": (left, right) => left !== right,
  "-eq": (left, right) => Number(left) === Number(right),
  "-ne": (left, right) => Number(left) !== Number(right),
  "-gt": (left, right) => Number(left) > Number(right),
  "-lt": (left, right) => Number(left) < Number(right),
};
