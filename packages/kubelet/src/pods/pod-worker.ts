// One pod on this node, from its binding to its end: prepare, run the init containers one by one, run the others,
// take everything down when the pod is deleted.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { objectKey, timestamp } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import {
  type Container,
  type Pod,
  type PodCondition,
  pods,
  type PodStatus,
} from "@gatehouse/apimachinery/types/core-v1";
import type { EventType } from "../events.ts";
import { type ContainerLogs, createContainerLogs } from "../logs/container-logs.ts";
import type { ForwardTarget } from "../streaming/port-forward.ts";
import type { ContainerContext, ContainerRole } from "./container-context.ts";
import { ContainerRunner, type RunningInstance } from "./container-runner.ts";
import { type NodeContext, preparePod, type PreparedPod } from "./pod-preparation.ts";
import { podStatus } from "./pod-status.ts";
import { createStatusWriter, type StatusWriter } from "./status-writer.ts";

const prepareRetryMs = 2_000;

export class PodWorker {
  /** Resolves when nothing of the pod is left here. */
  readonly gone: Promise<void>;
  readonly #node: NodeContext;
  readonly #directory: string;
  readonly #writer: StatusWriter;
  readonly #gone = Promise.withResolvers<void>();
  readonly #logs = new Map<string, ContainerLogs>();
  readonly #startTime: string;
  #pod: Pod;
  #init: ContainerRunner[] = [];
  #apps: ContainerRunner[] = [];
  #prepared: PreparedPod | undefined;
  #conditions: PodCondition[];
  #ending = false;
  #deadline = Infinity;
  #problem = "";
  #living: Promise<void> = Promise.resolve();
  #wake = Promise.withResolvers<void>();

