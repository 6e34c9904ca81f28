// What a change of a value adds, modifies and removes, field by field.

import { isDeepStrictEqual } from "node:util";
import { emptySet, type FieldSet, inOrder, nodeOf } from "./field-set.ts";
import { itemsOf } from "./list-items.ts";
import { fieldElement, type PathElement } from "./path-element.ts";
import { fieldsOf } from "./to-field-set.ts";
import { formOf, isGranular, type Tree, type TypedSchema } from "./typed-schema.ts";

/** No field is in more than one of the three. */
export interface Comparison {
  added: FieldSet;
  modified: FieldSet;
  removed: FieldSet;
}

/** The node of one field in each of the three; absent where nothing happened to it or below it. */
type Change = Partial<Comparison>;

type Entries = [PathElement, FieldSet][];

/** Collects the changes below a field. */
class Changes {
  readonly #added: Entries = [];
  readonly #modified: Entries = [];
  readonly #removed: Entries = [];

  add(element: PathElement, change: Change | undefined): void {
    if (change?.added) this.#added.push([element, change.added]);
    if (change?.modified) this.#modified.push([element, change.modified]);
    if (change?.removed) this.#removed.push([element, change.removed]);
  }

  /** As the change of the field itself, or undefined. */
  get change(): Change | undefined {
    const [added, modified, removed] = [this.#added, this.#modified, this.#removed].map((entries) =>
      nodeOf(inOrder(entries), false),
    );
    if (!added && !modified && !removed) return undefined;
    return { ...(added ? { added } : {}), ...(modified ? { modified } : {}), ...(removed ? { removed } : {}) };
  }

  get comparison(): Comparison {
    const { added = emptySet, modified = emptySet, removed = emptySet } = this.change ?? {};
    return { added, modified, removed };
  }
}

/**
 * How the object `after` differs from `before` in the fields that anybody may own. `ignored` are names in metadata that are nobody's.
 * Subtrees that both share cost nothing.
 */
export function compareObjects(
  schema: TypedSchema,
  before: Tree,
  after: Tree,
  ignored: ReadonlySet<string>,
): Comparison {
  const changes = new Changes();
  for (const name of namesOf(before, after)) {
    const field = schema.field(name);
    if (!field || name === "apiVersion" || name === "kind") continue;
    if (name !== "metadata")
      changes.add(fieldElement(name), changeOfEntry(schema, name, own(before, name), own(after, name)));
    else changes.add("f:metadata", changeOfMap(field.schema, own(before, name), own(after, name), ignored));
  }
  return changes.comparison;
}

function changeOfMap(
  schema: TypedSchema,
  before: unknown,
  after: unknown,
  ignored?: ReadonlySet<string>,
): Change | undefined {
  const changes = new Changes();
  const [old, next] = [(before ?? {}) as Tree, (after ?? {}) as Tree];
  for (const name of namesOf(old, next)) {
    if (ignored?.has(name)) continue;
    changes.add(fieldElement(name), changeOfEntry(schema, name, own(old, name), own(next, name)));
  }
  return changes.change;
}

function changeOfEntry(schema: TypedSchema, name: string, before: unknown, after: unknown): Change | undefined {
  if (before === after) return undefined;
  if (isScalar(before) && isScalar(after)) return modified;
  const field = schema.field(name);
  if (!field) return undefined;
  return field.always
    ? changeOf(field.schema, before === undefined ? {} : before, after === undefined ? {} : after)
    : changeOf(field.schema, before, after);
}

function changeOf(schema: TypedSchema, before: unknown, after: unknown): Change | undefined {
  if (before === after) return undefined;
  if (before === undefined) return only("added", fieldsOf(schema, after, "all", true));
  if (after === undefined) return only("removed", fieldsOf(schema, before, "all", true));
  const form = formOf(schema, after);
  if (formOf(schema, before) !== form) return replaced(schema, before, after);
  const whole = !isGranular(schema, form) || (isBare(before) && isBare(after));
  if (whole) return isDeepStrictEqual(before, after) ? undefined : modified;
  return form === "map" ? changeOfMap(schema, before, after) : changeOfList(schema, before, after);
}

const isScalar = (value: unknown): boolean => value !== undefined && value !== null && typeof value !== "object";

const modified: Change = { modified: emptySet };

const only = (kind: keyof Comparison, node: FieldSet | undefined): Change => (node ? { [kind]: node } : {});

const isBare = (value: unknown): boolean => value === null || Object.keys(value as object).length === 0;

/** A value of another form: the field is another one, and what was and is below it goes and comes. */
function replaced(schema: TypedSchema, before: unknown, after: unknown): Change {
  const parts = (value: unknown): FieldSet | undefined =>
    isGranular(schema, formOf(schema, value)) ? fieldsOf(schema, value, "all", false) : undefined;
  return {
    ...modified,
    ...only("added", parts(after)),
    ...only("removed", parts(before)),
  };
}

function changeOfList(schema: TypedSchema, before: unknown, after: unknown): Change | undefined {
  const [old, next] = [grouped(schema, before), grouped(schema, after)];
  const changes = new Changes();
  for (const element of new Set([...old.keys(), ...next.keys()])) {
    changes.add(element, changeOfItems(schema.items, old.get(element) ?? [], next.get(element) ?? []));
  }
  return changes.change;
}

/** Items with the same identity count as one value: they cannot be owned one by one. */
function changeOfItems(schema: TypedSchema, before: unknown[], after: unknown[]): Change | undefined {
  if (before.length <= 1 && after.length <= 1) return changeOf(schema, before[0], after[0]);
  if (before.length > 1 && after.length > 1) return isDeepStrictEqual(before, after) ? undefined : modified;
  if (before.length > 1) {
    return { ...(after.length > 0 ? changeOf(schema, undefined, after[0]) : {}), ...only("removed", emptySet) };
  }
  return { ...(before.length > 0 ? changeOf(schema, before[0], undefined) : {}), ...only("added", emptySet) };
}

function grouped(schema: TypedSchema, list: unknown): Map<PathElement, unknown[]> {
  const result = new Map<PathElement, unknown[]>();
  for (const { element, value } of itemsOf(schema, list)) {
    const group = result.get(element);
    if (group) group.push(value);
    else result.set(element, [value]);
  }
  return result;
}

/** What the tree itself says: `constructor` and `__proto__` are keys like any other. */
const own = (tree: Tree, name: string): unknown => (Object.hasOwn(tree, name) ? tree[name] : undefined);

/** The names of both. */
function namesOf(a: Tree, b: Tree): string[] {
  const names = Object.keys(a);
  for (const name of Object.keys(b)) if (!Object.hasOwn(a, name)) names.push(name);
  return names;
}
