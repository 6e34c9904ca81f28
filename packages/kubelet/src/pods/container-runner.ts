// One container of a pod over all its restarts: start, probe, restart with back-off, stop.

import { randomBytes } from "node:crypto";
import { timestamp } from "@gatehouse/apimachinery/meta";
import type { Container, ContainerState, ContainerStatus } from "@gatehouse/apimachinery/types/core-v1";
import type { Image } from "../images/catalog.ts";
import { imageRepository } from "../images/image-reference.ts";
import { runHandler } from "../probes/probe-handler.ts";
import { type BackOff, createBackOff } from "./back-off.ts";
import type { ContainerContext, ContainerRole } from "./container-context.ts";
import { startContainerProbes } from "./container-probes.ts";
import type { Readable, Writable } from "node:stream";
import { type ContainerProcess, startContainerProcess } from "./container-process.ts";
import { argvOf, handlerRefusal, imageOf, isRefusal, type Refusal } from "./container-start.ts";
import { terminatedState } from "./termination.ts";

// ErrImagePull is what failed just now; ImagePullBackOff is what `kubectl get` shows from then on.
const pullBackOffAfterMs = 1_000;
// Probes begin when the process says that it listens, or after this long for one that never does.
const silentStartMs = 1_000;

/** The present process of a container, for exec and attach. */
export interface RunningInstance {
  pid: number;
  /** As `ps` shows it. */
  title: string;
  /** The container's root and its environment, as its process has them. */
  directory: string;
  environment: Record<string, string>;
  stdout: Readable | undefined;
  stderr: Readable | undefined;
  /** Only of a container that asks for it. */
  stdin: Writable | undefined;
  exited: Promise<unknown>;
}

export class ContainerRunner {
  readonly role: ContainerRole;
  /** Resolves when no further instance will run. */
  readonly finished: Promise<void>;
  readonly #context: ContainerContext;
  readonly #backOff: BackOff = createBackOff();
  readonly #finish = Promise.withResolvers<void>();
  readonly #start = Promise.withResolvers<void>();
  #container: Container;
  #state: ContainerState = { waiting: { reason: "ContainerCreating" } };
  #lastState: ContainerState | undefined;
  #restartCount = 0;
  #containerID: string | undefined;
  #started = false;
  #ready = false;
  #done = false;
  #stopping = false;
  #replaced = false;
  #process: ContainerProcess | undefined;
  #running: RunningInstance | undefined;
  /** Settles when the present instance has ended and its state is known. */
  #instance: Promise<unknown> = Promise.resolve();
  #wake = Promise.withResolvers<void>();

  constructor(container: Container, role: ContainerRole, context: ContainerContext, before?: ContainerStatus) {
    this.#container = container;
    this.role = role;
    this.#context = context;
    this.finished = this.#finish.promise;
    if (role !== "app") this.#state = { waiting: { reason: "PodInitializing" } };
    if (before?.containerID) this.#resume(before);
  }

  /** True when no further instance will run. */
  get done(): boolean {
    return this.#done;
  }

  /** The exit code of the last instance, undefined while there is none. */
  get exitCode(): number | undefined {
    return this.#state.terminated?.exitCode;
  }

  get name(): string {
    return this.#container.name;
  }

  /** Undefined while no process runs. */
  get running(): RunningInstance | undefined {
    return this.#running;
  }

  /** Resolves when an instance has started for the first time (its start-up probe included). */
  get started(): Promise<void> {
    return this.#start.promise;
  }

  status(): ContainerStatus {
    const { name, image } = this.#container;
    return {
      name,
      image,
      imageID: this.#containerID ? `gatehouse://${imageRepository(image) ?? image}` : "",
      ...(this.#containerID ? { containerID: `gatehouse://${this.#containerID}` } : {}),
      ready: this.role === "init" ? this.exitCode === 0 : this.#ready,
      started: this.#started,
      restartCount: this.#restartCount,
      state: this.#state,
      lastState: this.#lastState ?? {},
    };
  }

  /** Shown while the pod cannot start its containers yet. */
  showWaiting(reason: string, message?: string): void {
    if (this.#process || this.#done || this.#containerID) return;
    this.#state = { waiting: { reason, ...(message ? { message } : {}) } };
  }

  start(): void {
    void this.#live().finally(() => {
      this.#done = true;
      this.#context.logs.finish();
      this.#finish.resolve();
      this.#context.changed(true);
    });
  }

  /** Something the environment is made from appeared or changed. */
  retry(): void {
    this.#wake.resolve();
  }

