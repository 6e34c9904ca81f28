// The kind of apiextensions.k8s.io/v1: how other kinds come to be.

import type { ResourceDefinition } from "../resource-definition.ts";
import { crdStrategy } from "../crd/strategy.ts";
import { builtIn } from "./definition-helpers.ts";
import { customResourceDefinitionSpec, customResourceDefinitionStatus } from "./types/custom-resource.ts";

export const customResourceDefinitions = {
  group: "apiextensions.k8s.io",
  version: "v1",
  plural: "customresourcedefinitions",
  kind: "CustomResourceDefinition",
  namespaced: false,
};

export function apiextensionsDefinitions(): ResourceDefinition[] {
  return [
    builtIn(customResourceDefinitions, {
      package: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
      description: "Makes the server serve another kind of object.",
      fields: { "spec!": customResourceDefinitionSpec, status: customResourceDefinitionStatus },
      shortNames: ["crd", "crds"],
      categories: ["api-extensions"],
      subresources: { status: true },
      strategy: crdStrategy,
    }),
  ];
}
