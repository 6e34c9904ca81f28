// Container logs: asked of the kubelet that runs the Pod, and copied through as it sends them.

import { badRequest, notFound } from "@gatehouse/apimachinery/status-error";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { type Answer, type ApiContext, type ResourceRequest, subjectOf } from "../api-context.ts";
import { readObject } from "../storage/stored-objects.ts";
import { askKubelet, containerOf, kubeletRefusal, textOf } from "./kubelet-request.ts";

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
  const answer = await askKubelet(context, node, path + search, request.signal);
  if (answer.statusCode !== 200) throw kubeletRefusal(answer.statusCode ?? 500, await textOf(answer));
  return { type: "stream", code: 200, contentType: "text/plain", stream: answer };
}
