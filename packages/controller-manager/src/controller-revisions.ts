// The history of a DaemonSet or StatefulSet as ControllerRevisions, which `kubectl rollout history|undo` read and apply.

import { controllerReference, type KubeObject, type LabelSelector, objectKey } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import { type ControllerRevision, controllerRevisions } from "@gatehouse/apimachinery/types/apps-v1";
import type { Pod, PodTemplateSpec } from "@gatehouse/apimachinery/types/core-v1";
import { claimOf, settleClaim } from "./claim.ts";
import type { ControllerContext } from "./controller.ts";
import { canonical } from "./canonical-json.ts";
import type { ObjectView } from "./object-view.ts";
import { templateHash } from "./template-hash.ts";

/** The label of pods that says which revision they are of. */
export const revisionHashLabel = "controller-revision-hash";

interface Revisioned extends KubeObject {
  spec: { selector: LabelSelector; template: PodTemplateSpec; revisionHistoryLimit?: number };
  status?: { collisionCount?: number };
}

/** What the kinds with revisions differ in. */
export interface RevisionedKind<T extends Revisioned> {
  type: ResourceType<T>;
  view: ObjectView<T>;
  /** The label of a ControllerRevision that holds the template's hash. */
  hashLabel: string;
  /** The status of an owner that has none yet. */
  emptyStatus: object;
}

/** The template as a strategic merge patch that replaces the owner's whole template. */
function revisionData({ spec }: Revisioned): unknown {
  return { spec: { template: { ...spec.template, $patch: "replace" } } };
}

/** The revision of the present template, made or moved to the front when needed, and the others, oldest first. */
export interface RevisionHistory {
  present: ControllerRevision;
  old: ControllerRevision[];
}

/** Undefined when the name of the revision is taken by another: the next pass has another hash. */
export async function settleHistory<T extends Revisioned>(
  context: ControllerContext,
  kind: RevisionedKind<T>,
  owner: T,
): Promise<RevisionHistory | undefined> {
  const { client, view } = context;
  const candidates = view.controllerRevisions.inNamespace(owner.metadata.namespace ?? "");
  const claim = claimOf(owner, owner.spec.selector, candidates);
  const owned = await settleClaim(client, view.controllerRevisions, owner, kind.type, claim);
  const history = owned.toSorted((a, b) => a.revision - b.revision);
  const data = canonical(revisionData(owner));
  const found = history.findLast((revision) => canonical(revision.data) === data);
  const last = history.at(-1)?.revision ?? 0;
  const old = history.filter((revision) => canonical(revision.data) !== data);
  if (!found) {
    const present = await createRevision(context, kind, owner, last + 1);
    return present && { present, old };
  }
  if (found.revision === last) return { present: found, old };
  // The template of an older revision again (rollout undo): that revision becomes the latest.
  const moved = await client.update(controllerRevisions, { ...found, revision: last + 1 });
  return { present: view.controllerRevisions.wrote(moved), old };
}

/** The template that a revision holds. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const { $patch: _, ...template } = (revision.data as { spec: { template: PodTemplateSpec & { $patch?: string } } })
    .spec.template;
  return template;
}

async function createRevision<T extends Revisioned>(
  { client, view }: ControllerContext,
  kind: RevisionedKind<T>,
  owner: T,
  revision: number,
): Promise<ControllerRevision | undefined> {
  const { name, namespace = "default", annotations } = owner.metadata;
  const hash = templateHash(owner.spec.template, owner.status?.collisionCount ?? 0);
  const { "kubectl.kubernetes.io/last-applied-configuration": _, ...shown } = annotations ?? {};
  const wanted: ControllerRevision = {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...owner.spec.template.metadata?.labels, [kind.hashLabel]: hash },
      annotations: shown,
      ownerReferences: [controllerReference(owner)],
    },
    data: revisionData(owner),
    revision,
  };
  try {
    return view.controllerRevisions.wrote(await client.create(controllerRevisions, wanted));
  } catch (error) {
    if (!hasReason(error, "AlreadyExists")) throw error;
  }
  const existing = await client.get(controllerRevisions, wanted.metadata.name, namespace);
  if (canonical(existing.data) === canonical(wanted.data)) return view.controllerRevisions.wrote(existing);
  const collisionCount = (owner.status?.collisionCount ?? 0) + 1;
  const status = { ...kind.emptyStatus, ...owner.status, collisionCount };
  kind.view.wrote(await client.updateStatus(kind.type, { ...owner, status }));
  return undefined;
}

/**
 * Old revisions beyond `spec.revisionHistoryLimit` (10 unless set), oldest first, without those that a pod is of: pods
 * name the hash (DaemonSets) or the revision itself (StatefulSets). `kept` are spared too.
 */
export function surplusRevisions<T extends Revisioned>(
  { hashLabel }: RevisionedKind<T>,
  owner: T,
  old: ControllerRevision[],
  pods: Pod[],
  kept: (string | undefined)[] = [],
): ControllerRevision[] {
  const inUse = new Set([...kept, ...pods.map((pod) => pod.metadata.labels?.[revisionHashLabel])]);
  const surplus = old.length - (owner.spec.revisionHistoryLimit ?? 10);
  const isFree = ({ metadata }: ControllerRevision): boolean =>
    !inUse.has(metadata.labels?.[hashLabel] ?? "") && !inUse.has(metadata.name);
  return surplus <= 0 ? [] : old.filter(isFree).slice(0, surplus);
}

export async function deleteRevision({ client, view }: ControllerContext, revision: ControllerRevision): Promise<void> {
  const { name, namespace } = revision.metadata;
  if (view.controllerRevisions.get(objectKey(revision))?.metadata.deletionTimestamp) return;
  try {
    await client.delete(controllerRevisions, name, namespace);
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
  }
  view.controllerRevisions.deleted(revision);
}
