// A Deployment's ReplicaSets as its history: which one is the present template's, and what their annotations say.
// Pure; the names and rules are those that `kubectl rollout history|undo` read.

import { controllerReference } from "@gatehouse/apimachinery/meta";
import type { Deployment, ReplicaSet } from "@gatehouse/apimachinery/types/apps-v1";
import type { PodTemplateSpec } from "@gatehouse/apimachinery/types/core-v1";
import { canonical } from "./canonical-json.ts";
import { templateHash } from "./template-hash.ts";
import { replicasOf } from "./replica-set-plan.ts";
import { desiredReplicasAnnotation, maxReplicasAnnotation, maxSurge, oldestFirst } from "./rolling.ts";

export const revisionAnnotation = "deployment.kubernetes.io/revision";
const revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history";
const templateHashLabel = "pod-template-hash";

/** Annotations of the Deployment that its ReplicaSets do not take over. */
const ownAnnotations = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  "deprecated.deployment.rollback.to",
]);

/** The ReplicaSet of the Deployment's present template (the oldest, should there be several), and all others. */
export function splitReplicaSets(
  deployment: Deployment,
  owned: ReplicaSet[],
): { newest: ReplicaSet | undefined; old: ReplicaSet[] } {
  const wanted = canonical(withoutHash(deployment.spec.template));
  const newest = oldestFirst(owned).find((candidate) => canonical(withoutHash(candidate.spec.template)) === wanted);
  return { newest, old: oldestFirst(owned.filter((replicaSet) => replicaSet !== newest)) };
}

export function hasTemplateOf(deployment: Deployment, replicaSet: ReplicaSet): boolean {
  return canonical(withoutHash(deployment.spec.template)) === canonical(withoutHash(replicaSet.spec.template));
}

function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  const { [templateHashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

function revisionOf(replicaSet: ReplicaSet): number {
  return Number(replicaSet.metadata.annotations?.[revisionAnnotation] ?? 0) || 0;
}

/** The ReplicaSet to create for the present template. */
export function newReplicaSet(deployment: Deployment, old: ReplicaSet[], replicas: number): ReplicaSet {
  const { metadata, spec, status } = deployment;
  const hash = templateHash(spec.template, status?.collisionCount ?? 0);
  const labels = { ...spec.template.metadata?.labels, [templateHashLabel]: hash };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${metadata.name}-${hash}`,
      namespace: metadata.namespace ?? "default",
      labels,
      annotations: {
        ...inherited(deployment),
        ...sizeAnnotations(deployment),
        [revisionAnnotation]: String(nextRevision(old)),
      },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas,
      ...(spec.minReadySeconds ? { minReadySeconds: spec.minReadySeconds } : {}),
      selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [templateHashLabel]: hash } },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  };
}

/** The present ReplicaSet brought up to date (annotations, revision after an undo, minReadySeconds), or itself. */
export function updatedReplicaSet(deployment: Deployment, newest: ReplicaSet, old: ReplicaSet[]): ReplicaSet {
  const before = newest.metadata.annotations ?? {};
  const annotations = { ...before, ...inherited(deployment), ...revisionAnnotations(newest, nextRevision(old)) };
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  const same = canonical(annotations) === canonical(before) && (newest.spec.minReadySeconds ?? 0) === minReadySeconds;
  if (same) return newest;
  return { ...newest, metadata: { ...newest.metadata, annotations }, spec: { ...newest.spec, minReadySeconds } };
}

/** A revision only ever grows; the ones it had before are kept as history. */
function revisionAnnotations(replicaSet: ReplicaSet, next: number): Record<string, string> {
  const present = revisionOf(replicaSet);
  if (present >= next) return {};
  const history = replicaSet.metadata.annotations?.[revisionHistoryAnnotation];
  const earlier = [history, present > 0 ? String(present) : undefined].filter(
    (part) => part !== undefined && part !== "",
  );
  return {
    [revisionAnnotation]: String(next),
    ...(earlier.length > 0 ? { [revisionHistoryAnnotation]: earlier.join(",") } : {}),
  };
}

const nextRevision = (old: ReplicaSet[]): number => Math.max(0, ...old.map(revisionOf)) + 1;

function inherited(deployment: Deployment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(deployment.metadata.annotations ?? {}).filter(([name]) => !ownAnnotations.has(name)),
  );
}

/** What a ReplicaSet is told of the Deployment's size when it is scaled. */
export function sizeAnnotations(deployment: Deployment): Record<string, string> {
  const replicas = replicasOf(deployment);
  return {
    [desiredReplicasAnnotation]: String(replicas),
    [maxReplicasAnnotation]: String(replicas + maxSurge(deployment)),
  };
}

/** True when an active ReplicaSet was last scaled for another size of the Deployment. */
export function isScaling(deployment: Deployment, owned: ReplicaSet[]): boolean {
  return owned.some((replicaSet) => {
    const desired = replicaSet.metadata.annotations?.[desiredReplicasAnnotation];
    return replicasOf(replicaSet) > 0 && desired !== undefined && Number(desired) !== replicasOf(deployment);
  });
}

/** Old ReplicaSets beyond `spec.revisionHistoryLimit` (10 unless set) that are empty and settled, oldest revision first. */
export function surplusHistory(deployment: Deployment, old: ReplicaSet[]): ReplicaSet[] {
  const empty = old.filter(
    ({ metadata, spec, status }) =>
      metadata.deletionTimestamp === undefined &&
      (spec.replicas ?? 1) === 0 &&
      (status?.replicas ?? 0) === 0 &&
      (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0),
  );
  const surplus = empty.length - (deployment.spec.revisionHistoryLimit ?? 10);
  return empty.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, Math.max(0, surplus));
}
