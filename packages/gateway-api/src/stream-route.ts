// What the routes below HTTP share: rules that only name backends.

import { commonRouteFields, ruleName, uniqueRuleNames } from "./common-route.ts";
import { backendRef } from "./references.ts";
import { atomicList, type Infer, object } from "./schema-builder.ts";

export const streamRouteRule = object("Backends for everything that comes in.", {
  name: ruleName.optional(),
  backendRefs: atomicList("Backends that share the connections or datagrams by weight.", backendRef, {
    minItems: 1,
    maxItems: 16,
  }),
});
export type StreamRouteRule = Infer<typeof streamRouteRule>;

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

/** Spec of TCPRoute and UDPRoute. */
export const streamRouteSpec = object("Where the route attaches and where it sends what it takes.", {
  ...commonRouteFields,
  rules: singleRule,
});
export type StreamRouteSpec = Infer<typeof streamRouteSpec>;

export const streamRouteSpecAlpha = object("Where the route attaches and where it sends what it takes.", {
  ...commonRouteFields,
  rules: severalRules,
});
