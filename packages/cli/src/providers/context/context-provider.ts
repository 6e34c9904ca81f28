// Any cluster that a kubeconfig context names: the demo is installed on it with the real Traefik by Helm, and taken away
// again without touching anything else.

import { type ApiClient, createApiClient } from "@gatehouse/apimachinery/api-client";
import { contextNames, loadConnection } from "@gatehouse/apimachinery/kubeconfig";
import { timestamp } from "@gatehouse/apimachinery/meta";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeParentsIfEmpty } from "../../cluster-lock.ts";
import { readClusterState, writeClusterState } from "../../cluster-state.ts";
import type { Decide } from "../../decide.ts";
import { preflight } from "../../doctor/preflight.ts";
import { contextDirectory } from "../../home.ts";
import type { Progress, Step } from "../../progress.ts";
import { applyAll } from "../../steps/apply-all.ts";
import { deleteDefinitions, installedDefinitions, objectsOf } from "../../steps/definitions.ts";
import { shellWord } from "../../shell-word.ts";
import { UserError } from "../../user-error.ts";
import { untrusted } from "../../client-context.ts";
import { installWithHelm } from "../helm/install-with-helm.ts";
import { foreignRelease, type ReleaseOptions, uninstallRelease } from "../helm/traefik-release.ts";
import { clusterIdentity, serverOf, whyUnreachable } from "../cluster-access.ts";
import type { ClusterFacts, ClusterPhase, ClusterProvider, EntryAddress } from "../provider.ts";
import { checkNames, checkRights, checkVersion } from "./cluster-checks.ts";
import { loadBalancer, loadBalancerName } from "./load-balancer.ts";
import { deleteDemo, deleteNamespaces } from "./uninstall.ts";
import { untilWayIn } from "./way-in.ts";

export interface ContextOptions {
  /** The kubeconfig context. */
  context: string;
  /** `--chart`. */
  chart?: string;
  /** Asked before definitions are deleted. */
  decide: Decide;
}

/** Other people's nodes have no ports of ours, so a load balancer leads to the gateway (`load-balancer.ts`). */
const values = {
  service: { type: "ClusterIP" },
  ports: { web: { hostPort: null }, websecure: { hostPort: null } },
  providers: { kubernetesGateway: { statusAddress: { service: { name: loadBalancerName } } } },
};

const answerTimeoutMs = 5_000;
/** Load balancers of clouds take minutes until they answer. */
const addressTimeoutMs = 180_000;

/** The context that is current. Throws a UserError when there is none. */
export async function currentContext(): Promise<string> {
  const names = await knownContexts();
  try {
    return (await loadConnection()).context;
  } catch (error) {
    const remedy =
      names.length > 0
        ? `name one of ${names.join(", ")} with --context`
        : "point KUBECONFIG at your cluster's file, or make a cluster of your own with ./setup.sh";
    throw new UserError(`${(error as Error).message.split(": start a cluster")[0]}: ${remedy}`, 1, { cause: error });
  }
}

/** Throws a UserError for a kubeconfig that cannot be read. */
async function knownContexts(): Promise<string[]> {
  try {
    return await contextNames();
  } catch (error) {
    throw new UserError((error as Error).message, 1, { cause: error });
  }
}

export class ContextProvider implements ClusterProvider {
  readonly kind = "context";
  readonly name: string;
  readonly context: string;
  readonly directory: string;
  readonly flags: string;
  readonly readyTimeoutMs = 300_000;
  readonly definitionsSource = "official";
  readonly exposesDashboard = false;
  readonly offersHosts = false;
  readonly removedOnInterrupt = false;
  readonly #options: ContextOptions;

  constructor(options: ContextOptions) {
    this.#options = options;
    this.name = options.context;
    this.context = options.context;
    this.directory = contextDirectory(options.context);
    this.flags = ` --context ${shellWord(options.context)}`;
  }

