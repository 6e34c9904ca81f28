// What a program of the toolbox is, and what it works with.

import type { ExecDetails } from "@gatehouse/apimachinery/pod-environment";
import type { Readable } from "node:stream";
import type { ContainerFiles } from "./container-files.ts";

export interface Toolbox {
  files: ContainerFiles;
  /** As the pod spec makes it: nothing of this host, nothing between the kubelet and its programs. */
  environment: Record<string, string>;
  /** The same with what is: for where the pod's ports are. */
  hostEnvironment: NodeJS.ProcessEnv;
  container: ExecDetails;
  stdin: Readable;
  /** Resolves when the bytes are on their way; rejects when nobody reads any more. */
  out: (data: string | Buffer) => Promise<void>;
  err: (line: string) => Promise<void>;
  /** Runs another program; resolves with its exit code. */
  run: (command: string[], box: Toolbox) => Promise<number>;
}

/** Resolves with the exit code. May throw a FileError or a UsageError. */
export type Program = (args: string[], box: Toolbox) => Promise<number> | number;

/** The arguments make no sense to a program: exit code 2 and the message. */
export class UsageError extends Error {}

export interface ParsedOptions {
  /** Flags given, by their letter. */
  flags: Set<string>;
  /** Values of options that take one. */
  values: Map<string, string>;
  operands: string[];
}

/** Single-letter options as POSIX has them: `flags` stand alone, `valued` take a value. Throws a UsageError for others. */
export function parseOptions(args: string[], flags: string, valued = ""): ParsedOptions {
  const parsed: ParsedOptions = { flags: new Set(), values: new Map(), operands: [] };
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (arg === "--") {
      parsed.operands.push(...args.slice(index + 1));
      break;
    }
    if (!/^-./.test(arg)) {
      parsed.operands.push(arg);
      continue;
    }
    for (let at = 1; at < arg.length; at++) {
      const letter = arg[at] ?? "";
      if (valued.includes(letter)) {
        const value = at + 1 < arg.length ? arg.slice(at + 1) : args[++index];
        if (value === undefined) throw new UsageError(`option requires an argument -- '${letter}'`);
        parsed.values.set(letter, value);
        break;
      }
      if (!flags.includes(letter)) throw new UsageError(`unrecognized option: ${letter}`);
      parsed.flags.add(letter);
    }
  }
  return parsed;
}
