// Which listeners take a route: per parentRef the listeners it selects, those that allow it, those that share a host.
// Each narrowing that leaves nothing has its own reason, and a message with what to change.

import type { LabelSelector } from "@gatehouse/apimachinery/meta";
import { matchesLabels, requirementsOf } from "@gatehouse/apimachinery/selectors";
import type { ParentReference } from "@gatehouse/gateway-api/references";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { anyHost, intersectHostnames } from "./hostnames.ts";
import type { ProcessedListener } from "./listeners.ts";
import type { Parent } from "./parents.ts";
import { listOf } from "./problems.ts";
import { hasHostnames, protocolsOfKind, type RouteKind, type RouteObject } from "./route-kinds.ts";
import { sized } from "./sized-list.ts";
import type { TranslatedRoute } from "./translated-route.ts";

/** A listener that takes the route, for these hosts (`*` for routes without names). */
export interface ListenerAttachment {
  listener: ProcessedListener;
  hostnames: string[];
}

/** One parentRef of a route that names a parent of ours. */
export interface ParentAttachment {
  parentRef: ParentReference;
  parent: Parent;
  /** Empty unless `accepted` is True. */
  listeners: ListenerAttachment[];
  accepted: DesiredCondition;
}

export interface AttachedRoute {
  translated: TranslatedRoute;
  parents: ParentAttachment[];
}

export function attachRoute(
  translated: TranslatedRoute,
  parents: readonly { parentRef: ParentReference; parent: Parent }[],
  index: ObjectIndex,
): AttachedRoute {
  return {
    translated,
    parents: parents.map(({ parentRef, parent }) => {
      const outcome = attach(translated, parentRef, parent, index);
      const { rejected } = translated;
      if ("type" in outcome) return { parentRef, parent, listeners: [], accepted: outcome };
      if (rejected) return { parentRef, parent, listeners: [], accepted: rejected };
      return { parentRef, parent, listeners: outcome, accepted: acceptance(outcome) };
    }),
  };
}

function attach(
  { kind, route }: TranslatedRoute,
  parentRef: ParentReference,
  parent: Parent,
  index: ObjectIndex,
): ListenerAttachment[] | DesiredCondition {
  const selected = parent.listeners.filter(
    ({ spec }) =>
      (!parentRef.sectionName || spec.name === parentRef.sectionName) &&
      (parentRef.port === undefined || spec.port === parentRef.port),
  );
  if (selected.length === 0) return noMatchingParent(parentRef, parent);

  const refusals = selected.map((listener) => refusal(kind, route, listener, index));
  const allowing = selected.filter((_, position) => refusals[position] === undefined);
  if (allowing.length === 0) {
    return fails("Accepted", "NotAllowedByListeners", [...new Set(refusals)].join("; "));
  }
  if (!hasHostnames(kind)) return allowing.map((listener) => ({ listener, hostnames: [anyHost] }));
  const attachments = allowing
    .map((listener) => ({ listener, hostnames: intersectHostnames(listener.hostname, route.spec.hostnames) }))
    .filter(({ hostnames }) => hostnames.length > 0);
  return attachments.length > 0 ? sized(attachments) : noMatchingHostname(route, allowing);
}

function noMatchingParent(parentRef: ParentReference, { owner, listeners, idle }: Parent): DesiredCondition {
  const name = `${owner.kind} "${owner.name}"`;
  if (idle !== undefined) return fails("Accepted", "NoMatchingParent", `${name} has no listeners in effect: ${idle}`);
  const wanted = [
    ...(parentRef.sectionName ? [`sectionName "${parentRef.sectionName}"`] : []),
    ...(parentRef.port === undefined ? [] : [`port ${parentRef.port}`]),
  ].join(" and ");
  const known = listOf(listeners.map(({ spec }) => `${spec.name} (port ${spec.port})`));
  const message = `${name} has no listener with ${wanted}; its listeners are ${known}: correct the parentRef`;
  return fails("Accepted", "NoMatchingParent", message);
}

/** Why the listener does not let the route attach; undefined when it does. */
function refusal(
  kind: RouteKind,
  route: RouteObject,
  { spec, owner, supportedKinds }: ProcessedListener,
  index: ObjectIndex,
): string | undefined {
  const listener = `listener "${spec.name}" of ${owner.kind} "${owner.name}"`;
  if (!supportedKinds.some((each) => each.kind === kind)) {
    const protocols = protocolsOfKind[kind].join(" or ");
    return `${listener} takes no ${kind}s: its protocol must be ${protocols} and its allowedRoutes.kinds must include ${kind}`;
  }
  const { from = "Same", selector } = spec.allowedRoutes?.namespaces ?? {};
  const namespace = route.metadata.namespace ?? "";
  if (from === "All") return undefined;
  if (from === "Same") {
    if (namespace === owner.namespace) return undefined;
    return (
      `${listener} takes routes of its own namespace "${owner.namespace}" only, and the route is in "${namespace}": ` +
      `set the listener's allowedRoutes.namespaces.from to All, or to Selector with labels of "${namespace}"`
    );
  }
  const labels = index.namespaceLabels(namespace);
  if (from === "Selector" && selector && labels && matchesLabels(requirementsOf(selector as LabelSelector), labels))
    return undefined;
  return (
    `${listener} takes routes of selected namespaces only, and "${namespace}" is not among them: ` +
    `label the namespace as allowedRoutes.namespaces.selector asks, or widen the selector`
  );
}

function noMatchingHostname(route: RouteObject, listeners: readonly ProcessedListener[]): DesiredCondition {
  const theirs = listeners.map(
    ({ spec, hostname }) => `"${hostname === anyHost ? "" : hostname}" (listener ${spec.name})`,
  );
  const message =
    `spec.hostnames (${listOf(route.spec.hostnames ?? [])}) have nothing in common with the listener's hostname ` +
    `${theirs.join(", ")}: change spec.hostnames or the listener's hostname`;
  return fails("Accepted", "NoMatchingListenerHostname", message);
}

const attachedFully = holds("Accepted", "Accepted", "The route is attached");

/** Attaching does not depend on the listener's state (ListenerStatus.attachedRoutes), but people should know of it. */
function acceptance(listeners: readonly ListenerAttachment[]): DesiredCondition {
  if (listeners.every(({ listener }) => listener.programmed)) return attachedFully;
  const idle = listeners
    .filter(({ listener }) => !listener.programmed)
    .map(({ listener }) => `"${listener.spec.name}"`);
  const note = `but not served by ${idle.join(", ")}: see the listener's conditions`;
  return holds("Accepted", "Accepted", `The route is attached, ${note}`);
}
