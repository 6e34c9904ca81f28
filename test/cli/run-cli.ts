// Runs the command line as a process of its own against a test API server, the way a user does.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestServer, type TestServer } from "@gatehouse/apiserver/testing";

export interface CliResult {
  stdout: string;
  stderr: string;
  /** Null when a signal ended it. */
  code: number | null;
}

export interface RunningCli {
  /** Resolves with all of stdout so far once it matches; rejects when the process ends without. */
  until(pattern: RegExp): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  closeStdout(): void;
  readonly done: Promise<CliResult>;
}

export interface CliCluster extends TestServer {
  directory: string;
  kubeconfig: string;
  start(args: string[], stdin?: string): RunningCli;
  run(args: string[], stdin?: string): Promise<CliResult>;
}

const main = new URL("../../packages/cli/src/main.ts", import.meta.url).pathname;

/** An API server on a free port, with a kubeconfig whose current context leads to it. */
export async function startCliCluster(options: Parameters<typeof startTestServer>[0] = {}): Promise<CliCluster> {
  const server = await startTestServer({ ...options, tls: true });
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-cli-"));
  const kubeconfig = join(directory, "kubeconfig");
  const certificateAuthority = Buffer.from(server.ca).toString("base64");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: server.url, "certificate-authority-data": certificateAuthority } }],
    users: [{ name: "u", user: { token: server.token } }],
    contexts: [{ name: "gatehouse", context: { cluster: "c", user: "u" } }],
    "current-context": "gatehouse",
  };
  await writeFile(kubeconfig, JSON.stringify(config));
  const start = (args: string[], stdin = ""): RunningCli => startCli(args, { KUBECONFIG: kubeconfig }, stdin);
  return {
    ...server,
    directory,
    kubeconfig,
    start,
    run: (args, stdin) => start(args, stdin).done,
    close: async () => {
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function startCli(args: string[], environment: NodeJS.ProcessEnv, stdin = ""): RunningCli {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", main, ...args], {
    env: { PATH: process.env.PATH, ...environment },
  });
  let stdout = "";
  let stderr = "";
  let notify = (): void => {};
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    notify();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.end(stdin);
  let ended = false;
  const done = new Promise<CliResult>((resolve) => {
    child.on("close", (code) => {
      ended = true;
      notify();
      resolve({ stdout, stderr, code });
    });
  });
  return {
    done,
    signal: (signal) => void child.kill(signal),
    closeStdout: () => child.stdout.destroy(),
    until: async (pattern) => {
      while (!pattern.test(stdout)) {
        if (ended) throw new Error(`ended without ${pattern}: ${stdout}${stderr}`);
        await new Promise<void>((resolve) => (notify = resolve));
      }
      return stdout;
    },
  };
}
