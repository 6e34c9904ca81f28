// The cluster under test, for every suite that reads like the seed's document: an embedded one of its own by default, or
// the one that GATEHOUSE_TEST_CONTEXT (with KUBECONFIG) and GATEHOUSE_TEST_ENTRY=host:port name, e.g. a kind cluster. When
// gatehouse installed the demo there, GATEHOUSE_TEST_FLAGS are the flags that choose it (`--cluster kind`, or empty).

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export interface TestCluster {
  /** A provider of this name, or `embedded`. */
  provider: "embedded" | "external";
  /** With which `gatehouse status` means this cluster; undefined: it was not installed by gatehouse, as far as is known. */
  flags: string[] | undefined;
  context: string;
  home: string;
  environment: NodeJS.ProcessEnv;
  entry: { host: string; port: number };
  gatehouse(...args: string[]): Promise<RunResult>;
  kubectl(...args: string[]): Promise<RunResult>;
  /** One request through the node's port 80, on a connection of its own. */
  get(url: string, headers?: Record<string, string>, method?: string): Promise<HttpAnswer>;
  remove(): Promise<void>;
}

/** Runs a program to its end. Rejects only when it cannot be started. */
export function run(program: string, args: string[], environment: NodeJS.ProcessEnv, input = ""): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, env: environment, stdio: ["pipe", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
    // A program that ends without reading its input is no failure of ours.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** A HOME of its own: nothing of the user's is read or written. */
export function temporaryHome(): { home: string; environment: NodeJS.ProcessEnv } {
  const home = mkdtempSync(join(tmpdir(), "gatehouse-test-"));
  const { KUBECONFIG: _1, GATEHOUSE_HOME: _2, NODE_OPTIONS: _3, ...inherited } = process.env;
  return { home, environment: { ...inherited, HOME: home, NO_COLOR: "1" } };
}

export const gatehouseProgram = join(root, "bin/gatehouse");

/** Brings a cluster with the demo up (or takes the one the environment names). */
export async function startTestCluster(...upArguments: string[]): Promise<TestCluster> {
  const { home, environment } = temporaryHome();
  const external = process.env.GATEHOUSE_TEST_CONTEXT;
  if (external) return externalCluster(external, home, environment);
  const gatehouse = (...args: string[]) => run(gatehouseProgram, args, environment);
  const up = await gatehouse(
    "up",
    "--http-port",
    "0",
    "--https-port",
    "0",
    "--hosts",
    "no",
    "-o",
    "json",
    ...upArguments,
  );
  if (up.code !== 0) {
    await gatehouse("down");
    rmSync(home, { recursive: true, force: true });
    throw new Error(`gatehouse up failed (${up.code}): ${up.stderr}${up.stdout}`);
  }
  const summary = JSON.parse(up.stdout) as { context: string; ports: { containerPort: number; hostPort: number }[] };
  const port = summary.ports.find((mapping) => mapping.containerPort === 80)?.hostPort ?? 0;
  const name = upArguments[upArguments.indexOf("--name") + 1];
  const named = upArguments.includes("--name") ? ["--name", name ?? ""] : [];
  return {
    ...clients({ host: "127.0.0.1", port }, summary.context, environment),
    provider: "embedded",
    flags: named,
    home,
    environment,
    gatehouse,
    remove: async () => {
      await gatehouse("down", ...named);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function externalCluster(context: string, home: string, environment: NodeJS.ProcessEnv): TestCluster {
  const [host = "127.0.0.1", port = "80"] = (process.env.GATEHOUSE_TEST_ENTRY ?? "").split(":");
  const { HOME = "", KUBECONFIG, GATEHOUSE_HOME, GATEHOUSE_TEST_FLAGS } = process.env;
  const withConfig = {
    ...environment,
    KUBECONFIG: KUBECONFIG ?? join(HOME, ".kube/config"),
    GATEHOUSE_HOME: GATEHOUSE_HOME ?? join(HOME, ".gatehouse"),
  };
  return {
    ...clients({ host, port: Number(port) }, context, withConfig),
    provider: "external",
    flags: GATEHOUSE_TEST_FLAGS?.split(" ").filter((flag) => flag !== ""),
    home,
    environment: withConfig,
    gatehouse: (...args) => run(gatehouseProgram, args, withConfig),
    remove: async () => rmSync(home, { recursive: true, force: true }),
  };
}

function clients(entry: { host: string; port: number }, context: string, environment: NodeJS.ProcessEnv) {
  return {
    entry,
    context,
    kubectl: (...args: string[]) => run("kubectl", ["--context", context, ...args], environment),
    get: (url: string, headers: Record<string, string> = {}, method = "GET") =>
      httpRequest(entry, new URL(url), headers, method),
  };
}

function httpRequest(
  entry: { host: string; port: number },
  url: URL,
  headers: Record<string, string>,
  method: string,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        ...entry,
        method,
        path: url.pathname + url.search,
        headers: { host: url.host, ...headers },
        agent: false,
        timeout: 10_000,
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => (body += text));
        response.once("error", reject);
        response.once("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    outgoing.once("timeout", () => outgoing.destroy(new Error("no answer within 10 s")));
    outgoing.once("error", reject);
    outgoing.end();
  });
}

/** Where a program of PATH is. */
export function findProgram(name: string): string | undefined {
  const places = (process.env.PATH ?? "").split(delimiter).map((directory) => join(directory, name));
  return places.find((path) => existsSync(path));
}

/** A reason to skip, or false when the program is there. */
export function missing(program: string): string | false {
  return findProgram(program) ? false : `${program} is not installed`;
}

/** The process of a pod, found by the name it shows in `ps`. */
export async function pidOfPod(name: string): Promise<number> {
  const rows =
    process.platform === "linux"
      ? readdirSync("/proc")
          .filter((entry) => /^\d+$/.test(entry))
          .map((pid) => `${pid} ${commandOf(pid)}`)
      : (await run("ps", ["-axo", "pid=,args="], process.env)).stdout.split("\n");
  const row = rows.find((candidate) => candidate.includes(name));
  if (!row) throw new Error(`no process shows the name of pod ${name}`);
  return Number.parseInt(row, 10);
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** The pod's name in an answer of whoami. */
export function podOf(answer: HttpAnswer): string {
  return /^Hostname: (.*)$/m.exec(answer.body)?.[1] ?? "";
}

/** Requests one after another until stopped, or the test ends; every answer that is not 200 and every failure is kept. */
export function continuousRequests(
  t: TestContext,
  cluster: TestCluster,
  url: string,
): { stop(): Promise<{ answered: number; failures: string[] }> } {
  const stopped = new AbortController();
  t.after(() => stopped.abort());
  let answered = 0;
  const failures: string[] = [];
  const work = (async () => {
    while (!stopped.signal.aborted) {
      try {
        const { status } = await cluster.get(url);
        answered++;
        if (status !== 200) failures.push(String(status));
      } catch (error) {
        failures.push(String(error));
      }
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      await work;
      return { answered, failures };
    },
  };
}

/** Ends a child and waits for it. */
export function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}
