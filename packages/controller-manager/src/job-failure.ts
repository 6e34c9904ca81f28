// Why a Job has failed, and how long it waits before it tries again (pkg/controller/job, KEP-3329). Pure.

import type { Job, PodFailurePolicyRule } from "@gatehouse/apimachinery/types/batch-v1";
import type { ContainerStatus, Pod } from "@gatehouse/apimachinery/types/core-v1";
import { isTerminal } from "./pod-state.ts";

export interface Verdict {
  reason: string;
  message: string;
}

const firstPauseMs = 10_000;
const maxPauseMs = 600_000;

/** What the Job's podFailurePolicy says of a failed pod. */
export function judgePod(job: Job, pod: Pod): { action: "FailJob" | "Ignore" | "Count"; message: string } {
  for (const [index, rule] of (job.spec.podFailurePolicy?.rules ?? []).entries()) {
    const found = matchOf(rule, pod);
    if (!found || rule.action === "FailIndex") continue;
    return { action: rule.action, message: `${found} matching ${rule.action} rule at index ${index}` };
  }
  return { action: "Count", message: "" };
}

function matchOf({ onExitCodes, onPodConditions = [] }: PodFailurePolicyRule, pod: Pod): string | undefined {
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`;
  if (onExitCodes) {
    const { containerName, operator, values } = onExitCodes;
    const matches = ({ name: container, state }: ContainerStatus): boolean => {
      const code = state?.terminated?.exitCode;
      if (!code || (containerName && container !== containerName)) return false;
      return values.includes(code) === (operator === "In");
    };
    const status = containersOf(pod).find(matches);
    if (!status) return undefined;
    return `Container ${status.name} for pod ${name} failed with exit code ${status.state?.terminated?.exitCode}`;
  }
  const pattern = onPodConditions.find(({ type, status = "True" }) =>
    pod.status?.conditions?.some((condition) => condition.type === type && condition.status === status),
  );
  return pattern && `Pod ${name} has condition ${pattern.type}`;
}

function containersOf({ status }: Pod): ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

/** True when containers that are restarted in place have used up the Job's tries. */
export function restartsExceed({ spec }: Job, active: Pod[]): boolean {
  if (spec.template.spec.restartPolicy !== "OnFailure") return false;
  const restarts = active.flatMap(containersOf).reduce((total, { restartCount }) => total + restartCount, 0);
  const limit = spec.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** Milliseconds until the Job may make pods again: ten seconds after a failure, twice as long after each further one. */
export function pauseAfterFailures(pods: Pod[], now: number): number {
  const ended = pods.filter(isTerminal).toSorted((a, b) => endOf(a) - endOf(b));
  const lastSuccess = ended.findLastIndex((pod) => pod.status?.phase === "Succeeded");
  const failures = ended.length - 1 - lastSuccess;
  const last = ended.at(-1);
  if (failures <= 0 || !last) return 0;
  return Math.max(0, endOf(last) + Math.min(firstPauseMs * 2 ** (failures - 1), maxPauseMs) - now);
}

/** When the last container ended. */
function endOf(pod: Pod): number {
  const times = containersOf(pod).map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ""));
  const known = times.filter((time) => !Number.isNaN(time));
  return known.length > 0 ? Math.max(...known) : Date.parse(pod.metadata.creationTimestamp ?? "") || 0;
}
