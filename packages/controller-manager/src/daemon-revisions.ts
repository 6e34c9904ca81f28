// A DaemonSet's history as ControllerRevisions, which `kubectl rollout history|undo` read and apply.

import { controllerReference, objectKey } from "@gatehouse/apimachinery/meta";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import {
  type ControllerRevision,
  controllerRevisions,
  type DaemonSet,
  daemonSets,
} from "@gatehouse/apimachinery/types/apps-v1";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import { claimOf, settleClaim } from "./claim.ts";
import type { ControllerContext } from "./controller.ts";
import { revisionHashLabel } from "./daemon-plan.ts";
import { canonical } from "./canonical-json.ts";
import { templateHash } from "./template-hash.ts";

/** The template as a strategic merge patch that replaces a DaemonSet's whole template. */
function revisionData({ spec }: DaemonSet): unknown {
  return { spec: { template: { ...spec.template, $patch: "replace" } } };
}

/** The revision of the present template, made or moved to the front when needed, and the others, oldest first. */
export interface DaemonHistory {
  present: ControllerRevision;
  old: ControllerRevision[];
}

/** Undefined when the name of the revision is taken by another: the next pass has another hash. */
export async function settleHistory(
  context: ControllerContext,
  daemonSet: DaemonSet,
): Promise<DaemonHistory | undefined> {
  const { client, view } = context;
  const candidates = view.controllerRevisions.inNamespace(daemonSet.metadata.namespace ?? "");
  const claim = claimOf(daemonSet, daemonSet.spec.selector, candidates);
  const owned = await settleClaim(client, view.controllerRevisions, daemonSet, daemonSets, claim);
  const history = owned.toSorted((a, b) => a.revision - b.revision);
  const data = canonical(revisionData(daemonSet));
  const found = history.findLast((revision) => canonical(revision.data) === data);
  const last = history.at(-1)?.revision ?? 0;
  const old = history.filter((revision) => canonical(revision.data) !== data);
  if (!found) {
    const present = await createRevision(context, daemonSet, last + 1);
    return present && { present, old };
  }
  if (found.revision === last) return { present: found, old };
  // The template of an older revision again (rollout undo): that revision becomes the latest.
  const moved = await client.update(controllerRevisions, { ...found, revision: last + 1 });
  return { present: view.controllerRevisions.wrote(moved), old };
}

export const hashOf = (revision: ControllerRevision): string => revision.metadata.labels?.[revisionHashLabel] ?? "";

async function createRevision(
  { client, view }: ControllerContext,
  daemonSet: DaemonSet,
  revision: number,
): Promise<ControllerRevision | undefined> {
  const { name, namespace = "default", annotations } = daemonSet.metadata;
  const hash = templateHash(daemonSet.spec.template, daemonSet.status?.collisionCount ?? 0);
  const { "kubectl.kubernetes.io/last-applied-configuration": _, ...shown } = annotations ?? {};
  const wanted: ControllerRevision = {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...daemonSet.spec.template.metadata?.labels, [revisionHashLabel]: hash },
      annotations: shown,
      ownerReferences: [controllerReference(daemonSet)],
    },
    data: revisionData(daemonSet),
    revision,
  };
  try {
    return view.controllerRevisions.wrote(await client.create(controllerRevisions, wanted));
  } catch (error) {
    if (!hasReason(error, "AlreadyExists")) throw error;
  }
  const existing = await client.get(controllerRevisions, wanted.metadata.name, namespace);
  if (canonical(existing.data) === canonical(wanted.data)) return view.controllerRevisions.wrote(existing);
  const status = {
    ...emptyStatus,
    ...daemonSet.status,
    collisionCount: (daemonSet.status?.collisionCount ?? 0) + 1,
  };
  view.daemonSets.wrote(await client.updateStatus(daemonSets, { ...daemonSet, status }));
  return undefined;
}

const emptyStatus = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 };

/** Old revisions beyond `spec.revisionHistoryLimit` (10 unless set) that no pod is of, oldest first. */
export function surplusRevisions(daemonSet: DaemonSet, old: ControllerRevision[], pods: Pod[]): ControllerRevision[] {
  const inUse = new Set(pods.map((pod) => pod.metadata.labels?.[revisionHashLabel]));
  const surplus = old.length - (daemonSet.spec.revisionHistoryLimit ?? 10);
  return surplus <= 0 ? [] : old.filter((revision) => !inUse.has(hashOf(revision))).slice(0, surplus);
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
