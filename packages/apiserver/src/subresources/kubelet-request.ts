// Asking the kubelet that runs a Pod, and telling its refusals as Kubernetes does.

import type { IncomingMessage } from "node:http";
import { badRequest, StatusError } from "@gatehouse/apimachinery/status-error";
import type { Node, Pod } from "@gatehouse/apimachinery/types/core-v1";
import type { ApiContext, UpgradeRequest } from "../api-context.ts";

/** The kubelet's answer, whatever its code. Throws 503 when there is none. */
export async function askKubelet(
  context: ApiContext,
  node: Node,
  path: string,
  signal: AbortSignal,
  upgrade?: UpgradeRequest,
): Promise<IncomingMessage> {
  if (!context.nodeProxy) throw unavailable(node, "this server has no way to reach kubelets");
  try {
    return await context.nodeProxy(node, path, signal, upgrade);
  } catch (error) {
    throw unavailable(node, error instanceof Error ? error.message : String(error));
  }
}

function unavailable(node: Node, why: string): StatusError {
  const message = `the kubelet of node "${node.metadata.name}" cannot be reached: ${why}`;
  return new StatusError({ code: 503, reason: "ServiceUnavailable", message });
}

/** The error for an answer that is not what was asked for. */
export function kubeletRefusal(code: number, text: string): StatusError {
  const reasons: Record<number, string> = { 400: "BadRequest", 403: "Forbidden", 404: "NotFound" };
  const message = text.trim() || `the kubelet answered ${code}`;
  return new StatusError({ code, reason: reasons[code] ?? "InternalError", message });
}

export async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** The container that is meant: the one named, or the only one. Throws 400. */
export function containerOf(pod: Pod, wanted: string): string {
  const { name } = pod.metadata;
  const names = pod.spec.containers.map((container) => container.name);
  const all = [...names, ...(pod.spec.initContainers ?? []).map((container) => container.name)];
  if (wanted !== "") {
    if (all.includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${name}`);
  }
  const [only] = names;
  if (names.length === 1 && only !== undefined) return only;
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(" ")}]`);
}
