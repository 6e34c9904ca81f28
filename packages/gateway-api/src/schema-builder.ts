// A small language for definitions: what is written once gives a static type (`Infer`) and, per bundle, a structural
// OpenAPI schema (`render`). Definitions are immutable; every method returns a changed copy.

import type { Schema } from "@gatehouse/apimachinery/schema";
import { type Availability, type Bundle, type Clause, everywhere, isAvailable, nowhere } from "./bundle.ts";

type Presence = "required" | "optional";

/** Keywords that constrain a value and have no children. */
export type Keywords = Omit<
  Schema,
  "properties" | "additionalProperties" | "items" | "required" | "description" | "type"
>;

/** A CEL rule (x-kubernetes-validations), evaluated by the API server. */
export interface Rule {
  message: string;
  rule: string;
  in: Availability;
}

/** A CEL rule with the message shown when it is false; with clauses, only in the bundles these match. */
export function rule(message: string, expression: string, ...clauses: Clause[]): Rule {
  return { message, rule: expression, in: clauses.length > 0 ? clauses : everywhere };
}

interface Parts {
  bare: (bundle: Bundle) => Schema;
  overrides: readonly { keywords: Keywords & { description?: string }; in: Availability }[];
  rules: readonly Rule[];
  availableIn: Availability;
  optionalIn: Availability;
}

/** One value of the API. `T` is its static type (phantom: never a value). */
export class Definition<T, P extends Presence = "required"> {
  declare readonly _type?: T;
  declare readonly _presence?: P;
  readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** The same definition with other words, for pieces that are used in several places. */
  describe(description: string): Definition<T, P> {
    return this.#override({ description }, everywhere);
  }

  /** May be left out; with clauses, only in the bundles these match (the static type then is optional for all). */
  optional(...clauses: Clause[]): Definition<T, "optional"> {
    return new Definition({ ...this.parts, optionalIn: clauses.length > 0 ? clauses : everywhere });
  }

  /** What the API server fills in when the value is left out. */
  default(value: T): Definition<T, "optional"> {
    return this.#override({ default: value }, everywhere).optional();
  }

  /** Adds CEL rules. */
  rules(...rules: Rule[]): Definition<T, P> {
    return new Definition({ ...this.parts, rules: [...this.parts.rules, ...rules] });
  }

  /** Exists only in the bundles that a clause matches, and may be left out there. */
  only(...clauses: Clause[]): Definition<T, "optional"> {
    return new Definition({ ...this.parts, availableIn: clauses, optionalIn: everywhere });
  }

  /** Replaces keywords in the bundles that the clause matches. */
  when(clause: Clause, keywords: Keywords): Definition<T, P> {
    return this.#override(keywords, [clause]);
  }

  /** The structural schema in that bundle: a fresh tree that shares nothing with other calls. */
  render(bundle: Bundle): Schema {
    const schema = this.parts.bare(bundle);
    for (const override of this.parts.overrides) {
      if (isAvailable(override.in, bundle)) Object.assign(schema, copy(override.keywords));
    }
    const rules = this.parts.rules.filter((each) => isAvailable(each.in, bundle));
    if (rules.length > 0) schema["x-kubernetes-validations"] = rules.map(({ message, rule }) => ({ message, rule }));
    return schema;
  }

  #override(keywords: Keywords & { description?: string }, where: Availability): Definition<T, P> {
    return new Definition({
      ...this.parts,
      overrides: [...this.parts.overrides, { keywords, in: where }],
    });
  }
}

type AnyDefinition = Definition<unknown, Presence>;
export type Fields = Readonly<Record<string, AnyDefinition>>;

/** The static type of a definition. */
export type Infer<D> = D extends Definition<infer T, Presence> ? T : never;

type OptionalKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends Definition<unknown> ? never : K;
}[keyof F];

type Flat<T> = { [K in keyof T]: T[K] };

/** The static type of an object with those fields. */
export type ObjectOf<F extends Fields> = Flat<
  { -readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Infer<F[K]> } & {
    -readonly [K in OptionalKeys<F>]?: Infer<F[K]>;
  }
>;

