// References from one object to another, and the rules that make lists of them unambiguous.

import { experimental } from "./bundle.ts";
import { group, GROUP_NAME, kind, namespace, objectName, portNumber, sectionName } from "./names.ts";
import { atomicList, type Infer, integer, object, rule } from "./schema-builder.ts";

/** An object in the same namespace. */
export const localObjectReference = object("An object in the same namespace.", {
  group: group("API group of the object; empty for the core group."),
  kind: kind("Kind of the object."),
  name: objectName("Name of the object."),
});
export type LocalObjectReference = Infer<typeof localObjectReference>;

/** An object of any kind; another namespace needs a ReferenceGrant. */
export const objectReference = object("An object, perhaps in another namespace that grants it.", {
  group: group("API group of the object; empty for the core group."),
  kind: kind("Kind of the object."),
  name: objectName("Name of the object."),
  namespace: namespace("Namespace of the object; default is the one of the referrer.").optional(),
});
export type ObjectReference = Infer<typeof objectReference>;

/** Parameters of a GatewayClass or mesh: a cluster-scoped object, or a namespaced one. */
export const parametersReference = object("Object that holds further settings for the controller.", {
  group: group("API group of the object."),
  kind: kind("Kind of the object."),
  name: objectName("Name of the object."),
  namespace: namespace("Namespace of the object; must be absent when its kind is cluster-scoped.").optional(),
});

export const secretObjectReference = object("A Secret, or another kind of object that holds credentials.", {
  group: group("API group of the object; empty for the core group.").default(""),
  kind: kind("Kind of the object.").default("Secret"),
  name: objectName("Name of the object."),
  namespace: namespace("Namespace of the object; another one needs a ReferenceGrant there.").optional(),
});
export type SecretObjectReference = Infer<typeof secretObjectReference>;

/** The Gateway (or Service, in a mesh) that a route or policy belongs to. */
export const parentReference = object("The object a route attaches to, usually a Gateway.", {
  group: group("API group of the parent.").default(GROUP_NAME),
  kind: kind("Kind of the parent: Gateway, or Service in a mesh.").default("Gateway"),
  name: objectName("Name of the parent."),
  namespace: namespace("Namespace of the parent; default is the one of the route.").optional(),
  port: portNumber("Attach only to the parent's listeners on this port.").optional(),
  sectionName: sectionName("Attach only to the parent's listener of this name.").optional(),
});
export type ParentReference = Infer<typeof parentReference>;

const backendFields = {
  group: group("API group of the backend; empty for the core group.").default(""),
  kind: kind("Kind of the backend.").default("Service"),
  name: objectName("Name of the backend."),
  namespace: namespace("Namespace of the backend; another one needs a ReferenceGrant there.").optional(),
  port: portNumber("Port of the Service (not of its pods); required for a Service.").optional(),
};

export const servicePortRule = rule(
  "Must have port for Service reference",
  "(size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true",
);

export const backendObjectReference = object("Where requests go: a Service port.", backendFields).rules(
  servicePortRule,
);
export type BackendObjectReference = Infer<typeof backendObjectReference>;

/** Fields of a backend that shares traffic with others. */
export const weightedBackendFields = {
  ...backendFields,
  weight: integer("Share of the requests, relative to the sum of all weights; 0 sends none.", {
    format: "int32",
    minimum: 0,
    maximum: 1_000_000,
  }).default(1),
};

export const backendRef = object("A backend with its share of the traffic.", weightedBackendFields).rules(
  servicePortRule,
);
export type BackendRef = Infer<typeof backendRef>;

// In CEL `namespace` is reserved; the API server escapes the field as `__namespace__`.
const unset = (field: string, empty: string): string =>
  `((!has(p1.${field}) || p1.${field} == ${empty}) && (!has(p2.${field}) || p2.${field} == ${empty}))`;
const equallyUnset = (field: string, empty: string): string =>
  `(!has(p1.${field}) || p1.${field} == ${empty}) == (!has(p2.${field}) || p2.${field} == ${empty})`;
const equallySet = (field: string): string => `has(p1.${field}) && has(p2.${field}) && p1.${field} == p2.${field}`;

const sameObject = "p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name";
const sectionDiffers = `(${unset("sectionName", "''")} || (${equallySet("sectionName")}))`;

/** The rules keep the blanks of the official expressions, which differ from one to the other. */
const sameParent = (blank: string): string =>
  `${sameObject} && (${unset("__namespace__", "''")} || (${equallySet("__namespace__")}${blank}))`;

const parentRefsRules = [
  rule(
    "sectionName must be specified when parentRefs includes 2 or more references to the same parent",
    `self.all(p1, self.all(p2, ${sameParent(" ")} ? (${equallyUnset("sectionName", "''")}) : true))`,
    { channel: "standard" },
  ),
  rule(
    "sectionName must be unique when parentRefs includes 2 or more references to the same parent",
    `self.all(p1, self.exists_one(p2, ${sameParent(" ")} && ${sectionDiffers}))`,
    { channel: "standard" },
  ),
  rule(
    "sectionName or port must be specified when parentRefs includes 2 or more references to the same parent",
    `self.all(p1, self.all(p2, ${sameParent("")} ? (${equallyUnset("sectionName", "''")} && ` +
      `${equallyUnset("port", "0")}): true))`,
    experimental,
  ),
  rule(
    "sectionName or port must be unique when parentRefs includes 2 or more references to the same parent",
    `self.all(p1, self.exists_one(p2, ${sameParent(" ")} && ` +
      `(${unset("sectionName", "''")} || ( ${equallySet("sectionName")})) && ` +
      `(${unset("port", "0")} || (${equallySet("port")}))))`,
    experimental,
  ),
];

export const parentRefs = atomicList("Where the route attaches.", parentReference, {
  maxItems: 32,
}).rules(...parentRefsRules);

/** Target of a policy: an object of the same namespace, or one of its ports or rules. */
export const policyTargetReference = object("The object the policy applies to.", {
  group: group("API group of the target; empty for the core group."),
  kind: kind("Kind of the target."),
  name: objectName("Name of the target."),
  sectionName: sectionName("Apply only to the port, listener or rule of this name.").optional(),
});

/** Rules that keep several targets of one policy apart. */
export const targetRefsRules = [
  rule(
    "sectionName must be specified when targetRefs includes 2 or more references to the same target",
    `self.all(p1, self.all(p2, ${sameObject} ? (${equallyUnset("sectionName", "''")}) : true))`,
  ),
  rule(
    "sectionName must be unique when targetRefs includes 2 or more references to the same target",
    `self.all(p1, self.exists_one(p2, ${sameObject} && ${sectionDiffers}))`,
  ),
];
