// What the server acknowledged is there after a kill -9 in the middle of writes.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, it } from "node:test";
import { Store } from "./storage/store.ts";

const directory = mkdtempSync(join(tmpdir(), "gatehouse-durability-"));
after(() => rmSync(directory, { recursive: true, force: true }));

/** Creates ConfigMaps through the API as fast as it can and prints the name of each once it is acknowledged. */
const writer = `
  import { startTestServer } from ${JSON.stringify(new URL("testing.ts", import.meta.url).href)};
  import { configMaps } from "@gatehouse/apimachinery/types/core-v1";
  const cluster = await startTestServer({ statePath: process.argv[1] });
  const client = await cluster.client();
  const worker = async (id) => {
    for (let index = 0; ; index++) {
      const name = "c" + id + "-" + index;
      await client.create(configMaps, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default" } });
      process.stdout.write(name + "\\n");
    }
  };
  await Promise.all([0, 1, 2, 3].map(worker));
`;

it("loses no acknowledged write to kill -9", async () => {
  const path = join(directory, "state.db");
  const child = spawn(process.execPath, ["--input-type=module", "-e", writer, path], {
    cwd: import.meta.dirname,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const acknowledged: string[] = [];
  for await (const name of createInterface({ input: child.stdout })) {
    acknowledged.push(name);
    if (acknowledged.length === 200) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  assert.equal(child.signalCode, "SIGKILL");
  const store = new Store(path);
  const stored = new Set([...store.scan("/configmaps", "default/")].map(([key]) => key.slice("default/".length)));
  assert.deepEqual(
    acknowledged.filter((name) => !stored.has(name)),
    [],
  );
  assert.ok(acknowledged.length >= 200);
  store.close();
});
