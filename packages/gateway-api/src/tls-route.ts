// TLSRoute: sends TLS connections to backends by the name the client asks for (SNI).

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { experimental, graduated } from "./bundle.ts";
import { commonRouteFields, routeStatus, uniqueRuleNames } from "./common-route.ts";
import { ageColumn, deprecation, kindObject, type KindDefinition } from "./kind-definition.ts";
import { GROUP_NAME, hostname } from "./names.ts";
import { atomicList, type Infer, object, rule } from "./schema-builder.ts";
import { severalRules, singleRule } from "./stream-route.ts";

const dnsName = "matches('^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)$')";

const hostnames = atomicList(
  "Names (SNI) whose connections this route takes.",
  hostname("A name, perhaps with * as its first label."),
  { maxItems: 16 },
).when({ since: "v1.6.1" }, { maxItems: 1024 });

const requiredHostnames = hostnames.when({}, { minItems: 1 }).rules(
  rule("Hostnames cannot contain an IP", "self.all(h, !isIP(h))", { since: "v1.6.1" }),
  rule("Hostnames must be valid based on RFC-1123", `self.all(h, !h.contains('*') ? h.${dnsName} : true)`, {
    since: "v1.6.1",
  }),
  rule(
    "Wildcards on hostnames must be the first label, and the rest of hostname must be valid based on RFC-1123",
    `self.all(h, h.contains('*') ? (h.startsWith('*.') && h.substring(2).${dnsName}) : true)`,
    { since: "v1.6.1" },
  ),
);

const DESCRIPTION = "Sends TLS connections from Gateways to backends by SNI.";
const SPEC_DESCRIPTION = "What the route takes and where it sends it.";

const spec = object(SPEC_DESCRIPTION, {
  ...commonRouteFields,
  hostnames: requiredHostnames,
  rules: singleRule,
});
export type TLSRouteSpec = Infer<typeof spec>;

export const tlsRoute = kindObject(DESCRIPTION, { spec, status: routeStatus.optional() });
export interface TLSRoute extends Infer<typeof tlsRoute> {}

/** v1 since v1.6.1; before, only v1alpha2 and v1alpha3 are served. */
export const tlsRoutes: ResourceType<TLSRoute> = {
  group: GROUP_NAME,
  version: "v1",
  plural: "tlsroutes",
  kind: "TLSRoute",
  namespaced: true,
};

const alphaSpec = object(SPEC_DESCRIPTION, {
  ...commonRouteFields,
  hostnames: hostnames.optional(),
  rules: severalRules,
});

const common = { columns: [ageColumn], subresources: { status: {} } };
const v1alpha2 = {
  ...common,
  name: "v1alpha2",
  schema: kindObject(DESCRIPTION, { spec: alphaSpec, status: routeStatus.optional() }),
  storage: [],
};
const v1alpha3 = { ...common, name: "v1alpha3" };
const deprecated = { in: [{ since: "v1.6.1" }], served: [experimental], storage: [] } as const;

export const tlsRouteKind: KindDefinition = {
  resource: tlsRoutes,
  in: graduated,
  versions: [
    { ...common, name: "v1", schema: tlsRoute, in: [{ since: "v1.6.1" }], storage: [{}] },
    { ...v1alpha2, in: [{ until: "v1.6.1" }] },
    { ...v1alpha2, ...deprecated, deprecationWarning: deprecation("TLSRoute", "v1alpha2") },
    { ...v1alpha3, schema: uniquelyNamed(), in: [{ until: "v1.6.1" }], storage: [{}] },
    {
      ...v1alpha3,
      ...deprecated,
      schema: tlsRoute,
      deprecationWarning: deprecation("TLSRoute", "v1alpha3"),
    },
  ],
};

/** v1alpha3 as v1.4.0 had it: v1 with one more rule. */
function uniquelyNamed() {
  const fields = {
    ...commonRouteFields,
    hostnames: requiredHostnames,
    rules: singleRule.rules(uniqueRuleNames),
  };
  return kindObject(DESCRIPTION, {
    spec: object(SPEC_DESCRIPTION, fields),
    status: routeStatus.optional(),
  });
}
