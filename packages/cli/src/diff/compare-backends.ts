// The Services that routes name: are they there, and does anything answer behind them. Pure.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Service } from "@gatehouse/apimachinery/types/core-v1";
import { type EndpointSlice, serviceNameLabel } from "@gatehouse/apimachinery/types/discovery-v1";
import { noFindings, type ObjectFindings } from "./report.ts";

export interface Backends {
  services: readonly Service[];
  slices: readonly EndpointSlice[];
}

interface BackendReference {
  group?: string;
  kind?: string;
  namespace?: string;
  name: string;
}

/** `namespace/name` of every Service that a rule of these routes sends requests to. */
export function referencedServices(routes: readonly KubeObject[]): Set<string> {
  const names = new Set<string>();
  for (const route of routes) {
    const { rules = [] } = (route.spec ?? {}) as { rules?: { backendRefs?: BackendReference[] }[] };
    for (const { group, kind, namespace, name } of rules.flatMap((rule) => rule.backendRefs ?? [])) {
      if (!group && (kind ?? "Service") === "Service") names.add(`${namespace ?? route.metadata.namespace}/${name}`);
    }
  }
  return names;
}

/** One entry per Service. None ready against some is a difference, another number of them a note. */
export function compareBackends(names: Iterable<string>, a: Backends, b: Backends): ObjectFindings[] {
  const [left, right] = [summarize(a), summarize(b)];
  return [...names].sort().map((name) => {
    const found = { object: `Service ${name}`, ...noFindings() };
    const [one, other] = [left.get(name), right.get(name)];
    if (!one || !other) {
      // Missing in both is the same; what the routes say about it is compared with them.
      if (one || other) found.differences.push({ field: "object", a: one ? "there" : null, b: other ? "there" : null });
      return found;
    }
    if (one.ready !== other.ready) {
      const difference = { field: "ready endpoints", a: one.ready, b: other.ready };
      (one.ready === 0 || other.ready === 0 ? found.differences : found.notes).push(difference);
    }
    if (one.external !== other.external) {
      found.differences.push({ field: "externalName", a: one.external ?? null, b: other.external ?? null });
    }
    if (one.ports !== other.ports) found.differences.push({ field: "ports", a: one.ports, b: other.ports });
    return found;
  });
}

interface Backend {
  ready: number;
  ports: string;
  external: string | undefined;
}

function summarize({ services, slices }: Backends): Map<string, Backend> {
  const addresses = new Map<string, Set<string>>();
  for (const { metadata, endpoints } of slices) {
    const key = `${metadata.namespace}/${metadata.labels?.[serviceNameLabel]}`;
    const known = addresses.get(key) ?? new Set();
    addresses.set(key, known);
    // A missing condition means ready (discovery/v1, EndpointConditions). Pods count once, whatever families they have.
    for (const endpoint of endpoints ?? []) {
      if (endpoint.conditions?.ready === false) continue;
      known.add(endpoint.targetRef?.name ?? endpoint.addresses[0] ?? "");
    }
  }
  return new Map(
    services.map(({ metadata, spec }) => {
      const key = `${metadata.namespace}/${metadata.name}`;
      const ports = (spec.ports ?? []).map(({ port, protocol = "TCP" }) => `${port}/${protocol}`).sort();
      const external = spec.type === "ExternalName" ? spec.externalName : undefined;
      return [key, { ready: addresses.get(key)?.size ?? 0, ports: ports.join(", "), external }];
    }),
  );
}
