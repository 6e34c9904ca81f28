// Gateway API definitions as text: whole, or as the list of fields that not every release and channel has.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { type Bundle, BUNDLE_VERSIONS, CHANNELS } from "@gatehouse/gateway-api/bundle";
import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { formatColumns } from "./output/columns.ts";
import { UserError } from "./user-error.ts";

interface Definition extends KubeObject {
  spec: {
    names: { kind: string; plural: string; shortNames?: string[] };
    versions: { name: string; schema: { openAPIV3Schema: Schema } }[];
  };
}

/** The definitions named by `kinds` (kind, plural or short name, in any case); everything when there are none. Throws a UserError. */
export function selectKinds(objects: KubeObject[], kinds: string[], { version, channel }: Bundle): KubeObject[] {
  if (kinds.length === 0) return objects;
  const definitions = objects.filter(isDefinition);
  return kinds.map((kind) => {
    const found = definitions.find((definition) => isCalled(definition, kind));
    if (found) return found;
    const known = definitions.map(({ spec }) => spec.names.kind).join(", ");
    throw new UserError(`${kind}: ${version} has in its ${channel} channel ${known}`, 2);
  });
}

const isDefinition = (object: KubeObject): object is Definition => object.kind === "CustomResourceDefinition";

function isCalled({ spec: { names } }: Definition, name: string): boolean {
  const wanted = name.toLowerCase();
  return [names.kind.toLowerCase(), names.plural, ...(names.shortNames ?? [])].includes(wanted);
}

/** YAML documents, or one List as JSON: both are what `kubectl apply -f -` takes. */
export async function definitionsText(objects: KubeObject[], format: "yaml" | "json"): Promise<string> {
  if (format === "json") {
    return `${JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }, null, 2)}\n`;
  }
  const { stringify } = await import("yaml");
  return objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).join("---\n");
}

const bundles: Bundle[] = BUNDLE_VERSIONS.flatMap((version) => CHANNELS.map((channel) => ({ version, channel })));
const nameOf = ({ version, channel }: Bundle): string => `${version} ${channel}`;

/** One line per field: kind, version, path, and the bundles that have it. Throws a UserError for kinds that no bundle has. */
export function fieldsText(kinds: string[]): string {
  const found = new Map<string, { cells: [kind: string, version: string, path: string]; in: Bundle[] }>();
  const known = new Set<string>();
  for (const bundle of bundles) {
    for (const definition of customResourceDefinitions(bundle).filter(isDefinition)) {
      known.add(definition.spec.names.kind);
      if (kinds.length > 0 && !kinds.some((kind) => isCalled(definition, kind))) continue;
      for (const cells of fieldsOf(definition)) {
        const entry = found.get(cells.join(" ")) ?? { cells, in: [] };
        entry.in.push(bundle);
        found.set(cells.join(" "), entry);
      }
    }
  }
  if (found.size === 0) throw new UserError(`${kinds.join(", ")}: the kinds are ${[...known].join(", ")}`, 2);
  const rows = new Map<string, string[]>();
  for (const [key, { cells, in: where }] of found) {
    if (where.length === bundles.length || isBelowAnother(key, where.length, found)) continue;
    const [kind, version, path] = cells;
    const names = where.map(nameOf).join(", ");
    const row = rows.get([kind, path, names].join(" "));
    // Versions often differ in name only.
    if (row) row[1] += `,${version}`;
    else rows.set([kind, path, names].join(" "), [kind, version, path || "(all of it)", names]);
  }
  return `${formatColumns([["KIND", "VERSION", "FIELD", "IN"], ...rows.values()]).join("\n")}\n`;
}

/** What a field has below it is where the field is: only the differences are worth a line. */
function isBelowAnother(key: string, count: number, found: Map<string, { in: Bundle[] }>): boolean {
  const parent = key.replace(/(?:\[\])?\.[^.]+$/, "");
  if (parent === key) return false;
  return (found.get(parent)?.in.length ?? bundles.length) === count;
}

function* fieldsOf({ spec }: Definition): Generator<[kind: string, version: string, path: string]> {
  for (const { name, schema } of spec.versions) {
    yield [spec.names.kind, name, ""];
    for (const path of pathsOf(schema.openAPIV3Schema, "")) yield [spec.names.kind, name, path];
  }
}

function* pathsOf(schema: Schema, path: string): Generator<string> {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const at = `${path}.${name}`;
    yield at;
    yield* pathsOf(property, at);
  }
  if (schema.items) yield* pathsOf(schema.items, `${path}[]`);
}
