import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { parse } from "yaml";
import { addContext, pathToMerge, removeContext } from "./kubeconfig-file.ts";

const entry = (context: string) => ({
  context,
  server: "https://127.0.0.1:6443",
  certificateAuthority: "CA",
  clientCertificate: "CERT",
  clientKey: "KEY",
});

const foreign = `# my clusters
apiVersion: v1
kind: Config
current-context: work
clusters:
  - name: work # do not touch
    cluster: {server: https://work.example:6443}
users: [{name: me, user: {token: secret}}]
contexts:
- name: work
  context: {cluster: work, user: me, namespace: team}
preferences: {}
`;

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test("a file that is not there is made with mode 0600 and goes again with its only context", (t) => {
  const path = join(directory(t), "new", "config");
  const change = addContext(path, entry("gatehouse"));
  assert.deepEqual(change, { path, created: true, directoryCreated: true });
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const written = parse(readFileSync(path, "utf8"));
  assert.equal(written["current-context"], "gatehouse");
  assert.equal(written.clusters[0].cluster["certificate-authority-data"], Buffer.from("CA").toString("base64"));
  assert.deepEqual(written.contexts, [{ name: "gatehouse", context: { cluster: "gatehouse", user: "gatehouse" } }]);
  removeContext(change, "gatehouse");
  assert.equal(existsSync(dirname(path)), false);
});

test("other entries, comments and fields stay, and the former context is current again afterwards", (t) => {
  const path = join(directory(t), "config");
  writeFileSync(path, foreign, { mode: 0o644 });
  const change = addContext(path, entry("gatehouse"));
  assert.equal(change.previousContext, "work");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const during = readFileSync(path, "utf8");
  assert.match(during, /# my clusters/);
  assert.match(during, /# do not touch/);
  assert.equal(parse(during).contexts.length, 2);
  removeContext(change, "gatehouse");
  assert.deepEqual(parse(readFileSync(path, "utf8")), parse(foreign));
});

test("adding twice leaves one entry; a user who switched contexts is not switched back", (t) => {
  const path = join(directory(t), "config");
  writeFileSync(path, foreign);
  const change = addContext(path, entry("gatehouse"));
  addContext(path, { ...entry("gatehouse"), server: "https://127.0.0.1:7443" });
  const written = parse(readFileSync(path, "utf8"));
  assert.equal(written.clusters.length, 2);
  assert.equal(written.clusters[1].cluster.server, "https://127.0.0.1:7443");
  writeFileSync(path, readFileSync(path, "utf8").replace("current-context: gatehouse", "current-context: work"));
  removeContext({ ...change, previousContext: "elsewhere" }, "gatehouse");
  assert.equal(parse(readFileSync(path, "utf8"))["current-context"], "work");
});

test("a previous context that is gone is not restored", (t) => {
  const path = join(directory(t), "config");
  const change = addContext(path, entry("gatehouse"));
  removeContext({ ...change, created: false, previousContext: "gone" }, "gatehouse");
  assert.equal(parse(readFileSync(path, "utf8"))["current-context"], "");
});

test("a link is followed, not replaced", (t) => {
  const where = directory(t);
  const real = join(where, "real");
  writeFileSync(real, foreign);
  symlinkSync(real, join(where, "config"));
  addContext(join(where, "config"), entry("gatehouse"));
  assert.match(readFileSync(real, "utf8"), /gatehouse/);
});

test("a damaged file is refused and left as it is", (t) => {
  const path = join(directory(t), "config");
  for (const text of ["a: [", "- just\n- a list\n"]) {
    writeFileSync(path, text);
    assert.throws(
      () => addContext(path, entry("gatehouse")),
      /kubeconfig .*config (cannot be read|is not a kubeconfig)/,
    );
    assert.equal(readFileSync(path, "utf8"), text);
    assert.equal(existsSync(`${path}.lock`), false);
  }
});

test("a lock left by a killed command of ours is taken away; one of a living process is not", async (t) => {
  const path = join(directory(t), "config");
  const dead = spawn(process.execPath, ["-e", ""]);
  await once(dead, "exit");
  writeFileSync(`${path}.lock`, `gatehouse ${dead.pid}`);
  addContext(path, entry("gatehouse"));
  assert.equal(existsSync(`${path}.lock`), false);
  writeFileSync(`${path}.lock`, `gatehouse ${process.ppid}`);
  assert.throws(() => addContext(path, entry("gatehouse")), /locked by another program/);
});

test("a lock that stays is reported with the remedy", (t) => {
  const path = join(directory(t), "config");
  mkdirSync(`${path}.lock`);
  assert.throws(() => addContext(path, entry("gatehouse")), /locked by another program: if none is running, remove/);
});

test("a link that waits at the temporary file's name leads the keys nowhere", (t) => {
  const path = join(directory(t), "config");
  const elsewhere = `${path}.elsewhere`;
  writeFileSync(elsewhere, "", { mode: 0o644 });
  symlinkSync(elsewhere, `${path}.${process.pid}.tmp`);
  addContext(path, entry("gatehouse"));
  assert.equal(readFileSync(elsewhere, "utf8"), "");
  assert.match(readFileSync(path, "utf8"), /client-key-data/);
});

test("a file that only clusters of ours are in goes with the last of them, in any order", (t) => {
  for (const order of [
    ["gatehouse", "gatehouse-second"],
    ["gatehouse-second", "gatehouse"],
  ]) {
    const path = join(directory(t), "config");
    const changes = new Map(["gatehouse", "gatehouse-second"].map((name) => [name, addContext(path, entry(name))]));
    for (const name of order) removeContext(changes.get(name) ?? { path, created: false }, name);
    assert.equal(existsSync(path), false, order.join());
  }
});

test("of several kubeconfig files the first that exists is written, and the last when there is none", (t) => {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-test-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const [first = "", second = "", third = ""] = ["a", "b", "c"].map((name) => join(directory, name));
  assert.equal(pathToMerge([first]), first);
  assert.equal(pathToMerge([first, second, third]), third);
  writeFileSync(second, "");
  assert.equal(pathToMerge([first, second, third]), second);
});
