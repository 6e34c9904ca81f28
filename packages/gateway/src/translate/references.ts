// The references of one route: each is resolved where it stands, and what came of them is gathered for the route as a whole.

import type { BackendObjectReference } from "@gatehouse/gateway-api/references";
import { type Backend, resolveBackend, type Traffic } from "./backends.ts";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import type { ReferenceProblem } from "./problems.ts";
import type { RouteKind } from "./route-kinds.ts";

/** Of one rule of a route. */
export class References {
  /** That resolved. */
  readonly backends: Backend[] = [];
  readonly problems: ReferenceProblem[] = [];
  /** Of all that the route may refer to, whether it is there or not, as of `backendKey`. */
  readonly permitted: string[] = [];
  readonly #route: { kind: RouteKind; namespace: string };
  readonly #ruleIndex: number;
  readonly #index: ObjectIndex;

  constructor(route: { kind: RouteKind; namespace: string }, ruleIndex: number, index: ObjectIndex) {
    this.#route = route;
    this.#ruleIndex = ruleIndex;
    this.#index = index;
  }

  /** `field` is the reference's place in the rule, e.g. `backendRefs[0]`. */
  resolve(ref: BackendObjectReference, field: string, traffic: Traffic): Backend | ReferenceProblem {
    const onPermitted = (key: string): void => void this.permitted.push(key);
    const context = { ...this.#route, field, ruleIndex: this.#ruleIndex, traffic, onPermitted };
    const backend = resolveBackend(ref, context, this.#index);
    if ("reason" in backend) this.problems.push(backend);
    else this.backends.push(backend);
    return backend;
  }
}

const allResolved = holds("ResolvedRefs", "ResolvedRefs", "All references are resolved");

/** The condition that a route has on its references. */
export function resolvedRefs(problems: readonly ReferenceProblem[]): DesiredCondition {
  const [first] = problems;
  if (!first) return allResolved;
  const messages = new Set(problems.map(({ message }) => message));
  return fails("ResolvedRefs", first.reason, [...messages].join("; "));
}
