// A backup is one SQLite file: the API server's state as it was, and a table `backup` with what else a cluster is (manifest,
// certificates and keys, ports). It can be looked into with any SQLite client.

import { createHash } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { timestamp } from "@gatehouse/apimachinery/meta";
import type { EmbeddedState } from "./providers/embedded/embedded-state.ts";
import type { Pki } from "./providers/embedded/pki.ts";
import { UserError } from "./user-error.ts";
import { version } from "./version.ts";

export interface BackupManifest {
  /** Of this file. */
  format: number;
  /** Who made it. */
  gatehouse: string;
  cluster: string;
  /** The node's name, to which pods are bound. */
  node: string;
  createdAt: string;
  /** The newest revision in it. */
  revision: number;
  objects: number;
}

export interface Backup {
  manifest: BackupManifest;
  state: EmbeddedState;
  pki: Pki;
}

const formatVersion = 1;

/** Writes the backup of `database` (a state's bytes) to `path`, mode 0600, whole or not at all. Throws a UserError. */
export function writeBackup(
  path: string,
  database: Buffer,
  content: Omit<Backup, "manifest"> & { node: string },
  measure: (database: string) => { revision: number; objects: number },
): BackupManifest {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    rmSync(temporary, { force: true });
    writeFileSync(temporary, database, { mode: 0o600, flag: "wx" });
    const { node, state, pki } = content;
    const manifest: BackupManifest = {
      format: formatVersion,
      gatehouse: version,
      cluster: state.name,
      node,
      createdAt: timestamp(),
      ...measure(temporary),
    };
    seal(temporary, { manifest, state, pki });
    sync(temporary);
    renameSync(temporary, path);
    return manifest;
  } catch (error) {
    throw notWritten(path, error);
  } finally {
    for (const suffix of ["", "-wal", "-journal"]) rmSync(temporary + suffix, { force: true });
  }
}

function seal(path: string, parts: Backup): void {
  const database = new DatabaseSync(path);
  try {
    // One file, without a log beside it.
    database.exec("PRAGMA journal_mode = DELETE; CREATE TABLE backup (name TEXT PRIMARY KEY, value TEXT NOT NULL);");
    const insert = database.prepare("INSERT INTO backup VALUES (?, ?)");
    for (const [name, value] of Object.entries(parts)) insert.run(name, JSON.stringify(value));
    insert.run("digest", digest(database));
  } finally {
    database.close();
  }
}

/** What is in the backup at `path`, checked from end to end. Throws a UserError that names the file and what is wrong with it. */
export function readBackup(path: string): Backup {
  if (!existsSync(path)) throw new UserError(`${path}: no such file: name a file that gatehouse backup wrote`);
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const parts = partsOf(database, path);
    const manifest = JSON.parse(parts.get("manifest") ?? "{}") as BackupManifest;
    if (manifest.format > formatVersion) {
      throw new UserError(
        `${path} was made by a newer gatehouse (${manifest.gatehouse}): restore it with that version`,
      );
    }
    const [verdict] = database.prepare("PRAGMA quick_check(1)").all() as { quick_check: string }[];
    if (verdict?.quick_check !== "ok") throw damaged(path, verdict?.quick_check ?? "it cannot be checked");
    if (parts.get("digest") !== digest(database)) throw damaged(path, "its content does not match its checksum");
    const part = <T>(name: string): T => JSON.parse(parts.get(name) ?? "{}") as T;
    return { manifest, state: part("state"), pki: part("pki") };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw damaged(path, (error as Error).message);
  } finally {
    database.close();
  }
}

const notDatabase = 26;

function partsOf(database: DatabaseSync, path: string): Map<string, string> {
  const foreign = new UserError(`${path} is not a backup: name a file that gatehouse backup wrote`);
  try {
    const tables = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'backup'").all();
    if (tables.length === 0) throw foreign;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === notDatabase) throw foreign;
    throw error;
  }
  const rows = database.prepare("SELECT name, value FROM backup").all() as { name: string; value: string }[];
  return new Map(rows.map(({ name, value }) => [name, value]));
}

/** Over every row in a fixed order: SQLite itself does not notice a changed byte inside a value. */
function digest(database: DatabaseSync): string {
  const hash = createHash("sha256");
  const queries = [
    "SELECT name, value FROM meta ORDER BY name",
    "SELECT name, value FROM backup WHERE name <> 'digest' ORDER BY name",
    "SELECT revision, resource, key, object FROM log ORDER BY revision",
  ];
  for (const query of queries)
    for (const row of database.prepare(query).iterate()) hash.update(JSON.stringify(Object.values(row)));
  return hash.digest("hex");
}

function sync(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function damaged(path: string, why: string): UserError {
  return new UserError(`${path} is damaged (${why}): nothing was restored; use another backup`);
}

/** A failure of the file system in one line; anything else stays what it is. */
export function notWritten(path: string, error: unknown): unknown {
  const { code, errcode, message } = error as NodeJS.ErrnoException & { errcode?: number };
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG" || errcode === 13)
    return new UserError(`no room to write ${path}: the disk is full; make room there or name another place`);
  if (code === "ENOENT" || code === "ENOTDIR")
    return new UserError(`${path} cannot be written: there is no such directory`);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "EISDIR")
    return new UserError(`${path} cannot be written (${message}): name another place`);
  return error;
}