function define<T>(bare: (bundle: Bundle) => Schema): Definition<T> {
  return new Definition({
    bare,
    overrides: [],
    rules: [],
    availableIn: everywhere,
    optionalIn: nowhere,
  });
}

/** Keywords may hold lists and defaults: a rendered schema must not hand out ours. */
function copy<K extends object>(keywords: K): K {
  const result = { ...keywords };
  for (const [name, value] of Object.entries(keywords)) {
    if (typeof value === "object" && value !== null) Object.assign(result, { [name]: structuredClone(value) });
  }
  return result;
}

export function string(description: string, keywords: Keywords = {}): Definition<string> {
  return define(() => ({ description, type: "string", ...copy(keywords) }));
}

export function integer(description: string, keywords: Keywords = {}): Definition<number> {
  return define(() => ({ description, type: "integer", ...copy(keywords) }));
}

export function boolean(description: string): Definition<boolean> {
  return define(() => ({ description, type: "boolean" }));
}

/** A value of an enumeration that only some bundles know. */
export interface GatedValue<V> {
  value: V;
  in: Availability;
}

export function only<const V extends string | number>(value: V, ...clauses: Clause[]): GatedValue<V> {
  return { value, in: clauses };
}

/** One of a closed list of strings or integers, in the order given. The static type knows the values of all bundles. */
export function enumeration<const V extends string | number>(
  description: string,
  values: readonly (V | GatedValue<V>)[],
): Definition<V> {
  const gated = values.map((each) => (typeof each === "object" ? each : { value: each, in: everywhere }));
  const type = gated.every((each) => typeof each.value === "number") ? "integer" : "string";
  return define((bundle) => ({
    description,
    type,
    enum: gated.filter((each) => isAvailable(each.in, bundle)).map((each) => each.value),
  }));
}

/** An object with known fields; `required` is every field of the bundle that is not optional there. */
export function object<const F extends Fields>(description: string, fields: F): Definition<ObjectOf<F>> {
  return define((bundle) => ({ description, type: "object", ...renderFields(fields, bundle) }));
}

function renderFields(fields: Fields, bundle: Bundle): Schema {
  const present = Object.entries(fields).filter(([, field]) => isAvailable(field.parts.availableIn, bundle));
  const required = present.filter(([, field]) => !isAvailable(field.parts.optionalIn, bundle)).map(([name]) => name);
  return {
    properties: Object.fromEntries(present.map(([name, field]) => [name, renderField(field, bundle)])),
    ...(required.length > 0 ? { required: required.sort() } : {}),
  };
}

/** `kubectl explain` says of a field that only the experimental channel has it. */
function renderField(field: AnyDefinition, bundle: Bundle): Schema {
  const schema = field.render(bundle);
  if (isAvailable(field.parts.availableIn, { ...bundle, channel: "standard" })) return schema;
  return { ...schema, description: `${schema.description} (Experimental channel.)` };
}

/** An object with free keys. */
export function mapOf<T>(
  description: string,
  values: Definition<T>,
  keywords: Keywords = {},
): Definition<Record<string, T>> {
  return define((bundle) => ({
    description,
    type: "object",
    additionalProperties: values.render(bundle),
    ...copy(keywords),
  }));
}

function list<T>(description: string, items: Definition<T>, keywords: Keywords): Definition<T[]> {
  return define((bundle) => ({
    description,
    type: "array",
    items: items.render(bundle),
    ...copy(keywords),
  }));
}

/** A list that has one owner as a whole (server-side apply). */
export function atomicList<T>(description: string, items: Definition<T>, bounds: Keywords = {}): Definition<T[]> {
  return list(description, items, { ...bounds, "x-kubernetes-list-type": "atomic" });
}

/** A list of distinct scalars. */
export function setList<T extends string | number>(
  description: string,
  items: Definition<T>,
  bounds: Keywords = {},
): Definition<T[]> {
  return list(description, items, { ...bounds, "x-kubernetes-list-type": "set" });
}

/** A list of objects that are told apart by the values of `keys`. */
export function mapList<T extends object>(
  description: string,
  keys: readonly (keyof T & string)[],
  items: Definition<T>,
  bounds: Keywords = {},
): Definition<T[]> {
  return list(description, items, {
    ...bounds,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": [...keys],
  });
}
