// Listener sets (GEP-1713; XListenerSet before v1.6): which Gateway one is for, whether the Gateway takes it, and what its own
// conditions say.

import type { LabelSelector } from "@gatehouse/apimachinery/meta";
import { matchesLabels, requirementsOf } from "@gatehouse/apimachinery/selectors";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { Listener } from "@gatehouse/gateway-api/listener";
import type { ListenerSet, XListenerSet } from "@gatehouse/gateway-api/listener-set";
import { experimentalGroup, gatewayGroup } from "../gateway-resources.ts";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import type { ListenerOwner, ProcessedListener } from "./listeners.ts";
import { describeInvalid, isValid } from "./listener-validity.ts";
import { compareAge } from "./order.ts";

export type AnyListenerSet = ListenerSet | XListenerSet;

/** A set that its Gateway takes, or why it does not. */
export interface ListenerSetClaim {
  set: AnyListenerSet;
  owner: ListenerOwner;
  /** With the port that XListenerSets may leave out as 0. */
  listeners: Listener[];
  refusal?: string;
}

export interface ProcessedListenerSet {
  set: AnyListenerSet;
  owner: ListenerOwner;
  listeners: ProcessedListener[];
  /** Counts as attached to the Gateway. */
  accepted: boolean;
  conditions: DesiredCondition[];
}

/** Sets by the key of the Gateway they name, in their precedence: the older first. */
export function groupListenerSets(sets: Iterable<AnyListenerSet>): Map<string, AnyListenerSet[]> {
  const groups = new Map<string, AnyListenerSet[]>();
  for (const set of [...sets].sort(compareAge)) {
    const { group = gatewayGroup, kind = "Gateway", name, namespace = set.metadata.namespace } = set.spec.parentRef;
    if (group !== gatewayGroup || kind !== "Gateway") continue;
    const key = `${namespace}/${name}`;
    const present = groups.get(key);
    if (present) present.push(set);
    else groups.set(key, [set]);
  }
  return groups;
}

export function claimListenerSet(set: AnyListenerSet, gateway: Gateway, index: ObjectIndex): ListenerSetClaim {
  const { name, namespace = "" } = set.metadata;
  const kind = set.kind === "XListenerSet" ? "XListenerSet" : "ListenerSet";
  const owner = { group: kind === "XListenerSet" ? experimentalGroup : gatewayGroup, kind, namespace, name } as const;
  const listeners = set.spec.listeners.map((listener): Listener => ({ ...listener, port: listener.port ?? 0 }));
  const refusal = refusalOf(namespace, gateway, index);
  return { set, owner, listeners, ...(refusal === undefined ? {} : { refusal }) };
}

/** Without allowedListeners a Gateway takes none. */
function refusalOf(namespace: string, { metadata, spec }: Gateway, index: ObjectIndex): string | undefined {
  const { from = "None", selector } = spec.allowedListeners?.namespaces ?? {};
  const gateway = `Gateway "${metadata.name}"`;
  if (from === "All") return undefined;
  if (from === "Same") {
    if (namespace === metadata.namespace) return undefined;
    const remedy = "set its allowedListeners.namespaces.from to All or Selector";
    return `${gateway} takes listener sets of its own namespace "${metadata.namespace}" only: ${remedy}`;
  }
  if (from === "Selector") {
    const labels = index.namespaceLabels(namespace);
    if (selector && labels && matchesLabels(requirementsOf(selector as LabelSelector), labels)) return undefined;
    const remedy = "label the namespace as allowedListeners.namespaces.selector asks, or widen the selector";
    return `${gateway} takes listener sets of selected namespaces only, and "${namespace}" is not among them: ${remedy}`;
  }
  return `${gateway} takes no listener sets: set its allowedListeners.namespaces.from to Same, All or Selector`;
}

/** `listeners` are the set's, none of a set that is refused; `parent` is what the Gateway says of itself. */
export function processListenerSet(
  { set, owner, refusal }: ListenerSetClaim,
  listeners: ProcessedListener[],
  parent: { accepted: DesiredCondition; programmed: DesiredCondition },
): ProcessedListenerSet {
  const rejected = (accepted: DesiredCondition, programmed: DesiredCondition): ProcessedListenerSet => ({
    set,
    owner,
    listeners,
    accepted: false,
    conditions: [accepted, programmed],
  });
  if (refusal !== undefined) {
    return rejected(fails("Accepted", "NotAllowed", refusal), fails("Programmed", "NotAllowed", refusal));
  }
  if (parent.accepted.status === "False") {
    const message = `the parent Gateway is not accepted: ${parent.accepted.message}`;
    return rejected(
      fails("Accepted", "ParentNotAccepted", message),
      fails("Programmed", "ParentNotProgrammed", message),
    );
  }
  const invalid = listeners.filter((listener) => !isValid(listener));
  const message = describeInvalid(invalid);
  if (!listeners.some(({ usable, conditions }) => usable && conditions[0]?.status === "True")) {
    return rejected(fails("Accepted", "ListenersNotValid", message), fails("Programmed", "ListenersNotValid", message));
  }
  const accepted =
    invalid.length > 0
      ? holds("Accepted", "ListenersNotValid", message)
      : holds("Accepted", "Accepted", "The listeners belong to the Gateway");
  return { set, owner, listeners, accepted: true, conditions: [accepted, programmedOf(listeners, parent.programmed)] };
}

function programmedOf(listeners: readonly ProcessedListener[], parent: DesiredCondition): DesiredCondition {
  if (listeners.some(({ programmed }) => programmed)) {
    return holds("Programmed", "Programmed", "Listening on the Gateway's addresses");
  }
  return fails("Programmed", "ParentNotProgrammed", parent.message);
}
