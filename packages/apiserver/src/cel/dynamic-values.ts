// JSON as values without any schema: what expressions about objects of every kind see. Whole numbers are ints, times are texts.

import { List, type MapLike, type Value } from "./values.ts";

/** The value of `json`; what it holds is made when it is asked for. */
export function dynamicValue(json: unknown): Value {
  switch (typeof json) {
    case "string":
    case "boolean":
    case "bigint":
      return json;
    case "number":
      return Number.isInteger(json) ? BigInt(json) : json;
    default:
      if (json === null || json === undefined) return null;
      if (Array.isArray(json)) return new List(json.length, (index) => dynamicValue(json[index]));
      return new DynamicMap(json as Record<string, unknown>);
  }
}

class DynamicMap implements MapLike {
  readonly kind = "map";
  readonly #json: Record<string, unknown>;

  constructor(json: Record<string, unknown>) {
    this.#json = json;
  }

  get size(): number {
    return this.keys().length;
  }

  get(key: Value): Value | undefined {
    if (typeof key !== "string" || !Object.hasOwn(this.#json, key)) return undefined;
    const json = this.#json[key];
    return json === undefined ? undefined : dynamicValue(json);
  }

  keys(): string[] {
    return Object.keys(this.#json).filter((name) => this.#json[name] !== undefined);
  }

  entry(key: Value): Value | undefined {
    return this.get(key);
  }
}
