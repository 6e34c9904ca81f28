// The fields that a value has: those an applier names, or (for comparisons) every one of them. On the way of every create, so
// it looks at the schema only where a value has parts.

import { emptySet, type FieldSet } from "./field-set.ts";
import { itemsOf } from "./list-items.ts";
import { fieldElement, inElementOrder, type PathElement, selfElement } from "./path-element.ts";
import { isGranular, type Tree, type TypedSchema } from "./typed-schema.ts";

/**
 * `named`: leaves, items and entries of free maps; structures and lists belong to nobody. `all`: structures and lists too, as they
 * come into being with what is in them.
 */
export type Extent = "named" | "all";

type Node = Record<PathElement, FieldSet>;

/** The fields that the object `value` names. It fits its schema. */
export function toFieldSet(schema: TypedSchema, value: Tree): FieldSet {
  const set: Node = {};
  addEntries(set, schema, value, "named");
  return set;
}

/** The node of a value below a field; undefined when there is nothing to own in it, nor it itself. */
export function fieldsOf(schema: TypedSchema, value: unknown, extent: Extent, member: boolean): FieldSet | undefined {
  if (value === null || typeof value !== "object") return emptySet;
  const isList = Array.isArray(value);
  if (!isGranular(schema, isList ? "list" : "map")) return emptySet;
  const node: Node = member ? { [selfElement]: emptySet } : {};
  const count = isList ? addItems(node, schema, value, extent) : addEntries(node, schema, value as Tree, extent);
  if (count > 0) return node;
  const bare = Object.keys(value).length === 0 && (extent === "all" || !isList);
  return member || bare ? emptySet : undefined;
}

/** Returns how many it added, in order. */
function addEntries(node: Node, schema: TypedSchema, value: Tree, extent: Extent): number {
  let count = 0;
  for (const name of Object.keys(value).sort()) {
    const item = value[name];
    if (item === undefined) continue;
    const fields = item === null || typeof item !== "object" ? emptySet : partsOf(schema, name, item, extent);
    if (!fields) continue;
    node[fieldElement(name)] = fields;
    count++;
  }
  return count;
}

function partsOf(schema: TypedSchema, name: string, item: object, extent: Extent): FieldSet | undefined {
  const field = schema.field(name);
  if (!field) return undefined;
  return fieldsOf(field.schema, item, extent, !field.declared || (extent === "all" && !field.always));
}

function addItems(node: Node, schema: TypedSchema, list: unknown[], extent: Extent): number {
  const nodes = new Map<PathElement, FieldSet>();
  for (const { element, value } of itemsOf(schema, list)) {
    // Items that cannot be told apart are owned together, as one value.
    const fields = nodes.has(element) ? undefined : fieldsOf(schema.items, value, extent, true);
    nodes.set(element, fields ?? emptySet);
  }
  for (const [element, fields] of inElementOrder([...nodes], ([name]) => name)) node[element] = fields;
  return nodes.size;
}
