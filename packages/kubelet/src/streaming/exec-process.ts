// One program of the toolbox, run beside a container for `kubectl exec`: a process of its own in a group of its own, which
// ends with its container, its client or the kubelet, whichever goes first.

import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Duplex, Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { podEnvironment } from "@gatehouse/apimachinery/pod-environment";
import { toolboxEntry } from "../images/catalog.ts";
import type { RunningInstance } from "../pods/container-runner.ts";
import type { Outcome, RemoteSession } from "./remote-session.ts";
import { terminalInput, terminalOutput } from "./terminal.ts";

const controlDescriptor = 3;
// A program told that its input is over or its reader gone should end; after this it is ended.
const outputGraceMs = 200;

export interface ExecOptions {
  instance: RunningInstance;
  command: string[];
  tty: boolean;
}

/** Runs the command over the session; resolves when its process is gone and the outcome told. */
export async function runExec(session: RemoteSession, options: ExecOptions): Promise<void> {
  const { instance, tty } = options;
  const child = startToolbox(options);
  const kill = (): void => killGroup(child, "SIGKILL");
  session.signal.addEventListener("abort", kill);
  void instance.exited.then(kill);
  // It may have ended while the connection was made.
  if (session.signal.aborted) kill();
  const exited = exitOf(child);
  const copies = connect(session, child, tty);
  const outcome = await exited;
  // What the client still sends is for nobody, but its goodbye comes after it.
  session.stdin?.unpipe();
  session.stdin?.resume();
  session.signal.removeEventListener("abort", kill);
  // Grandchildren there are none; still nothing may hold the answer up for ever.
  await Promise.race([copies, after(session.signal)]);
  session.finish(outcome);
}

function startToolbox({ instance, command, tty }: ExecOptions): ChildProcess {
  const [program = process.execPath, ...args] = toolboxEntry();
  const details = { pid: instance.pid, title: instance.title, tty };
  return spawn(program, [...args, ...command], {
    argv0: `${instance.title} exec ${command[0] ?? ""}`,
    cwd: instance.directory,
    env: {
      ...instance.environment,
      [podEnvironment.exec]: JSON.stringify(details),
      [podEnvironment.control]: String(controlDescriptor),
    },
    detached: true,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
}

function exitOf(child: ChildProcess): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  child.on("error", (error) => {
    if (child.pid === undefined) resolve({ error: `the command cannot be started: ${error.message}` });
  });
  child.on("exit", (code, signal) => {
    (child.stdio?.[controlDescriptor] as Duplex | undefined)?.destroy();
    resolve({ exitCode: code ?? 128 + (signal ? constants.signals[signal] : 0) });
  });
  return promise;
}

/** Resolves when all output has been written to the client. */
async function connect(session: RemoteSession, child: ChildProcess, tty: boolean): Promise<void> {
  (child.stdio?.[controlDescriptor] as Duplex | undefined)?.on("error", () => {}).resume();
  // The program may not read its input to the end.
  child.stdin?.on("error", () => {});
  const echo = tty ? session.stdout : undefined;
  if (session.stdin && child.stdin) {
    const input = echo ? session.stdin.pipe(terminalInput(echo, () => killGroup(child, "SIGINT"))) : session.stdin;
    input.pipe(child.stdin);
    child.stdin.on("close", () => input.resume());
  } else child.stdin?.end();
  const { stdout, stderr } = session;
  await Promise.all([
    copy(child.stdout, stdout, tty),
    // On a terminal both are one.
    copy(child.stderr, tty ? stdout : stderr, tty),
  ]);
}

/** Without a destination the output is read nevertheless: the program must not wait for a reader that never comes. */
async function copy(source: Readable | null, target: Writable | undefined, tty: boolean): Promise<void> {
  if (!source) return;
  source.on("error", () => {});
  if (target) (tty ? source.pipe(terminalOutput()) : source).pipe(target, { end: false });
  else source.resume();
  target?.on("close", () => source.resume());
  await finished(source).catch(() => undefined);
  if (target && !target.destroyed && target.writableNeedDrain) await drained(target);
}

function drained(target: Writable): Promise<void> {
  return new Promise((resolve) => {
    target.once("drain", resolve);
    target.once("close", resolve);
  });
}

function after(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => setTimeout(resolve, outputGraceMs).unref(), { once: true });
  });
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}
