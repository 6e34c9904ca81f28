// The file system that programs of the toolbox see: the container's own directory as `/`, its volumes where the pod spec mounts
// them. No path and no link leads out of it; the toolbox makes no links, so what was looked up stays what it was.

import { lstatSync, mkdirSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { dirname, posix } from "node:path";
import { mountedPath, podEnvironment, writablePath } from "@gatehouse/apimachinery/pod-environment";

/** Something at a path; `stats` is missing for a directory that only exists because something is mounted below it. */
export interface FoundFile {
  /** As the container names it, without links. */
  path: string;
  /** On this host. */
  real: string;
  stats: Stats | undefined;
}

/** A user's mistake, told as `program: path: message`. */
export class FileError extends Error {
  readonly code: string;

  constructor(path: string, code: string) {
    super(`${path}: ${messages[code] ?? code}`);
    this.code = code;
  }
}

const messages: Record<string, string> = {
  ENOENT: "No such file or directory",
  ENOTDIR: "Not a directory",
  EISDIR: "Is a directory",
  ELOOP: "Too many levels of symbolic links",
  EROFS: "Read-only file system",
  EACCES: "Permission denied",
  EEXIST: "File exists",
};

const maxLinks = 40;
/** The kubelet's own files in the container's directory: its logs. */
const hiddenFiles = /^\/\d+\.log(?:\.1)?$/;

export class ContainerFiles {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #root: string;
  readonly #mounts: string[];
  /** The working directory, as the container names it. */
  directory = "/";

  constructor(environment: NodeJS.ProcessEnv, root: string) {
    this.#environment = environment;
    this.#root = root;
    const plan = environment[podEnvironment.mounts];
    this.#mounts = Object.keys(plan === undefined ? {} : (JSON.parse(plan) as object));
  }

  /** What is at `path`, links followed (the last one only with `follow`). Throws a FileError. */
  find(path: string, follow = true): FoundFile {
    const found = this.#walk(path, follow);
    if (found === undefined) throw new FileError(path, "ENOENT");
    return found;
  }

  exists(path: string): FoundFile | undefined {
    try {
      return this.#walk(path, true);
    } catch (error) {
      if (error instanceof FileError) return undefined;
      throw error;
    }
  }

  /** The names in a directory, sorted. Throws a FileError. */
  list(path: string): string[] {
    const found = this.find(path);
    if (!isDirectory(found)) throw new FileError(path, "ENOTDIR");
    const prefix = found.path === "/" ? "/" : `${found.path}/`;
    const mounted = this.#mounts
      .filter((mount) => mount.startsWith(prefix))
      .map((mount) => mount.slice(prefix.length).split("/", 1)[0] ?? "");
    const own = found.stats ? readdirSync(found.real).filter((name) => !hiddenFiles.test(prefix + name)) : [];
    return [...new Set([...own, ...mounted])].filter(Boolean).sort();
  }

  /** Where a file at `path` is to be written: its directory exists. Throws a FileError for what cannot be written. */
  target(path: string): FoundFile {
    const known = this.exists(path);
    const parent = this.find(posix.dirname(this.absolute(path)));
    if (!isDirectory(parent)) throw new FileError(path, "ENOTDIR");
    const place = known?.path ?? posix.join(parent.path, posix.basename(this.absolute(path)));
    const writable = writablePath(place, this.#environment, this.#root) !== undefined;
    if (!writable || hiddenFiles.test(place)) throw new FileError(path, "EROFS");
    if (known) return known;
    const real = this.#real(place);
    // A directory that exists only as a mount's parent becomes a real one.
    mkdirSync(dirname(real), { recursive: true });
    return { path: place, real, stats: undefined };
  }

  /** Makes a directory and those above it. Throws a FileError. */
  makeDirectory(path: string): FoundFile {
    let made = this.find("/");
    let at = "/";
    for (const part of this.absolute(path).split("/").filter(Boolean)) {
      at = posix.join(at, part);
      const known = this.exists(at);
      if (known && !isDirectory(known)) throw new FileError(at, "ENOTDIR");
      made = known ?? this.target(at);
      if (!known) mkdirSync(made.real);
    }
    return made;
  }

  absolute(path: string): string {
    return posix.resolve(this.directory, path);
  }

  #walk(path: string, follow: boolean): FoundFile | undefined {
    let rest = this.absolute(path).split("/").filter(Boolean);
    let at = "/";
    let stats: Stats | undefined = lstatSync(this.#root);
    for (let links = 0; rest.length > 0;) {
      const [part = "", ...more] = rest;
      if (at !== "/" && stats && !stats.isDirectory()) throw new FileError(path, "ENOTDIR");
      const next = posix.join(at, part);
      stats = this.#stat(next);
      if (!stats && !this.#mounts.some((mount) => isBelow(mount, next))) return undefined;
      if (stats?.isSymbolicLink() && (follow || more.length > 0)) {
        if (++links > maxLinks) throw new FileError(path, "ELOOP");
        const target = posix.resolve(at, readlinkSync(this.#real(next)));
        [rest, at] = [[...target.split("/").filter(Boolean), ...more], "/"];
        stats = lstatSync(this.#root);
      } else [rest, at] = [more, next];
    }
    if (hiddenFiles.test(at)) return undefined;
    return { path: at, real: this.#real(at), stats };
  }

  #stat(path: string): Stats | undefined {
    try {
      return lstatSync(this.#real(path));
    } catch {
      return undefined;
    }
  }

  #real(path: string): string {
    return mountedPath(path, this.#environment, this.#root);
  }
}

export function isDirectory({ stats }: FoundFile): boolean {
  return !stats || stats.isDirectory();
}

function isBelow(path: string, ancestor: string): boolean {
  return ancestor === "/" || path === ancestor || path.startsWith(`${ancestor}/`);
}
