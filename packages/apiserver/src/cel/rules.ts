// x-kubernetes-validations: the rules of a schema, kept with the levels they belong to and checked against objects (KEP-2876).

import { isDeepStrictEqual } from "node:util";
import type { Schema } from "@gatehouse/apimachinery/schema";
import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { invalidValue } from "../schema/field-cause.ts";
import { costPerWrite } from "../meter.ts";
import { Rule, type RuleFaults } from "./rule.ts";

type Tree = Record<string, unknown>;

/** The rules at one level of a schema and below it. Levels without any have no plan. */
interface Plan {
  schema: Schema;
  rules: Rule[];
  properties: Map<string, Plan>;
  values: Plan | undefined;
  items: Plan | undefined;
  /** True when a rule here or below looks at the old value. */
  usesOldSelf: boolean;
}

const plans = new WeakMap<Schema, { plan: Plan | undefined }>();

function planOf(schema: Schema): Plan | undefined {
  const known = plans.get(schema);
  if (known) return known.plan;
  const plan = makePlan(schema);
  plans.set(schema, { plan });
  return plan;
}

function makePlan(schema: Schema): Plan | undefined {
  const properties = new Map<string, Plan>();
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const plan = planOf(property);
    if (plan) properties.set(name, plan);
  }
  const { additionalProperties } = schema;
  const values = typeof additionalProperties === "object" ? planOf(additionalProperties) : undefined;
  const items = schema.items && planOf(schema.items);
  const rules = (schema["x-kubernetes-validations"] ?? []).map((rule) => new Rule(rule, schema));
  const below = [...properties.values(), values, items].filter((plan) => plan !== undefined);
  if (rules.length + below.length === 0) return undefined;
  const usesOld = [...rules, ...below].some((part) => part.usesOldSelf);
  return { schema, rules, properties, values, items, usesOldSelf: usesOld };
}

/** Causes after which rules could only confuse (apiextensions hasBlockingErr). */
const blocking = new Set([
  "FieldValueRequired",
  "FieldValueNotSupported",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);

/**
 * The causes for which `object` breaks the rules of its `schema`, as the successor of `old` where there is one. `found` are the
 * causes that are known already: an object that does not have its schema's form is not looked at any further.
 */
export function validateRules(
  schema: Schema,
  object: unknown,
  old: unknown,
  found: readonly StatusCause[] = [],
): StatusCause[] {
  const plan = planOf(schema);
  if (!plan) return [];
  if (found.some(({ reason }) => blocking.has(reason))) {
    const detail =
      "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
    return [invalidValue("<nil>", "null", detail)];
  }
  const faults: RuleFaults = { causes: [], costLeft: costPerWrite };
  checkLevel(plan, { value: object, old, unchanged: false, path: "" }, faults);
  return faults.causes;
}

/** A value in its place. `old` is undefined where nothing corresponds; `unchanged` then is what the nearest level above knows. */
interface Place {
  value: unknown;
  old: unknown;
  unchanged: boolean;
  path: string;
}

function checkLevel(plan: Plan, place: Place, faults: RuleFaults): void {
  const { value, old, path } = place;
  if (value === null || value === undefined || faults.costLeft < 0) return;
  const unchanged = place.unchanged || (old !== undefined && isDeepStrictEqual(value, old));
  // Ratcheting (KEP-4008): what did not change is not held to rules that may be younger than it.
  if (unchanged && !plan.usesOldSelf) return;
  for (const rule of plan.rules) {
    if (unchanged && !rule.usesOldSelf) continue;
    rule.check(value, old, path, faults);
    if (faults.costLeft < 0) return;
  }
  if (Array.isArray(value)) checkItems(plan, value, { ...place, unchanged }, faults);
  else if (typeof value === "object") checkFields(plan, value as Tree, { ...place, unchanged }, faults);
}

function checkFields(plan: Plan, value: Tree, { old, unchanged, path }: Place, faults: RuleFaults): void {
  const before = old !== null && typeof old === "object" ? (old as Tree) : {};
  const oldOf = (name: string): unknown => (Object.hasOwn(before, name) ? before[name] : undefined);
  for (const [name, property] of plan.properties) {
    if (!Object.hasOwn(value, name)) continue;
    const at = path ? `${path}.${name}` : name;
    checkLevel(property, { value: value[name], old: oldOf(name), unchanged, path: at }, faults);
  }
  if (!plan.values) return;
  for (const name of Object.keys(value)) {
    checkLevel(plan.values, { value: value[name], old: oldOf(name), unchanged, path: `${path}[${name}]` }, faults);
  }
}

/** Items of lists that are maps have predecessors, found by their keys; those of other lists have none. */
function checkItems(plan: Plan, value: unknown[], { old, unchanged, path }: Place, faults: RuleFaults): void {
  const { items, schema } = plan;
  if (!items) return;
  const keys = schema["x-kubernetes-list-type"] === "map" ? (schema["x-kubernetes-list-map-keys"] ?? []) : undefined;
  const identity = (item: unknown): string => JSON.stringify(keys?.map((key) => (item as Tree | null)?.[key] ?? null));
  const before = new Map(keys && Array.isArray(old) ? old.map((item: unknown) => [identity(item), item]) : []);
  value.forEach((item, index) => {
    const predecessor = keys ? before.get(identity(item)) : undefined;
    checkLevel(items, { value: item, old: predecessor, unchanged, path: `${path}[${index}]` }, faults);
  });
}
