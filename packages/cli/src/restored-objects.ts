// What of a backup's objects is not true of the cluster that is made of them: which node pods are bound to, and that they run.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";

/** The object as a restored cluster has it (itself when nothing changes), or null: the node of the cluster that was backed up goes. */
export function restoredObject(resource: string, object: KubeObject, from: string, to: string): KubeObject | null {
  if (resource === "/nodes" && object.metadata.name === from && from !== to) return null;
  if (resource !== "/pods") return object;
  const pod = onNode(object as Pod, from, to);
  return isOver(pod) ? pod : withoutStatus(pod);
}

const isOver = ({ status }: Pod): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";

/** Its processes were another machine's, or end before the start: the kubelet begins anew. */
function withoutStatus(pod: Pod): Pod {
  const qosClass = pod.status?.qosClass;
  return { ...pod, status: { phase: "Pending", ...(qosClass ? { qosClass } : {}) } };
}

/** A DaemonSet's pods name their node in their affinity as well. */
function onNode(pod: Pod, from: string, to: string): Pod {
  if (from === to || pod.spec.nodeName !== from) return pod;
  const spec = structuredClone(pod.spec) as Pod["spec"] & { affinity?: Affinity };
  spec.nodeName = to;
  for (const term of spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ??
    [])
    for (const field of term.matchFields ?? [])
      if (field.key === "metadata.name") field.values = field.values?.map((name) => (name === from ? to : name)) ?? [];
  return { ...pod, spec };
}

interface Affinity {
  nodeAffinity?: {
    requiredDuringSchedulingIgnoredDuringExecution?: {
      nodeSelectorTerms: { matchFields?: { key: string; values?: string[] }[] }[];
    };
  };
}
