// Container logs: asked of the kubelet that runs the Pod, and copied through as it sends them.

import { badRequest, notFound, StatusError } from "@gatehouse/apimachinery/status-error";
import type { Node, Pod } from "@gatehouse/apimachinery/types/core-v1";
import { type Answer, type ApiContext, type ResourceRequest, subjectOf } from "../api-context.ts";
import { readObject } from "../storage/stored-objects.ts";

const passedOn = ["follow", "tailLines", "sinceSeconds", "sinceTime", "timestamps", "previous", "limitBytes"];

/** Throws 404 without the Pod, 400 when the container is not named or not there, 503 when no kubelet answers. */
export async function podLog(context: ApiContext, request: ResourceRequest): Promise<Answer> {
  const { definition, namespace = "", name = "", query } = request;
  await context.store.settled();
  const pod = readObject(context.store, definition, namespace, name) as Pod | undefined;
  if (!pod) throw notFound(subjectOf(definition, name));
  const container = containerOf(pod, query.get("container") ?? "");
  const node = context.store.get("/nodes", pod.spec.nodeName ?? "");
  if (!node)
    throw badRequest(`container "${container}" in pod "${name}" is waiting to start: no node has been assigned`);
  const parameters = new URLSearchParams(
    passedOn.flatMap((key) => query.getAll(key).map((value): [string, string] => [key, value])),
  );
  const path = `/containerLogs/${[namespace, name, container].map(encodeURIComponent).join("/")}`;
  const search = parameters.size > 0 ? `?${parameters.toString()}` : "";
  const answer = await ask(context, node, path + search, request.signal);
  if (answer.statusCode !== 200) throw refused(answer.statusCode ?? 500, await textOf(answer));
  return { type: "stream", code: 200, contentType: "text/plain", stream: answer };
}

async function ask(context: ApiContext, node: Node, path: string, signal: AbortSignal) {
  if (!context.nodeProxy) throw unavailable(node, "this server has no way to reach kubelets");
  try {
    return await context.nodeProxy(node, path, signal);
  } catch (error) {
    throw unavailable(node, error instanceof Error ? error.message : String(error));
  }
}

function unavailable(node: Node, why: string): StatusError {
  const message = `the kubelet of node "${node.metadata.name}" cannot be reached: ${why}`;
  return new StatusError({ code: 503, reason: "ServiceUnavailable", message });
}

function refused(code: number, text: string): StatusError {
  const reason = code === 404 ? "NotFound" : code === 400 ? "BadRequest" : "InternalError";
  return new StatusError({ code, reason, message: text.trim() || `the kubelet answered ${code}` });
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function containerOf(pod: Pod, wanted: string): string {
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
