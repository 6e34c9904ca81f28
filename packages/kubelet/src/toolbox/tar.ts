// `tar` as `kubectl cp` uses it: `tar cf - PATH...` and `tar xf - [-C DIR]`. Links are neither followed out of the container nor
// made: what lies in the container is files and directories.

import { createReadStream, createWriteStream, utimesSync } from "node:fs";
import { once } from "node:events";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { type ContainerFiles, FileError, isDirectory } from "./container-files.ts";
import { type Program, type Toolbox, UsageError } from "./program.ts";
import {
  encodeHeader,
  paddingAfter,
  readHeader,
  tarBlock,
  type TarEntry,
  TarError,
  type TarSource,
} from "./tar-format.ts";

interface Options {
  mode: "c" | "x" | "t";
  verbose: boolean;
  /** Keep the times of the archive (without `m`). */
  times: boolean;
  operands: string[];
}

export const tar: Program = async (args, box) => {
  const options = parse(args, box.files);
  try {
    return options.mode === "c" ? await create(options, box) : await extract(options, box);
  } catch (error) {
    if (!(error instanceof TarError)) throw error;
    await box.err(`tar: ${error.message}`);
    return 2;
  }
};

function parse(args: string[], files: ContainerFiles): Options {
  const options: Options = { mode: "t", verbose: false, times: true, operands: [] };
  let mode: Options["mode"] | undefined;
  const rest = [...args];
  for (let first = true, arg = rest.shift(); arg !== undefined; first = false, arg = rest.shift()) {
    if (arg === "--no-same-permissions" || arg === "--no-same-owner") continue;
    if (arg === "--") {
      options.operands.push(...rest.splice(0));
      continue;
    }
    // The old spelling has no hyphen: `tar cf - PATH`.
    if (!first && !/^-./.test(arg)) {
      options.operands.push(arg);
      continue;
    }
    for (const letter of arg.replace(/^-/, "")) {
      if (letter === "c" || letter === "x" || letter === "t") mode = letter;
      else if (letter === "f") {
        if (rest.shift() !== "-") throw new UsageError("only `f -` is done: the archive is standard input or output");
      } else if (letter === "C") {
        const directory = rest.shift() ?? "";
        if (!isDirectory(files.find(directory))) throw new FileError(directory, "ENOTDIR");
        files.directory = files.absolute(directory);
      } else if (letter === "v") options.verbose = true;
      else if (letter === "m") options.times = false;
      else if (letter !== "p" && letter !== "o")
        throw new UsageError(`unrecognized option: ${letter}; there are c, x, t, f -, C, v, m, p, o`);
    }
  }
  if (!mode) throw new UsageError("one of c, x and t is needed");
  return { ...options, mode };
}

async function create({ operands, verbose }: Options, box: Toolbox): Promise<number> {
  if (operands.length === 0) throw new UsageError("nothing to archive");
  let failed = false;
  const add = async (path: string): Promise<void> => {
    try {
      await addEntry(path, box);
      if (verbose) await box.err(path);
      const found = box.files.find(path);
      if (isDirectory(found)) for (const name of box.files.list(path)) await add(posix.join(path, name));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await box.err(`tar: ${error.message}`);
      failed = true;
    }
  };
  for (const path of operands) await add(path);
  await box.out(Buffer.alloc(2 * tarBlock));
  return failed ? 1 : 0;
}

/** Links are archived as what they lead to: volumes of ConfigMaps and Secrets are made of them. */
async function addEntry(path: string, box: Toolbox): Promise<void> {
  const found = box.files.find(path);
  const { stats } = found;
  const common = { path: path.replace(/^\/+/, "") || ".", modified: (stats?.mtimeMs ?? 0) / 1000 };
  if (isDirectory(found)) {
    await box.out(encodeHeader({ ...common, type: "directory", size: 0, mode: stats?.mode ?? 0o755 }));
    return;
  }
  if (!stats?.isFile()) throw new FileError(path, "EACCES");
  await box.out(encodeHeader({ ...common, type: "file", size: stats.size, mode: stats.mode }));
  // A file that grows or shrinks meanwhile must not shift what follows.
  let left = stats.size;
  if (left > 0) {
    for await (const chunk of createReadStream(found.real, { end: left - 1 })) {
      left -= (chunk as Buffer).length;
      await box.out(chunk as Buffer);
    }
  }
  await box.out(Buffer.alloc(left + paddingAfter(stats.size)));
}

async function extract(options: Options, box: Toolbox): Promise<number> {
  const source = readerOf(box.stdin);
  let failed = false;
  for (let entry = await readHeader(source); entry; entry = await readHeader(source)) {
    try {
      if (options.mode === "t") await box.out(`${entry.path}\n`);
      else if (options.verbose) await box.err(entry.path);
      await (options.mode === "t" ? skip(source, entry.size) : place(entry, source, options, box));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      await box.err(`tar: ${error.message}`);
      failed = true;
      await skip(source, entry.size);
    }
    await source.read(paddingAfter(entry.size));
  }
  // What follows the end of the archive is padding; its sender must not be left with nobody to read it.
  box.stdin.resume();
  return failed ? 1 : 0;
}

/** Throws a FileError before any content is read. */
async function place(entry: TarEntry, source: TarSource, { times }: Options, box: Toolbox): Promise<void> {
  // As GNU tar: names that lead upwards are refused, absolute ones made relative.
  const path = entry.path.replace(/^\/+/, "");
  if (path.split("/").includes("..")) throw new FileError(entry.path, "member name contains '..'");
  if (entry.type === "other") throw new FileError(entry.path, "links and special files are not made here");
  if (entry.type === "directory") {
    box.files.makeDirectory(path);
    return;
  }
  box.files.makeDirectory(posix.dirname(path));
  const target = box.files.target(path);
  if (target.stats && !target.stats.isFile()) throw new FileError(path, "EISDIR");
  const file = createWriteStream(target.real, { mode: entry.mode });
  const written = finished(file);
  written.catch(() => undefined);
  for (let left = entry.size; left > 0;) {
    const chunk = await source.read(Math.min(left, 64 * 1024));
    if (chunk.length === 0) throw new TarError("unexpected end of archive");
    left -= chunk.length;
    if (!file.write(chunk)) await Promise.race([once(file, "drain"), written]);
  }
  file.end();
  await written;
  if (times) utimesSync(target.real, entry.modified, entry.modified);
}

async function skip(source: TarSource, bytes: number): Promise<void> {
  for (let left = bytes; left > 0;) {
    const chunk = await source.read(Math.min(left, 64 * 1024));
    if (chunk.length === 0) throw new TarError("unexpected end of archive");
    left -= chunk.length;
  }
}

function readerOf(stream: Readable): TarSource {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let pending: Buffer = Buffer.alloc(0);
  return {
    read: async (bytes) => {
      const parts: Buffer[] = [];
      let missing = bytes;
      for (;;) {
        const part = pending.subarray(0, missing);
        pending = pending.subarray(part.length);
        if (part.length > 0) parts.push(part);
        missing -= part.length;
        if (missing === 0) break;
        const next = await chunks.next();
        if (next.done) break;
        pending = next.value;
      }
      return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
    },
  };
}
