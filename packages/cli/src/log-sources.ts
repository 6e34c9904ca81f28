// Whose logs are meant: from `POD`, `TYPE/NAME` or a label selector to containers of pods.

import { type LabelSelector, objectKey } from "@gatehouse/apimachinery/meta";
import { formatLabelSelector, requirementsOf } from "@gatehouse/apimachinery/selectors";
import { type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import type { ClientContext } from "./client-context.ts";
import { UserError } from "./user-error.ts";

export interface LogSource {
  pod: string;
  namespace: string;
  container: string;
}

export interface LogSelection {
  selector?: string;
  container?: string;
  allContainers?: boolean;
}

/** Throws a UserError when nothing fits. Choices made for the user are told on standard error, as kubectl does. */
export async function findLogSources(
  context: ClientContext,
  target: string | undefined,
  selection: LogSelection,
): Promise<LogSource[]> {
  const found =
    target === undefined ? await bySelector(context, selection.selector ?? "") : [await oneTarget(context, target)];
  return found.flatMap((pod) =>
    containersOf(context, pod, selection).map((container) => ({
      pod: pod.metadata.name,
      namespace: pod.metadata.namespace ?? context.namespace,
      container,
    })),
  );
}

async function bySelector(context: ClientContext, labelSelector: string): Promise<Pod[]> {
  const list = await context.client.list(pods, { namespace: context.namespace, labelSelector });
  return list.items.toSorted((a, b) => (objectKey(a) < objectKey(b) ? -1 : 1));
}

async function oneTarget(context: ClientContext, target: string): Promise<Pod> {
  const [type = "", name] = target.split("/");
  if (name === undefined) return context.client.get(pods, type, context.namespace);
  const resource = (await context.mapper()).find(type);
  if (resource.kind === pods.kind && resource.group === "") return context.client.get(pods, name, context.namespace);
  const owner = await context.client.get(resource, name, context.namespace);
  const labelSelector = selectorOf((owner.spec as { selector?: unknown } | undefined)?.selector);
  if (labelSelector === undefined) {
    throw new UserError(`cannot get the logs of ${target}: it has no selector that leads to pods`);
  }
  const candidates = (await bySelector(context, labelSelector)).toSorted(byUsefulness);
  const [best] = candidates;
  if (!best)
    throw new UserError(`no pods of ${target} found in namespace ${context.namespace} (selector ${labelSelector})`);
  if (candidates.length > 1) context.err(`Found ${candidates.length} pods, using pod/${best.metadata.name}`);
  return best;
}

/** Services have plain labels, workloads a LabelSelector. */
function selectorOf(selector: unknown): string | undefined {
  if (typeof selector !== "object" || selector === null) return undefined;
  const isStructured = "matchLabels" in selector || "matchExpressions" in selector;
  const structured = isStructured ? (selector as LabelSelector) : { matchLabels: selector as Record<string, string> };
  return formatLabelSelector(requirementsOf(structured)) || undefined;
}

/** Running before waiting, ready before not, new before old. */
function byUsefulness(a: Pod, b: Pod): number {
  const rank = (pod: Pod): number => {
    const ready = pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True");
    return (pod.status?.phase === "Running" ? 0 : 2) + (ready ? 0 : 1);
  };
  const created = (pod: Pod): string => pod.metadata.creationTimestamp ?? "";
  return rank(a) - rank(b) || (created(a) > created(b) ? -1 : 1);
}

const defaultContainerAnnotation = "kubectl.kubernetes.io/default-container";

function containersOf(context: ClientContext, pod: Pod, { container, allContainers }: LogSelection): string[] {
  const regular = pod.spec.containers.map(({ name }) => name);
  const all = [...(pod.spec.initContainers ?? []).map(({ name }) => name), ...regular];
  if (allContainers) return all;
  if (container !== undefined) {
    if (all.includes(container)) return [container];
    throw new UserError(`container ${container} is not valid for pod ${pod.metadata.name}: it has ${all.join(", ")}`);
  }
  const marked = pod.metadata.annotations?.[defaultContainerAnnotation];
  if (marked !== undefined && all.includes(marked)) return [marked];
  const first = regular[0] ?? "";
  if (all.length > 1)
    context.err(
      `Defaulted container "${first}" out of: ${[...regular, ...all.filter((name) => !regular.includes(name)).map((name) => `${name} (init)`)].join(", ")}`,
    );
  return [first];
}
