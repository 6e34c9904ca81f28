// The store: revisions, group commit, history, and what survives a restart.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { Store } from "./store.ts";

const directory = mkdtempSync(join(tmpdir(), "gatehouse-store-"));
after(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;
const newPath = (): string => join(directory, `state-${files++}.db`);
const object = (name: string, value = ""): KubeObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  value,
});
const names = (store: Store, prefix = "", after = "", revision?: number): string[] =>
  [...store.scan("/configmaps", prefix, after, revision)].map(([key]) => key);

describe("writes", () => {
  it("give increasing revisions and are told to listeners after the commit, in order", async () => {
    const store = new Store(":memory:");
    const heard: string[] = [];
    store.subscribe("/configmaps", ({ type, revision, key }) => heard.push(`${type} ${key} ${revision}`));
    store.write("/configmaps", "a", object("a"));
    store.write("/configmaps", "a", object("a", "2"));
    store.remove("/configmaps", "a");
    store.write("/secrets", "s", object("s"));
    assert.deepEqual(heard, [], "nobody hears of what is not on disk");
    assert.equal(store.committedRevision, 0);
    await store.committed();
    assert.deepEqual(heard, ["ADDED a 1", "MODIFIED a 2", "DELETED a 3"]);
    assert.equal(store.committedRevision, 4);
    store.close();
  });

  it("of one turn are one transaction", async () => {
    const store = new Store(newPath());
    const commits: Promise<void>[] = [];
    for (let index = 0; index < 50; index++) {
      store.write("/configmaps", `c${index}`, object(`c${index}`));
      commits.push(store.committed());
    }
    assert.equal(new Set(commits).size, 1);
    await Promise.all(commits);
    store.write("/configmaps", "later", object("later"));
    assert.notEqual(store.committed(), commits[0]);
    store.close();
  });

  it("of large objects leave no long history behind, in memory or on disk", async () => {
    const path = newPath();
    let store = new Store(path);
    const mebibyte = 1024 * 1024;
    for (let revision = 1; revision <= 64; revision++) {
      store.write("/configmaps", "big", object("big", "x".repeat(mebibyte)));
      await store.committed();
    }
    const isShort = (): void => {
      assert.throws(
        () => store.changesSince("/configmaps", 8),
        (error) => hasReason(error, "Expired"),
      );
      assert.equal(store.changesSince("/configmaps", 60).length, 4);
    };
    isShort();
    store.close();
    const { size } = statSync(path);
    assert.ok(size < 48 * mebibyte, `the file has ${size} bytes`);
    store = new Store(path);
    isShort();
    assert.equal(JSON.stringify(store.get("/configmaps", "big")?.["value"]).length, mebibyte + 2);
    store.close();
  });

  it("that cannot be kept are taken back and refused", async () => {
    const store = new Store(":memory:");
    store.write("/configmaps", "a", object("a", "old"));
    await store.committed();
    let heard = 0;
    store.subscribe("/configmaps", () => heard++);
    store.write("/configmaps", "a", object("a", "new"));
    store.write("/configmaps", "b", object("b"));
    store.remove("/configmaps", "a");
    store.write("/configmaps", "bad", { ...object("bad"), unstorable: 1n });
    await assert.rejects(store.committed(), (error) => hasReason(error, "InternalError"));
    await store.settled();
    assert.equal(heard, 0);
    assert.deepEqual(names(store), ["a"]);
    assert.equal(store.get("/configmaps", "a")?.value, "old");
    store.write("/configmaps", "c", object("c"));
    await store.committed();
    assert.equal(heard, 1, "the store goes on");
    store.close();
  });

  it("are refused after the end", () => {
    const store = new Store(":memory:");
    store.close();
    assert.throws(
      () => store.write("/configmaps", "a", object("a")),
      (error) => hasReason(error, "ServiceUnavailable"),
    );
  });
});

