// What routes of every protocol share: parents, rule names, the status per parent.

import { experimental } from "./bundle.ts";
import { conditions } from "./condition.ts";
import { controllerName, hostname, sectionName } from "./names.ts";
import { parentReference, parentRefs } from "./references.ts";
import { atomicList, enumeration, type Infer, object, rule } from "./schema-builder.ts";

export const hostnames = atomicList(
  "Hosts whose requests this route takes; empty means every host of the listener.",
  hostname("A host, perhaps with * as its first label."),
  { maxItems: 16 },
);

/** Fields of the spec of every route. */
export const commonRouteFields = {
  parentRefs: parentRefs.optional(),
  useDefaultGateways: enumeration("Whether default Gateways take this route too.", ["All", "None"]).only(experimental),
};

export const ruleName = sectionName("Name of the rule, unique within the route.");

export const uniqueRuleNames = rule(
  "Rule name must be unique within the route",
  "self.all(l1, !has(l1.name) || self.exists_one(l2, has(l2.name) && l1.name == l2.name))",
  experimental,
);

export const routeParentStatus = object("How one controller treats the route at one of its parents.", {
  parentRef: parentReference.describe("The parent this is about, as written in the spec."),
  controllerName: controllerName("Controller that wrote this, e.g. traefik.io/gateway-controller."),
  conditions: conditions("Accepted, ResolvedRefs and further conditions of the route at this parent.", 1),
});
export type RouteParentStatus = Infer<typeof routeParentStatus>;

export const routeStatus = object("State of the route, per parent.", {
  parents: atomicList("One entry for each parent and controller.", routeParentStatus, {
    maxItems: 32,
  }),
});
export type RouteStatus = Infer<typeof routeStatus>;
