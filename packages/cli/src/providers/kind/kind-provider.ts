// A kind cluster: Kubernetes in a container, made and removed by the user's own kind, with the real Traefik by Helm.

import { type ApiClient, createApiClient } from "@gatehouse/apimachinery/api-client";
import { loadConnection } from "@gatehouse/apimachinery/kubeconfig";
import { type KubeObject, timestamp } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { removeParentsIfEmpty } from "../../cluster-lock.ts";
import { changeClusterState, readClusterState, writeClusterState } from "../../cluster-state.ts";
import { preflight } from "../../doctor/preflight.ts";
import { defaultClusterName, kindDirectory } from "../../home.ts";
import { chooseHostPorts, type PortWish } from "../../host-ports.ts";
import type { Progress, Step } from "../../progress.ts";
import { UserError } from "../../user-error.ts";
import { installWithHelm } from "../helm/install-with-helm.ts";
import { mappedEntry, serverOf, whyUnreachable } from "../cluster-access.ts";
import type { ClusterFacts, ClusterPhase, ClusterProvider, EntryAddress } from "../provider.ts";
import {
  engineProgram,
  type NodeContainer,
  nodeContainers,
  startContainers,
  stopContainers,
} from "./container-engine.ts";
import { kindConfig } from "./kind-config.ts";
import { kubeconfigBefore, withContextRemoved } from "./kind-kubeconfig.ts";
import { runKind } from "./kind-program.ts";
import { clusterMark, type KindState, type Ownership, ownership } from "./kind-state.ts";

export interface KindOptions {
  name: string;
  /** From kind/cluster.yaml, with the user's choices. */
  portWishes: PortWish[];
  /** `--chart`. */
  chart?: string;
}

const leases: ResourceType<KubeObject & { spec?: { renewTime?: string } }> = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
  namespaced: true,
};

const waitForNode = "3m";
const answerTimeoutMs = 3_000;
const answerPollMs = 500;
const apiTimeoutMs = 120_000;

export class KindProvider implements ClusterProvider {
  readonly kind = "kind";
  readonly name: string;
  readonly context: string;
  readonly directory: string;
  readonly flags: string;
  readonly readyTimeoutMs = 300_000;
  readonly definitionsSource = "official";
  readonly exposesDashboard = true;
  readonly offersHosts = true;
  readonly removedOnInterrupt = false;
  readonly #options: KindOptions;

  constructor(options: KindOptions) {
    this.#options = options;
    this.name = options.name;
    this.context = `kind-${options.name}`;
    this.directory = kindDirectory(options.name);
    this.flags = ` --cluster kind${options.name === defaultClusterName ? "" : ` --name ${options.name}`}`;
  }

