// What the routes below HTTP share: rules that only name backends.

import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { experimental, graduated } from "./bundle.ts";
import { commonRouteFields, type RouteStatus, routeStatus, ruleName, uniqueRuleNames } from "./common-route.ts";
import { ageColumn, deprecation, kindObject, type KindDefinition } from "./kind-definition.ts";
import { GROUP_NAME } from "./names.ts";
import { backendRef } from "./references.ts";
import { atomicList, type Infer, object } from "./schema-builder.ts";

const streamRouteRule = object("Backends for everything that comes in.", {
  name: ruleName.optional(),
  backendRefs: atomicList("Backends that share the connections or datagrams by weight.", backendRef, {
    minItems: 1,
    maxItems: 16,
  }),
});

/** The rules of v1: there is exactly one. */
export const singleRule = atomicList("The one rule.", streamRouteRule, {
  minItems: 1,
  maxItems: 1,
});

/** The rules of the alpha versions. */
export const severalRules = atomicList("Rules, each with its backends.", streamRouteRule, {
  minItems: 1,
  maxItems: 16,
}).rules(uniqueRuleNames);

const WHERE = "Where the route attaches and where it sends what it takes.";
const spec = object(WHERE, { ...commonRouteFields, rules: singleRule });
const alphaSpec = object(WHERE, { ...commonRouteFields, rules: severalRules });

/** A TCPRoute or UDPRoute, of whatever version. */
export interface StreamRoute extends KubeObject {
  spec: Infer<typeof alphaSpec>;
  status?: RouteStatus;
}

/** TCPRoute or UDPRoute: the two differ in name only. */
export function streamRouteKind(name: "TCPRoute" | "UDPRoute", description: string): KindDefinition {
  const common = { columns: [ageColumn], subresources: { status: {} } };
  const status = routeStatus.optional();
  const v1alpha2 = { ...common, name: "v1alpha2", schema: kindObject(description, { spec: alphaSpec, status }) };
  return {
    resource: { group: GROUP_NAME, version: "v1", plural: `${name.toLowerCase()}s`, kind: name, namespaced: true },
    in: graduated,
    versions: [
      {
        ...common,
        name: "v1",
        schema: kindObject(description, { spec, status }),
        in: [{ since: "v1.6.1" }],
        storage: [{}],
      },
      { ...v1alpha2, in: [{ until: "v1.6.1" }], storage: [{}] },
      {
        ...v1alpha2,
        in: [{ since: "v1.6.1" }],
        served: [experimental],
        storage: [],
        deprecationWarning: deprecation(name, "v1alpha2"),
      },
    ],
  };
}
