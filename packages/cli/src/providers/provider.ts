// What a kind of cluster has to offer so that the steps of `up`, `down`, `start`, `stop` and `status` are the same on all
// of them: embedded in this program, a kind cluster, or any cluster that a kubeconfig context names.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { PortMapping, ProviderKind } from "../cluster-state.ts";
import type { Progress, Step } from "../progress.ts";

export type ClusterPhase = "absent" | "stopped" | "running";

/** Where HTTP enters, as this machine reaches it. */
export interface EntryAddress {
  host: string;
  port: number;
}

/** What `status` and `up -o json` print of a cluster beside what its state file says. */
export interface ClusterFacts {
  /** The API server's URL. */
  api?: string;
  nodeIP?: string;
  /** All processes of the cluster together, where they are this machine's. */
  memory?: { processes: number; mebibytes: number };
}

export interface ClusterProvider {
  readonly kind: ProviderKind;
  /** What the user calls it: the cluster's name, or the context. */
  readonly name: string;
  /** The kubeconfig context. */
  readonly context: string;
  /** Holds cluster.json from the first piece of work of `create` until `destroy` is done. */
  readonly directory: string;
  /** The flags that choose this cluster, for commands that are suggested, e.g. ` --cluster kind`. */
  readonly flags: string;
  /** How long pods may take to become ready: real clusters pull images. */
  readonly readyTimeoutMs: number;
  /** Where Gateway API definitions come from unless somebody says otherwise. */
  readonly definitionsSource: "bundled" | "official";
  /** The demo's dashboard, which asks for no password, gets a route: only where the gateway is on this machine alone. */
  readonly exposesDashboard: boolean;
  /** The demo's names lead to this machine, so the hosts file may have them. */
  readonly offersHosts: boolean;
  /** Ctrl-C while it comes up takes it away again: where that costs less than to go on. */
  readonly removedOnInterrupt: boolean;
  phase(): Promise<ClusterPhase>;
  /** The cluster's API answers afterwards, and a context of the kubeconfig leads to it. Resumes what was half done. */
  create(progress: Progress): Promise<void>;
  /** A client with the administrator's rights. The caller closes it. */
  connect(): Promise<ApiClient>;
  /** Installs the gateway implementation from manifests/traefik-values.yaml, and waits for it where a tool does that. */
  installGateway(client: ApiClient, step: Step): Promise<void>;
  /** Where the gateway's port 80 is reached from here, waited for where that takes a while. Throws a UserError when nowhere. */
  entry(client: ApiClient, step: Step): Promise<EntryAddress>;
  /** Memory, which takes a while to read, only on request. */
  facts(wanted?: { memory: boolean }): Promise<ClusterFacts>;
  /** Ends what runs and keeps what is needed to `create` it again; true when something ran. */
  stop(): Promise<boolean>;
  /** Removes everything that `create` and the steps after it made, the state last. */
  destroy(progress: Progress): Promise<void>;
}

/** `http://host[:port]`, without the port when it is the scheme's own. */
export function httpUrl(hostname: string, { hostPort }: Pick<PortMapping, "hostPort">): string {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return hostPort === 80 ? `http://${host}` : `http://${host}:${hostPort}`;
}
