// The Services that a route names, in backendRefs and in filters, as far as policies for Services concern its kind.

import type { BackendObjectReference } from "@gatehouse/gateway-api/references";
import type { RouteKind, RouteObject } from "./route-kinds.ts";

interface FilterWithBackend {
  requestMirror?: { backendRef?: BackendObjectReference };
  externalAuth?: { backendRef?: BackendObjectReference };
}

interface RuleWithBackends {
  backendRefs?: (BackendObjectReference & { filters?: FilterWithBackend[] })[];
  filters?: FilterWithBackend[];
}

/** Keys `namespace/name`, each once. */
export function referencedServices(kind: RouteKind, { metadata, spec }: RouteObject): Set<string> {
  const services = new Set<string>();
  // Nothing is known of what TCP and UDP carry (BackendTLSPolicySpec.targetRefs, support levels).
  if (kind === "TCPRoute" || kind === "UDPRoute") return services;
  const { rules = [] } = spec as { rules?: RuleWithBackends[] };
  for (const { backendRefs = [], filters = [] } of rules) {
    const all = [...filters, ...backendRefs.flatMap((ref) => ref.filters ?? [])];
    const ofFilters = all.flatMap(({ requestMirror, externalAuth }) => [
      ...(requestMirror?.backendRef ? [requestMirror.backendRef] : []),
      ...(externalAuth?.backendRef ? [externalAuth.backendRef] : []),
    ]);
    for (const { group = "", kind: target = "Service", name, namespace } of [...backendRefs, ...ofFilters]) {
      if (group === "" && target === "Service") services.add(`${namespace ?? metadata.namespace}/${name}`);
    }
  }
  return services;
}