  constructor(pod: Pod, node: NodeContext) {
    this.#pod = pod;
    this.#node = node;
    this.gone = this.#gone.promise;
    this.#directory = join(node.podsDirectory, pod.metadata.uid ?? "");
    this.#startTime = pod.status?.startTime ?? timestamp();
    this.#conditions = pod.status?.conditions ?? [];
    this.#writer = createStatusWriter(
      node.client,
      () => this.#pod,
      () => this.#status(),
      node.log,
    );
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    this.#createRunners();
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** Begins. A pod that ended in an earlier life only keeps its logs; one that was being deleted is finished off. */
  start(): void {
    if (this.#pod.metadata.deletionTimestamp) this.#detach(this.#terminate(0));
    else if (this.#pod.status?.phase !== "Succeeded" && this.#pod.status?.phase !== "Failed")
      this.#living = this.#live();
  }

  /** Resolves when the API server has the pod's present status. */
  reported(): Promise<void> {
    return this.#writer.settled();
  }

  /** The pod object changed. */
  update(pod: Pod): void {
    const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata;
    this.#pod = pod;
    for (const runner of this.#runners()) {
      const spec = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find(
        ({ name }) => name === runner.name,
      );
      if (spec) runner.update(spec);
    }
    this.#prepared?.update(pod);
    if (deletionTimestamp) this.#detach(this.#terminate(deletionGracePeriodSeconds * 1000));
  }

  /** The pod object is gone (a forced deletion): nobody waits for its processes any more. */
  removed(): void {
    this.#writer.stop();
    this.#ending = true;
    this.#detach(this.#stopContainers(0).then(() => this.#cleanUp()));
  }

  /** Ends the processes but leaves the pod object as it is: the cluster stops, the pod does not. */
  async shutDown(graceMs: number): Promise<void> {
    this.#writer.stop();
    this.#ending = true;
    this.#wake.resolve();
    await this.#stopContainers(graceMs);
    await this.#living;
    this.#prepared?.stop();
  }

  /** The logs of a container; undefined when the pod has none of that name. */
  logs(container: string): ContainerLogs | undefined {
    return this.#logs.get(container);
  }

  /** The present process of a container; undefined when there is none. */
  running(container: string): RunningInstance | undefined {
    return this.#runners().find(({ name }) => name === container)?.running;
  }

  /** Where connections to the pod's ports lead; undefined while none of its containers runs. */
  forwardTarget(): ForwardTarget | undefined {
    const prepared = this.#prepared;
    if (!prepared || !this.#runners().some(({ running }) => running)) return undefined;
    const { name, uid = "" } = this.#pod.metadata;
    return { name, uid, locate: (port) => prepared.dial(port), ended: this.gone };
  }

  /** Why a container has not started yet, e.g. `ContainerCreating`. */
  waitingReason(container: string): string {
    const runner = this.#runners().find(({ name }) => name === container);
    return runner?.status().state?.waiting?.reason ?? "ContainerCreating";
  }

  #createRunners(): void {
    const { spec, status } = this.#pod;
    const before = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
    const runner = (container: Container, role: ContainerRole): ContainerRunner =>
      new ContainerRunner(
        container,
        role,
        this.#containerContext(container),
        before.find(({ name }) => name === container.name),
      );
    this.#init = (spec.initContainers ?? []).map((container) =>
      runner(container, container.restartPolicy === "Always" ? "sidecar" : "init"),
    );
    this.#apps = spec.containers.map((container) => runner(container, "app"));
    if (this.#init.length > 0) for (const app of this.#apps) app.showWaiting("PodInitializing");
  }

  #containerContext(container: Container): ContainerContext {
    const directory = join(this.#directory, "containers", container.name);
    const logs = createContainerLogs(directory);
    this.#logs.set(container.name, logs);
    const { uid = "", name } = this.#pod.metadata;
    return {
      podKey: objectKey(this.#pod),
      podName: name,
      podUID: uid,
      restartPolicy: this.#pod.spec.restartPolicy ?? "Always",
      images: this.#node.images,
      logs,
      directory,
      gracePeriodMs: gracePeriodMs(this.#pod),
      environment: (subject) => this.#prepared?.environment(subject, directory) ?? {},
      locate: (port) => this.#prepared?.locate(port) ?? { host: this.#node.network.nodeIP, port },
      event: (type, reason, message) => this.#event(type, reason, message, container.name),
      changed: (urgent) => this.#writer.changed(urgent),
    };
  }

  async #live(): Promise<void> {
    try {
      await this.#prepare();
      if (this.#ending || !(await this.#runInitContainers()) || this.#ending) return;
      for (const app of this.#apps) app.start();
      await Promise.all(this.#apps.map((app) => app.finished));
      // Ended for good: sidecars follow, and the address is free again.
      if (!this.#ending) {
        await Promise.all(this.#init.map((sidecar) => sidecar.stop(gracePeriodMs(this.#pod))));
        this.#prepared?.stop();
      }
    } catch (error) {
      this.#node.log.error(`pod ${objectKey(this.#pod)} cannot be run`, error);
    }
  }

  /** Tries until the volumes can be mounted and the token is there; a change of what is missing wakes it. */
  async #prepare(): Promise<void> {
    while (!this.#ending) {
      this.#wake = Promise.withResolvers<void>();
      const { promise, resolve } = this.#wake;
      try {
        this.#prepared ??= await preparePod(this.#pod, this.#directory, this.#node, () => this.#sourcesChanged());
        await this.#prepared.makeReady();
        return;
      } catch (error) {
        this.#report((error as Error).message);
      }
      const timer = setTimeout(resolve, prepareRetryMs);
      await promise;
      clearTimeout(timer);
    }
  }

  #report(problem: string): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#event("Warning", "FailedMount", problem);
    this.#writer.changed(true);
  }

  #sourcesChanged(): void {
    this.#wake.resolve();
    for (const runner of this.#runners()) runner.retry();
  }

  /** False when one failed for good. */
  async #runInitContainers(): Promise<boolean> {
    for (const runner of this.#init) {
      runner.start();
      await (runner.role === "sidecar" ? Promise.race([runner.started, runner.finished]) : runner.finished);
      if (this.#ending || (runner.role === "init" && runner.exitCode !== 0)) return false;
    }
    return true;
  }

  /** Graceful deletion; called again when the grace shrinks. */
  async #terminate(graceMs: number): Promise<void> {
    const deadline = Date.now() + graceMs;
    const first = !this.#ending;
    this.#ending = true;
    this.#wake.resolve();
    if (!first) {
      if (deadline < this.#deadline) {
        this.#deadline = deadline;
        await this.#stopContainers(graceMs);
      }
      return;
    }
    this.#deadline = deadline;
    // Before anything stops: endpoints must lose the pod while it still answers.
    this.#writer.changed(true);
    await this.#stopContainers(graceMs);
    await this.#finalDelete();
  }

  async #stopContainers(graceMs: number): Promise<void> {
    await Promise.all(this.#runners().map((runner) => runner.stop(graceMs)));
  }

  async #finalDelete(): Promise<void> {
    const { name, namespace, uid = "", finalizers = [] } = this.#pod.metadata;
    // The object stays for its finalizers: it shall say how the containers ended.
    if (finalizers.length > 0) await this.#writer.settled();
    this.#writer.stop();
    try {
      await this.#node.client.delete(pods, name, namespace, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!hasReason(error, "NotFound") && !hasReason(error, "Conflict")) {
        this.#node.log.warn(`pod ${objectKey(this.#pod)} is stopped but not deleted: ${(error as Error).message}`);
        setTimeout(() => this.#detach(this.#finalDelete()), prepareRetryMs).unref();
      }
    }
  }

  async #cleanUp(): Promise<void> {
    this.#wake.resolve();
    // What was being prepared meanwhile must not come back after it is removed.
    await this.#living;
    this.#prepared?.stop();
    rmSync(this.#directory, { recursive: true, force: true });
    this.#gone.resolve();
  }

  /** Work nobody waits for: its failure is told, never thrown. */
  #detach(work: Promise<void>): void {
    work.catch((error: unknown) => this.#node.log.error(`pod ${objectKey(this.#pod)}`, error));
  }

  #runners(): ContainerRunner[] {
    return [...this.#init, ...this.#apps];
  }

  #status(): PodStatus {
    const view = (runner: ContainerRunner) => ({
      status: runner.status(),
      done: runner.done,
      sidecar: runner.role === "sidecar",
    });
    const status = podStatus({
      pod: this.#pod,
      init: this.#init.map(view),
      apps: this.#apps.map(view),
      podIP: this.#prepared?.podIP,
      nodeIP: this.#node.network.nodeIP,
      startTime: this.#startTime,
      before: this.#conditions,
      terminating: this.#ending,
    });
    this.#conditions = status.conditions ?? [];
    return status;
  }

  #event(type: EventType, reason: string, message: string, container?: string): void {
    const { name, namespace = "", uid = "", resourceVersion = "" } = this.#pod.metadata;
    const initial = this.#pod.spec.initContainers?.some((candidate) => candidate.name === container);
    const fieldPath = container && { fieldPath: `spec.${initial ? "initContainers" : "containers"}{${container}}` };
    const about = { apiVersion: "v1", kind: "Pod", namespace, name, uid, resourceVersion, ...fieldPath };
    this.#node.events.record(about, type, reason, message);
  }
}

function gracePeriodMs(pod: Pod): number {
  return (pod.spec.terminationGracePeriodSeconds ?? 30) * 1000;
}
