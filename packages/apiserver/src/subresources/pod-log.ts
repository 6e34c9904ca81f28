// Container logs: asked of the kubelet that runs the Pod, and copied through as it sends them.

import { badRequest, invalid, notFound, type StatusCause } from "@gatehouse/apimachinery/status-error";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { type Answer, type ApiContext, type ResourceRequest, subjectOf } from "../api-context.ts";
import { forbiddenField, invalidValue } from "../schema/field-cause.ts";
import { timeFault } from "../schema/go-time.ts";
import { readObject } from "../storage/stored-objects.ts";
import { askKubelet, containerOf, kubeletRefusal, textOf } from "./kubelet-request.ts";

const passedOn = ["follow", "tailLines", "sinceSeconds", "sinceTime", "timestamps", "previous", "limitBytes"];

/** Throws 422 for options that make no sense, as kube-apiserver does before it asks anybody. */
function checkOptions(name: string, query: URLSearchParams): void {
  const causes: StatusCause[] = [];
  const limits = { tailLines: 0, sinceSeconds: 1, limitBytes: 1 };
  for (const [option, least] of Object.entries(limits)) {
    const value = query.get(option) ?? "";
    if (value === "") continue;
    if (!/^-?\d{1,18}$/.test(value))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
    const rule = least === 0 ? "must be greater than or equal to 0" : "must be greater than 0";
    if (Number(value) < least) causes.push(invalidValue(option, Number(value), rule));
  }
  if (query.get("sinceSeconds") && query.get("sinceTime")) {
    causes.push(forbiddenField("", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  }
  const since = query.get("sinceTime") ?? "";
  const fault = since === "" ? undefined : timeFault(since, "second");
  if (fault !== undefined) throw badRequest(fault);
  if (causes.length > 0) throw invalid({ group: "", kind: "PodLogOptions", name }, causes);
}

/** Throws 404 without the Pod, 400 when the container is not named or not there, 503 when no kubelet answers. */
export async function podLog(context: ApiContext, request: ResourceRequest): Promise<Answer> {
  const { definition, namespace = "", name = "", query } = request;
  await context.store.settled();
  const pod = readObject(context.store, definition, namespace, name) as Pod | undefined;
  if (!pod) throw notFound(subjectOf(definition, name));
  checkOptions(name, query);
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
