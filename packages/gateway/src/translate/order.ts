// Which of several equal claims comes first: the older object, then the one first by `namespace/name`
// (Gateway API, HTTPRouteRule.matches and the general conflict rules).

import { type KubeObject, objectKey } from "@gatehouse/apimachinery/meta";

/** Negative when `a` has precedence over `b`. */
export function compareAge(a: KubeObject, b: KubeObject): number {
  const [timeA, timeB] = [a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? ""];
  if (timeA !== timeB) return timeA < timeB ? -1 : 1;
  const [keyA, keyB] = [objectKey(a), objectKey(b)];
  return keyA === keyB ? 0 : keyA < keyB ? -1 : 1;
}

/** At most 16 rules of at most 64 matches each: a route's own matches keep their order below this. */
export const matchesPerRoute = 1024;
const matchesPerRule = 64;

/** The `order` of a match within its route. */
export function matchOrder(ruleIndex: number, matchIndex: number): number {
  return ruleIndex * matchesPerRule + matchIndex;
}
