// One process that plays a container: started with its own process group and a control channel, its output in a log.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import type { Duplex, Readable, Writable } from "node:stream";
import { listeningLine } from "@gatehouse/apimachinery/container-control";
import { podEnvironment } from "@gatehouse/apimachinery/pod-environment";
import type { LogFile } from "../logs/log-file.ts";

export interface ProcessExit {
  /** 128 + the signal's number when a signal ended it, 128 when it could not be started. */
  exitCode: number;
  /** Why it could not be started. */
  message?: string;
}

export interface ContainerProcess {
  readonly pid: number | undefined;
  /** Its output, which its log reads too, and its input if it has one: for attach. */
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  readonly stdin: Writable | undefined;
  /** Resolves when the process says that it listens; never for one that does not. */
  readonly listening: Promise<void>;
  /** Always resolves. */
  readonly exited: Promise<ProcessExit>;
  /** SIGTERM to the process, as a container's first process gets it. */
  terminate(): void;
  /** SIGKILL to it and everything it started. */
  kill(): void;
}

export interface ProcessOptions {
  argv: string[];
  /** What `ps` shows, e.g. `whoami demo/whoami-v1-abc`. */
  title: string;
  directory: string;
  environment: Record<string, string>;
  log: LogFile;
  /** True for one that gets a standard input; else it is empty. */
  stdin?: boolean;
}

const controlDescriptor = 3;
// A grandchild may hold the output open; the log of a container ends soon after the container nevertheless.
const outputGraceMs = 100;

export function startContainerProcess(options: ProcessOptions): ContainerProcess {
  const [program = process.execPath, ...args] = options.argv;
  const listening = Promise.withResolvers<void>();
  const exited = Promise.withResolvers<ProcessExit>();
  const child = spawn(program, args, {
    argv0: options.title,
    cwd: options.directory,
    env: { ...options.environment, [podEnvironment.control]: String(controlDescriptor) },
    // A group of its own: Ctrl-C at our terminal does not reach the pods, and a kill reaches all of theirs.
    // No orphans nevertheless: the process leaves when its control channel closes, however we end.
    detached: true,
    stdio: [options.stdin === true ? "pipe" : "ignore", "pipe", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => {});
  if (child.stdout) options.log.capture(child.stdout, "stdout");
  if (child.stderr) options.log.capture(child.stderr, "stderr");

  // Without file descriptors left, a failed spawn has no stdio at all.
  const control = (child.stdio as typeof child.stdio | undefined)?.[controlDescriptor] as Duplex | undefined;
  control?.on("error", () => {});
  control?.on("data", (data: Buffer) => {
    if (data.includes(listeningLine)) listening.resolve();
  });

  let running = child.pid !== undefined;
  child.on("error", (error) => {
    if (child.pid === undefined) exited.resolve({ exitCode: 128, message: error.message });
  });
  child.on("exit", (code, signal) => {
    running = false;
    killGroup(child.pid);
    control?.destroy();
    setTimeout(() => {
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, outputGraceMs).unref();
    exited.resolve({ exitCode: code ?? 128 + (signal ? constants.signals[signal] : 0) });
  });

  return {
    pid: child.pid,
    stdout: child.stdout ?? undefined,
    stderr: child.stderr ?? undefined,
    stdin: child.stdin ?? undefined,
    listening: listening.promise,
    exited: exited.promise,
    terminate: () => void child.kill("SIGTERM"),
    kill: () => {
      // Only while unreaped: afterwards the number may be somebody else's.
      if (!running) return;
      if (!killGroup(child.pid)) child.kill("SIGKILL");
    },
  };
}

/** As in a container, nothing outlives the first process. A group keeps its number until its last member is gone, so at
 * the leader's exit it cannot be somebody else's yet. False when there is none. */
function killGroup(leader: number | undefined): boolean {
  if (leader === undefined) return false;
  try {
    return process.kill(-leader, "SIGKILL");
  } catch {
    return false;
  }
}
