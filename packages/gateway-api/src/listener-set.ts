// ListenerSet: listeners that are added to a Gateway from outside, and XListenerSet, its experimental predecessor.

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { experimental } from "./bundle.ts";
import { conditions, pendingConditions } from "./condition.ts";
import { ageColumn, conditionColumn, kindObject, type KindDefinition } from "./kind-definition.ts";
import { listener, listenerFields, listenerSetRules, listenerStatuses, listenerStatusFields } from "./listener.ts";
import { EXPERIMENTAL_GROUP_NAME, group, GROUP_NAME, kind, namespace, objectName, portNumber } from "./names.ts";
import { type Definition, type Infer, integer, mapList, object } from "./schema-builder.ts";

const parentGatewayReference = object("The Gateway that takes the listeners.", {
  group: group("API group of the parent.").default(GROUP_NAME),
  kind: kind("Kind of the parent.").default("Gateway"),
  name: objectName("Name of the parent."),
  namespace: namespace("Namespace of the parent; default is the one of the set.").optional(),
});

const bounds = { minItems: 1, maxItems: 64 };
const SPEC = "Listeners, and the Gateway they are for.";
const STATUS = "State of the set and its listeners.";

function listenersOf<L extends { name: string }>(entry: Definition<L>): Definition<L[]> {
  return mapList("Ports, protocols and hosts to serve.", ["name"], entry, bounds).rules(...listenerSetRules);
}

const setConditions = conditions("Accepted, Programmed and further conditions of the set.").default(
  pendingConditions("Accepted", "Programmed"),
);
const pendingStatus = { conditions: pendingConditions("Accepted", "Programmed") };

const spec = object(SPEC, { parentRef: parentGatewayReference, listeners: listenersOf(listener) });
export type ListenerSetSpec = Infer<typeof spec>;

const status = object(STATUS, {
  conditions: setConditions,
  listeners: listenerStatuses.optional(),
});
export type ListenerSetStatus = Infer<typeof status>;

const DESCRIPTION = "Listeners to add to a Gateway.";
export const listenerSet = kindObject(DESCRIPTION, { spec, status: status.default(pendingStatus) });
export interface ListenerSet extends Infer<typeof listenerSet> {}

export const listenerSets: ResourceType<ListenerSet> = {
  group: GROUP_NAME,
  version: "v1",
  plural: "listenersets",
  kind: "ListenerSet",
  namespaced: true,
};

const version = {
  columns: [conditionColumn("Accepted"), conditionColumn("Programmed"), ageColumn],
  subresources: { status: {} },
  storage: [{}],
};

export const listenerSetKind: KindDefinition = {
  resource: listenerSets,
  shortNames: ["lset"],
  in: [{ since: "v1.6.1" }],
  versions: [{ ...version, name: "v1", schema: listenerSet }],
};

// The predecessor lets the controller choose the port: 0 in the spec, the chosen one in the status.
const xListener = object("A port that takes connections, for one protocol and host.", {
  ...listenerFields,
  port: integer("Port to listen on; 0 lets the controller choose.", {
    format: "int32",
    minimum: 0,
    maximum: 65535,
  }).default(0),
});
const xListenerStatus = object("State of one listener.", {
  ...listenerStatusFields,
  port: portNumber("Port in use."),
});

export const xListenerSet = kindObject(DESCRIPTION, {
  spec: object(SPEC, { parentRef: parentGatewayReference, listeners: listenersOf(xListener) }),
  status: object(STATUS, {
    conditions: setConditions,
    listeners: mapList("State of each listener.", ["name"], xListenerStatus, {
      maxItems: 64,
    }).optional(),
  }).default(pendingStatus),
});
export interface XListenerSet extends Infer<typeof xListenerSet> {}

export const xListenerSets: ResourceType<XListenerSet> = {
  group: EXPERIMENTAL_GROUP_NAME,
  version: "v1alpha1",
  plural: "xlistenersets",
  kind: "XListenerSet",
  namespaced: true,
};

export const xListenerSetKind: KindDefinition = {
  resource: xListenerSets,
  shortNames: ["lset"],
  in: [{ ...experimental, until: "v1.6.1" }],
  versions: [{ ...version, name: "v1alpha1", schema: xListenerSet }],
};
