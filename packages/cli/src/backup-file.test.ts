import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { copyState, measureState } from "@gatehouse/apiserver/storage/state-copy";
import { Store } from "@gatehouse/apiserver/storage/store";
import { readBackup, writeBackup } from "./backup-file.ts";
import type { EmbeddedState } from "./providers/embedded/embedded-state.ts";
import { UserError } from "./user-error.ts";

const state: EmbeddedState = {
  provider: "embedded",
  name: "dev",
  context: "gatehouse-dev",
  createdAt: "2026-01-01T00:00:00Z",
  apiPort: 1234,
  portMappings: [{ containerPort: 80, hostPort: 8080 }],
  complete: true,
};
const pair = { certificate: "c", key: "k" };
const pki = { ca: "ca", server: pair, admin: pair, serviceAccountKey: "sa" };

async function backup(t: TestContext): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-backup-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const store = new Store(join(directory, "state.db"));
  for (let index = 0; index < 50; index++) {
    const metadata = { name: `c${index}`, namespace: "default" };
    const data = { value: "payload ".repeat(100) };
    store.write("/configmaps", `default/c${index}`, { apiVersion: "v1", kind: "ConfigMap", metadata, data });
  }
  store.remove("/configmaps", "default/c0");
  await store.committed();
  store.close();
  const path = join(directory, "x.backup");
  const content = { state, pki, node: "gatehouse-dev-control-plane" };
  writeBackup(path, copyState(join(directory, "state.db")), content, measureState);
  return path;
}

test("a backup is one file for its owner alone, and says what is in it", async (t) => {
  const path = await backup(t);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(new Set(readdirSync(join(path, ".."))), new Set(["state.db", "x.backup"]));
  const read = readBackup(path);
  const { createdAt: _, ...manifest } = read.manifest;
  const expected = { format: 1, gatehouse: "0.1.0", cluster: "dev", node: "gatehouse-dev-control-plane" };
  assert.deepEqual(manifest, { ...expected, revision: 51, objects: 49 });
  assert.deepEqual(read.state, state);
  assert.deepEqual(read.pki, pki);
});

function refuses(path: string, message: RegExp): void {
  assert.throws(
    () => readBackup(path),
    (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      assert.ok(error.message.includes(path) && !error.message.includes("\n"), error.message);
      return true;
    },
  );
}

test("what is no backup is refused", async (t) => {
  const path = await backup(t);
  refuses(`${path}.missing`, /no such file/);
  writeFileSync(path, "not a database, though long enough to be read as one ".repeat(40));
  refuses(path, /is not a backup: name a file that gatehouse backup wrote/);
  writeFileSync(path, "");
  refuses(path, /is not a backup/);
  refuses(join(path, "../state.db"), /is not a backup/);
});

test("a truncated one is refused", async (t) => {
  const path = await backup(t);
  truncateSync(path, Math.round(statSync(path).size / 2));
  refuses(path, /is damaged/);
});

test("one changed byte in an object is noticed", async (t) => {
  const path = await backup(t);
  const bytes = readFileSync(path);
  // SQLite leaves copies of moved rows in the unused parts of its pages.
  for (let at = bytes.indexOf("payload payload"); at >= 0; at = bytes.indexOf("payload payload", at + 1))
    bytes[at] = 0x50;
  writeFileSync(path, bytes);
  refuses(path, /is damaged \(its content does not match its checksum\)/);
});

test("one of a later version is refused by its version", async (t) => {
  const path = await backup(t);
  const database = new DatabaseSync(path);
  database.exec(
    "UPDATE backup SET value = json_set(value, '$.format', 9, '$.gatehouse', '4.0.0') WHERE name = 'manifest'",
  );
  database.close();
  refuses(path, /was made by a newer gatehouse \(4\.0\.0\): restore it with that version/);
});

test("without room nothing is left behind, and the file that was there stays", async (t) => {
  const path = await backup(t);
  const disk = join(path, "../disk");
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", disk], { stdio: "ignore" });
  } catch {
    return t.skip("no right to mount a small file system");
  }
  try {
    refusesWithoutRoom(path, join(disk, "x.backup"));
    assert.deepEqual(readdirSync(disk), ["x.backup"]);
  } finally {
    execFileSync("umount", ["-l", disk]);
  }
});

function refusesWithoutRoom(path: string, target: string): void {
  writeFileSync(target, "before");
  const write = () =>
    writeBackup(target, copyState(join(path, "../state.db")), { state, pki, node: "n" }, measureState);
  assert.throws(write, (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.match(error.message, /^no room to write .*x\.backup: the disk is full/);
    return true;
  });
  assert.equal(readFileSync(target, "utf8"), "before");
}
