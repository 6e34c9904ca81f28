// What decoding into Go's structures does to fields of built-in kinds: zero values of plain fields count as absent, and amounts
// become text. Custom resources know neither.

import type { Schema } from "@gatehouse/apimachinery/schema";

/** From the value given to the value meant; undefined means absent. Values of other types pass, for validation to judge. */
export type Normalizer = (value: unknown) => unknown;

const normalizers = new WeakMap<Schema, Normalizer>();

/** Makes applyDefaults put the values of `schema` through `normalizer` first; returns the schema. */
export function normalizing(schema: Schema, normalizer: Normalizer): Schema {
  normalizers.set(schema, normalizer);
  return schema;
}

export function normalizerOf(schema: Schema): Normalizer | undefined {
  return normalizers.get(schema);
}

/** For strings that are no pointers in Go: the empty text is no value. */
export const emptyIsAbsent: Normalizer = (value) => (value === "" ? undefined : value);

/** For numbers that are no pointers in Go: zero is no value. */
export const zeroIsAbsent: Normalizer = (value) => (value === 0 ? undefined : value);

/** Amounts given as numbers, in the text Kubernetes gives them: 1 is `1`, 0.5 is `500m`. */
export const amountAsText: Normalizer = (value) => {
  if (typeof value !== "number" || !Number.isFinite(value)) return value;
  for (const [power, suffix] of [
    [0, ""],
    [3, "m"],
    [6, "u"],
    [9, "n"],
  ] as const) {
    const scaled = value * 10 ** power;
    if (Math.abs(scaled - Math.round(scaled)) <= 1e-9 * Math.abs(scaled)) return `${Math.round(scaled)}${suffix}`;
  }
  // Finer than a billionth is rounded up.
  return `${Math.ceil(value * 1e9)}n`;
};
