// GatewayClass: names the controller that serves the Gateways of a class.

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { conditions, pendingConditions } from "./condition.ts";
import { ageColumn, conditionColumn, kindObject, type KindDefinition } from "./kind-definition.ts";
import { controllerName, GROUP_NAME } from "./names.ts";
import { parametersReference } from "./references.ts";
import { type Infer, mapList, object, rule, string } from "./schema-builder.ts";

/** Spec of what a controller serves as a class: GatewayClass and, experimentally, mesh. */
export const controllerSpecFields = {
  controllerName: controllerName("Controller that serves this; cannot be changed.").rules(
    rule("Value is immutable", "self == oldSelf"),
  ),
  description: string("Words for people.", { maxLength: 64 }).optional(),
  parametersRef: parametersReference.optional(),
};

const supportedFeature = object("A feature of the Gateway API.", {
  name: string("Name of the feature."),
});

export const supportedFeatures = mapList(
  "Features the controller supports, in ascending order.",
  ["name"],
  supportedFeature,
  { maxItems: 64 },
);

const spec = object("Which controller, with which settings.", controllerSpecFields);
export type GatewayClassSpec = Infer<typeof spec>;

const status = object("Whether the controller took the class.", {
  conditions: conditions("Accepted, SupportedVersion and further conditions of the class.").default(
    pendingConditions("Accepted"),
  ),
  supportedFeatures: supportedFeatures.optional(),
});
export type GatewayClassStatus = Infer<typeof status>;

export const gatewayClass = kindObject("A class of Gateways that one controller serves.", {
  spec,
  status: status.default({ conditions: pendingConditions("Accepted") }),
});
export interface GatewayClass extends Infer<typeof gatewayClass> {}

export const gatewayClasses: ResourceType<GatewayClass> = {
  group: GROUP_NAME,
  version: "v1",
  plural: "gatewayclasses",
  kind: "GatewayClass",
  namespaced: false,
};

const version = {
  schema: gatewayClass,
  columns: [
    { name: "Controller", type: "string", jsonPath: ".spec.controllerName" },
    conditionColumn("Accepted"),
    ageColumn,
    { name: "Description", type: "string", jsonPath: ".spec.description", priority: 1 },
  ],
  subresources: { status: {} },
} as const;

export const gatewayClassKind: KindDefinition = {
  resource: gatewayClasses,
  shortNames: ["gc"],
  versions: [
    { ...version, name: "v1", storage: [{}] },
    { ...version, name: "v1beta1", storage: [] },
  ],
};