  get #release(): ReleaseOptions {
    const { context, chart } = this.#options;
    return { context, directory: this.directory, values, ...(chart ? { chart } : {}) };
  }

  /**
   * Another cluster under the same name (it was made anew) has nothing of ours. Throws a UserError for a context that the
   * kubeconfig does not have, unless something was installed by way of it.
   */
  async phase(): Promise<ClusterPhase> {
    if (!existsSync(this.directory)) {
      (await this.connect()).close();
      return "absent";
    }
    if ((await this.#unreachable()) !== undefined) return "stopped";
    const known = readClusterState(this.directory)?.identity;
    return known === undefined || known === (await this.#with(clusterIdentity)) ? "running" : "absent";
  }

  async create(progress: Progress): Promise<void> {
    const found = await progress.step(`Check the cluster of context "${this.context}"`, async ({ detail }) => {
      await this.#needAnswer();
      await preflight("context", { name: this.name, portWishes: [] });
      detail(`Kubernetes ${await this.#with((client) => this.#check(client))}`);
      return this.#with(clusterIdentity);
    });
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    const state = readClusterState(this.directory);
    if (!state || (state.identity !== undefined && state.identity !== found)) {
      writeClusterState(this.directory, {
        provider: "context",
        name: this.name,
        context: this.context,
        createdAt: timestamp(),
        portMappings: [],
        complete: false,
      });
    }
    progress.logTo(join(this.directory, "up.log"));
  }

  async connect(): Promise<ApiClient> {
    try {
      return await createApiClient(await loadConnection(this.context));
    } catch (error) {
      throw new UserError((error as Error).message, 1, { cause: error });
    }
  }

  async installGateway(client: ApiClient, step: Step): Promise<void> {
    await applyAll(client, [loadBalancer]);
    await installWithHelm(client, this.#release, step);
  }

  entry(client: ApiClient, step: Step): Promise<EntryAddress> {
    return untilWayIn(client, this.context, addressTimeoutMs, step);
  }

  facts(): Promise<ClusterFacts> {
    return serverOf(this.context);
  }

  stop(): Promise<boolean> {
    throw new UserError(
      `the cluster of context "${this.context}" is not stopped from here: gatehouse down${this.flags} takes the demo off it`,
      2,
    );
  }

  async destroy(progress: Progress): Promise<void> {
    if (existsSync(this.directory)) progress.logTo(join(this.directory, "down.log"));
    if ((await knownContexts()).includes(this.context)) {
      await this.#needAnswer();
      await this.#with((client) => this.#uninstall(client, progress));
    } else if (existsSync(this.directory)) {
      progress.note(`The kubeconfig has no context "${this.context}" any more: what is known of it here is forgotten.`);
    } else await this.connect();
    rmSync(this.directory, { recursive: true, force: true });
    removeParentsIfEmpty(this.directory);
  }

  async #uninstall(client: ApiClient, progress: Progress): Promise<void> {
    await progress.step("Delete the demo's routes and applications", async ({ detail }) =>
      detail(`${await deleteDemo(client)} objects`),
    );
    await progress.step("Uninstall the gateway", async (step) => {
      if (!(await uninstallRelease(this.#release, step))) step.detail("not installed from here");
    });
    await progress.step("Delete the namespaces", async ({ detail }) => {
      const { deleted, kept } = await deleteNamespaces(client);
      const left = kept.length > 0 ? `; kept, with what others put there: ${kept.join(", ")}` : "";
      detail((deleted.join(", ") || "none") + left);
    });
    await this.#offerDefinitions(client, progress);
  }

  /** They hold the routes of everybody on the cluster, so they go only when nobody has any, and somebody says so. */
  async #offerDefinitions(client: ApiClient, progress: Progress): Promise<void> {
    const definitions = await installedDefinitions(client);
    if (definitions.length === 0) return;
    const others = await objectsOf(client, definitions);
    if (others.length > 0) {
      const named = others.slice(0, 5).join(", ") + (others.length > 5 ? ` and ${others.length - 5} more` : "");
      progress.note(`The Gateway API definitions stay, because others use them, or may: ${named}.`);
      return;
    }
    const question = `Delete the ${definitions.length} Gateway API definitions that up installed?`;
    if (!(await this.#options.decide(question))) {
      progress.note(`The Gateway API definitions stay: gatehouse down${this.flags} --crds delete removes them too.`);
      return;
    }
    await progress.step("Delete the Gateway API definitions", () => deleteDefinitions(client, definitions));
  }

  /** Throws a UserError for what stands in the way; returns the version. Nothing has been changed then. */
  async #check(client: ApiClient): Promise<string> {
    const version = await checkVersion(client);
    await checkRights(client);
    await checkNames(client);
    const foreign = await foreignRelease(this.#release);
    if (foreign) throw new UserError(foreign);
    return version;
  }

  /** Throws a UserError that says what is wrong with the connection. */
  async #needAnswer(): Promise<void> {
    (await this.connect()).close();
    const why = await this.#unreachable();
    if (why === undefined) return;
    const at = `the cluster of context "${this.context}"`;
    if (untrusted.test(why)) {
      throw new UserError(`the certificate of ${at} is not the one the kubeconfig trusts (${why}): renew the context`);
    }
    if (why === "Unauthorized") {
      throw new UserError(`${at} does not accept this user's credentials: log in again, or choose another context`);
    }
    throw new UserError(`${at} does not answer (${why}): see whether it runs`);
  }

  #unreachable(): Promise<string | undefined> {
    return whyUnreachable(() => this.connect(), "/version", answerTimeoutMs);
  }

  async #with<T>(work: (client: ApiClient) => Promise<T>): Promise<T> {
    const client = await this.connect();
    try {
      return await work(client);
    } finally {
      client.close();
    }
  }
}