  /** The pod's spec changed: only the image can (Kubernetes allows no more), and it restarts the container. */
  update(container: Container): void {
    const changed = container.image !== this.#container.image;
    this.#container = container;
    if (!changed || this.#stopping) return;
    this.#replaced = true;
    this.#wake.resolve();
    if (this.#process) {
      this.#context.event("Normal", "Killing", `Container ${this.name} definition changed, will be restarted`);
      void this.#end(this.#process, this.#context.gracePeriodMs);
    }
  }

  /** Ends it for good; again with less grace to hasten. Resolves when the process is gone. */
  async stop(graceMs: number): Promise<void> {
    const first = !this.#stopping;
    this.#stopping = true;
    this.#ready = false;
    this.#wake.resolve();
    const running = this.#process;
    if (graceMs <= 0) running?.kill();
    else if (running && first) {
      this.#context.event("Normal", "Killing", `Stopping container ${this.name}`);
      void this.#end(running, graceMs);
    } else if (running) setTimeout(() => running.kill(), graceMs).unref();
    await this.#instance;
  }

  /** An earlier kubelet ran it: its process is gone, as after a reboot of the node. */
  #resume(before: ContainerStatus): void {
    const finishedAt = timestamp();
    const startedAt = before.state?.running?.startedAt;
    const lost = { exitCode: 255, reason: "Unknown", message: "the cluster was stopped", finishedAt };
    const last = before.state?.terminated ?? { ...lost, ...(startedAt ? { startedAt } : {}) };
    this.#restartCount = before.restartCount + 1;
    this.#lastState = { terminated: last };
    if (this.role !== "app" || this.#restarts(last.exitCode)) return;
    this.#restartCount = before.restartCount;
    this.#containerID = before.containerID?.replace(/^.*:\/\//, "");
    this.#lastState = before.lastState;
    this.#state = { terminated: last };
    this.#done = true;
    this.#finish.resolve();
  }

  async #live(): Promise<void> {
    if (this.#done) return;
    while (!this.#stopping) {
      const image = await this.#preparedImage();
      if (!image) return;
      const environment = await this.#preparedEnvironment();
      if (!environment) return;
      const run = this.#runInstance(image, environment).catch((error: unknown) => this.#couldNotRun(error));
      this.#instance = run;
      const ranMs = await run;
      if (this.#stopping || !this.#restarts(this.exitCode ?? 0)) return;
      await this.#pause(ranMs);
      if (this.#stopping) return;
      this.#lastState = { ...(this.#state.terminated ? { terminated: this.#state.terminated } : this.#lastState) };
      this.#restartCount++;
    }
  }

  #restarts(exitCode: number): boolean {
    if (this.#replaced || this.role === "sidecar") return true;
    const policy = this.#context.restartPolicy;
    if (this.role === "init") return exitCode !== 0 && policy !== "Never";
    return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
  }

  /** Waits for as long as the image cannot be run; undefined when stopped meanwhile. */
  async #preparedImage(): Promise<Image | undefined> {
    for (;;) {
      const found = imageOf(this.#container, this.#context.images);
      const refusal = isRefusal(found) ? found : handlerRefusal(this.#container);
      if (!refusal) return found as Image;
      await this.#refuse(refusal);
      if (this.#stopping) return undefined;
    }
  }

  async #refuse({ reason, message }: Refusal): Promise<void> {
    const { image } = this.#container;
    this.#wait(reason, message);
    if (reason !== "ErrImagePull") {
      this.#context.event("Warning", reason === "InvalidImageName" ? "InspectFailed" : "Failed", `Error: ${message}`);
      return this.#awake();
    }
    this.#context.event("Normal", "Pulling", `Pulling image "${image}"`);
    this.#context.event("Warning", "Failed", `Failed to pull image "${image}": ${message}`);
    this.#context.event("Warning", "Failed", "Error: ErrImagePull");
    await this.#awake(pullBackOffAfterMs);
    if (this.#stopping || image !== this.#container.image) return;
    this.#context.event("Normal", "BackOff", `Back-off pulling image "${image}"`);
    this.#wait("ImagePullBackOff", `Back-off pulling image "${image}": ErrImagePull: ${message}`);
    // The images are fixed for the life of the cluster: only another image name can help.
    while (!this.#stopping && image === this.#container.image) await this.#awake();
  }

  async #preparedEnvironment(): Promise<Record<string, string> | undefined> {
    while (!this.#stopping) {
      try {
        return this.#context.environment(this.#container);
      } catch (error) {
        const { message } = error as Error;
        if (this.#state.waiting?.message !== message) this.#context.event("Warning", "Failed", `Error: ${message}`);
        this.#wait("CreateContainerConfigError", message);
        await this.#awake();
      }
    }
    return undefined;
  }

  /** Resolves after the instance has ended, with how many milliseconds it ran. */
  async #runInstance(image: Image, environment: Record<string, string>): Promise<number> {
    if (this.#stopping) return 0;
    const { logs, podKey, directory } = this.#context;
    const log = logs.next(this.#restartCount);
    const startedAt = Date.now();
    this.#replaced = false;
    this.#containerID = randomBytes(32).toString("hex");
    this.#context.event("Normal", "Created", `Created container: ${this.name}`);
    const title = `${image.name} ${podKey}`;
    const running = startContainerProcess({
      argv: argvOf(this.#container, image, environment),
      title,
      directory,
      environment: { ...environment },
      log,
      stdin: this.#container.stdin === true,
    });
    this.#process = running;
    const { pid, stdin, stdout, stderr, exited } = running;
    if (pid !== undefined) this.#running = { pid, title, directory, environment, stdin, stdout, stderr, exited };
    this.#state = { running: { startedAt: timestamp(new Date(startedAt)) } };
    if (running.pid !== undefined) this.#context.event("Normal", "Started", `Started container ${this.name}`);
    this.#context.changed(false);
    const stopProbes = this.#watchHealth(running, startedAt);
    const exit = await running.exited;
    if (exit.message) this.#context.event("Warning", "Failed", `Error: ${exit.message}`);
    stopProbes();
    this.#process = undefined;
    this.#running = undefined;
    this.#started = false;
    this.#ready = false;
    // The last words may still be in the pipe.
    await log.end();
    const terminated = terminatedState(this.#container, directory, log.path, exit, startedAt);
    this.#state = { terminated: { ...terminated, containerID: `gatehouse://${this.#containerID}` } };
    this.#context.changed(true);
    return Date.now() - startedAt;
  }

  /** The host refused even the log file or the process: as good as an instance that ended at once. */
  #couldNotRun(error: unknown): number {
    const { message } = error as Error;
    const now = timestamp();
    this.#state = { terminated: { exitCode: 128, reason: "StartError", message, startedAt: now, finishedAt: now } };
    this.#context.event("Warning", "Failed", `Error: ${message}`);
    this.#context.changed(true);
    return 0;
  }

  /** Probes the instance from when it listens. Returns the way to stop. */
  #watchHealth(running: ContainerProcess, startedAt: number): () => void {
    if (this.role === "init") return () => {};
    let stop: (() => void) | undefined;
    let ended = false;
    const begin = (): void => {
      if (stop || ended) return;
      stop = startContainerProbes({
        container: this.#container,
        locate: this.#context.locate,
        startedAt,
        onStarted: () => {
          this.#started = true;
          this.#start.resolve();
          this.#context.changed(false);
        },
        onReady: (ready) => {
          if (this.#stopping || this.#ready === ready) return;
          this.#ready = ready;
          this.#context.changed(true);
        },
        onDead: (probe, graceSeconds) => {
          this.#context.event("Normal", "Killing", `Container ${this.name} failed ${probe} probe, will be restarted`);
          void this.#end(running, graceSeconds === undefined ? this.#context.gracePeriodMs : graceSeconds * 1000);
        },
        onFailure: (message) => this.#context.event("Warning", "Unhealthy", message),
      });
    };
    void running.listening.then(begin);
    const { readinessProbe, livenessProbe, startupProbe } = this.#container;
    const timer = readinessProbe || livenessProbe || startupProbe ? setTimeout(begin, silentStartMs) : undefined;
    return () => {
      ended = true;
      clearTimeout(timer);
      stop?.();
    };
  }

  /** preStop, SIGTERM, and SIGKILL when the grace is over. */
  async #end(running: ContainerProcess, graceMs: number): Promise<void> {
    const deadline = setTimeout(() => running.kill(), graceMs);
    void running.exited.then(() => clearTimeout(deadline));
    const preStop = this.#container.lifecycle?.preStop;
    if (preStop?.sleep) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, Math.min(preStop.sleep.seconds * 1000, graceMs));
      await Promise.race([promise, running.exited]);
      clearTimeout(timer);
    } else if (preStop) {
      const { success, message } = await runHandler(preStop, this.#container, this.#context.locate, graceMs);
      if (!success) this.#context.event("Warning", "FailedPreStopHook", `PreStopHook failed: ${message}`);
    }
    running.terminate();
  }

  /** CrashLoopBackOff. A changed image ends the wait. */
  async #pause(ranMs: number): Promise<void> {
    const waitMs = this.#replaced ? 0 : this.#backOff.next(ranMs);
    if (waitMs === 0) return;
    const { podName, podKey, podUID } = this.#context;
    const subject = `${this.name} in pod ${podKey.replace("/", "_")}(${podUID})`;
    this.#context.event("Warning", "BackOff", `Back-off restarting failed container ${subject}`);
    if (this.#state.terminated) this.#lastState = { terminated: this.#state.terminated };
    const pod = `${podName}_${podKey.split("/", 1)[0]}(${podUID})`;
    this.#wait(
      "CrashLoopBackOff",
      `back-off ${formatSeconds(waitMs)} restarting failed container=${this.name} pod=${pod}`,
    );
    const until = Date.now() + waitMs;
    while (!this.#stopping && !this.#replaced && Date.now() < until) await this.#awake(until - Date.now());
  }

  #wait(reason: string, message: string): void {
    this.#state = { waiting: { reason, message } };
    this.#context.changed(true);
  }

  /** Resolves at the next `stop`, `retry` or `update`, or after `milliseconds`. */
  async #awake(milliseconds?: number): Promise<void> {
    if (this.#stopping) return;
    this.#wake = Promise.withResolvers<void>();
    const { promise, resolve } = this.#wake;
    const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds);
    await promise;
    clearTimeout(timer);
  }
}

/** As Go prints whole seconds: `10s`, `1m20s`, `5m0s`. */
function formatSeconds(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
