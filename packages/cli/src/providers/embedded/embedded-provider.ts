// The embedded cluster: a background process of this program instead of containers.

import { type ApiClient, createApiClient, text } from "@gatehouse/apimachinery/api-client";
import { timestamp } from "@gatehouse/apimachinery/meta";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, openSync, closeSync, readFileSync, rmSync } from "node:fs";
import {
  type ClusterRuntime,
  type ClusterState,
  type PortMapping,
  readClusterRuntime,
  readClusterState,
  removeClusterRuntime,
  writeClusterState,
} from "../../cluster-state.ts";
import { removeIfEmpty } from "../../cluster-lock.ts";
import { clusterDirectory, clustersDirectory, contextName, gatehouseHome } from "../../home.ts";
import { chooseHostPorts, isFree, type PortWish, untilFree } from "../../host-ports.ts";
import { clusterProgram } from "../../program-files.ts";
import type { ContextEntry } from "../../kubeconfig-file.ts";
import type { Progress } from "../../progress.ts";
import { UserError } from "../../user-error.ts";
import type { ClusterPhase, ClusterProvider, EntryAddress } from "../provider.ts";
import { type ClusterFiles, clusterFiles, createClusterDirectory, readPki, writePki } from "./cluster-files.ts";
import type { ClusterMessage } from "./cluster-messages.ts";
import { clusterDirectoryVariable, isClusterProcess, processesOf, stopProcess } from "./processes.ts";

export interface EmbeddedOptions {
  name: string;
  /** The user's choice; absent = 80 or the next free. */
  httpPort?: number;
  httpsPort?: number;
  /** From kind/cluster.yaml: what is wanted when the user chose nothing. */
  portWishes: PortWish[];
}

const answerTimeoutMs = 2_000;
const orphansLeaveMs = 500;
const release = { name: "traefik", namespace: "traefik" };

export class EmbeddedProvider implements ClusterProvider {
  readonly kind = "embedded";
  readonly context: string;
  readonly directory: string;
  readonly #options: EmbeddedOptions;
  readonly #files: ClusterFiles;
  #child: ChildProcess | undefined;

  constructor(options: EmbeddedOptions) {
    this.#options = options;
    this.context = contextName(options.name);
    this.directory = clusterDirectory(options.name);
    this.#files = clusterFiles(this.directory);
  }

  /** True when there is something to remove, whole or not. */
  get exists(): boolean {
    return existsSync(this.directory);
  }

  get state(): ClusterState | undefined {
    return readClusterState(this.directory);
  }

  get runtime(): ClusterRuntime | undefined {
    return readClusterRuntime(this.directory);
  }

  /** Changes what is known of the cluster, on disk. */
  remember(change: Partial<ClusterState>): void {
    const state = this.state;
    if (state) writeClusterState(this.directory, { ...state, ...change });
  }

  /** The kubeconfig entry of the running cluster. */
  contextEntry(): ContextEntry {
    const pki = readPki(this.#files);
    return {
      context: this.context,
      server: `https://127.0.0.1:${this.state?.apiPort ?? 0}`,
      certificateAuthority: pki.ca,
      clientCertificate: pki.admin.certificate,
      clientKey: pki.admin.key,
    };
  }

  async phase(): Promise<ClusterPhase> {
    if (!this.state) return existsSync(this.directory) ? "stopped" : "absent";
    return (await this.#answers()) ? "running" : "stopped";
  }

  async create(progress: Progress): Promise<void> {
    if ((await this.phase()) === "running") return;
    const fresh = this.state === undefined;
    this.#refuseSecondProcess();
    if (fresh) await progress.step("Choose ports", (detail) => this.#prepare(progress, detail));
    else await this.#keepPorts(progress);
    await progress.step(fresh ? "Start the cluster" : "Start the cluster again", async (detail) => {
      const runtime = await this.#start();
      detail(`Kubernetes API at https://127.0.0.1:${runtime.apiPort}`);
    });
  }

  async connect(): Promise<ApiClient> {
    const runtime = this.runtime;
    if (!runtime) throw new UserError(`cluster "${this.#options.name}" is not running: start it with gatehouse up`);
    const pki = readPki(this.#files);
    return createApiClient({
      server: `https://127.0.0.1:${runtime.apiPort}`,
      certificateAuthority: pki.ca,
      clientCertificate: pki.admin.certificate,
      clientKey: pki.admin.key,
    });
  }

  async installGateway(client: ApiClient, valuesFile: string): Promise<void> {
    const [{ parse }, { renderTraefikChart }, { applyAll }] = await Promise.all([
      import("yaml"),
      import("./traefik-chart.ts"),
      import("../../steps/apply-all.ts"),
    ]);
    const objects = renderTraefikChart(parse(readFileSync(valuesFile, "utf8")), release, valuesFile);
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: release.namespace } };
    await applyAll(client, [namespace, ...objects]);
  }

  entry(containerPort: number): EntryAddress | undefined {
    const mapping = this.state?.portMappings.find((candidate) => candidate.containerPort === containerPort);
    return mapping && { host: "127.0.0.1", port: mapping.hostPort };
  }

  /** Ends the process and its pods; the state stays. True when something ran. */
  async stop(): Promise<boolean> {
    // Started by this very command, it may not have written down yet that it runs.
    const pid = this.runtime?.pid ?? this.#child?.pid;
    if (pid === undefined) return false;
    const stopped = await stopProcess(pid, this.directory);
    removeClusterRuntime(this.directory);
    return stopped;
  }

  async destroy(): Promise<boolean> {
    const existed = this.exists;
    await this.stop();
    rmSync(this.directory, { recursive: true, force: true });
    for (const parent of [clustersDirectory(), gatehouseHome()]) removeIfEmpty(parent);
    return existed;
  }

  async #prepare(progress: Progress, detail: (text: string) => void): Promise<void> {
    const { name, portWishes } = this.#options;
    const { mappings, notes } = await chooseHostPorts(portWishes);
    detail(mappings.map(({ containerPort, hostPort }) => `${hostPort} -> ${containerPort}`).join(", "));
    createClusterDirectory(this.directory);
    writeClusterState(this.directory, {
      name,
      context: this.context,
      createdAt: timestamp(),
      apiPort: 0,
      portMappings: mappings,
      complete: false,
    });
    notes.forEach((note) => progress.note(note));
  }

  /** A process that is there but does not answer holds the cluster's state. */
  #refuseSecondProcess(): void {
    const pid = this.runtime?.pid;
    if (pid === undefined || !isClusterProcess(pid, this.directory)) return;
    throw new UserError(
      `cluster "${this.#options.name}" is running (pid ${pid}) but does not answer: end it with gatehouse stop, then try again (log: ${this.#files.log})`,
    );
  }

