// The backends that a route names, in backendRefs and in filters, whether they exist or not.

import type { BackendObjectReference } from "@gatehouse/gateway-api/references";
import { experimentalGroup } from "../gateway-resources.ts";
import type { RouteKind, RouteObject } from "./route-kinds.ts";

interface FilterWithBackend {
  requestMirror?: { backendRef?: BackendObjectReference };
  externalAuth?: { backendRef?: BackendObjectReference };
}

interface RuleWithBackends {
  backendRefs?: (BackendObjectReference & { filters?: FilterWithBackend[] })[];
  filters?: FilterWithBackend[];
}

/** Keys as of `backendKey`, each once. */
export function referencedBackends(kind: RouteKind, { metadata, spec }: RouteObject): Set<string> {
  const keys = new Set<string>();
  const { rules = [] } = spec as { rules?: RuleWithBackends[] };
  // Policies for Services concern HTTP, gRPC and TLS (BackendTLSPolicySpec.targetRefs, support levels).
  const withPolicies = kind !== "TCPRoute" && kind !== "UDPRoute";
  for (const { backendRefs = [], filters = [] } of rules) {
    const all = [...filters, ...backendRefs.flatMap((ref) => ref.filters ?? [])];
    const ofFilters = all.flatMap(({ requestMirror, externalAuth }) => [
      ...(requestMirror?.backendRef ? [requestMirror.backendRef] : []),
      ...(externalAuth?.backendRef ? [externalAuth.backendRef] : []),
    ]);
    for (const { group = "", kind: target = "Service", name, namespace } of [...backendRefs, ...ofFilters]) {
      const home = namespace ?? metadata.namespace ?? "";
      if (group === "" && target === "Service" && withPolicies) keys.add(backendKey("Service", home, name));
      if (group === experimentalGroup && target === "XBackend") keys.add(backendKey("XBackend", home, name));
    }
  }
  return keys;
}

export const backendKey = (kind: "Service" | "XBackend", namespace: string, name: string): string =>
  `${kind}/${namespace}/${name}`;
