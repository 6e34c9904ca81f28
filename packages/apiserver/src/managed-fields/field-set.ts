// A set of fields as a tree in the very form of FieldsV1, so that what is stored needs no decoding. Sets are never changed in
// place: they are shared by all versions of an object that have them.

import { elementText, inElementOrder, type PathElement, selfElement } from "./path-element.ts";

/**
 * The fields below some place, by path element. A field without fields below it (`{}`) is in the set; one that has some is
 * in the set itself only when they have `.` among them. The whole of an object is never in a set.
 */
export interface FieldSet {
  readonly [element: PathElement]: FieldSet;
}

export const emptySet: FieldSet = Object.freeze({});
const leaf = emptySet;

/** True for the set of no fields. Of a whole set only: below an element the same tree means that the field is in it. */
export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** True when the field at `node` itself is in the set. */
export function isMember(node: FieldSet): boolean {
  return selfElement in node || isEmpty(node);
}

/** The fields strictly below `node`, each with what is below it. */
export function below(node: FieldSet): [PathElement, FieldSet][] {
  const entries = Object.entries(node);
  return selfElement in node ? entries.filter(([element]) => element !== selfElement) : entries;
}

/** A field's node from the fields below it (in order) and whether it is in the set itself; undefined when nothing is. */
export function nodeOf(children: [PathElement, FieldSet][], member: boolean): FieldSet | undefined {
  if (children.length === 0) return member ? leaf : undefined;
  return member ? { [selfElement]: leaf, ...setOf(children) } : setOf(children);
}

/** A whole set from its topmost fields, in order. */
export function setOf(children: [PathElement, FieldSet][]): FieldSet {
  const set: Record<PathElement, FieldSet> = {};
  for (const [element, node] of children) set[element] = node;
  return set;
}

/** The fields that are in either set; `a` itself when it has all of `b`. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  const all = unite(a, b);
  return all ? setOf(all) : a;
}

/** The fields that are in any of the sets. Halves are united, not one after the other: thousands of sets cost no square. */
export function unionOf(sets: readonly FieldSet[]): FieldSet {
  if (sets.length <= 2) return union(sets[0] ?? emptySet, sets[1] ?? emptySet);
  const middle = sets.length >> 1;
  return union(unionOf(sets.slice(0, middle)), unionOf(sets.slice(middle)));
}

/** Undefined when nothing is added. */
function unite(a: FieldSet, b: FieldSet): [PathElement, FieldSet][] | undefined {
  const result: [PathElement, FieldSet][] = [];
  let changed = false;
  for (const [element, node] of below(a)) {
    const other = b[element];
    const children = other && other !== node ? unite(node, other) : undefined;
    const gains = other !== undefined && isMember(other) && !isMember(node);
    changed ||= children !== undefined || gains;
    if (!children && !gains) result.push([element, node]);
    else result.push([element, nodeOf(children ?? below(node), gains || isMember(node)) as FieldSet]);
  }
  for (const [element, node] of below(b)) {
    if (element in a) continue;
    changed = true;
    result.push([element, node]);
  }
  return changed ? inOrder(result) : undefined;
}

/** The fields of `a` that are not in `b`; `a` itself when `b` has none of them. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  const rest = isEmpty(a) || isEmpty(b) ? undefined : subtract(a, b);
  return rest ? setOf(rest) : a;
}

/** Undefined when nothing is taken away. */
function subtract(a: FieldSet, b: FieldSet): [PathElement, FieldSet][] | undefined {
  const result: [PathElement, FieldSet][] = [];
  let changed = false;
  for (const [element, node] of below(a)) {
    const other = b[element];
    const children = other && subtract(node, other);
    const loses = other !== undefined && isMember(node) && isMember(other);
    if (!children && !loses) {
      result.push([element, node]);
      continue;
    }
    changed = true;
    const rest = nodeOf(children ?? below(node), isMember(node) && !loses);
    if (rest) result.push([element, rest]);
  }
  return changed ? result : undefined;
}

/** The fields that are in both sets. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return setOf(intersect(a, b));
}

function intersect(a: FieldSet, b: FieldSet): [PathElement, FieldSet][] {
  const result: [PathElement, FieldSet][] = [];
  for (const [element, node] of below(a)) {
    const other = b[element];
    const common = other && nodeOf(intersect(node, other), isMember(node) && isMember(other));
    if (common) result.push([element, common]);
  }
  return result;
}

/** The entries of a set in FieldsV1's order; the list itself when they are in it. */
export function inOrder(entries: [PathElement, FieldSet][]): [PathElement, FieldSet][] {
  return inElementOrder(entries, ([element]) => element);
}

/** The paths of all fields in the set as people read them, those of one place before those below it. */
export function pathsOf(set: FieldSet, prefix = ""): string[] {
  const children = below(set);
  const here = children.filter(([, node]) => isMember(node)).map(([element]) => prefix + elementText(element));
  return [
    ...here,
    ...children.flatMap(([element, node]) => (isEmpty(node) ? [] : pathsOf(node, prefix + elementText(element)))),
  ];
}
