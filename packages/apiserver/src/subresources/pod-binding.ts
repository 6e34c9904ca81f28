// POST of a Binding: what a scheduler does to give a Pod its node.

import { badRequest, conflict, notFound } from "@gatehouse/apimachinery/status-error";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { type Answer, type ApiContext, type ResourceRequest, subjectOf } from "../api-context.ts";
import { decodeBody } from "../http/decode-body.ts";
import { timestamp } from "@gatehouse/apimachinery/meta";
import { readObject, writeObject } from "../storage/stored-objects.ts";
import { isDryRun } from "../request-options.ts";

interface Binding {
  target?: { kind?: string; name?: string };
  metadata?: { name?: string; uid?: string; annotations?: Record<string, string> };
}

/** Answers 201. Throws 404 without the Pod, 409 when it is already bound or terminating, 400 without a target Node. */
export async function bindPod(context: ApiContext, request: ResourceRequest): Promise<Answer> {
  const { definition, namespace, name = "" } = request;
  const binding = (await decodeBody(request.body)) as Binding | null;
  const node = binding?.target?.name;
  if (binding?.metadata?.name !== name) throw badRequest("name in URL does not match name in Binding object");
  if (!node || (binding.target?.kind ?? "Node") !== "Node") throw badRequest("target must name a Node");
  const pod = readObject(context.store, definition, namespace, name) as Pod | undefined;
  const subject = subjectOf(definition, name);
  if (!pod) throw notFound(subject);
  if (binding.metadata?.uid && binding.metadata.uid !== pod.metadata.uid) {
    throw conflict(
      subject,
      `Precondition failed: UID in precondition: ${binding.metadata.uid}, UID in object meta: ${pod.metadata.uid}`,
    );
  }
  if (pod.metadata.deletionTimestamp)
    throw conflict(
      { ...subject, plural: "pods/binding" },
      `pod ${name} is being deleted, cannot be assigned to a host`,
    );
  if (pod.spec.nodeName) {
    throw conflict(
      { ...subject, plural: "pods/binding" },
      `pod ${name} is already assigned to node "${pod.spec.nodeName}"`,
    );
  }
  if (!isDryRun(request)) writeObject(context.store, definition, bound(pod, node, binding));
  await context.store.committed();
  const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
  return { type: "json", code: 201, body };
}

function bound(pod: Pod, node: string, binding: Binding): Pod {
  const annotations = { ...pod.metadata.annotations, ...binding.metadata?.annotations };
  const conditions = (pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
  return {
    ...pod,
    metadata: { ...pod.metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: { ...pod.spec, nodeName: node },
    status: {
      ...pod.status,
      conditions: [...conditions, { type: "PodScheduled", status: "True", lastTransitionTime: timestamp() }],
    },
  };
}
