// Creates and deletes the pods of a workload, many at once, and says so in Events on it.

import { controllerReference, type KubeObject } from "@gatehouse/apimachinery/meta";
import { generatedName } from "@gatehouse/apimachinery/names";
import { hasReason, StatusError } from "@gatehouse/apimachinery/status-error";
import { type Pod, pods, type PodTemplateSpec } from "@gatehouse/apimachinery/types/core-v1";
import type { ControllerContext } from "./controller.ts";

/** At most so many pods of one workload are created or deleted in one pass. */
const burst = 500;
/** The first round of creations; each later one is twice as large, so that a refusal is not repeated 500 times. */
const firstRound = 16;

/** A pod from the template, named after its owner and owned by it. */
export function podFromTemplate(owner: KubeObject, template: PodTemplateSpec): Pod {
  const stem = `${owner.metadata.name}-`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...structuredClone(template.metadata ?? {}),
      name: generatedName(stem),
      generateName: stem,
      namespace: owner.metadata.namespace ?? "default",
      ownerReferences: [controllerReference(owner)],
    },
    spec: structuredClone(template.spec),
  };
}

/**
 * Creates `pods` in parallel. Throws the first refusal after its round; what was created stays.
 * In a namespace that is going nothing is created and nothing is said.
 */
export async function createPods(
  context: ControllerContext,
  component: string,
  owner: KubeObject,
  wanted: Pod[],
): Promise<void> {
  const all = wanted.slice(0, burst);
  for (let start = 0, size = firstRound; start < all.length; start += size, size *= 2) {
    const round = all.slice(start, start + size);
    const answers = await Promise.allSettled(round.map((pod) => createPod(context, component, owner, pod)));
    const refused = answers.find((answer) => answer.status === "rejected");
    if (!refused) continue;
    if (isNamespaceTerminating(refused.reason)) return;
    throw refused.reason;
  }
}

async function createPod(context: ControllerContext, component: string, owner: KubeObject, pod: Pod): Promise<void> {
  const { client, view, recorder } = context;
  try {
    view.pods.wrote(await client.create(pods, pod));
    recorder.record(component, owner, "Normal", "SuccessfulCreate", `Created pod: ${pod.metadata.name}`);
  } catch (error) {
    if (!isNamespaceTerminating(error)) {
      recorder.record(component, owner, "Warning", "FailedCreate", `Error creating: ${messageOf(error)}`);
    }
    throw error;
  }
}

/** Deletes `unwanted` in parallel; pods already gone are fine. Throws the first other failure after all answered. */
export async function deletePods(
  context: ControllerContext,
  component: string,
  owner: KubeObject,
  unwanted: Pod[],
): Promise<void> {
  const answers = await Promise.allSettled(
    unwanted.slice(0, burst).map((pod) => deletePod(context, component, owner, pod)),
  );
  const refused = answers.find((answer) => answer.status === "rejected");
  if (refused) throw refused.reason;
}

async function deletePod(context: ControllerContext, component: string, owner: KubeObject, pod: Pod): Promise<void> {
  const { client, view, recorder } = context;
  const { name, namespace, uid } = pod.metadata;
  try {
    await client.delete(pods, name, namespace, uid ? { preconditions: { uid } } : {});
    view.pods.deleted(pod);
    recorder.record(component, owner, "Normal", "SuccessfulDelete", `Deleted pod: ${name}`);
  } catch (error) {
    // NotFound: gone. Conflict: another pod took the name. Either way this one is no more.
    if (hasReason(error, "NotFound") || hasReason(error, "Conflict")) return view.pods.deleted(pod);
    recorder.record(component, owner, "Warning", "FailedDelete", `Error deleting: ${messageOf(error)}`);
    throw error;
  }
}

/** True for the refusal to create in a namespace that is being deleted. */
export function isNamespaceTerminating(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    error.reason === "Forbidden" &&
    (error.status.details?.causes?.some((cause) => cause.reason === "NamespaceTerminating") === true ||
      error.message.includes("because it is being terminated"))
  );
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
