// What can be wrong with a piece of a route: found where the piece is read, turned into conditions in one place.

/** A value the gateway does not implement; makes the rule it belongs to unusable. */
export interface RuleProblem {
  reason: "UnsupportedValue" | "IncompatibleFilters";
  /** Names the field and what to change. */
  message: string;
}

/** A reference that does not resolve; only the share of traffic that needs it fails. */
export interface ReferenceProblem {
  reason: "BackendNotFound" | "RefNotPermitted" | "InvalidKind" | "UnsupportedProtocol" | "InvalidBackendTLSPolicy";
  message: string;
}

export function unsupported(message: string): RuleProblem {
  return { reason: "UnsupportedValue", message };
}

export function incompatible(message: string): RuleProblem {
  return { reason: "IncompatibleFilters", message };
}

/** A list for people: `a, b`, or `none`. */
export function listOf(items: readonly string[]): string {
  return items.length === 0 ? "none" : items.join(", ");
}
