// Writes the files of a volume so that a reader sees all of one version or all of another (kubelet's AtomicWriter):
// files live in `..<version>/`, `..data` points there, and each visible name is a link into `..data`.

import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** File contents by relative path (`/`-separated, already checked to stay inside). */
export type VolumeFiles = Map<string, { data: Buffer; mode: number }>;

const dataLink = "..data";

/** Replaces the directory's files by `files`. */
export function writeAtomically(directory: string, files: VolumeFiles): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const version = mkdtempSync(join(directory, "..version-"));
  chmodSync(version, 0o755);
  for (const [path, { data, mode }] of files) {
    const file = join(version, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, data, { mode });
    chmodSync(file, mode);
  }
  const before = currentVersion(directory);
  const next = join(directory, "..data-next");
  rmSync(next, { force: true });
  symlinkSync(version.slice(directory.length + 1), next);
  renameSync(next, join(directory, dataLink));
  linkNames(directory, new Set([...files.keys()].map((path) => path.split("/", 1)[0] ?? path)));
  if (before) rmSync(join(directory, before), { recursive: true, force: true });
}

function currentVersion(directory: string): string | undefined {
  try {
    return readlinkSync(join(directory, dataLink));
  } catch {
    return undefined;
  }
}

function linkNames(directory: string, names: Set<string>): void {
  const present = new Set(readdirSync(directory).filter((name) => !name.startsWith("..")));
  for (const name of names) if (!present.has(name)) symlinkSync(join(dataLink, name), join(directory, name));
  for (const name of present) if (!names.has(name)) rmSync(join(directory, name), { recursive: true, force: true });
}
