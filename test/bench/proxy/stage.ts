// What every part of the bench shares: a temporary directory, the two cores, and the processes, all of which are ended by
// their pid whatever happens to the bench.

import { execFileSync, spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Lists as `taskset -c` takes them. */
export interface Cores {
  proxy: string;
  /** For two workers; on a machine with two cores, one of them is the load's. */
  proxies: string;
  load: string;
}

export interface Started {
  pid: number;
  /** Resolves with the exit code; rejects never. */
  ended: Promise<number>;
  /** Everything it printed so far. */
  output(): string;
}

export interface StartOptions {
  cores: string;
  /** File that takes what it writes to standard output, appended. */
  stdout?: string;
  environment?: NodeJS.ProcessEnv;
}

/** Addresses that proxies listen on and clients spread over, so that no client runs out of ports. All are loopback. */
export const addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"];

export class Stage {
  readonly directory = mkdtempSync(join(tmpdir(), "gatehouse-bench-"));
  readonly cores = chooseCores();
  /** Leaders of process groups that run. */
  readonly #running = new Map<number, Promise<number>>();

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
      process.once(signal, () => {
        this.#kill("SIGKILL");
        this.#removeDirectory();
        process.exit(130);
      });
    process.once("exit", () => this.#kill("SIGKILL"));
  }

  /** A file or directory of this run. */
  path(...names: string[]): string {
    return join(this.directory, ...names);
  }

  makeDirectory(...names: string[]): string {
    const path = this.path(...names);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Starts `program` on `cores`, as the leader of a process group. */
  start(program: string, args: readonly string[], { cores, stdout, environment }: StartOptions): Started {
    const file = stdout === undefined ? undefined : openSync(stdout, "a", 0o600);
    const child = spawn("taskset", ["-c", cores, program, ...args], {
      detached: true,
      stdio: ["ignore", file ?? "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
    if (file !== undefined) closeSync(file);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
    const { pid } = child;
    const ended = new Promise<number>((resolve) => {
      child.once("error", (error) => {
        output += error.message;
        resolve(-1);
      });
      child.once("close", (code, signal) => resolve(code ?? (signal === null ? -1 : 128)));
    });
    if (pid === undefined) throw new Error("taskset cannot be started: install it (Debian: util-linux)");
    this.#running.set(pid, ended);
    void ended.then(() => this.#running.delete(pid));
    return { pid, ended, output: () => output };
  }

  /** Runs `program` to its end; throws with its output unless it ends with 0. */
  async run(program: string, args: readonly string[], options: StartOptions): Promise<string> {
    const started = this.start(program, args, options);
    const code = await started.ended;
    if (code !== 0)
      throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${started.output().slice(-2000)}`);
    return started.output();
  }

  /** SIGTERM, and SIGKILL to what is left after two seconds. */
  async stop({ pid }: Pick<Started, "pid">): Promise<void> {
    const ended = this.#running.get(pid);
    if (!ended) return;
    signalGroup(pid, "SIGTERM");
    const timer = setTimeout(() => signalGroup(pid, "SIGKILL"), 2000);
    await ended;
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((pid) => this.stop({ pid })));
    this.#removeDirectory();
  }

  #kill(signal: NodeJS.Signals): void {
    for (const pid of this.#running.keys()) signalGroup(pid, signal);
  }

  #removeDirectory(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has gone.
  }
}

/** The last cores this process may use: the first ones get most of a machine's interrupts. */
function chooseCores(): Cores {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  const cores = list.split(",").flatMap((range) => {
    const [from = 0, to = from] = range.split("-").map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
  const [first, second, third] = cores.slice(-3);
  if (first === undefined || second === undefined)
    throw new Error("this bench needs two cores: one for the proxy, one for the load");
  const [load, ...proxies] = third === undefined ? [first, second] : [first, second, third];
  return {
    proxy: String(proxies.at(-1)),
    proxies: (third === undefined ? [first, second] : proxies).join(","),
    load: String(load),
  };
}

/** How many connections a proxy may have at once: two descriptors each, and some to spare. */
export const connectionLimit = Math.min(8192, Math.floor((descriptorLimit() - 2048) / 2));

function descriptorLimit(): number {
  const [, soft = "1024"] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
  return Number(soft);
}

/** Ports of 127.0.0.1 that are free now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** The program's path, or undefined when the machine does not have it. */
export function findProgram(name: string): string | undefined {
  try {
    // Debian keeps servers in /usr/sbin, which is not in every user's PATH.
    const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin:/sbin` };
    return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8", env }).trim();
  } catch {
    return undefined;
  }
}
