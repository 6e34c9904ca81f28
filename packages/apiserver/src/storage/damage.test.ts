// A full disk and damaged files: said in one line, nothing lost in silence.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, it, test, type TestContext } from "node:test";
import { hasReason, StatusError } from "@gatehouse/apimachinery/status-error";
import { configMaps } from "@gatehouse/apimachinery/types/core-v1";
import { startTestServer } from "../testing.ts";
import { Store } from "./store.ts";

const directory = mkdtempSync(join(tmpdir(), "gatehouse-damage-"));
after(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;
const newPath = (): string => join(directory, `state-${files++}.db`);
const configMap = (name: string, value = "") => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "default" },
  data: { value },
});

/** A state with 200 objects, as a stop leaves it. */
async function filled(): Promise<string> {
  const path = newPath();
  const store = new Store(path);
  for (let index = 0; index < 200; index++)
    store.write("/configmaps", `default/c${index}`, configMap(`c${index}`, "x".repeat(500)));
  await store.committed();
  store.close();
  return path;
}

/** A state as a kill leaves it: 20 transactions in SQLite's own log, beside the database. */
async function killed(): Promise<string> {
  const path = newPath();
  const store = new Store(path);
  for (let index = 0; index < 20; index++) {
    store.write("/configmaps", `default/c${index}`, configMap(`c${index}`, "x".repeat(5000)));
    await store.committed();
  }
  const copy = newPath();
  for (const suffix of ["", "-wal"]) writeFileSync(copy + suffix, readFileSync(path + suffix));
  store.close();
  return copy;
}

function flip(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes[offset] = (bytes[offset] ?? 0) ^ 0xff;
  writeFileSync(path, bytes);
}

const remedy =
  /is damaged \(.+\): restore a backup with gatehouse restore FILE --force, or begin anew with gatehouse down/;

describe("a damaged state is refused with the file's name and the way out", () => {
  it("a database that was cut off", async () => {
    const path = await filled();
    truncateSync(path, statSync(path).size - 3 * 4096);
    assert.throws(() => new Store(path), remedy);
  });

  it("a page of zeros", async () => {
    const path = await filled();
    const bytes = readFileSync(path);
    bytes.fill(0, 5 * 4096, 6 * 4096);
    writeFileSync(path, bytes);
    assert.throws(() => new Store(path), remedy);
  });

  it("an object that is no JSON any more", async () => {
    const path = await filled();
    const database = new DatabaseSync(path);
    database.exec("UPDATE log SET object = '{' WHERE revision = 7");
    database.close();
    assert.throws(() => new Store(path), remedy);
  });

  it("a broken part in the middle of SQLite's own log, again and again, and nothing is removed", async () => {
    const path = await killed();
    const { size } = statSync(`${path}-wal`);
    flip(`${path}-wal`, Math.round(size / 2));
    for (let attempt = 0; attempt < 2; attempt++) assert.throws(() => new Store(path), remedy);
    assert.equal(statSync(`${path}-wal`).size, size);
  });

  it("but not its torn end, which is what a power failure leaves", async () => {
    const path = await killed();
    const whole = new DatabaseSync(path).prepare("SELECT count(*) AS n FROM log").all() as { n: number }[];
    assert.equal(whole[0]?.n, 20);
    const torn = await killed();
    flip(`${torn}-wal`, statSync(`${torn}-wal`).size - 100);
    const store = new Store(torn);
    assert.equal(store.count("/configmaps"), 19);
    store.close();
  });

  it("a state of a later version, which is left as it is", async () => {
    const path = await filled();
    const database = new DatabaseSync(path);
    database.exec("UPDATE meta SET value = 7 WHERE name = 'format'");
    database.close();
    const before = readFileSync(path);
    assert.throws(() => new Store(path), /was written by a newer Gatehouse \(format 7, this one reads 1\)/);
    assert.ok(before.equals(readFileSync(path)));
  });
});

/** A file system of 1 MiB, or undefined after a skip. */
function smallDisk(t: TestContext): string | undefined {
  const mount = join(directory, "disk");
  mkdirSync(mount);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", mount], { stdio: "ignore" });
  } catch {
    t.skip("no right to mount a small file system");
    return undefined;
  }
  t.after(() => execFileSync("umount", ["-l", mount]));
  return mount;
}

test("a full disk: writes are refused, reads go on, and writes too once there is room", async (t) => {
  const mount = smallDisk(t);
  if (mount === undefined) return;
  const statePath = join(mount, "state.db");
  const cluster = await startTestServer({ statePath });
  t.after(() => cluster.close());
  const client = await cluster.client();
  await client.create(configMaps, configMap("kept"));
  writeFileSync(join(mount, "ballast"), Buffer.alloc(256 * 1024));
  let stored = 0;
  const fill = async (): Promise<void> => {
    for (; stored < 1000; stored++) await client.create(configMaps, configMap(`c${stored}`, "x".repeat(10_000)));
  };
  await assert.rejects(fill(), (error) => {
    assert.ok(error instanceof StatusError && hasReason(error, "InsufficientStorage"), String(error));
    assert.equal(error.code, 507);
    assert.match(error.message, /the write was not stored: the disk is full: make room where .*state\.db is/);
    return true;
  });
  const { items } = await client.list(configMaps, { namespace: "default" });
  assert.equal(
    items.filter(({ metadata }) => /^c\d/.test(metadata.name)).length,
    stored,
    "what was refused is not there",
  );
  assert.equal((await client.get(configMaps, "kept", "default")).metadata.name, "kept");
  rmSync(join(mount, "ballast"));
  await client.create(configMaps, configMap("later"));
});
