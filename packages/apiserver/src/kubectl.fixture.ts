// The real kubectl against a test server: its files in a directory of its own, its input from objects.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { TestServer } from "./testing.ts";

/** Why there is no kubectl to test with, or false. */
export function kubectlSkip(): string | false {
  try {
    execFileSync("kubectl", ["version", "--client"], { stdio: "ignore" });
    return false;
  } catch {
    return "kubectl is not installed";
  }
}

export interface Kubectl {
  /** Runs kubectl with `objects` as its standard input. */
  run(args: string[], ...objects: object[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** The same, and fails unless kubectl succeeds; returns what it printed, trimmed. */
  succeeds(args: string[], ...objects: object[]): Promise<string>;
  /** For a kubectl of one's own making. */
  environment: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

/** kubectl as the administrator of `server`, which listens (`tls: true`). */
export async function kubectlFor(server: TestServer): Promise<Kubectl> {
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-kubectl-"));
  const kubeconfig = join(directory, "kubeconfig");
  const cluster = { server: server.url, "certificate-authority-data": Buffer.from(server.ca).toString("base64") };
  await writeFile(
    kubeconfig,
    stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "test", cluster }],
      users: [{ name: "test", user: { token: server.token } }],
      contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
      "current-context": "test",
    }),
  );
  const env = { ...process.env, HOME: directory, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(directory, "cache") };
  const run: Kubectl["run"] = (args, ...objects) =>
    new Promise((resolve) => {
      const child = execFile("kubectl", args, { env }, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
      });
      child.stdin?.end(objects.map((object) => stringify(object)).join("---\n"));
    });
  return {
    run,
    environment: env,
    succeeds: async (args, ...objects) => {
      const { code, stdout, stderr } = await run(args, ...objects);
      assert.equal(code, 0, `kubectl ${args.join(" ")}: ${stderr}`);
      return stdout.trim();
    },
    close: () => rm(directory, { recursive: true }),
  };
}
