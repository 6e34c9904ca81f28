// A cluster without a kubelet for the controllers' tests: API server in memory, one node, controllers; pod statuses are
// set by hand. Tests wait for conditions on watched objects, never for time.

import { type ApiClient, createApiClient } from "@gatehouse/apimachinery/api-client";
import { createInformer } from "@gatehouse/apimachinery/informer";
import { type KubeObject, timestamp } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import type { Deployment } from "@gatehouse/apimachinery/types/apps-v1";
import {
  namespaces,
  type Node,
  nodes,
  type Pod,
  pods,
  type PodTemplateSpec,
} from "@gatehouse/apimachinery/types/core-v1";
import { startTestServer, type TestServer } from "@gatehouse/apiserver/testing";
import { type ControllerManager, startControllerManager } from "@gatehouse/controller-manager/controller-manager";
import { untilObjects } from "../until.ts";

export interface TestCluster {
  server: TestServer;
  /** The test's own client. */
  client: ApiClient;
  /** Writes (method and path) the controllers have sent, Events left out. */
  writes: string[];
  /** Resolves with the objects of a kind as soon as `holds`; fails after ten seconds with what there was. */
  until: <T extends KubeObject>(
    type: ResourceType<T>,
    holds: (objects: T[]) => boolean,
    namespace?: string,
  ) => Promise<T[]>;
  /** Reports a bound pod's containers as running and ready (or not ready). */
  setReady(pod: Pod, ready?: boolean): Promise<Pod>;
  /** Ends a terminating pod, as a kubelet does when its processes are gone. */
  finishPod(pod: Pod): Promise<void>;
  /** From now on bound pods become ready (those that `takes`) and terminating ones end. Returns the way to stop it. */
  actAsKubelet(takes?: (pod: Pod) => boolean): () => void;
  startControllers(): Promise<ControllerManager>;
  stopControllers(): Promise<void>;
  close(): Promise<void>;
}

export const nodeIP = "127.30.0.1";
export const clusterCA = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

/** Controllers run and namespace `demo` and node `node` (Ready) are there, unless `bare`. */
export async function startTestCluster(options: { bare?: boolean; tls?: boolean } = {}): Promise<TestCluster> {
  const server = await startTestServer(options.tls ? { tls: true } : {});
  const client = await server.client();
  const writes: string[] = [];
  const logged: string[] = [];
  let manager: ControllerManager | undefined;
  const kubelets: (() => void)[] = [];
  let address = 1;

  const controllerClient = async (): Promise<ApiClient> =>
    recording(await createApiClient({ connect: () => server.connect() }), writes);
  const cluster: TestCluster = {
    server,
    client,
    writes,
    until: (type, holds, namespace) =>
      untilObjects(client, type, namespace ? { namespace } : {}, holds, () => logged.slice(-10).join("\n")),
    setReady: async (pod, ready = true) => {
      const { name, namespace = "" } = pod.metadata;
      const podIP = pod.status?.podIP ?? `127.30.1.${++address}`;
      return client.patch<Pod>(pods, { name, namespace, subresource: "status" }, "merge", {
        status: runningStatus(pod, ready, podIP),
      });
    },
    actAsKubelet: (takes) => {
      const stop = actAsKubelet(cluster, takes);
      kubelets.push(stop);
      return stop;
    },
    finishPod: ({ metadata }) => client.delete(pods, metadata.name, metadata.namespace, { gracePeriodSeconds: 0 }),
    startControllers: async () => {
      const log = {
        info: (message: string) => void logged.push(message),
        warn: (message: string) => void logged.push(message),
        error: (message: string, error?: unknown) => void logged.push(`${message} ${String(error ?? "")}`),
      };
      manager = startControllerManager({ client: await controllerClient(), log, clusterCA });
      await manager.ready;
      return manager;
    },
    stopControllers: async () => {
      await manager?.stop();
      manager = undefined;
    },
    close: async () => {
      for (const stop of kubelets) stop();
      await cluster.stopControllers();
      await server.close();
    },
  };
  if (options.bare) return cluster;
  const node = readyNode("node");
  await client.updateStatus(nodes, { ...(await client.create(nodes, node)), status: node.status ?? {} });
  await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "demo" } });
  await cluster.startControllers();
  return cluster;
}

function actAsKubelet(cluster: TestCluster, takes: (pod: Pod) => boolean = () => true): () => void {
  const informer = createInformer(cluster.client, pods);
  // Another writer may be quicker, the pod may be gone: the next event brings it back.
  const overtaken = (): void => undefined;
  informer.onChange(({ current }) => {
    if (!current?.spec.nodeName) return;
    if (current.metadata.deletionTimestamp) void cluster.finishPod(current).catch(overtaken);
    else if (current.status?.phase !== "Running" && takes(current)) void cluster.setReady(current).catch(overtaken);
  });
  void informer.start();
  return () => informer.stop();
}

/** A client that notes the writes it sends. */
function recording(client: ApiClient, writes: string[]): ApiClient {
  const note = (object: KubeObject | { name: string }, verb: string, kind: string): void => {
    const name = "metadata" in object ? object.metadata.name : object.name;
    if (kind !== "Event") writes.push(`${verb} ${kind} ${name}`);
  };
  return {
    ...client,
    create: (type, object, o) => (note(object, "create", type.kind), client.create(type, object, o)),
    update: (type, object, o) => (note(object, "update", type.kind), client.update(type, object, o)),
    updateStatus: (type, object, o) => (note(object, "updateStatus", type.kind), client.updateStatus(type, object, o)),
    patch: (type, target, p, body, o) => (note(target, "patch", type.kind), client.patch(type, target, p, body, o)),
    delete: (type, name, ns, o) => (note({ name }, "delete", type.kind), client.delete(type, name, ns, o)),
    json: (request) => {
      if (request.method !== "GET") writes.push(`${request.method} ${request.path}`);
      return client.json(request);
    },
  };
}

export function readyNode(name: string): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" } },
    spec: {},
    status: {
      addresses: [{ type: "InternalIP", address: nodeIP }],
      conditions: [
        { type: "Ready", status: "True", reason: "KubeletReady", message: "ready", lastTransitionTime: timestamp() },
      ],
    },
  };
}

function runningStatus(pod: Pod, ready: boolean, podIP: string): Pod["status"] {
  const status = ready ? ("True" as const) : ("False" as const);
  const lastTransitionTime = timestamp();
  return {
    phase: "Running",
    hostIP: nodeIP,
    podIP,
    podIPs: [{ ip: podIP }],
    conditions: [
      ...(pod.status?.conditions ?? []).filter(({ type }) => type === "PodScheduled"),
      { type: "Initialized", status: "True", lastTransitionTime },
      { type: "ContainersReady", status, lastTransitionTime },
      { type: "Ready", status, lastTransitionTime },
    ],
  };
}

export const labelsOf = (app: string): Record<string, string> => ({ app });

export function podTemplate(app: string, image = "traefik/whoami"): PodTemplateSpec {
  const ports = [{ name: "http", containerPort: 80 }];
  return { metadata: { labels: labelsOf(app) }, spec: { containers: [{ name: "main", image, ports }] } };
}

export function deployment(name: string, spec: Partial<Deployment["spec"]> = {}): Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "demo" },
    spec: { replicas: 2, selector: { matchLabels: labelsOf(name) }, template: podTemplate(name), ...spec },
  };
}

/** In the order of their text. */
export function sorted<T>(values: T[]): T[] {
  return values.toSorted((a, b) => (String(a) < String(b) ? -1 : 1));
}