  get #state(): KindState | undefined {
    return readClusterState<KindState>(this.directory);
  }

  #remember(change: Partial<KindState>): void {
    changeClusterState<KindState>(this.directory, change);
  }

  async phase(): Promise<ClusterPhase> {
    const state = this.#state;
    if (!state) return "absent";
    if (state.made !== "yes" || !(await this.#answers())) return "stopped";
    return (await this.#ownership()) === "whole" ? "running" : "stopped";
  }

  async create(progress: Progress): Promise<void> {
    const state = this.#state;
    await this.#checkMachine(progress);
    const nodes = await nodeContainers(this.name);
    const owner = ownership(state, nodes, this.directory);
    if (owner === "foreign") throw this.#foreign();
    if (state) progress.logTo(join(this.directory, "up.log"));
    if (owner === "half") {
      await progress.step("Remove what an earlier attempt left", (step) => this.#kind(["delete", "cluster"], step));
    }
    if (owner === "whole") await this.#startAgain(nodes, progress);
    else await this.#createCluster(progress);
    await progress.step("Wait for the Kubernetes API", (step) => this.#untilAnswering(step));
  }

  async connect(): Promise<ApiClient> {
    return createApiClient(await loadConnection(this.context));
  }

  installGateway(client: ApiClient, step: Step): Promise<void> {
    const { chart } = this.#options;
    const { context, directory } = this;
    return installWithHelm(client, { context, directory, ...(chart ? { chart } : {}) }, step);
  }

  async entry(): Promise<EntryAddress> {
    const entry = mappedEntry(this.#state);
    if (!entry) throw new UserError(`kind cluster "${this.name}" maps no port to its node's port 80`);
    return entry;
  }

  facts(): Promise<ClusterFacts> {
    return serverOf(this.context);
  }

  async stop(): Promise<boolean> {
    const nodes = await nodeContainers(this.name);
    if (ownership(this.#state, nodes, this.directory) === "foreign") throw this.#foreign();
    const running = nodes.filter((node) => node.running);
    if (running.length > 0) await stopContainers(running.map(({ name }) => name));
    return running.length > 0;
  }

  async destroy(progress: Progress): Promise<void> {
    progress.logTo(join(this.directory, "down.log"));
    const state = this.#readableState();
    const owner = await this.#ownership(state);
    const foreign = owner === "foreign";
    if (foreign) progress.note(`kind cluster "${this.name}" is another one than gatehouse made: it stays`);
    await progress.step(`Delete the kind cluster "${this.name}"`, async (step) => {
      if (!foreign && (owner !== "absent" || state.made !== "no")) {
        // Also where its containers are gone: kind takes the context out of all files of KUBECONFIG.
        const remove = () => this.#kind(["delete", "cluster"], step);
        await withContextRemoved(state.kubeconfig, this.context, remove);
      }
      rmSync(this.directory, { recursive: true, force: true });
      removeParentsIfEmpty(this.directory);
    });
  }

  /** Of a cluster whose file is damaged all that is known is that it has to go. */
  #readableState(): Pick<KindState, "made" | "kubeconfig"> {
    try {
      return this.#state ?? { made: "no" };
    } catch {
      return { made: "begun" };
    }
  }

  async #ownership(state: Pick<KindState, "made"> | undefined = this.#state): Promise<Ownership> {
    return ownership(state, await nodeContainers(this.name), this.directory);
  }

  /** The ports of a cluster that is there already are its own, or it is stopped: its start says when they are taken. */
  async #checkMachine(progress: Progress): Promise<void> {
    const portWishes = this.#state?.made === "yes" ? [] : this.#options.portWishes;
    const { notes } = await progress.step("Check this machine", () =>
      preflight("kind", { name: this.name, portWishes }),
    );
    // Said once: who goes on with a cluster has read them.
    if (!this.#state) notes.forEach((note) => progress.note(note));
  }

  #foreign(): UserError {
    return new UserError(
      `there is a kind cluster "${this.name}" already that gatehouse did not make: use it with --context ${this.context}, choose another name with --name, or delete it with kind delete cluster --name ${this.name}`,
    );
  }

  /** Ports are chosen anew each time: that they were taken may be why the last attempt failed. */
  async #createCluster(progress: Progress): Promise<void> {
    const portMappings = await progress.step("Choose ports", async ({ detail }) => {
      const { mappings, notes } = await chooseHostPorts(this.#options.portWishes, true);
      detail(mappings.map(({ containerPort, hostPort }) => `${hostPort} -> ${containerPort}`).join(", "));
      // Said once: who goes on with a cluster has read them.
      if (!this.#state) notes.forEach((note) => progress.note(note));
      return mappings;
    });
    mkdirSync(join(this.directory, clusterMark(this.directory)), { recursive: true, mode: 0o700 });
    const before = this.#state;
    const state: KindState = {
      ...(before?.hostsFile ? { hostsFile: before.hostsFile } : {}),
      provider: "kind",
      name: this.name,
      context: this.context,
      createdAt: timestamp(),
      portMappings,
      complete: false,
      made: "begun",
      kubeconfig: before?.kubeconfig ?? kubeconfigBefore(this.context),
    };
    writeClusterState(this.directory, state);
    progress.logTo(join(this.directory, "up.log"));
    await progress.step(`Create the kind cluster "${this.name}"`, async (step) => {
      const config = join(this.directory, "kind-config.yaml");
      writeFileSync(config, kindConfig(this.name, portMappings, this.directory), { mode: 0o600 });
      await this.#runCreate(config, step);
      this.#remember({ made: "yes" });
      step.detail(`context ${this.context}`);
    });
  }

  /** kind removes what it made before it fails: what has this name from then on is not ours. */
  async #runCreate(config: string, step: Step): Promise<void> {
    try {
      await this.#kind(["create", "cluster", "--config", config, "--wait", waitForNode], step);
    } catch (error) {
      const taken = /already exist for a cluster/.test((error as Error).message);
      const gone = await nodeContainers(this.name).then(
        (nodes) => nodes.length === 0,
        () => false,
      );
      if (taken || gone) this.#remember({ made: "no" });
      throw error;
    }
  }

  async #startAgain(nodes: NodeContainer[], progress: Progress): Promise<void> {
    await progress.step(`Use the kind cluster "${this.name}"`, async (step) => {
      await this.#kind(["export", "kubeconfig"], step);
    });
    const stopped = nodes.filter(({ running }) => !running).map(({ name }) => name);
    if (stopped.length === 0) return;
    const since = Date.now();
    await progress.step(`Start ${stopped.join(", ")}`, async (step) => {
      await startContainers(stopped);
      await this.#untilAnswering(step);
      // Until then the API tells of the pods what was true before they were stopped.
      await this.#untilNodesReport(since, step);
    });
  }

  #kind(args: string[], step: Step): Promise<void> {
    return runKind(args, this.name, step);
  }

  async #untilAnswering({ detail }: Step): Promise<void> {
    const giveUpAt = performance.now() + apiTimeoutMs;
    while (!(await this.#answers())) {
      if (performance.now() > giveUpAt) {
        throw new UserError(
          `the API server of context "${this.context}" does not answer after ${apiTimeoutMs / 1000} s: look with ${engineProgram()} logs ${this.name}-control-plane, then run it again`,
        );
      }
      detail("not answering yet");
      await delay(answerPollMs);
    }
    detail((await this.facts()).api ?? "");
  }

  /** Each node's kubelet renews its Lease every ten seconds (KEP-589). */
  async #untilNodesReport(since: number, { detail }: Step): Promise<void> {
    const giveUpAt = performance.now() + apiTimeoutMs;
    const client = await this.connect();
    try {
      for (;;) {
        const { items } = await client.list(leases, { namespace: "kube-node-lease" });
        if (items.length > 0 && items.every(({ spec }) => Date.parse(spec?.renewTime ?? "") >= since)) return;
        if (performance.now() > giveUpAt)
          throw new UserError(`its nodes do not report: kubectl describe nodes says why`);
        detail("waiting for its nodes to report");
        await delay(answerPollMs);
      }
    } finally {
      client.close();
    }
  }

  async #answers(): Promise<boolean> {
    return (await whyUnreachable(() => this.connect(), "/readyz", answerTimeoutMs)) === undefined;
  }
}
