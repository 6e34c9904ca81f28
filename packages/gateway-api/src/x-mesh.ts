// XMesh (experimental): names the controller that runs a service mesh.

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { experimental } from "./bundle.ts";
import { conditions, pendingConditions } from "./condition.ts";
import { controllerSpecFields, supportedFeatures } from "./gateway-class.ts";
import { ageColumn, conditionColumn, kindObject, type KindDefinition } from "./kind-definition.ts";
import { EXPERIMENTAL_GROUP_NAME } from "./names.ts";
import { type Infer, object } from "./schema-builder.ts";

const status = object("Whether the controller runs the mesh.", {
  conditions: conditions("Accepted and further conditions of the mesh.").default(
    pendingConditions("Accepted", "Programmed"),
  ),
  supportedFeatures: supportedFeatures.optional(),
});

export const xMesh = kindObject("A service mesh that one controller runs.", {
  spec: object("Which controller, with which settings.", controllerSpecFields),
  status: status.default({ conditions: pendingConditions("Accepted") }),
});
export interface XMesh extends Infer<typeof xMesh> {}

export const xMeshes: ResourceType<XMesh> = {
  group: EXPERIMENTAL_GROUP_NAME,
  version: "v1alpha1",
  plural: "xmeshes",
  kind: "XMesh",
  namespaced: false,
};

export const xMeshKind: KindDefinition = {
  resource: xMeshes,
  shortNames: ["mesh"],
  in: [experimental],
  versions: [
    {
      name: "v1alpha1",
      schema: xMesh,
      storage: [{}],
      columns: [conditionColumn("Accepted"), ageColumn],
      subresources: { status: {} },
    },
  ],
};
