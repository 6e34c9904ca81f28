// One OpenAPI v3 document: the schemas and operations of a group version.

import { apiVersionOf } from "@gatehouse/apimachinery/resource-type";
import { scaleSchema } from "../kinds/autoscaling.ts";
import { schemaName } from "../kinds/schema-helpers.ts";
import { deleteOptions } from "../kinds/types/meta.ts";
import type { ResourceDefinition } from "../resource-definition.ts";
import { Components } from "./components.ts";
import { resourcePaths } from "./paths.ts";

/** Where a kind's schema is found: Kubernetes' own name, or for custom kinds the group reversed, the version and the kind. */
function componentName({ type, schema }: ResourceDefinition): string {
  return schemaName(schema) ?? [...type.group.split(".").toReversed(), type.version, type.kind].join(".");
}

/** Custom kinds have no strategic merge: their schemas carry no merge keys. */
function patchTypesOf({ schema }: ResourceDefinition): string[] {
  const types = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"];
  return schemaName(schema) ? [...types, "application/strategic-merge-patch+json"] : types;
}

/** The schema of a list, around a reference to that of its items. */
function listSchema(
  { group, version, kind }: ResourceDefinition["type"],
  items: Record<string, unknown>,
): Record<string, unknown> {
  return {
    description: `A list of ${kind} objects.`,
    type: "object",
    required: ["items"],
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { type: "object" },
      items: { type: "array", items },
    },
    "x-kubernetes-group-version-kind": [{ group, version, kind: `${kind}List` }],
  };
}

/** The document of the `definitions` of one group version. */
export function groupVersionDocument(definitions: ResourceDefinition[]): unknown {
  const components = new Components();
  const paths: Record<string, unknown> = {};
  for (const definition of definitions) {
    const name = componentName(definition);
    const { type } = definition;
    const object = components.add(name, definition.schema);
    const list = components.put(`${name}List`, listSchema(type, object));
    const scale = definition.subresources.scale ? components.add(schemaName(scaleSchema) ?? "", scaleSchema) : {};
    const options = components.add(schemaName(deleteOptions) ?? "", deleteOptions);
    Object.assign(
      paths,
      resourcePaths(definition, { object, list, scale, deleteOptions: options, patchTypes: patchTypesOf(definition) }),
    );
  }
  const [first] = definitions;
  return {
    openapi: "3.0.0",
    info: { title: "Gatehouse", version: first ? apiVersionOf(first.type) : "" },
    paths,
    components: { schemas: components.schemas },
  };
}
