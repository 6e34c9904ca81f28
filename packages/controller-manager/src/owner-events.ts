// Whose turn it is when an object that controllers own has come, changed or gone.

import { controllerOf, type KubeObject, type LabelSelector, objectKey } from "@gatehouse/apimachinery/meta";
import { matchesLabels, requirementsOf } from "@gatehouse/apimachinery/selectors";
import type { WorkQueue } from "@gatehouse/apimachinery/work-queue";
import type { ObjectView } from "./object-view.ts";

/** Calls `concern` with each object that has changed, and with what it was where that had another owner. Returns the way to end it. */
export function onOwnedChange<T extends KubeObject>(owned: ObjectView<T>, concern: (object: T) => void): () => void {
  return owned.onChange(({ old, current }) => {
    if (old && controllerOf(old)?.uid !== (current && controllerOf(current)?.uid)) concern(old);
    if (current) concern(current);
  });
}

/** Queues the owner, of the kind of `owners`, of each object that changes; of one that has none, all whose selectors take it,
 * for they may adopt it. Returns the way to end it. */
export function queueOwners<O extends KubeObject & { spec: { selector: LabelSelector } }>(
  owned: ObjectView,
  owners: ObjectView<O>,
  queue: Pick<WorkQueue, "add">,
): () => void {
  return onOwnedChange(owned, (object) => {
    const owner = controllerOf(object);
    const { namespace = "", labels } = object.metadata;
    if (owner) {
      if (owner.kind === owners.type.kind) queue.add(`${namespace}/${owner.name}`);
      return;
    }
    for (const candidate of owners.inNamespace(namespace)) {
      if (matchesLabels(requirementsOf(candidate.spec.selector), labels)) queue.add(objectKey(candidate));
    }
  });
}
