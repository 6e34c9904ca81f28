// Puts a built-in kind together: its root schema around the shared structures, and the usual names.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import type { Schema } from "@gatehouse/apimachinery/schema";
import type { ResourceDefinition, Verb } from "../resource-definition.ts";
import { defaultColumns } from "./columns.ts";
import { field, struct, str } from "./schema-helpers.ts";
import { objectMeta } from "./types/meta.ts";

interface KindOptions extends Partial<Omit<ResourceDefinition, "type" | "schema">> {
  description: string;
  /** The fields besides apiVersion, kind and metadata; a name that ends in `!` is required. */
  fields: Record<string, Schema>;
  /** Prefix of the kind's OpenAPI name: the Go package, e.g. `core.v1`. */
  package: string;
}

/** What every kind's metadata is. */
export const metadataWords = "Name, labels and whatever else every object has.";

/** The schema of a whole object. */
export function rootSchema(
  gvk: { group: string; version: string; kind: string },
  goPackage: string,
  description: string,
  fields: Record<string, Schema>,
): Schema {
  const { group, version, kind } = gvk;
  return struct(
    `${goPackage}.${kind}`,
    description,
    {
      apiVersion: str("Group and version of the object's form."),
      kind: str("What the object is."),
      metadata: field(objectMeta, metadataWords),
      ...fields,
    },
    { "x-kubernetes-group-version-kind": [{ group, version, kind }] },
  );
}

/** The definition of a built-in kind; what `options` leave out is empty. */
export function builtIn(type: ResourceType<never> | ResourceType, options: KindOptions): ResourceDefinition {
  const { description, fields, package: goPackage, ...rest } = options;
  const { group, version, plural, kind, namespaced } = type;
  return {
    type: { group, version, plural, kind, namespaced },
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: [],
    schema: rootSchema(type, goPackage, description, fields),
    columns: defaultColumns,
    subresources: {},
    strategy: {},
    ...rest,
  };
}

/** Verbs that reviews refuse: they are questions, answered instead of stored. */
export const refusedByReviews: Verb[] = ["get", "list", "watch", "update", "patch", "delete", "deletecollection"];

/** A field selector over a dotted path; absent values select as the empty text. */
export function selectable(...paths: string[]): Record<string, (object: KubeObject) => string> {
  return Object.fromEntries(
    paths.map((path) => [
      path,
      (object: KubeObject) => {
        let value: unknown = object;
        for (const name of path.split(".")) {
          value = value !== null && typeof value === "object" ? (value as Record<string, unknown>)[name] : undefined;
        }
        return value === undefined || value === null ? "" : String(value);
      },
    ]),
  );
}

/** A field selector over a boolean of `spec` or `status`: absent is `false`. */
export function selectableFlag(part: string, name: string): Record<string, (object: KubeObject) => string> {
  return {
    [`${part}.${name}`]: (object) => String((object[part] as Record<string, unknown> | undefined)?.[name] === true),
  };
}
