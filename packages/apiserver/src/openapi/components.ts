// The schemas of an OpenAPI document: shared structures appear once and are referred to.

import type { Schema } from "@gatehouse/apimachinery/schema";
import { originalSchema, schemaName } from "../kinds/schema-helpers.ts";

type Tree = Record<string, unknown>;

const prefix = "#/components/schemas/";

/** Keywords that hold schemas, by how they hold them. */
const nested = { maps: ["properties"], lists: ["allOf", "anyOf", "oneOf"], singles: ["items", "not"] } as const;

/** Collects the schemas that a document refers to. */
export class Components {
  readonly schemas: Record<string, Tree> = {};

  /** A reference to `schema` under `name`; what it refers to is collected as well. */
  add(name: string, schema: Schema): Tree {
    if (!Object.hasOwn(this.schemas, name)) {
      // Set first: schemas may contain themselves.
      this.schemas[name] = {};
      Object.assign(this.schemas[name], this.#inline(schema));
    }
    return { $ref: `${prefix}${name}` };
  }

  /** A reference to a schema that is already in the document's form. */
  put(name: string, schema: Tree): Tree {
    this.schemas[name] = schema;
    return { $ref: `${prefix}${name}` };
  }

  #convert(schema: Schema): Tree {
    const name = schemaName(schema);
    if (!name) return this.#inline(schema);
    const original = originalSchema(schema);
    const reference = this.add(name, original);
    const own = Object.entries(schema).filter(
      ([key, value]) => key !== "properties" && original[key as keyof Schema] !== value,
    );
    // Next to $ref nothing counts, so what the field adds goes around it (as Kubernetes does).
    return own.length === 0 ? reference : { allOf: [reference], ...Object.fromEntries(own) };
  }

  #inline(schema: Schema): Tree {
    const result: Tree = { ...schema };
    for (const key of nested.maps) {
      const value = schema[key];
      if (value)
        result[key] = Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.#convert(item)]));
    }
    for (const key of nested.lists) {
      const value = schema[key];
      if (value) result[key] = value.map((item) => this.#convert(item));
    }
    for (const key of nested.singles) {
      const value = schema[key];
      if (value) result[key] = this.#convert(value);
    }
    if (typeof schema.additionalProperties === "object") {
      result["additionalProperties"] = this.#convert(schema.additionalProperties);
    }
    return result;
  }
}
