// Whether listeners are in order by their own merits, for the conditions of what they belong to.

import type { ProcessedListener } from "./listeners.ts";

/** An address that cannot be had is not the listener's fault, and overlapping names only ask for care. */
export function isValid({ conditions }: ProcessedListener): boolean {
  return conditions.every(
    ({ type, status }) =>
      type === "Programmed" || type === "OverlappingTLSConfig" || (status === "True") === (type !== "Conflicted"),
  );
}

/** A listener of which only a part is invalid can serve the rest. */
export function canServe({ conditions, supportedKinds, usable }: ProcessedListener): boolean {
  return (
    supportedKinds.length > 0 &&
    usable &&
    conditions.some(({ type, status }) => type === "Accepted" && status === "True")
  );
}

/** `invalid` are those that are not valid. */
export function describeInvalid(invalid: readonly ProcessedListener[]): string {
  return `listeners that are not valid: ${invalid.map(describe).join("; ")}`;
}

function describe({ spec, conditions }: ProcessedListener): string {
  const wrong = conditions.find(
    ({ type, status }) => status === "False" && type !== "Conflicted" && type !== "Programmed",
  );
  return `"${spec.name}": ${wrong?.message ?? "not valid"}`;
}
