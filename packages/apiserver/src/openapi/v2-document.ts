// OpenAPI v2 from the v3 documents: for clients that read nothing else (kubectl explain --output=plaintext-openapiv2, kubectl
// before 1.27, Terraform's kubernetes_manifest, Argo CD). Like Kubernetes', it leaves out what version 2 cannot say.

type Tree = Record<string, unknown>;

/** The document as JSON would hold it. `paths` has what kubectl looks for: the parameters of each kind's PATCH. */
export interface V2Document extends Tree {
  swagger: "2.0";
  info: { title: string; version: string };
  paths: Record<string, Tree>;
  definitions: Record<string, Tree>;
}

interface V3Document {
  paths: Record<string, Tree>;
  components: { schemas: Record<string, Tree> };
}

export const v2Info = { title: "Gatehouse", version: "v1" };

/** One document of all group versions; schemas that several of them share are the same in each. */
export function v2Document(documents: Iterable<unknown>): V2Document {
  const definitions: Record<string, Tree> = {};
  const paths: Record<string, Tree> = {};
  for (const { components, paths: operations } of documents as Iterable<V3Document>) {
    for (const [name, schema] of Object.entries(components.schemas)) definitions[name] ??= v2Schema(schema);
    for (const [path, { patch }] of Object.entries(operations))
      if (patch) paths[path] = { patch: v2Patch(patch as Tree) };
  }
  return { swagger: "2.0", info: v2Info, paths, definitions };
}

function v2Patch(operation: Tree): Tree {
  const parameters = (operation["parameters"] as Tree[]).map(({ schema, name, description }) => ({
    name,
    in: "query",
    description,
    type: (schema as Tree)["type"],
  }));
  const extensions = Object.entries(operation).filter(([key]) => key.startsWith("x-"));
  return { ...Object.fromEntries(extensions), parameters, responses: { "200": { description: "OK" } } };
}

/** Combinations and `nullable` are not part of version 2. */
const unknownToV2 = new Set(["oneOf", "anyOf", "not", "nullable"]);

function v2Schema(schema: Tree): Tree {
  const entries = Object.entries(schema).filter(([key]) => !unknownToV2.has(key));
  const shown = Object.fromEntries(entries.map(([key, value]) => [key, v2Value(key, value)]));
  return schema["x-kubernetes-int-or-string"] === true ? { ...shown, type: "string", format: "int-or-string" } : shown;
}

function v2Value(key: string, value: unknown): unknown {
  switch (key) {
    case "$ref":
      return String(value).replace("#/components/schemas/", "#/definitions/");
    case "allOf":
      return (value as Tree[]).map(v2Schema);
    case "items":
      return v2Schema(value as Tree);
    case "additionalProperties":
      return typeof value === "boolean" ? value : v2Schema(value as Tree);
    case "properties":
      return Object.fromEntries(
        Object.entries(value as Record<string, Tree>).map(([name, of]) => [name, v2Schema(of)]),
      );
    default:
      return value;
  }
}
