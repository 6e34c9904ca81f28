// A machine with a pretended Docker, kind and helm for one test: a HOME, a PATH with the stand-ins first, and the record of
// what was asked of them.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { isFree } from "../../packages/cli/src/host-ports.ts";
import { endChild, gatehouseProgram, root, run, type RunResult } from "../system/test-cluster.ts";
import type { FakeCall, FakeContainer } from "./stand-ins/fake-engine.ts";

/** What the stand-ins can be told to fail in. */
export type Fault =
  | "daemon-down"
  | "permission-denied"
  | "start-port-taken"
  | "image-rate-limit"
  | "image-no-network"
  | "image-disk-full"
  | "port-allocated"
  | "too-many-open-files"
  | "kubeadm"
  | "stuck"
  | "helm-stuck"
  | "chart-image"
  | "node-dies"
  | "delete-fails"
  | "repository-unreachable";

export interface Machine {
  home: string;
  environment: NodeJS.ProcessEnv;
  /** Host ports for 80 and 443 that were free a moment ago. */
  ports: [http: number, https: number];
  /** `gatehouse ...` to its end. */
  gatehouse(...args: string[]): Promise<RunResult>;
  /** `gatehouse up --cluster kind` without the network, on this machine's free ports. */
  up(...more: string[]): Promise<RunResult>;
  /** The same, not waited for. */
  startUp(...more: string[]): Running;
  down(...more: string[]): Promise<RunResult>;
  /** Any program of this machine's PATH. */
  run(program: string, ...args: string[]): Promise<RunResult>;
  /** From now on; `says` is the fault's detail. */
  fail(fault: Fault, says?: string): void;
  mend(fault: Fault): void;
  /** As typed, of one program (all when none is named). */
  calls(program?: string): string[];
  forgetCalls(): void;
  containers(): FakeContainer[];
  /** Releases of the stand-in for helm, in whatever state. */
  releases(): number;
  /** Everything below HOME, relative. */
  homeFiles(): string[];
  /** A file of HOME. */
  write(path: string, text: string): void;
  /** What was asked of a stand-in that the real program would not understand. */
  misuses(): string;
}

export interface Running {
  child: ChildProcess;
  done: Promise<RunResult>;
  /** Resolves once stdout matches; rejects when the program ends without. */
  until(pattern: RegExp): Promise<void>;
}

export interface MachineOptions {
  /** The real helm instead of the stand-in. */
  helm?: string;
  environment?: NodeJS.ProcessEnv;
}

/** Removed, with every cluster on it, when the test ends; a stand-in that was misused fails the test then. */
export async function startMachine(t: TestContext, options: MachineOptions = {}): Promise<Machine> {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-kind-"));
  const [home, engine, bin] = ["home", "engine", "bin"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [home, join(engine, "faults"), bin]) mkdirSync(path, { recursive: true });
  for (const name of ["docker", "kind", "helm"]) {
    const real = name === "helm" ? options.helm : undefined;
    symlinkSync(real ?? join(root, `test/providers/stand-ins/${name}.ts`), join(bin, name));
  }
  const { KUBECONFIG: _1, GATEHOUSE_HOME: _2, NODE_OPTIONS: _3, ...inherited } = process.env;
  const environment = {
    ...inherited,
    ...options.environment,
    HOME: home,
    NO_COLOR: "1",
    GATEHOUSE_FAKE_ENGINE: engine,
    PATH: [bin, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
  };
  const running: Running[] = [];
  const machine = machineOf(home, engine, environment, [await freePort(), await freePort()], running);
  t.after(async () => {
    await Promise.all(running.map(({ child }) => endChild(child)));
    await removeMachine(machine, directory);
  });
  return machine;
}

async function removeMachine(machine: Machine, directory: string): Promise<void> {
  rmSync(join(machine.environment.GATEHOUSE_FAKE_ENGINE ?? "", "faults"), { recursive: true, force: true });
  for (const { cluster } of machine.containers()) await machine.run("kind", "delete", "cluster", "--name", cluster);
  const misuses = machine.misuses();
  rmSync(directory, { recursive: true, force: true });
  assert.equal(misuses, "");
}

function machineOf(
  home: string,
  engine: string,
  environment: NodeJS.ProcessEnv,
  ports: [number, number],
  running: Running[],
): Machine {
  const gatehouse = (...args: string[]) => run(gatehouseProgram, args, environment);
  const upArguments = (more: string[]): string[] => {
    const offline = more.includes("--gateway-api-crds") ? [] : ["--gateway-api-crds", "bundled"];
    const chosen = more.includes("--http-port")
      ? []
      : ["--http-port", String(ports[0]), "--https-port", String(ports[1])];
    return ["up", "--cluster", "kind", "--hosts", "no", ...offline, ...chosen, ...more];
  };
  const recorded = (): FakeCall[] => readLines(join(engine, "calls.jsonl")).map((line) => JSON.parse(line) as FakeCall);
  return {
    home,
    environment,
    ports,
    gatehouse,
    up: (...more) => gatehouse(...upArguments(more)),
    startUp: (...more) => {
      const started = start(upArguments(more), environment);
      running.push(started);
      return started;
    },
    down: (...more) => gatehouse("down", "--cluster", "kind", ...more),
    run: (program, ...args) => run(join(dirname(engine), "bin", program), args, environment),
    fail: (fault, says = "") => writeFileSync(join(engine, "faults", fault), says),
    mend: (fault) => rmSync(join(engine, "faults", fault), { force: true }),
    calls: (program) =>
      recorded()
        .filter((call) => program === undefined || call.program === program)
        .map((call) => [call.program, ...call.args].join(" ")),
    forgetCalls: () => rmSync(join(engine, "calls.jsonl"), { force: true }),
    releases: () => (existsSync(join(engine, "releases")) ? readdirSync(join(engine, "releases")).length : 0),
    containers: () => {
      const path = join(engine, "containers");
      const names = existsSync(path) ? readdirSync(path) : [];
      return names.map((name) => JSON.parse(readFileSync(join(path, name), "utf8")) as FakeContainer);
    },
    write: (path, text) => writeFileSync(join(home, path), text, { mode: 0o600 }),
    homeFiles: () => readdirSync(home, { recursive: true }).map(String).toSorted(),
    misuses: () => readLines(join(engine, "misuses.txt")).join("\n"),
  };
}

function start(args: string[], environment: NodeJS.ProcessEnv): Running {
  const child = spawn(gatehouseProgram, args, { cwd: root, env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  let notify = (): void => {};
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    notify();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  let ended = false;
  const done = new Promise<RunResult>((resolve) => {
    child.once("close", (code) => {
      ended = true;
      notify();
      resolve({ code: code ?? -1, stdout, stderr });
    });
  });
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(stdout)) {
      if (ended) throw new Error(`ended without ${pattern}: ${stdout}${stderr}`);
      await new Promise<void>((resolve) => (notify = resolve));
    }
  };
  return { child, done, until };
}

function readLines(path: string): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

/** Below those that outgoing connections get (from 32768 on), so that none of them takes it meanwhile. */
async function freePort(): Promise<number> {
  const port = randomInt(12_000, 32_000);
  return (await isFree(port)) ? port : freePort();
}
