// The output forms that show whole objects: -o json, yaml, name and jsonpath.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { objectRef } from "./resource-arguments.ts";
import { UserError } from "./user-error.ts";

/** What `-o` asks for; tables are the server's to make. */
export type OutputFormat =
  | { kind: "table"; wide: boolean }
  | { kind: "json" | "yaml" | "name" }
  | { kind: "jsonpath"; template: string };

/** Throws a UserError (exit code 2) that lists the forms there are. */
export function parseOutputFormat(text: string | undefined): OutputFormat {
  if (text === undefined || text === "") return { kind: "table", wide: false };
  if (text === "wide") return { kind: "table", wide: true };
  if (text === "json" || text === "yaml" || text === "name") return { kind: text };
  const template = /^jsonpath=(.*)$/s.exec(text)?.[1];
  if (template !== undefined) return { kind: "jsonpath", template };
  throw new UserError(
    `unable to match a printer suitable for the output format "${text}", allowed formats are: json,jsonpath=TEMPLATE,name,wide,yaml`,
    2,
  );
}

export type ObjectPrinter = (object: KubeObject, type: ResourceType) => string;

/** The printer of single objects and of `List`s of them; its text ends as kubectl's does. */
export async function createObjectPrinter(format: Exclude<OutputFormat, { kind: "table" }>): Promise<ObjectPrinter> {
  switch (format.kind) {
    case "json":
      return (object) => `${JSON.stringify(object, sortedKeys, 4)}\n`;
    case "yaml":
      return yamlPrinter();
    case "name":
      return (object, type) => `${objectRef(type, object.metadata.name)}\n`;
    case "jsonpath": {
      const { parseTemplate } = await import("./json-path-template.ts");
      return parseTemplate(format.template);
    }
  }
}

async function yamlPrinter(): Promise<ObjectPrinter> {
  const { stringify } = await import("yaml");
  // Sorted, lists at their key's depth and never folded, words such as "yes" quoted: as kubectl prints YAML.
  const options = {
    version: "1.1",
    sortMapEntries: true,
    indentSeq: false,
    lineWidth: 0,
    aliasDuplicateObjects: false,
  } as const;
  return (object) => stringify(object, options);
}

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Several objects as the `List` that kubectl prints. */
export function listOf(items: readonly KubeObject[]): KubeObject {
  return { apiVersion: "v1", kind: "List", items, metadata: { resourceVersion: "" } } as unknown as KubeObject;
}

/** An object without the bookkeeping that nobody reads. */
export function withoutManagedFields(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
