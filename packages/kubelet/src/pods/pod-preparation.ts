// What must be there before the first container of a pod starts: an address, ports, volumes, a token; and what its
// containers are told about all of it.

import { join } from "node:path";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import { objectKey } from "@gatehouse/apimachinery/meta";
import { type ListenAddress, podEnvironment, portMapAnnotation } from "@gatehouse/apimachinery/pod-environment";
import { type Container, type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import type { EventRecorder } from "../events.ts";
import type { ImageCatalog } from "../images/catalog.ts";
import { freePort, probeBind } from "../network/bind-probe.ts";
import { type ListenPlan, planListeners, type PortMapping } from "../network/listen-plan.ts";
import type { ClusterNetwork } from "../network/pod-addresses.ts";
import { createPodVolumes, type PodVolumes } from "../volumes/pod-volumes.ts";
import { tokenProjections } from "../volumes/volume-payload.ts";
import { type ApiAddress, mountsToken, serviceAccountPath, writeApiAccess } from "./api-access.ts";
import { containerEnvironment } from "./environment.ts";
import type { ObjectSources } from "./object-sources.ts";
import { followPodObjects, type PodObjects } from "./pod-objects.ts";
import { createPodTokens, type PodTokens } from "./pod-tokens.ts";
import { terminationMessageFile, terminationMessagePath } from "./termination.ts";

/** What all pods of the node share. */
export interface NodeContext {
  client: ApiClient;
  log: Log;
  events: EventRecorder;
  images: ImageCatalog;
  sources: ObjectSources;
  network: ClusterNetwork;
  portMappings: PortMapping[];
  api: ApiAddress;
  podsDirectory: string;
  /** Node's compile cache for images that run from TypeScript source. */
  compileCache: string;
}

export interface PreparedPod {
  podIP: string;
  /** Token and volumes. Rejects with what is missing; call again after a change. */
  makeReady(): Promise<void>;
  /** Throws a ContainerConfigError or a VolumeError. */
  environment(container: Container, directory: string): Record<string, string>;
  locate(port: number): ListenAddress;
  /** Where any port of the pod is, declared or not, or why it cannot be said. */
  dial(port: number): ListenAddress | string;
  /** The pod object changed: downward API files follow its labels and annotations. */
  update(pod: Pod): void;
  /** Gives back the address and what was followed. May be called again. */
  stop(): void;
}

/** Takes an address and plans the ports; `onChange` is called when an object the pod refers to changed. */
export async function preparePod(
  pod: Pod,
  directory: string,
  node: NodeContext,
  onChange: () => void,
): Promise<PreparedPod> {
  const objectsChanged = (): void => {
    prepared?.refresh();
    onChange();
  };
  let prepared: PodPreparation | undefined;
  const objects = await followPodObjects(node.sources, pod, objectsChanged);
  const podIP = pod.spec.hostNetwork ? node.network.nodeIP : node.network.pods.allocate();
  const plan = await planListeners({
    pod,
    podIP,
    nodeIP: node.network.nodeIP,
    sharedAddress: node.network.subnet === undefined,
    portMappings: node.portMappings,
    exposedPorts: (container) => node.images.resolve(container.image)?.exposedPorts ?? [],
    probe: probeBind,
    freePort,
  });
  for (const warning of plan.warnings) node.events.record(reference(pod), "Warning", "HostPortUnavailable", warning);
  prepared = new PodPreparation(pod, directory, node, objects, podIP, plan);
  return prepared;
}

class PodPreparation implements PreparedPod {
  readonly podIP: string;
  #pod: Pod;
  readonly #directory: string;
  readonly #node: NodeContext;
  readonly #objects: PodObjects;
  readonly #plan: ListenPlan;
  readonly #volumes: PodVolumes;
  readonly #tokens: PodTokens;
  #announced = false;
  #ready = false;
  #stopped = false;
  #kubeconfig: string | undefined;

  constructor(pod: Pod, directory: string, node: NodeContext, objects: PodObjects, podIP: string, plan: ListenPlan) {
    this.podIP = podIP;
    this.#pod = pod;
    this.#directory = directory;
    this.#node = node;
    this.#objects = objects;
    this.#plan = plan;
    this.#tokens = createPodTokens(
      node.client,
      pod,
      () => this.refresh(),
      (error) => node.log.warn(`token of pod ${objectKey(pod)} not renewed: ${(error as Error).message}`),
    );
    this.#volumes = createPodVolumes(join(directory, "volumes"), pod.spec.volumes ?? [], () => ({
      ...this.#lookups(),
      token: (request) => this.#tokens.current(request),
    }));
  }

  async makeReady(): Promise<void> {
    const account = this.#pod.spec.serviceAccountName ?? "default";
    const automount = mountsToken(this.#pod, this.#objects.serviceAccount());
    const projections = tokenProjections(this.#pod);
    if ((automount || projections.length > 0) && !this.#objects.serviceAccount()) {
      throw new Error(`serviceaccount "${account}" not found`);
    }
    await Promise.all([
      this.#announcePorts(),
      ...(automount ? [this.#tokens.ensure({})] : []),
      ...projections.map((projection) => this.#tokens.ensure(projection)),
    ]);
    this.#volumes.sync();
    if (automount) this.#writeAccess();
    this.#ready = true;
  }

  /** Brings mounted files up to date. What cannot be written now keeps its last state, as in Kubernetes. */
  refresh(): void {
    if (!this.#ready || this.#stopped) return;
    try {
      this.#volumes.sync();
      if (this.#kubeconfig) this.#writeAccess();
    } catch (error) {
      this.#node.log.warn(`volumes of pod ${objectKey(this.#pod)} not updated: ${(error as Error).message}`);
    }
  }

  update(pod: Pod): void {
    const { labels, annotations } = this.#pod.metadata;
    this.#pod = pod;
    const same =
      JSON.stringify([labels, annotations]) === JSON.stringify([pod.metadata.labels, pod.metadata.annotations]);
    if (!same) this.refresh();
  }

  environment(container: Container, directory: string): Record<string, string> {
    const { name } = this.#pod.metadata;
    const script = this.#node.images.resolve(container.image);
    const [lastWords, lastWordsFile] = [terminationMessagePath(container), terminationMessageFile(directory)];
    const mounts: Record<string, string> = {
      [lastWords]: lastWordsFile,
      ...(this.#kubeconfig ? { [serviceAccountPath]: join(this.#directory, "api-access") } : {}),
      ...this.#volumes.mounts(container),
    };
    const writable = this.#volumes.writable(container);
    // A pod spec may name a volume's path for it, which does not make that volume writable.
    if (mounts[lastWords] === lastWordsFile) writable.push(lastWords);
    const base = {
      PATH: process.env.PATH ?? "",
      HOME: this.#directory,
      HOSTNAME: this.#pod.spec.hostname ?? name,
      ...(this.#kubeconfig ? { KUBECONFIG: this.#kubeconfig } : {}),
      ...(script?.entry.some((part) => part.endsWith(".ts")) ? { NODE_COMPILE_CACHE: this.#node.compileCache } : {}),
      ...script?.environment,
      [podEnvironment.listen]: JSON.stringify(this.#plan.ports),
      [podEnvironment.podIP]: this.podIP,
      [podEnvironment.gatewayCIDR]: this.#node.network.gatewayCIDR,
      [podEnvironment.mounts]: JSON.stringify(mounts),
      [podEnvironment.writableMounts]: JSON.stringify(writable),
    };
    return containerEnvironment(container, this.#lookups(), base);
  }

  locate(port: number): ListenAddress {
    return this.#plan.ports[`${port}/tcp`]?.[0] ?? { host: this.podIP, port };
  }

  dial(port: number): ListenAddress | string {
    const planned = this.#plan.ports[`${port}/tcp`]?.[0];
    if (planned || this.#node.network.subnet !== undefined) return planned ?? { host: this.podIP, port };
    // Undeclared ports of this address may be anybody's.
    return `port ${port} is not declared by the pod, and pods share one address on this host`;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#tokens.stop();
    this.#objects.release();
    if (!this.#pod.spec.hostNetwork) this.#node.network.pods.release(this.podIP);
  }

  #lookups() {
    return {
      pod: this.#pod,
      facts: { podIP: this.podIP, nodeIP: this.#node.network.nodeIP },
      configMap: (name: string) => this.#objects.configMap(name),
      secret: (name: string) => this.#objects.secret(name),
    };
  }

  #writeAccess(): void {
    const namespace = this.#pod.metadata.namespace ?? "default";
    const directory = join(this.#directory, "api-access");
    this.#kubeconfig = writeApiAccess(directory, this.#node.api, namespace, this.#tokens.current({}));
  }

  /** Tells the EndpointSlice controller of moved ports before anything can become ready. */
  async #announcePorts(): Promise<void> {
    if (this.#announced) return;
    const moved = Object.keys(this.#plan.moved).length > 0 ? JSON.stringify(this.#plan.moved) : undefined;
    if (moved !== this.#pod.metadata.annotations?.[portMapAnnotation]) {
      const { name, namespace = "" } = this.#pod.metadata;
      const metadata = { annotations: { [portMapAnnotation]: moved ?? null } };
      await this.#node.client.patch(pods, { name, namespace }, "merge", { metadata });
    }
    this.#announced = true;
  }
}

function reference(pod: Pod) {
  const { name, namespace = "", uid = "" } = pod.metadata;
  return { apiVersion: "v1", kind: "Pod", name, namespace, uid };
}
