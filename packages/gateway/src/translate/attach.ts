// Which listeners take a route: per parentRef the listeners it selects, those that allow it, those that share a host.
// Each narrowing that leaves nothing has its own reason, and a message with what to change.

import type { LabelSelector } from "@gatehouse/apimachinery/meta";
import { matchesLabels, requirementsOf } from "@gatehouse/apimachinery/selectors";
import type { HTTPRoute } from "@gatehouse/gateway-api/http-route";
import type { ParentReference } from "@gatehouse/gateway-api/references";
import { gatewayGroup } from "../gateway-resources.ts";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import type { ProcessedGateway } from "./gateways.ts";
import { anyHost, intersectHostnames } from "./hostnames.ts";
import type { TranslatedRoute } from "./http-routes.ts";
import type { ProcessedListener } from "./listeners.ts";
import { listOf } from "./problems.ts";

/** A listener that takes the route, for these hosts. */
export interface ListenerAttachment {
  listener: ProcessedListener;
  hostnames: string[];
}

/** One parentRef of a route that names a Gateway of ours. */
export interface ParentAttachment {
  parentRef: ParentReference;
  gateway: ProcessedGateway;
  /** Empty unless `accepted` is True. */
  listeners: ListenerAttachment[];
  accepted: DesiredCondition;
}

export interface AttachedRoute {
  translated: TranslatedRoute;
  parents: ParentAttachment[];
}

/** The Gateways of ours that the route names, by `namespace/name`. */
export function parentGateways(
  route: HTTPRoute,
  gateways: ReadonlyMap<string, ProcessedGateway>,
): { parentRef: ParentReference; gateway: ProcessedGateway }[] {
  return (route.spec.parentRefs ?? []).flatMap((parentRef) => {
    const { group = gatewayGroup, kind = "Gateway", name } = parentRef;
    if (group !== gatewayGroup || kind !== "Gateway") return [];
    const gateway = gateways.get(`${parentRef.namespace ?? route.metadata.namespace}/${name}`);
    return gateway ? [{ parentRef, gateway }] : [];
  });
}

export function attachRoute(
  translated: TranslatedRoute,
  parents: readonly { parentRef: ParentReference; gateway: ProcessedGateway }[],
  index: ObjectIndex,
): AttachedRoute {
  return {
    translated,
    parents: parents.map(({ parentRef, gateway }) => {
      const outcome = attach(translated.route, parentRef, gateway, index);
      const { rejected } = translated;
      if ("type" in outcome) return { parentRef, gateway, listeners: [], accepted: outcome };
      if (rejected) return { parentRef, gateway, listeners: [], accepted: rejected };
      return { parentRef, gateway, listeners: outcome, accepted: acceptance(outcome) };
    }),
  };
}

function attach(
  route: HTTPRoute,
  parentRef: ParentReference,
  gateway: ProcessedGateway,
  index: ObjectIndex,
): ListenerAttachment[] | DesiredCondition {
  const selected = gateway.listeners.filter(
    ({ spec }) =>
      (!parentRef.sectionName || spec.name === parentRef.sectionName) &&
      (parentRef.port === undefined || spec.port === parentRef.port),
  );
  if (selected.length === 0) return noMatchingParent(parentRef, gateway);

  const refusals = selected.map((listener) => refusal(route, listener, gateway, index));
  const allowing = selected.filter((_, position) => refusals[position] === undefined);
  if (allowing.length === 0) {
    return fails("Accepted", "NotAllowedByListeners", [...new Set(refusals)].join("; "));
  }
  const attachments = allowing
    .map((listener) => ({ listener, hostnames: intersectHostnames(listener.spec.hostname, route.spec.hostnames) }))
    .filter(({ hostnames }) => hostnames.length > 0);
  return attachments.length > 0 ? attachments : noMatchingHostname(route, allowing);
}

function noMatchingParent(parentRef: ParentReference, { gateway, listeners }: ProcessedGateway): DesiredCondition {
  const wanted = [
    ...(parentRef.sectionName ? [`sectionName "${parentRef.sectionName}"`] : []),
    ...(parentRef.port === undefined ? [] : [`port ${parentRef.port}`]),
  ].join(" and ");
  const known = listOf(listeners.map(({ spec }) => `${spec.name} (port ${spec.port})`));
  const message = `Gateway "${gateway.metadata.name}" has no listener with ${wanted}; its listeners are ${known}: correct the parentRef`;
  return fails("Accepted", "NoMatchingParent", message);
}

/** Why the listener does not let the route attach; undefined when it does. */
function refusal(
  route: HTTPRoute,
  { spec, supportedKinds }: ProcessedListener,
  { gateway }: ProcessedGateway,
  index: ObjectIndex,
): string | undefined {
  const listener = `listener "${spec.name}" of Gateway "${gateway.metadata.name}"`;
  if (supportedKinds.length === 0) {
    return `${listener} takes no HTTPRoutes: its protocol must be HTTP or HTTPS and its allowedRoutes.kinds must include HTTPRoute`;
  }
  const { from = "Same", selector } = spec.allowedRoutes?.namespaces ?? {};
  const namespace = route.metadata.namespace ?? "";
  if (from === "All") return undefined;
  if (from === "Same") {
    if (namespace === gateway.metadata.namespace) return undefined;
    return (
      `${listener} takes routes of its own namespace "${gateway.metadata.namespace}" only, and the route is in "${namespace}": ` +
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

function noMatchingHostname(route: HTTPRoute, listeners: readonly ProcessedListener[]): DesiredCondition {
  const theirs = listeners.map(
    ({ spec, hostname }) => `"${hostname === anyHost ? "" : hostname}" (listener ${spec.name})`,
  );
  const message =
    `spec.hostnames (${listOf(route.spec.hostnames ?? [])}) have nothing in common with the listener's hostname ` +
    `${theirs.join(", ")}: change spec.hostnames or the listener's hostname`;
  return fails("Accepted", "NoMatchingListenerHostname", message);
}

/** Attaching does not depend on the listener's state (ListenerStatus.attachedRoutes), but people should know of it. */
function acceptance(listeners: readonly ListenerAttachment[]): DesiredCondition {
  const idle = listeners
    .filter(({ listener }) => !listener.programmed)
    .map(({ listener }) => `"${listener.spec.name}"`);
  const note = idle.length > 0 ? `, but not served by ${idle.join(", ")}: see the listener's conditions` : "";
  return holds("Accepted", "Accepted", `The route is attached${note}`);
}
