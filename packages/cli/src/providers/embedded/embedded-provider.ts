// The embedded cluster: a background process of this program instead of containers.

import { type ApiClient, createApiClient } from "@gatehouse/apimachinery/api-client";
import { timestamp } from "@gatehouse/apimachinery/meta";
import { kubeconfigPaths } from "@gatehouse/apimachinery/kubeconfig";
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, openSync, closeSync, readFileSync, rmSync } from "node:fs";
import { removeParentsIfEmpty } from "../../cluster-lock.ts";
import {
  changeClusterState,
  type ClusterRuntime,
  type PortMapping,
  readClusterRuntime,
  readClusterState,
  removeClusterRuntime,
  writeClusterState,
} from "../../cluster-state.ts";
import { clusterDirectory, contextName, defaultClusterName } from "../../home.ts";
import { chooseHostPorts, isFree, type PortWish, untilFree } from "../../host-ports.ts";
import { clusterProgram, traefikValuesFile } from "../../program-files.ts";
import { addContext, type ContextEntry, pathToMerge, removeContext } from "../../kubeconfig-file.ts";
import type { Progress } from "../../progress.ts";
import { UserError } from "../../user-error.ts";
import { mappedEntry, whyUnreachable } from "../cluster-access.ts";
import type { ClusterFacts, ClusterPhase, ClusterProvider, EntryAddress } from "../provider.ts";
import { type ClusterFiles, clusterFiles, createClusterDirectory, readPki, writePki } from "./cluster-files.ts";
import type { ClusterMessage } from "./cluster-messages.ts";
import type { EmbeddedState, TraefikBinary } from "./embedded-state.ts";
import {
  clusterDirectoryVariable,
  clusterNodeOptions,
  endLeftovers,
  isClusterProcess,
  processesOf,
  stopProcess,
} from "./processes.ts";

export interface EmbeddedOptions {
  name: string;
  /** From kind/cluster.yaml: what is wanted when the user chose nothing, and the user's choices. */
  portWishes: PortWish[];
  /** The real Traefik to run as the gateway of a new cluster, found and checked; absent = the built-in gateway. */
  traefik?: () => Promise<TraefikBinary>;
}

const answerTimeoutMs = 2_000;
const orphansLeaveMs = 500;
const release = { name: "traefik", namespace: "traefik" };

export class EmbeddedProvider implements ClusterProvider {
  readonly kind = "embedded";
  readonly name: string;
  readonly context: string;
  readonly directory: string;
  readonly flags: string;
  readonly readyTimeoutMs = 60_000;
  readonly definitionsSource = "bundled";
  readonly exposesDashboard = true;
  readonly offersHosts = true;
  readonly removedOnInterrupt = true;
  readonly #options: EmbeddedOptions;
  readonly #files: ClusterFiles;
  #child: ChildProcess | undefined;

  constructor(options: EmbeddedOptions) {
    this.#options = options;
    this.name = options.name;
    this.context = contextName(options.name);
    this.directory = clusterDirectory(options.name);
    this.flags = options.name === defaultClusterName ? "" : ` --name ${options.name}`;
    this.#files = clusterFiles(this.directory);
  }