describe("reads", () => {
  it("scan a prefix in key order, and from a key on", async () => {
    const store = new Store(":memory:");
    for (const key of ["b/2", "a/1", "b-x/1", "b/1", "c/1"]) store.write("/configmaps", key, object(key));
    assert.deepEqual(names(store), ["a/1", "b-x/1", "b/1", "b/2", "c/1"]);
    assert.deepEqual(names(store, "b/"), ["b/1", "b/2"]);
    assert.deepEqual(names(store, "b/", "b/1"), ["b/2"]);
    assert.deepEqual(names(store, "d/"), []);
    await store.committed();
    store.close();
  });

  it("see the past as it was", async () => {
    const store = new Store(":memory:");
    store.write("/configmaps", "a", object("a", "1"));
    store.write("/configmaps", "b", object("b", "1"));
    await store.committed();
    const then = store.revision;
    store.write("/configmaps", "a", object("a", "2"));
    store.remove("/configmaps", "b");
    store.write("/configmaps", "c", object("c"));
    await store.committed();
    const past = [...store.scan("/configmaps", "", "", then)].map(([key, { value }]) => [key, value]);
    assert.deepEqual(past, [
      ["a", "1"],
      ["b", "1"],
    ]);
    assert.deepEqual(names(store), ["a", "c"]);
    store.close();
  });

  it("of changes that are no longer all known are refused as Expired", async () => {
    const store = new Store(":memory:");
    for (let index = 0; index < 5000; index++) store.write("/configmaps", "a", object("a", String(index)));
    store.write("/secrets", "s", object("s"));
    await store.committed();
    assert.throws(
      () => store.changesSince("/configmaps", 1),
      (error) => hasReason(error, "Expired"),
    );
    assert.equal(store.changesSince("/configmaps", 4990).length, 10);
    assert.equal(store.changesSince("/secrets", 1).length, 1, "a noisy resource expires nobody else's history");
    store.close();
  });
});

describe("a restart", () => {
  it("brings back objects, revision, and history to resume from", async () => {
    const path = newPath();
    const first = new Store(path);
    first.write("/configmaps", "a", object("a", "1"));
    first.write("/configmaps", "b", object("b"));
    await first.committed();
    const seen = first.revision;
    first.write("/configmaps", "a", object("a", "2"));
    first.remove("/configmaps", "b");
    await first.committed();
    first.close();

    const second = new Store(path);
    assert.equal(second.revision, 4);
    assert.deepEqual(names(second), ["a"]);
    const missed = second
      .changesSince("/configmaps", seen)
      .map(({ type, key, previous }) => [type, key, previous?.value]);
    assert.deepEqual(missed, [
      ["MODIFIED", "a", "1"],
      ["DELETED", "b", ""],
    ]);
    second.close();
  });

  it("after compaction keeps every object and refuses to resume from before it", async () => {
    const path = newPath();
    const first = new Store(path);
    first.write("/configmaps", "stays", object("stays"));
    for (let index = 0; index < 3000; index++) {
      first.write("/configmaps", "a", object("a", String(index)));
      if (index % 100 === 0) await first.committed();
    }
    first.write("/configmaps", "gone", object("gone"));
    first.remove("/configmaps", "gone");
    await first.committed();
    first.close();

    const second = new Store(path);
    assert.deepEqual(names(second), ["a", "stays"]);
    assert.equal(second.get("/configmaps", "a")?.value, "2999");
    assert.equal(second.revision, 3003);
    assert.throws(
      () => second.changesSince("/configmaps", 2),
      (error) => hasReason(error, "Expired"),
    );
    assert.ok(second.changesSince("/configmaps", 2900).length >= 100);
    second.close();
  });

  it("refuses a damaged file and a file in use, each in one sentence", () => {
    const damaged = newPath();
    writeFileSync(
      damaged,
      "this is no database, whatever its name says, and it is long enough to be read as one".repeat(50),
    );
    assert.throws(() => new Store(damaged), /cluster state .* is damaged .file is not a database.: restore a backup/);
    const used = newPath();
    const holder = new Store(used);
    assert.throws(() => new Store(used), /is in use by another process/);
    holder.close();
    new Store(used).close();
  });

  it("refuses a directory that is not there", () => {
    assert.throws(() => new Store(join(directory, "missing", "state.db")), /cannot be used/);
  });
});
