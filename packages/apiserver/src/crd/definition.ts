// From a CustomResourceDefinition to what the server needs to serve its kinds.

import { compile } from "@gatehouse/apimachinery/json-path";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { objectMeta } from "../kinds/types/meta.ts";
import { metadataWords } from "../kinds/definition-helpers.ts";
import { field, str } from "../kinds/schema-helpers.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import { compareVersions } from "../versions.ts";
import { type ColumnSource, compileColumns } from "./columns.ts";
import { StoredForms } from "./stored-form.ts";

/** The spec of a CustomResourceDefinition, as far as serving goes. */
interface CrdSpec {
  group: string;
  scope: "Namespaced" | "Cluster";
  names: { plural: string; singular?: string; kind: string; shortNames?: string[]; categories?: string[] };
  versions: CrdVersion[];
}

interface CrdVersion {
  name: string;
  served: boolean;
  storage: boolean;
  deprecated?: boolean;
  deprecationWarning?: string;
  schema?: { openAPIV3Schema?: Schema };
  additionalPrinterColumns?: ColumnSource[];
  selectableFields?: { jsonPath: string }[];
  subresources?: {
    status?: object;
    scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string };
  };
}

/** One definition for each served version of `crd`. Throws SyntaxError for columns that are no JSONPath (see validateCrd). */
export function definitionsOf(crd: KubeObject): ResourceDefinition[] {
  const spec = crd["spec"] as CrdSpec;
  const schemas = new Map(spec.versions.map((version) => [version, rootSchema(spec, version)]));
  const stored = spec.versions.find(({ storage }) => storage);
  return spec.versions
    .filter(({ served }) => served)
    .map((version) => {
      const schema = schemas.get(version) as Schema;
      return definitionOf(spec, version, schema, (stored && schemas.get(stored)) ?? schema);
    });
}

function definitionOf(spec: CrdSpec, version: CrdVersion, schema: Schema, stored: Schema): ResourceDefinition {
  const { group, names, scope } = spec;
  const { kind, plural } = names;
  const { subresources } = version;
  return {
    type: { group, version: version.name, plural, kind, namespaced: scope === "Namespaced" },
    singular: names.singular || kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    schema,
    columns: compileColumns(version.additionalPrinterColumns),
    subresources: {
      ...(subresources?.status ? { status: true } : {}),
      ...(subresources?.scale ? { scale: subresources.scale } : {}),
    },
    selectableFields: selectableFields(version),
    strategy: {},
    custom: {
      forms: new StoredForms(stored, schema),
      ...(version.deprecated ? { deprecation: deprecation(spec, version) } : {}),
    },
  };
}

/** The version's schema with the fields every object has; they need no declaration and win over one. */
function rootSchema({ group, names }: CrdSpec, version: CrdVersion): Schema {
  const schema: Schema = version.schema?.openAPIV3Schema ?? {
    type: "object",
    "x-kubernetes-preserve-unknown-fields": true,
  };
  return {
    ...schema,
    type: "object",
    properties: {
      apiVersion: str("Group and version of the object's form."),
      kind: str("What the object is."),
      ...schema.properties,
      metadata: metadataSchema(schema.properties?.["metadata"]),
    },
    "x-kubernetes-group-version-kind": [{ group, version: version.name, kind: names.kind }],
  };
}

/** A definition may restrict metadata.name and metadata.generateName, nothing else. */
function metadataSchema(declared: Schema | undefined): Schema {
  const restricted = Object.entries(declared?.properties ?? {}).filter(
    ([key]) => key === "name" || key === "generateName",
  );
  if (restricted.length === 0) return field(objectMeta, metadataWords);
  return field(objectMeta, metadataWords, {
    properties: { ...objectMeta.properties, ...Object.fromEntries(restricted) },
  });
}

function selectableFields(version: CrdVersion): Record<string, (object: KubeObject) => string> {
  const pairs = (version.selectableFields ?? []).map(({ jsonPath }) => {
    const find = compile(jsonPath);
    return [jsonPath.replace(/^\./, ""), (object: KubeObject) => String(find(object)[0] ?? "")] as const;
  });
  return Object.fromEntries(pairs);
}

/** The definition's own words, or where to go from here. */
function deprecation({ group, names, versions }: CrdSpec, { name, deprecationWarning }: CrdVersion): string {
  if (deprecationWarning) return deprecationWarning;
  const better = versions
    .filter((other) => other.served && !other.deprecated && compareVersions(other.name, name) < 0)
    .map((other) => other.name)
    .toSorted(compareVersions)[0];
  const said = `${group}/${name} ${names.kind} is deprecated`;
  return better ? `${said}; use ${group}/${better} ${names.kind}` : said;
}
