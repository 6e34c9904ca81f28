// This node as the cluster sees it: the Node object, its heartbeat status, and its Lease.

import { kubernetesVersion } from "@gatehouse/apimachinery/kubernetes-version";
import { arch, availableParallelism, platform, release, totalmem } from "node:os";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import { type KubeObject, timestamp } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { type Node, nodes } from "@gatehouse/apimachinery/types/core-v1";

export interface NodeRegistrationOptions {
  client: ApiClient;
  log: Log;
  nodeName: string;
  nodeIP: string;
  podCIDR: string;
  kubeletPort: number;
  images: string[];
}

export interface NodeRegistration {
  /** Resolves when the Node exists and says Ready. Rejects when the API server refuses it. */
  register(): Promise<void>;
  stop(): void;
}

interface Lease extends KubeObject {
  spec: { holderIdentity?: string; leaseDurationSeconds?: number; renewTime?: string };
}

const leases: ResourceType<Lease> = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
  namespaced: true,
};

const leaseNamespace = "kube-node-lease";
const leaseEveryMs = 10_000;
const leaseDurationSeconds = 40;
const statusEveryMs = 300_000;
const maxPods = "500";
const architectures: Record<string, string> = { x64: "amd64", ia32: "386" };

export function createNodeRegistration(options: NodeRegistrationOptions): NodeRegistration {
  const { client, log, nodeName } = options;
  let uid: string | undefined;
  const repeat = (what: string, action: () => Promise<void>, everyMs: number): NodeJS.Timeout =>
    setInterval(() => {
      action().catch((error: unknown) => log.warn(`${what} of node ${nodeName}: ${(error as Error).message}`));
    }, everyMs).unref();
  let timers: NodeJS.Timeout[] = [];

  const writeStatus = async (): Promise<void> => {
    await client.patch(nodes, { name: nodeName, subresource: "status" }, "merge", { status: nodeStatus(options) });
  };
  const renewLease = async (): Promise<void> => {
    const renewTime = microTime();
    const target = { name: nodeName, namespace: leaseNamespace };
    try {
      await client.patch(leases, target, "merge", { spec: { renewTime } });
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
      await client.create(leases, newLease(nodeName, uid, renewTime));
    }
  };

  return {
    register: async () => {
      uid = (await createOrUpdate(options)).metadata.uid;
      await writeStatus();
      timers = [repeat("status", writeStatus, statusEveryMs), repeat("lease", renewLease, leaseEveryMs)];
      // The namespace of leases may come a moment after us; the next renewal makes good for it.
      await renewLease().catch((error: unknown) => log.info(`no lease yet: ${(error as Error).message}`));
    },
    stop: () => timers.forEach((timer) => clearInterval(timer)),
  };
}

/**
 * Labels and pod range are brought up to date; what users added stays. A pod range cannot be changed: when another cluster has
 * taken ours since the last start, the Node is made anew.
 */
async function createOrUpdate({ client, nodeName, podCIDR, ...rest }: NodeRegistrationOptions): Promise<Node> {
  const labels = {
    "kubernetes.io/hostname": nodeName,
    "kubernetes.io/os": osName(),
    "kubernetes.io/arch": architecture(),
    "node-role.kubernetes.io/control-plane": "",
  };
  const spec = { podCIDR, podCIDRs: [podCIDR] };
  const status = nodeStatus({ client, nodeName, podCIDR, ...rest });
  const node: Node = { apiVersion: "v1", kind: "Node", metadata: { name: nodeName, labels }, spec, status };
  try {
    return await client.create(nodes, node);
  } catch (error) {
    if (!hasReason(error, "AlreadyExists")) throw error;
  }
  const present = await client.get(nodes, nodeName);
  if (present.spec?.podCIDR === podCIDR)
    return client.patch(nodes, { name: nodeName }, "merge", { metadata: { labels } });
  const { annotations = {}, labels: presentLabels } = present.metadata;
  await client.delete(nodes, nodeName);
  return client.create(nodes, {
    ...node,
    metadata: { name: nodeName, labels: { ...presentLabels, ...labels }, annotations },
    spec: { ...present.spec, ...spec },
  });
}

function nodeStatus({ nodeName, nodeIP, kubeletPort, images }: NodeRegistrationOptions): NonNullable<Node["status"]> {
  const resources = {
    cpu: String(availableParallelism()),
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    "ephemeral-storage": "0",
    pods: maxPods,
  };
  return {
    addresses: [
      { type: "InternalIP", address: nodeIP },
      { type: "Hostname", address: nodeName },
    ],
    capacity: resources,
    allocatable: resources,
    conditions: [
      condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
      condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
      condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
      condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    nodeInfo: {
      kubeletVersion: kubernetesVersion.gitVersion,
      kubeProxyVersion: "",
      containerRuntimeVersion: `gatehouse://${process.versions.node}`,
      osImage: `Gatehouse on ${platform()}`,
      operatingSystem: osName(),
      architecture: architecture(),
      kernelVersion: release(),
      machineID: "",
      systemUUID: "",
      bootID: "",
    },
    images: images.map((name) => ({ names: [name] })),
  };
}

const started = timestamp();

function condition(type: string, status: "True" | "False", reason: string, message: string) {
  return { type, status, reason, message, lastHeartbeatTime: timestamp(), lastTransitionTime: started };
}

function newLease(nodeName: string, uid: string | undefined, renewTime: string): Lease {
  const owner = { apiVersion: "v1", kind: "Node", name: nodeName, uid: uid ?? "" };
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: nodeName, namespace: leaseNamespace, ...(uid ? { ownerReferences: [owner] } : {}) },
    spec: { holderIdentity: nodeName, leaseDurationSeconds, renewTime },
  };
}

/** MicroTime: RFC 3339 with six digits of a second. */
function microTime(): string {
  return new Date().toISOString().replace("Z", "000Z");
}

function osName(): string {
  return platform() === "win32" ? "windows" : platform();
}

function architecture(): string {
  return architectures[arch()] ?? arch();
}
