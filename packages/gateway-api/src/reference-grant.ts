// ReferenceGrant: lets objects of other namespaces refer to objects of this one.

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { ageColumn, kindObject, type KindDefinition } from "./kind-definition.ts";
import { group, GROUP_NAME, kind, namespace, objectName } from "./names.ts";
import { atomicList, type Infer, object } from "./schema-builder.ts";

const grantFrom = object("A kind of object in a namespace.", {
  group: group("API group of the referring objects; empty for the core group."),
  kind: kind("Kind of the referring objects."),
  namespace: namespace("Namespace of the referring objects."),
});
export type ReferenceGrantFrom = Infer<typeof grantFrom>;

const grantTo = object("Objects of this namespace.", {
  group: group("API group of the objects; empty for the core group."),
  kind: kind("Kind of the objects."),
  name: objectName("Name of the one object; all of the kind when absent.").optional(),
});
export type ReferenceGrantTo = Infer<typeof grantTo>;

const spec = object("Who may refer to what; every combination is granted.", {
  from: atomicList("Who may refer.", grantFrom, { minItems: 1, maxItems: 16 }),
  to: atomicList("What may be referred to.", grantTo, { minItems: 1, maxItems: 16 }),
});
export type ReferenceGrantSpec = Infer<typeof spec>;

export const referenceGrant = kindObject("Permission for references from other namespaces into this one.", {
  spec: spec.optional({ until: "v1.6.1" }),
});
export interface ReferenceGrant extends Infer<typeof referenceGrant> {}

/** In v1beta1, the version that every carried bundle serves and stores. */
export const referenceGrants: ResourceType<ReferenceGrant> = {
  group: GROUP_NAME,
  version: "v1beta1",
  plural: "referencegrants",
  kind: "ReferenceGrant",
  namespaced: true,
};

const version = { schema: referenceGrant, columns: [ageColumn], subresources: {} };

export const referenceGrantKind: KindDefinition = {
  resource: referenceGrants,
  shortNames: ["refgrant"],
  versions: [
    { ...version, name: "v1", in: [{ since: "v1.6.1" }], storage: [] },
    { ...version, name: "v1beta1", storage: [{}] },
  ],
};