  /** The ports of a stopped cluster may have been taken meanwhile: then it gets others, as a new one would. */
  async #keepPorts(progress: Progress): Promise<void> {
    const { portMappings: before = [], apiPort = 0 } = this.state ?? {};
    // After a crash the pods' processes take a moment to notice and leave.
    await untilFree(
      before.map(({ hostPort }) => hostPort),
      orphansLeaveMs,
    );
    if (!(await isFree(apiPort))) this.remember({ apiPort: 0 });
    const { mappings, notes } = await chooseHostPorts(wishesAgain(this.#options.portWishes, before));
    if (mappings.every(({ hostPort }, index) => hostPort === before[index]?.hostPort)) return;
    notes.forEach((note) => progress.note(note));
    this.remember({ portMappings: mappings });
  }

  async #start(): Promise<ClusterRuntime> {
    const output = openSync(this.#files.log, "a", 0o600);
    const child = spawn(process.execPath, [...process.execArgv, clusterProgram(), this.directory], {
      detached: true,
      cwd: "/",
      env: { ...process.env, [clusterDirectoryVariable]: this.directory },
      stdio: ["ignore", output, output, "ipc"],
    });
    closeSync(output);
    this.#child = child;
    try {
      const [runtime] = await Promise.all([this.#reported(child), this.#createPki()]);
      return runtime;
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    } finally {
      if (child.connected) child.disconnect();
      child.unref();
    }
  }

  async #createPki(): Promise<void> {
    if (existsSync(this.#files.pki)) return;
    const { createPki } = await import("./pki.ts");
    writePki(this.#files, await createPki(this.#options.name));
  }

  #reported(child: ChildProcess): Promise<ClusterRuntime> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        reject(new UserError(`cluster "${this.#options.name}" did not start: ${why} (log: ${this.#files.log})`));
      };
      child.once("error", (error) => fail(error.message));
      child.once("exit", (code, signal) => fail(`its process ended with ${signal ?? `exit code ${code}`}`));
      child.on("message", (message: ClusterMessage) => {
        if (message.type === "ready") resolve(message.runtime);
        else fail(message.message);
      });
    });
  }

  /** The process is there and it is ours: what answers at the port has the cluster's own certificate. */
  async #answers(): Promise<boolean> {
    const runtime = this.runtime;
    if (!runtime || processesOf(runtime.pid).length === 0) return false;
    const client = await this.connect();
    try {
      await text(await client.stream({ method: "GET", path: "/readyz", signal: AbortSignal.timeout(answerTimeoutMs) }));
      return true;
    } catch {
      return false;
    } finally {
      client.close();
    }
  }
}

/** What a cluster has is what it wants first, unless the user names another port now. */
function wishesAgain(wishes: PortWish[], before: PortMapping[]): PortWish[] {
  return wishes.map(({ chosen, ...wish }) => {
    const has = before.find(({ containerPort }) => containerPort === wish.containerPort)?.hostPort;
    if (has === undefined) return chosen === undefined ? wish : { ...wish, chosen };
    return { ...wish, preferred: has, ...(chosen === undefined || chosen === 0 ? {} : { chosen }) };
  });
}
