// Where two JSON trees differ. The order of keys never counts, nor that of lists whose members have a name or are plain
// values (listeners, parentRefs, hostnames): the Gateway API gives their order no meaning. Other lists go by position.

import type { Difference } from "./report.ts";

type Json = unknown;

/** One entry per smallest part that differs, with its path below `path`. What is missing on one side is null there. */
export function compareValues(path: string, a: Json, b: Json): Difference[] {
  if (Array.isArray(a) && Array.isArray(b)) return compareLists(path, a, b);
  if (isMap(a) && isMap(b)) {
    const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
    return keys.flatMap((key) => compareValues(path ? `${path}.${key}` : key, a[key], b[key]));
  }
  return a === b || (a == null && b == null) ? [] : [{ field: path, a: a ?? null, b: b ?? null }];
}

function compareLists(path: string, a: Json[], b: Json[]): Difference[] {
  if ([...a, ...b].every((member) => typeof member !== "object")) {
    return sameMembers(a, b) ? [] : [{ field: path, a, b }];
  }
  // By name as far as that tells the members apart; backends of one Service differ by their ports.
  // One against one is a change of that one.
  for (const key of a.length === 1 && b.length === 1 ? [] : [nameOf, nameAndPort]) {
    const [left, right] = [keyed(a, key), keyed(b, key)];
    if (!left || !right) continue;
    const names = [...new Set([...left.keys(), ...right.keys()])];
    return names.flatMap((name) => compareValues(`${path}[${name}]`, left.get(name), right.get(name)));
  }
  return Array.from({ length: Math.max(a.length, b.length) }).flatMap((_, index) =>
    compareValues(`${path}[${index}]`, a[index], b[index]),
  );
}

type Key = (member: Record<string, Json>) => string;

/** With namespace and section, as references have them. */
const nameOf: Key = ({ namespace, name, sectionName }) =>
  `${namespace === undefined ? "" : `${String(namespace)}/`}${String(name)}${sectionName === undefined ? "" : `#${String(sectionName)}`}`;

const nameAndPort: Key = (member) => `${nameOf(member)}:${String(member.port)}`;

/** Undefined unless every member has a name, and a key of its own. */
function keyed(list: Json[], key: Key): Map<string, Json> | undefined {
  if (!list.every((member) => isMap(member) && typeof member.name === "string")) return undefined;
  const members = new Map(list.map((member) => [key(member as Record<string, Json>), member]));
  return members.size === list.length ? members : undefined;
}

export function sameMembers(a: readonly Json[], b: readonly Json[]): boolean {
  const text = (list: readonly Json[]): string => JSON.stringify(list.map((member) => JSON.stringify(member)).sort());
  return text(a) === text(b);
}

export function isMap(value: Json): value is Record<string, Json> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
