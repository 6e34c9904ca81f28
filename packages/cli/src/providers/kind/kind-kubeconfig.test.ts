import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { parse } from "yaml";
import { addContext } from "../../kubeconfig-file.ts";
import { kubeconfigBefore, withContextRemoved } from "./kind-kubeconfig.ts";

/** KUBECONFIG is this path for the time of the test. */
function kubeconfigAt(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-kubeconfig-"));
  const before = process.env.KUBECONFIG;
  const path = join(directory, "kube/config");
  process.env.KUBECONFIG = path;
  t.after(() => {
    if (before === undefined) delete process.env.KUBECONFIG;
    else process.env.KUBECONFIG = before;
    rmSync(directory, { recursive: true });
  });
  return path;
}

const asKindWrites = (path: string): void => {
  addContext(path, {
    context: "kind-x",
    server: "https://x",
    certificateAuthority: "",
    clientCertificate: "",
    clientKey: "",
  });
};
/** kind makes the directory for its lock, whatever is there. */
const asKindRemoves = (path: string) => async (): Promise<void> => void mkdirSync(dirname(path), { recursive: true });

test("a file that was not there goes again, with its directory", async (t) => {
  const path = kubeconfigAt(t);
  const change = kubeconfigBefore("kind-x");
  assert.deepEqual(change, { path, created: true, directoryCreated: true });
  asKindWrites(path);
  await withContextRemoved(change, "kind-x", asKindRemoves(path));
  assert.equal(existsSync(dirname(path)), false);
});

test("a file of the user's stays, and his context is current again", async (t) => {
  const path = kubeconfigAt(t);
  mkdirSync(dirname(path));
  const contexts = [{ name: "mine", context: { cluster: "mine", user: "mine" } }];
  writeFileSync(path, JSON.stringify({ apiVersion: "v1", kind: "Config", contexts, "current-context": "mine" }));
  const change = kubeconfigBefore("kind-x");
  assert.deepEqual(change, { path, created: false, previousContext: "mine" });
  asKindWrites(path);
  await withContextRemoved(change, "kind-x", asKindRemoves(path));
  const after = parse(readFileSync(path, "utf8")) as { contexts: unknown; "current-context": string };
  assert.deepEqual([after.contexts, after["current-context"]], [contexts, "mine"]);
});

test("what cannot be read is kind's to complain about; what was never written is no failure", async (t) => {
  const path = kubeconfigAt(t);
  mkdirSync(dirname(path));
  writeFileSync(path, "{{{");
  assert.deepEqual(kubeconfigBefore("kind-x"), { path, created: false });
  rmSync(path);
  let removed = false;
  await withContextRemoved({ path, created: true }, "kind-x", async () => void (removed = true));
  await withContextRemoved(undefined, "kind-x", async () => {});
  assert.ok(removed);
});
