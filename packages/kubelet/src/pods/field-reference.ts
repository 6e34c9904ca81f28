// The downward API: what a pod may be told about itself, by field path.

import type { Container, Pod } from "@gatehouse/apimachinery/types/core-v1";
import { parseQuantity } from "@gatehouse/apimachinery/quantity";

/** What only the kubelet knows of the pod when it starts it. */
export interface PodFacts {
  podIP: string;
  nodeIP: string;
}

/** The value of `fieldPath`, undefined when the downward API has no such field. */
export function podField(pod: Pod, facts: PodFacts, fieldPath: string): string | undefined {
  const [, map, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath) ?? [];
  if (map && key) {
    const values = pod.metadata[map as "labels" | "annotations"] ?? {};
    return Object.hasOwn(values, key) ? values[key] : "";
  }
  switch (fieldPath) {
    case "metadata.name":
      return pod.metadata.name;
    case "metadata.namespace":
      return pod.metadata.namespace ?? "";
    case "metadata.uid":
      return pod.metadata.uid ?? "";
    case "metadata.labels":
      return propertyLines(pod.metadata.labels);
    case "metadata.annotations":
      return propertyLines(pod.metadata.annotations);
    case "spec.nodeName":
      return pod.spec.nodeName ?? "";
    case "spec.serviceAccountName":
      return pod.spec.serviceAccountName ?? "default";
    case "status.hostIP":
    case "status.hostIPs":
      return facts.nodeIP;
    case "status.podIP":
    case "status.podIPs":
      return facts.podIP;
    default:
      return undefined;
  }
}

/** One `key="value"` line per entry, as downward API volumes show maps. */
function propertyLines(map: Record<string, string> = {}): string {
  const lines = Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1));
  return lines.map(([key, value]) => `${key}=${JSON.stringify(value)}\n`).join("");
}

/** `limits.cpu` and the like divided by `divisor`, rounded up; undefined for an unknown resource. Unset limits are 0. */
export function resourceField(container: Container, resource: string, divisor = "1"): string | undefined {
  const [, kind, name] = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/.exec(resource) ?? [];
  const unit = parseQuantity(divisor === "0" ? "1" : divisor);
  if (!kind || !name || !unit) return undefined;
  const amount = parseQuantity(container.resources?.[kind as "limits" | "requests"]?.[name] ?? "0") ?? 0;
  return String(Math.ceil(Number((amount / unit).toFixed(9))));
}