  get #state(): EmbeddedState | undefined {
    return readClusterState<EmbeddedState>(this.directory);
  }

  get #runtime(): ClusterRuntime | undefined {
    return readClusterRuntime(this.directory);
  }

  #remember(change: Partial<EmbeddedState>): void {
    changeClusterState<EmbeddedState>(this.directory, change);
  }

  async phase(): Promise<ClusterPhase> {
    if (!this.#state) return existsSync(this.directory) ? "stopped" : "absent";
    return (await this.#answers()) ? "running" : "stopped";
  }

  async create(progress: Progress): Promise<void> {
    if ((await this.phase()) === "running") return;
    const fresh = this.#state === undefined;
    this.#refuseSecondProcess();
    await endLeftovers(this.directory);
    if (fresh) {
      const traefik = await this.#chooseTraefik(progress);
      await progress.step("Choose ports", ({ detail }) => this.#prepare(traefik, progress, detail));
    } else {
      await this.#findTraefik();
      await this.#keepPorts(progress);
    }
    await progress.step(fresh ? "Start the cluster" : "Start the cluster again", async ({ detail }) => {
      const runtime = await this.#start();
      detail(`Kubernetes API at https://127.0.0.1:${runtime.apiPort}`);
    });
    await progress.step("Write the kubeconfig context", async ({ detail }) => detail(this.#writeContext()));
    if (this.#state?.complete && this.#state.gateway) await this.#noteNewerTraefik(progress);
  }

  async connect(): Promise<ApiClient> {
    const runtime = this.#runtime;
    if (!runtime) throw new UserError(`cluster "${this.name}" is not running: start it with gatehouse up`);
    const pki = readPki(this.#files);
    return createApiClient({
      server: `https://127.0.0.1:${runtime.apiPort}`,
      certificateAuthority: pki.ca,
      clientCertificate: pki.admin.certificate,
      clientKey: pki.admin.key,
    });
  }

  async installGateway(client: ApiClient): Promise<void> {
    const why = await this.#whyTraefikWaits(client);
    if (why) {
      throw new UserError(
        `${why}: run it again with --gateway-api v1.6.1, or gatehouse down${this.flags} and take Traefik 3.6`,
      );
    }
    const [{ parse }, { renderTraefikChart }, { applyAll }] = await Promise.all([
      import("yaml"),
      import("./traefik-chart.ts"),
      import("../../steps/apply-all.ts"),
    ]);
    const file = traefikValuesFile();
    await applyAll(client, renderTraefikChart(parse(readFileSync(file, "utf8")), release, file));
  }

  async entry(): Promise<EntryAddress> {
    const entry = mappedEntry(this.#state);
    if (!entry) throw new UserError(`cluster "${this.name}" maps no port to its node's port 80`);
    return entry;
  }

  async facts({ memory } = { memory: false }): Promise<ClusterFacts> {
    const runtime = this.#runtime;
    if (!runtime) return {};
    const facts = { api: `https://127.0.0.1:${runtime.apiPort}`, nodeIP: runtime.nodeIP };
    if (!memory) return facts;
    const processes = processesOf(runtime.pid);
    const kibibytes = processes.reduce((sum, process) => sum + process.memoryKiB, 0);
    return { ...facts, memory: { processes: processes.length, mebibytes: Math.round(kibibytes / 102.4) / 10 } };
  }

  /** Ends the process and its pods; the state stays. True when something ran. */
  async stop(): Promise<boolean> {
    // Started by this very command, it may not have written down yet that it runs.
    const pid = this.#runtime?.pid ?? this.#child?.pid;
    const stopped = pid !== undefined && (await stopProcess(pid, this.directory));
    await endLeftovers(this.directory);
    removeClusterRuntime(this.directory);
    return stopped;
  }

  async destroy(progress: Progress): Promise<void> {
    await progress.step(`Delete the cluster "${this.name}"`, async () => {
      const kubeconfig = this.#knownKubeconfig();
      if (kubeconfig) removeContext(kubeconfig, this.context);
      await this.stop();
      rmSync(this.directory, { recursive: true, force: true });
      removeParentsIfEmpty(this.directory);
    });
  }

  /** Where the context was written. What can be known of a cluster whose file is damaged is that it has to go. */
  #knownKubeconfig(): EmbeddedState["kubeconfig"] {
    try {
      return this.#state?.kubeconfig;
    } catch {
      return { path: pathToMerge(kubeconfigPaths()), created: false };
    }
  }

  /** Adds or renews the context in the file it was first written to; returns where it is. */
  #writeContext(): string {
    const known = this.#state?.kubeconfig;
    const path = known?.path ?? pathToMerge(kubeconfigPaths());
    const change = addContext(path, this.#contextEntry());
    // What `down` restores is what was there before the first `up`.
    this.#remember({ kubeconfig: known ?? change });
    return `${this.context} in ${path}`;
  }

  #contextEntry(): ContextEntry {
    const pki = readPki(this.#files);
    return {
      context: this.context,
      server: `https://127.0.0.1:${this.#state?.apiPort ?? 0}`,
      certificateAuthority: pki.ca,
      clientCertificate: pki.admin.certificate,
      clientKey: pki.admin.key,
    };
  }

  async #chooseTraefik(progress: Progress): Promise<TraefikBinary | undefined> {
    const { traefik } = this.#options;
    if (!traefik) return undefined;
    return progress.step("Find Traefik", async ({ detail }) => {
      const found = await traefik();
      detail(`${found.path} (version ${found.version})`);
      return found;
    });
  }

  async #prepare(
    traefik: TraefikBinary | undefined,
    progress: Progress,
    detail: (text: string) => void,
  ): Promise<void> {
    const { mappings, notes } = await chooseHostPorts(this.#options.portWishes);
    detail(mappings.map(({ containerPort, hostPort }) => `${hostPort} -> ${containerPort}`).join(", "));
    createClusterDirectory(this.directory);
    const state: EmbeddedState = {
      provider: "embedded",
      name: this.name,
      context: this.context,
      createdAt: timestamp(),
      apiPort: 0,
      portMappings: mappings,
      complete: false,
      ...(traefik ? { gateway: { kind: "traefik", binary: traefik.path } } : {}),
    };
    writeClusterState(this.directory, state);
    notes.forEach((note) => progress.note(note));
  }

  /** A process that is there but does not answer holds the cluster's state. */
  #refuseSecondProcess(): void {
    const pid = this.#runtime?.pid;
    if (pid === undefined || !isClusterProcess(pid, this.directory)) return;
    throw new UserError(
      `cluster "${this.name}" is running (pid ${pid}) but does not answer: end it with gatehouse stop, then try again (log: ${this.#files.log})`,
    );
  }

  /** The program that plays the gateway, which may have gone since. Throws a UserError. */
  async #findTraefik(): Promise<TraefikBinary | undefined> {
    const binary = this.#state?.gateway?.binary;
    if (binary === undefined) return undefined;
    const { findTraefik } = await import("./traefik-binary-check.ts");
    return findTraefik(binary);
  }

  /** The program may be a newer one than before, and the statuses are still those that the older one wrote. */
  async #noteNewerTraefik(progress: Progress): Promise<void> {
    const client = await this.connect();
    try {
      const why = await this.#whyTraefikWaits(client);
      if (!why) return;
      const apply = `gatehouse apply --context ${this.context} -f -`;
      progress.note(`${why}: gatehouse crds --version v1.6.1 | ${apply}   brings it`);
    } finally {
      client.close();
    }
  }

  async #whyTraefikWaits(client: ApiClient): Promise<string | undefined> {
    const traefik = await this.#findTraefik();
    if (!traefik) return undefined;
    const { whyTraefikWaits } = await import("../../steps/traefik-needs.ts");
    return whyTraefikWaits(client, traefik.version);
  }

  /** The ports of a stopped cluster may have been taken meanwhile: then it gets others, as a new one would. */
  async #keepPorts(progress: Progress): Promise<void> {
    const { portMappings: before = [], apiPort = 0 } = this.#state ?? {};
    // After a crash the pods' processes take a moment to notice and leave.
    await untilFree(
      before.map(({ hostPort }) => hostPort),
      orphansLeaveMs,
    );
    if (!(await isFree(apiPort))) this.#remember({ apiPort: 0 });
    const { mappings, notes } = await chooseHostPorts(wishesAgain(this.#options.portWishes, before));
    if (mappings.every(({ hostPort }, index) => hostPort === before[index]?.hostPort)) return;
    notes.forEach((note) => progress.note(note));
    this.#remember({ portMappings: mappings });
  }

  async #start(): Promise<ClusterRuntime> {
    const output = openSync(this.#files.log, "a", 0o600);
    const child = spawn(
      process.execPath,
      [...process.execArgv, ...clusterNodeOptions, clusterProgram(), this.directory],
      {
        detached: true,
        cwd: "/",
        env: { ...process.env, [clusterDirectoryVariable]: this.directory },
        stdio: ["ignore", output, output, "ipc"],
      },
    );
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
    writePki(this.#files, await createPki(this.name));
  }

  #reported(child: ChildProcess): Promise<ClusterRuntime> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        reject(new UserError(`cluster "${this.name}" did not start: ${why} (log: ${this.#files.log})`));
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
    const runtime = this.#runtime;
    if (!runtime || processesOf(runtime.pid).length === 0) return false;
    return (await whyUnreachable(() => this.connect(), "/readyz", answerTimeoutMs)) === undefined;
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
