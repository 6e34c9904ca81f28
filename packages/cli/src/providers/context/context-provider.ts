// Any cluster that a kubeconfig context names: the demo is installed on it with the real Traefik by Helm, and taken away
// again without touching anything else.

import { type ApiClient, createApiClient, text } from "@gatehouse/apimachinery/api-client";
import { contextNames, loadConnection } from "@gatehouse/apimachinery/kubeconfig";
import { timestamp } from "@gatehouse/apimachinery/meta";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeParentsIfEmpty } from "../../cluster-lock.ts";
import { readClusterState, writeClusterState } from "../../cluster-state.ts";
import type { Decide } from "../../decide.ts";
import { preflight } from "../../doctor/preflight.ts";
import { findEntry } from "../../entry-address.ts";
import { contextDirectory } from "../../home.ts";
import type { Progress, Step } from "../../progress.ts";
import { deleteDefinitions, installedDefinitions } from "../../steps/definitions.ts";
import { UserError } from "../../user-error.ts";
import { installWithHelm } from "../helm/install-with-helm.ts";
import { foreignRelease, type ReleaseOptions, uninstallRelease } from "../helm/traefik-release.ts";
import type { ClusterFacts, ClusterPhase, ClusterProvider, EntryAddress } from "../provider.ts";
import { checkNames, checkRights, checkVersion } from "./cluster-checks.ts";
import { deleteDemo, deleteNamespaces } from "./uninstall.ts";

export interface ContextOptions {
  /** The kubeconfig context. */
  context: string;
  /** `--chart`. */
  chart?: string;
  /** Asked before definitions are deleted. */
  decide: Decide;
}

/**
 * Other people's nodes have no ports of ours, so a load balancer leads to the gateway: a Service of its own, because the
 * chart's first one has the dashboard's port too, which asks nobody for a password.
 */
const values = {
  service: { type: "ClusterIP", additionalServices: { lb: { type: "LoadBalancer" } } },
  ports: {
    web: { hostPort: null, expose: { default: true, lb: true } },
    websecure: { hostPort: null, expose: { default: true, lb: true } },
  },
  providers: { kubernetesGateway: { statusAddress: { service: { name: "traefik-lb" } } } },
};

const answerTimeoutMs = 5_000;
const addressTimeoutMs = 60_000;

/** The context that is current. Throws a UserError when there is none. */
export async function currentContext(): Promise<string> {
  try {
    return (await loadConnection()).context;
  } catch (error) {
    const names = await contextNames();
    const offered = names.length > 0 ? `: name one of ${names.join(", ")} with --context` : "";
    throw new UserError(`${(error as Error).message.split(": start a cluster")[0]}${offered}`, 1, { cause: error });
  }
}

export class ContextProvider implements ClusterProvider {
  readonly kind = "context";
  readonly name: string;
  readonly context: string;
  readonly directory: string;
  readonly flags: string;
  readonly readyTimeoutMs = 300_000;
  readonly #options: ContextOptions;

  constructor(options: ContextOptions) {
    this.#options = options;
    this.name = options.context;
    this.context = options.context;
    this.directory = contextDirectory(options.context);
    this.flags = ` --context ${options.context}`;
  }

  get #release(): ReleaseOptions {
    const { context, chart } = this.#options;
    return { context, values, ...(chart ? { chart } : {}) };
  }

  async phase(): Promise<ClusterPhase> {
    if (!existsSync(this.directory)) return "absent";
    return (await this.#unreachable()) === undefined ? "running" : "stopped";
  }

  async create(progress: Progress): Promise<void> {
    await progress.step(`Check the cluster of context "${this.context}"`, async ({ detail }) => {
      await preflight("context", { name: this.name, portWishes: [] });
      const why = await this.#unreachable();
      if (why !== undefined) {
        throw new UserError(`the cluster of context "${this.context}" does not answer (${why}): see whether it runs`);
      }
      detail(await this.#check());
    });
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    if (!readClusterState(this.directory)) {
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

  installGateway(client: ApiClient, step: Step): Promise<void> {
    return installWithHelm(client, this.#release, step);
  }

  async entry(client: ApiClient): Promise<EntryAddress> {
    const gateway = { namespace: "traefik", name: "traefik-gateway" };
    const giveUpAt = Date.now() + addressTimeoutMs;
    for (;;) {
      const found = await findEntry(client, { context: this.context, gateway });
      if (!("tried" in found)) return { host: found.host, port: found.port };
      if (Date.now() > giveUpAt) {
        throw new UserError(
          `no address leads from here to the gateway (tried: ${found.tried.join("; ")}): give the Service traefik/traefik-lb one (a load balancer such as MetalLB or cloud-provider-kind, or minikube tunnel), then run it again`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }

  async facts(): Promise<ClusterFacts> {
    try {
      const { server } = await loadConnection(this.context);
      return server ? { api: server } : {};
    } catch {
      return {};
    }
  }

  stop(): Promise<boolean> {
    throw new UserError(
      `the cluster of context "${this.context}" is not stopped from here: gatehouse down${this.flags} takes the demo off it`,
      2,
    );
  }

  async destroy(progress: Progress): Promise<void> {
    const client = await this.connect();
    try {
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
    } finally {
      client.close();
    }
    rmSync(this.directory, { recursive: true, force: true });
    removeParentsIfEmpty(this.directory);
  }

  /** They hold the routes of everybody on the cluster, so they go only when somebody says so. */
  async #offerDefinitions(client: ApiClient, progress: Progress): Promise<void> {
    const definitions = await installedDefinitions(client);
    if (definitions.length === 0) return;
    const question = `Delete the ${definitions.length} Gateway API definitions that up installed, and with them every Gateway and route of this cluster?`;
    if (!(await this.#options.decide(question))) {
      progress.note("The Gateway API definitions stay: gatehouse down with --crds delete removes them too.");
      return;
    }
    await progress.step("Delete the Gateway API definitions", () => deleteDefinitions(client, definitions));
  }

  /** Throws a UserError for what stands in the way; returns the version. Nothing has been changed then. */
  async #check(): Promise<string> {
    const client = await this.connect();
    try {
      const version = await checkVersion(client);
      await checkRights(client);
      await checkNames(client);
      const foreign = await foreignRelease(this.#release);
      if (foreign) throw new UserError(foreign);
      return `Kubernetes ${version}`;
    } finally {
      client.close();
    }
  }

  /** Why the API server does not answer; undefined when it does. */
  async #unreachable(): Promise<string | undefined> {
    const client = await this.connect();
    try {
      const signal = AbortSignal.timeout(answerTimeoutMs);
      await text(await client.stream({ method: "GET", path: "/version", signal }));
      return undefined;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    } finally {
      client.close();
    }
  }
}
