// What policies share: their status, per object they take effect on.

import { conditions } from "./condition.ts";
import { controllerName } from "./names.ts";
import { parentReference } from "./references.ts";
import { atomicList, type Infer, object } from "./schema-builder.ts";

const policyAncestorStatus = object("How one controller treats the policy below one object, usually a Gateway.", {
  ancestorRef: parentReference.describe("The object this is about."),
  controllerName: controllerName("Controller that wrote this, e.g. traefik.io/gateway-controller."),
  conditions: conditions("Accepted and further conditions of the policy there.", 1),
});
export type PolicyAncestorStatus = Infer<typeof policyAncestorStatus>;

export const policyStatus = object("State of the policy.", {
  ancestors: atomicList("One entry for each object and controller.", policyAncestorStatus, {
    maxItems: 16,
  }),
});
export type PolicyStatus = Infer<typeof policyStatus>;
