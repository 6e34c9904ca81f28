// The store's memory on disk: an append-only log of every write in SQLite, replayed at start and compacted as it grows.
// One row per write; a row that a later one replaces is removed once it is no longer part of the recent history.

import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";

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
}

/** Replaced rows kept so that watches can resume across a restart; twice as many trigger a compaction. */
const keptHistory = 512;
const formatVersion = 1;

/** The log file. Every method is synchronous; `append` returns once its rows are on disk. */
export class StoreLog {
  /** Writes at or below this revision may be missing from the log. */
  compacted = 0;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  #superseded: Superseded[] = [];

  /** Opens or creates the file (mode 0600). Throws an Error with one clear sentence when it cannot be used. */
  constructor(path: string) {
    try {
      if (path !== ":memory:") closeSync(openSync(path, "a", 0o600));
      this.#database = new DatabaseSync(path);
      this.#prepare();
      this.#insert = this.#database.prepare("INSERT INTO log (revision, resource, key, object) VALUES (?, ?, ?, ?)");
    } catch (error) {
      throw unusable(path, error);
    }
  }

  /** Every row, oldest first. Throws as the constructor does when the file is damaged. */
  *replay(path: string): Generator<LogRow> {
    const statement = this.#database.prepare(
      "SELECT revision, resource, key, object AS json FROM log ORDER BY revision",
    );
    try {
      for (const row of statement.iterate()) yield row as unknown as LogRow;
    } catch (error) {
      throw unusable(path, error);
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

  /** Notes that the write at revision `at` replaced (or deleted) what row `row` holds. */
  supersede(at: number, row: number): void {
    this.#superseded.push({ at, row });
  }

  close(): void {
    if (this.#superseded.length > keptHistory) {
      this.#transaction(() => this.#compact(this.#superseded.at(-keptHistory - 1)?.at ?? 0));
    }
    this.#database.close();
  }

  #prepare(): void {
    const database = this.#database;
    // EXCLUSIVE: a second server on the same file fails at once instead of corrupting our view of it.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    database.exec(`
      CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS log (revision INTEGER PRIMARY KEY, resource TEXT NOT NULL, key TEXT NOT NULL, object TEXT);
      INSERT OR IGNORE INTO meta VALUES ('format', ${formatVersion}), ('compacted', 0);
    `);
    const format = this.#meta("format");
    if (format !== formatVersion) throw new Error(`its format is ${format}, this version reads ${formatVersion}`);
    this.compacted = this.#meta("compacted");
  }

  #meta(name: string): number {
    const row = this.#database.prepare("SELECT value FROM meta WHERE name = ?").get(name) as { value: number };
    return row.value;
  }

  #add(row: LogRow): void {
    this.#insert.run(row.revision, row.resource, row.key, row.json);
  }

  #compactionPoint(): number | undefined {
    if (this.#superseded.length < 2 * keptHistory) return undefined;
    return this.#superseded.at(-keptHistory - 1)?.at;
  }

  #compact(revision: number): void {
    const statement = this.#database.prepare("DELETE FROM log WHERE revision = ?");
    for (const { at, row } of this.#superseded) if (at <= revision) statement.run(row);
    this.#database.prepare("UPDATE meta SET value = ? WHERE name = 'compacted'").run(revision);
  }

  #compactedTo(revision: number): void {
    this.#superseded = this.#superseded.filter(({ at }) => at > revision);
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

function unusable(path: string, error: unknown): Error {
  const why = error instanceof Error ? error.message : String(error);
  if (/locked|busy/i.test(why))
    return new Error(`cluster state ${path} is in use by another process`, { cause: error });
  return new Error(`cluster state ${path} cannot be used: ${why}`, { cause: error });
}
