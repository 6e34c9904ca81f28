// The store's memory on disk: an append-only log of every write in SQLite, replayed at start and compacted as it grows.
// One row per write; a row that a later one replaces is removed once it is no longer part of the recent history.

import { closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { damaged, tooNew, unusable } from "./state-error.ts";
import { walDamage } from "./wal-check.ts";

/** One write. `json` is the whole object, or null for a deletion. */
export interface LogRow {
  revision: number;
  /** `group/plural`. */
  resource: string;
  /** `namespace/name` or `name`. */
  key: string;
  json: string | null;
}

interface Superseded {
  at: number;
  row: number;
  /** Length of what the row holds. */
  size: number;
}

/** Replaced rows kept so that watches can resume across a restart, by number and by size; twice as many trigger a compaction. */
const keptHistory = 512;
const keptBytes = 16 * 1024 * 1024;
const formatVersion = 1;

/** The log file. Every method is synchronous; `append` returns once its rows are on disk. */
export class StoreLog {
  /** Writes at or below this revision may be missing from the log. */
  compacted = 0;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #path: string;
  #superseded: Superseded[] = [];
  #supersededBytes = 0;

  /** Opens or creates the file (mode 0600). Throws an Error with one clear sentence when it cannot be used. */
  constructor(path: string) {
    this.#path = path;
    // Before SQLite opens it: closing would fold what is left of a damaged log into the database and remove it.
    const damage = walDamage(`${path}-wal`);
    if (damage) throw damaged(path, damage);
    const afterCrash = existsSync(`${path}-wal`);
    try {
      if (path !== ":memory:") closeSync(openSync(path, "a", 0o600));
      this.#database = new DatabaseSync(path);
    } catch (error) {
      throw unusable(path, error);
    }
    try {
      this.#prepare(afterCrash);
      this.#insert = this.#database.prepare("INSERT INTO log (revision, resource, key, object) VALUES (?, ?, ?, ?)");
    } catch (error) {
      this.#database.close();
      throw "errcode" in (error as Error) ? unusable(path, error) : error;
    }
  }

  /** Every row, oldest first. Throws as the constructor does when the file is damaged. */
  *replay(): Generator<LogRow> {
    const statement = this.#database.prepare(
      "SELECT revision, resource, key, object AS json FROM log ORDER BY revision",
    );
    try {
      for (const row of statement.iterate()) yield row as unknown as LogRow;
    } catch (error) {
      throw "errcode" in (error as Error) ? unusable(this.#path, error) : error;
    }
  }

  /** Writes rows in one transaction. Throws when they did not reach the disk; then none of them is kept. */
  append(rows: LogRow[]): void {
    const compactTo = this.#compactionPoint();
    if (rows.length === 1 && compactTo === undefined) return this.#add(rows[0] as LogRow);
    this.#transaction(() => {
      for (const row of rows) this.#add(row);
      if (compactTo !== undefined) this.#compact(compactTo);
    });
    if (compactTo !== undefined) this.#compactedTo(compactTo);
  }

  /** Notes that the write at revision `at` replaced (or deleted) what row `row` holds: `size` bytes of it. */
  supersede(at: number, row: number, size: number): void {
    this.#superseded.push({ at, row, size });
    this.#supersededBytes += size;
  }

  /** The whole log as it is now, as a database file's bytes. Throws when there is no room beside the file to write it. */
  copy(): Buffer {
    const target = `${this.#path === ":memory:" ? join(tmpdir(), `gatehouse-state-${process.pid}`) : this.#path}.copy`;
    try {
      rmSync(target, { force: true });
      // VACUUM INTO takes an empty file; one it made itself would be readable by others.
      closeSync(openSync(target, "wx", 0o600));
      this.#database.prepare("VACUUM INTO ?").run(target);
      return readFileSync(target);
    } finally {
      rmSync(target, { force: true });
    }
  }

  /** Nobody can resume from before `revision` any more. */
  forgetBefore(revision: number): void {
    this.#transaction(() => this.#compact(revision));
    this.#compactedTo(revision);
  }

  close(): void {
    try {
      const point = this.#firstKept();
      if (point > 0) this.#transaction(() => this.#compact(this.#superseded[point - 1]?.at ?? 0));
    } catch {
      // Housekeeping, which the next start does as well: a full disk must not keep the file from being closed.
    }
    this.#database.close();
  }

  #prepare(afterCrash: boolean): void {
    const database = this.#database;
    // EXCLUSIVE: a second server on the same file fails at once instead of corrupting our view of it. FULL: a commit is
    // synced to the disk before it returns (fullfsync: macOS otherwise leaves it in the drive's own cache).
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA fullfsync = ON; PRAGMA synchronous = FULL;");
    this.#check();
    database.exec(`
      PRAGMA journal_mode = WAL;
      CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS log (revision INTEGER PRIMARY KEY, resource TEXT NOT NULL, key TEXT NOT NULL, object TEXT);
      INSERT OR IGNORE INTO meta VALUES ('format', ${formatVersion}), ('compacted', 0);
    `);
    // After a crash SQLite's own log begins anew, so that its torn end is never taken for damage later (wal-check.ts).
    if (afterCrash) database.exec("PRAGMA wal_checkpoint(TRUNCATE);");
    this.compacted = this.#meta("compacted");
  }

  /** Throws when the file is damaged or of a newer version; nothing has been changed then. */
  #check(): void {
    const [verdict] = this.#database.prepare("PRAGMA quick_check(1)").all() as { quick_check: string }[];
    if (verdict?.quick_check !== "ok") throw damaged(this.#path, verdict?.quick_check ?? "it cannot be checked");
    if (this.#database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'meta'").all().length === 0) return;
    const format = this.#meta("format");
    if (format > formatVersion) throw tooNew(this.#path, format, formatVersion);
  }

  #meta(name: string): number {
    const row = this.#database.prepare("SELECT value FROM meta WHERE name = ?").get(name) as { value: number };
    return row.value;
  }

  #add(row: LogRow): void {
    this.#insert.run(row.revision, row.resource, row.key, row.json);
  }

  #compactionPoint(): number | undefined {
    if (this.#superseded.length < 2 * keptHistory && this.#supersededBytes < 2 * keptBytes) return undefined;
    return this.#superseded[this.#firstKept() - 1]?.at;
  }

  /** Index of the oldest replaced row that is worth keeping. */
  #firstKept(): number {
    let first = Math.max(0, this.#superseded.length - keptHistory);
    let bytes = this.#superseded.slice(first).reduce((sum, { size }) => sum + size, 0);
    while (bytes > keptBytes) bytes -= this.#superseded[first++]?.size ?? bytes;
    return first;
  }

  #compact(revision: number): void {
    const statement = this.#database.prepare("DELETE FROM log WHERE revision = ?");
    for (const { at, row } of this.#superseded) if (at <= revision) statement.run(row);
    this.#database.prepare("UPDATE meta SET value = ? WHERE name = 'compacted'").run(revision);
  }

  #compactedTo(revision: number): void {
    this.#superseded = this.#superseded.filter(({ at }) => at > revision);
    this.#supersededBytes = this.#superseded.reduce((sum, { size }) => sum + size, 0);
    this.compacted = revision;
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
