// Which Gateways lead to which backends, through whatever routes: the ancestors of policies for them.

import type { AttachedRoute } from "./attach.ts";
import { parentKey } from "./parents.ts";
import type { RouteKind } from "./route-kinds.ts";
import type { RouteNode } from "./route-node.ts";

/** Backends (by `backendKey`) that a route may refer to, and the Gateways (by `parentKey`) that took it, each once. */
interface Use {
  backends: readonly string[];
  gateways: readonly string[];
}

export class BackendUsers {
  readonly #uses = new Map<RouteNode, Use>();
  /** By backend and Gateway, how many routes lead there. */
  readonly #counts = new Map<string, Map<string, number>>();

  /** Keys of the Gateways that lead to a backend. */
  of(backend: string): Iterable<string> {
    return this.#counts.get(backend)?.keys() ?? [];
  }

  /** Takes a route's present state over; returns the backends whose Gateways have changed. */
  update(node: RouteNode, attached: AttachedRoute | undefined): string[] {
    const changed = new Set<string>();
    const before = this.#uses.get(node);
    const after = attached && useOf(attached);
    if (before && after && isSame(before.backends, after.backends) && isSame(before.gateways, after.gateways))
      return [];
    if (after) {
      this.#uses.set(node, after);
      this.#add(after, 1, changed);
    } else this.#uses.delete(node);
    if (before) this.#add(before, -1, changed);
    return [...changed];
  }

  #add({ backends, gateways }: Use, change: 1 | -1, changed: Set<string>): void {
    for (const backend of backends) {
      const counts = this.#counts.get(backend) ?? new Map<string, number>();
      this.#counts.set(backend, counts);
      for (const gateway of gateways) {
        const count = (counts.get(gateway) ?? 0) + change;
        if (count === 0) counts.delete(gateway);
        else counts.set(gateway, count);
        if (count === 0 || (count === 1 && change === 1)) changed.add(backend);
      }
      if (counts.size === 0) this.#counts.delete(backend);
    }
  }
}

/** Policies for Services concern HTTP, gRPC and TLS (BackendTLSPolicySpec.targetRefs, support levels). */
const withoutPolicies: readonly RouteKind[] = ["TCPRoute", "UDPRoute"];

function useOf({ translated: { kind, permitted }, parents }: AttachedRoute): Use {
  const accepted = parents.filter(({ accepted: { status } }) => status === "True");
  return {
    backends: once(withoutPolicies.includes(kind) ? permitted.filter((key) => !isService(key)) : permitted),
    gateways: once(accepted.map(({ parent }) => parentKey(parent.gateway.owner))),
  };
}

const isService = (key: string): boolean => key.startsWith("Service/");
const once = (keys: readonly string[]): readonly string[] => (keys.length < 2 ? keys : [...new Set(keys)]);
const isSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((each) => b.includes(each));
