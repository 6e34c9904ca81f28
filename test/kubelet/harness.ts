// A test cluster of an API server and a kubelet, without controllers: tests create what those would.

import { readdirSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ApiClient, text } from "@gatehouse/apimachinery/api-client";
import { createLog } from "@gatehouse/apimachinery/log";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { namespaces, type Pod, pods, serviceAccounts } from "@gatehouse/apimachinery/types/core-v1";
import { kubeletProxy } from "@gatehouse/apiserver/kubelet-proxy";
import {
  startTestServer,
  type TestCertificates,
  testCertificates,
  type TestServer,
} from "@gatehouse/apiserver/testing";
import { type CatalogEntry, createImageCatalog } from "@gatehouse/kubelet/images/catalog";
import { type Kubelet, type KubeletOptions, startKubelet } from "@gatehouse/kubelet/kubelet";
import { untilObjects } from "../until.ts";

export const nodeName = "node-1";
const kubeletToken = "kubelet-token";

export interface Cluster {
  api: TestServer;
  client: ApiClient;
  kubelet: Kubelet;
  directory: string;
  /** Requests whose method and path the kubelet sent, in order. */
  requests: string[];
  /** Ends the kubelet and starts another over the same state. */
  restartKubelet(): Promise<void>;
  /** Creates a pod bound to the node. */
  createPod(name: string, spec: Partial<Pod["spec"]>, metadata?: Partial<Pod["metadata"]>): Promise<Pod>;
  /** Resolves with the first state of the object that satisfies `condition` (undefined: deleted). */
  until<T extends KubeObject>(
    type: ResourceType<T>,
    name: string,
    condition: (object: T | undefined) => boolean,
  ): Promise<T | undefined>;
  /** The kubelet's own API. */
  kubeletGet(path: string, token?: string): Promise<IncomingMessage>;
  close(): Promise<void>;
}

export const testNamespace = "demo";

export async function startCluster(
  options: Partial<KubeletOptions> & { extraImages?: CatalogEntry[] } = {},
): Promise<Cluster> {
  const certificates = await testCertificates();
  const nodeProxy = kubeletProxy({ ca: certificates.ca, serverName: "localhost", token: kubeletToken });
  const api = await startTestServer({ tls: true, nodeProxy });
  const client = await api.client();
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-kubelet-"));
  await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: testNamespace } });
  await createServiceAccount(client, "default");
  const requests: string[] = [];
  const kubeletOptions = await optionsOf(api, certificates, directory, requests, options);
  const cluster: Cluster = {
    api,
    client,
    directory,
    requests,
    kubelet: await startKubelet(kubeletOptions),
    restartKubelet: async () => {
      await cluster.kubelet.stop({ graceMs: 0 });
      cluster.kubelet = await startKubelet(kubeletOptions);
      await cluster.kubelet.ready;
    },
    createPod: (name, spec, metadata = {}) =>
      client.create(pods, {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name, namespace: testNamespace, ...metadata },
        spec: { nodeName, containers: [{ name: "main", image: "traefik/whoami:v1.11" }], ...spec },
      }),
    until: (type, name, condition) => until(client, type, name, condition),
    kubeletGet: (path, token = kubeletToken) => kubeletGet(cluster.kubelet, certificates.ca, path, token),
    close: async () => {
      await cluster.kubelet.stop({ graceMs: 0 });
      await api.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  await cluster.kubelet.ready;
  return cluster;
}

async function optionsOf(
  api: TestServer,
  certificates: TestCertificates,
  directory: string,
  requests: string[],
  { extraImages, ...others }: Partial<KubeletOptions> & { extraImages?: CatalogEntry[] },
): Promise<KubeletOptions> {
  const inner = await api.client({ user: `system:node:${nodeName}`, groups: ["system:nodes", "system:masters"] });
  return {
    client: recording(inner, requests),
    log: createLog("kubelet", () => {}),
    nodeName,
    stateDirectory: directory,
    images: createImageCatalog(extraImages),
    portMappings: [],
    api: { server: api.url, certificateAuthority: api.ca },
    tls: certificates,
    token: kubeletToken,
    ...others,
  };
}

/** Notes every write the kubelet makes. */
function recording(client: ApiClient, requests: string[]): ApiClient {
  return {
    ...client,
    patch: (type, target, ...rest) => {
      requests.push(`PATCH ${type.plural}/${target.name}${target.subresource ? `/${target.subresource}` : ""}`);
      return client.patch(type, target, ...rest);
    },
    delete: (type, name, ...rest) => {
      requests.push(`DELETE ${type.plural}/${name}`);
      return client.delete(type, name, ...rest);
    },
  };
}

export async function createServiceAccount(
  client: ApiClient,
  name: string,
  extra: Record<string, unknown> = {},
): Promise<void> {
  const metadata = { name, namespace: testNamespace };
  await client.create(serviceAccounts, { apiVersion: "v1", kind: "ServiceAccount", metadata, ...extra });
}

async function until<T extends KubeObject>(
  client: ApiClient,
  type: ResourceType<T>,
  name: string,
  condition: (object: T | undefined) => boolean,
): Promise<T | undefined> {
  const scope = {
    ...(type.namespaced ? { namespace: testNamespace } : {}),
    fieldSelector: `metadata.name=${name}`,
  };
  const [object] = await untilObjects(
    client,
    type,
    scope,
    ([present]) => condition(present),
    () => condition.toString(),
  );
  return object;
}

function kubeletGet(kubelet: Kubelet, ca: string, path: string, token: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { nodeIP: host, port } = kubelet;
    const headers = { authorization: `Bearer ${token}` };
    httpsRequest({ host, port, path, ca, servername: "localhost", headers, agent: false }, resolve)
      .on("error", reject)
      .end();
  });
}

/** Whether the pod's Ready condition is True. */
export function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true;
}

export function httpGet(host: string, port: number, path = "/"): Promise<string> {
  return new Promise((resolve, reject) => {
    httpRequest({ host, port, path, agent: false }, (response) => void text(response).then(resolve, reject))
      .on("error", reject)
      .end();
  });
}

/** The pid of the process of this test that `ps` shows as `title`. */
export async function findProcess(title: string): Promise<number | undefined> {
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const commandLine = await readFile(`/proc/${entry}/cmdline`, "latin1").catch(() => "");
    // A finished title is followed by padding; others may run clusters on this machine, so only our children count.
    if (!commandLine.startsWith(title) || /[^\0 ]/.test(commandLine[title.length] ?? "")) continue;
    const status = await readFile(`/proc/${entry}/stat`, "latin1").catch(() => "");
    if (status.split(") ")[1]?.split(" ")[1] === String(process.pid)) return Number(entry);
  }
  return undefined;
}
