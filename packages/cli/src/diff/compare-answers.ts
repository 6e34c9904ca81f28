// The answers of two clusters to one request, fact by fact. Of repeated requests the sets are compared: which backend
// came when says nothing. Pure.

import type { Observation } from "./observe-answer.ts";
import { type PlannedRequest, requestTitle } from "./planned-request.ts";
import { noFindings, type RequestFindings } from "./report.ts";

export function compareAnswers(
  planned: PlannedRequest,
  a: readonly Observation[],
  b: readonly Observation[],
): RequestFindings {
  const { origin, times } = planned;
  const found = { request: requestTitle(planned), origin, times, ...noFindings() };
  const differs = (field: string): boolean => JSON.stringify(valuesOf(a, field)) !== JSON.stringify(valuesOf(b, field));
  const differing = [...new Set([...a, ...b].flatMap((facts) => Object.keys(facts)))]
    .filter(differs)
    .sort(byImportance);
  // Another status or backend explains the rest: what another application says is not a second difference.
  const cause = decisiveFacts.find((field) => differing.includes(field));
  for (const field of cause ? [cause] : differing) {
    const [one, other] = [valuesOf(a, field), valuesOf(b, field)];
    const difference =
      field === "body"
        ? bodyDifference(one, other)
        : { field, a: shown(withFailure(field, one, a), times), b: shown(withFailure(field, other, b), times) };
    // Each gateway has its own way to fail or redirect, and words for it; status and location are what counts.
    const isNote =
      field === "failure" ||
      (words.has(field) && noSuccess(a) && noSuccess(b)) ||
      (!planned.conclusive && overlap(one, other));
    (isNote ? found.notes : found.differences).push(difference);
  }
  return found;
}

const decisiveFacts = ["status", "backend", "backend name"];

/** The body last: what comes before says more. */
function byImportance(left: string, right: string): number {
  return Number(left === "body") - Number(right === "body") || (left < right ? -1 : 1);
}

/** The distinct values, sorted; null where an answer lacks the fact. */
function valuesOf(observations: readonly Observation[], field: string): (string | null)[] {
  const values = new Set(observations.map((facts) => facts[field] ?? null));
  return [...values].sort((one, other) => ((one ?? "") < (other ?? "") ? -1 : 1));
}

/** `no answer` with its reason, for whoever reads it. */
function withFailure(field: string, values: (string | null)[], from: readonly Observation[]): (string | null)[] {
  const reasons = valuesOf(from, "failure").filter((reason) => reason !== null);
  if (field !== "status" || reasons.length === 0) return values;
  return values.map((value) => (value === "no answer" ? `no answer (${reasons.join(", ")})` : value));
}

const overlap = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.some((value) => other.includes(value));

const words = new Set(["body", "header content-type", "header cache-control", "header vary"]);

const noSuccess = (observations: readonly Observation[]): boolean =>
  observations.every(({ status = "" }) => /^[345]\d\d$/.test(status));

/** The value itself for a request that was sent once. */
const shown = (values: (string | null)[], times: number): unknown =>
  times === 1 || values.length === 1 ? (values[0] ?? null) : values;

const shownCharacters = 160;

/** The first line that is not the same, which is what one would look for. */
function bodyDifference([a]: (string | null)[], [b]: (string | null)[]): { field: string; a: unknown; b: unknown } {
  const [left, right] = [a?.split("\n") ?? [], b?.split("\n") ?? []];
  const line = left.findIndex((text, index) => text !== right[index]);
  const index = line < 0 ? left.length : line;
  const cut = (text: string | undefined): string | null => text?.slice(0, shownCharacters) ?? null;
  return { field: `body, line ${index + 1}`, a: cut(left[index]), b: cut(right[index]) };
}
