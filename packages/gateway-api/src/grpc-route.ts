// GRPCRoute: which gRPC calls go to which backends.

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { experimental } from "./bundle.ts";
import { commonRouteFields, hostnames, ruleName, routeStatus, uniqueRuleNames } from "./common-route.ts";
import { ageColumn, kindObject, type KindDefinition } from "./kind-definition.ts";
import { GROUP_NAME, token } from "./names.ts";
import { localObjectReference, servicePortRule, weightedBackendFields } from "./references.ts";
import {
  headerModifier,
  matchLimitRule,
  memberRules,
  notRepeated,
  requestMirror,
  sessionPersistence,
  valueMatchType,
} from "./route-filters.ts";
import { atomicList, enumeration, type Infer, mapList, object, rule, string } from "./schema-builder.ts";

const validWhenExact = (field: string, pattern: string) =>
  rule(
    `${field} must only contain valid characters (matching ${pattern})`,
    `(!has(self.type) || self.type == 'Exact') && has(self.${field}) ? self.${field}.matches(r"""${pattern}"""): true`,
  );

const methodMatch = object("Condition on the called service and method.", {
  type: enumeration("How the names are compared.", ["Exact", "RegularExpression"]).default("Exact"),
  service: string("Full name of the service; any when absent.", { maxLength: 1024 }).optional(),
  method: string("Name of the method; any when absent.", { maxLength: 1024 }).optional(),
}).rules(
  rule(
    "One or both of 'service' or 'method' must be specified",
    "has(self.type) ? has(self.service) || has(self.method) : true",
  ),
  validWhenExact("service", "^(?i)\\.?[a-z_][a-z_0-9]*(\\.[a-z_][a-z_0-9]*)*$"),
  validWhenExact("method", "^[A-Za-z_][A-Za-z_0-9]*$"),
);
export type GRPCMethodMatch = Infer<typeof methodMatch>;

const headerMatch = object("Condition on a header (metadata).", {
  type: valueMatchType.default("Exact"),
  name: token("Name of the header, in any case."),
  value: string("Value, or regular expression, to match.", { minLength: 1, maxLength: 4096 }),
});
export type GRPCHeaderMatch = Infer<typeof headerMatch>;

const match = object("Conditions that must all hold.", {
  method: methodMatch.optional(),
  headers: mapList("Conditions on headers (metadata).", ["name"], headerMatch, {
    maxItems: 16,
  }).optional(),
});
export type GRPCRouteMatch = Infer<typeof match>;

const filter = object("One step of processing; `type` says which member holds its settings.", {
  type: enumeration("Which filter this is.", [
    "ResponseHeaderModifier",
    "RequestHeaderModifier",
    "RequestMirror",
    "ExtensionRef",
  ]),
  requestHeaderModifier: headerModifier.describe("Changes to the call's headers.").optional(),
  responseHeaderModifier: headerModifier.describe("Changes to the answer's headers.").optional(),
  requestMirror: requestMirror.optional(),
  extensionRef: localObjectReference.describe("A filter of the implementation's own.").optional(),
}).rules(
  ...memberRules("requestHeaderModifier", "RequestHeaderModifier"),
  ...memberRules("responseHeaderModifier", "ResponseHeaderModifier"),
  ...memberRules("requestMirror", "RequestMirror"),
  ...memberRules("extensionRef", "ExtensionRef"),
);
export type GRPCRouteFilter = Infer<typeof filter>;

const filters = atomicList("Filters, applied in the order that suits their types.", filter, {
  maxItems: 16,
}).rules(notRepeated("RequestHeaderModifier"), notRepeated("ResponseHeaderModifier"));

const grpcBackendRef = object("A backend with its share of the traffic.", {
  ...weightedBackendFields,
  filters: filters.describe("Filters for calls that go to this backend.").optional(),
}).rules(servicePortRule);
export type GRPCBackendRef = Infer<typeof grpcBackendRef>;

const routeRule = object("Matches, and what happens to the calls they select.", {
  name: ruleName.optional(),
  matches: atomicList("Conditions, of which one must hold; every call when empty.", match, {
    maxItems: 64,
  }).optional(),
  filters: filters.optional(),
  backendRefs: atomicList("Backends that share the calls by weight.", grpcBackendRef, {
    maxItems: 16,
  }).optional(),
  sessionPersistence: sessionPersistence.only(experimental),
});
export type GRPCRouteRule = Infer<typeof routeRule>;

const spec = object("What the route takes and where it sends it.", {
  ...commonRouteFields,
  hostnames: hostnames.optional(),
  rules: atomicList("Rules; the most specific match of all rules wins.", routeRule, {
    maxItems: 16,
  })
    .rules(
      matchLimitRule((each) => `(has(${each}.matches) ? ${each}.matches.size() : 0)`),
      uniqueRuleNames,
    )
    .optional(),
});
export type GRPCRouteSpec = Infer<typeof spec>;

export const grpcRoute = kindObject("Routes gRPC calls from Gateways to backends.", {
  spec,
  status: routeStatus.optional(),
});
export interface GRPCRoute extends Infer<typeof grpcRoute> {}

export const grpcRoutes: ResourceType<GRPCRoute> = {
  group: GROUP_NAME,
  version: "v1",
  plural: "grpcroutes",
  kind: "GRPCRoute",
  namespaced: true,
};

export const grpcRouteKind: KindDefinition = {
  resource: grpcRoutes,
  versions: [
    {
      name: "v1",
      storage: [{}],
      schema: grpcRoute,
      columns: [{ name: "Hostnames", type: "string", jsonPath: ".spec.hostnames" }, ageColumn],
      subresources: { status: {} },
    },
  ],
};
