// HTTPRoute: which HTTP requests go to which backends, and what happens to them on the way.

import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { experimental } from "./bundle.ts";
import { commonRouteFields, hostnames, ruleName, routeStatus, uniqueRuleNames } from "./common-route.ts";
import { HTTP_METHODS, httpFilters } from "./http-filters.ts";
import { ageColumn, kindObject, type KindDefinition } from "./kind-definition.ts";
import { duration, GROUP_NAME, token } from "./names.ts";
import { servicePortRule, weightedBackendFields } from "./references.ts";
import { headerValue, matchLimitRule, sessionPersistence, valueMatchType } from "./route-filters.ts";
import { atomicList, enumeration, type Infer, integer, mapList, object, rule, string } from "./schema-builder.ts";

const onPlainPaths = (message: string, condition: string) =>
  rule(
    `${message} when type one of ['Exact', 'PathPrefix']`,
    `(self.type in ['Exact','PathPrefix']) ? ${condition} : true`,
  );

const pathRules = [
  onPlainPaths("value must be an absolute path and start with '/'", "self.value.startsWith('/')"),
  ...["//", "/./", "/../", "%2f", "%2F", "#"].map((part) =>
    onPlainPaths(`must not contain '${part}'`, `!self.value.contains('${part}')`),
  ),
  ...["/..", "/."].map((end) => onPlainPaths(`must not end with '${end}'`, `!self.value.endsWith('${end}')`)),
  rule(
    "type must be one of ['Exact', 'PathPrefix', 'RegularExpression']",
    "self.type in ['Exact','PathPrefix'] || self.type == 'RegularExpression'",
  ),
  rule(
    "must only contain valid characters (matching ^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$) for types ['Exact', 'PathPrefix']",
    "(self.type in ['Exact','PathPrefix']) ? " +
      `self.value.matches(r"""^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$""") : true`,
  ),
];

const pathMatch = object("Condition on the path.", {
  type: enumeration("How the value is compared; prefixes match whole path segments.", [
    "Exact",
    "PathPrefix",
    "RegularExpression",
  ]).default("PathPrefix"),
  value: string("Path, path prefix or regular expression.", { maxLength: 1024 }).default("/"),
}).rules(...pathRules);
export type HTTPPathMatch = Infer<typeof pathMatch>;

const headerMatch = object("Condition on a header.", {
  type: valueMatchType.default("Exact"),
  name: token("Name of the header, in any case."),
  value: headerValue("Value, or regular expression, to match."),
});
export type HTTPHeaderMatch = Infer<typeof headerMatch>;

const queryParamMatch = object("Condition on a query parameter.", {
  type: valueMatchType.default("Exact"),
  name: token("Name of the parameter, case-sensitive."),
  value: string("Value, or regular expression, to match.", { minLength: 1, maxLength: 1024 }),
});
export type HTTPQueryParamMatch = Infer<typeof queryParamMatch>;

const match = object("Conditions that must all hold.", {
  path: pathMatch.default({ type: "PathPrefix", value: "/" }),
  headers: mapList("Conditions on headers.", ["name"], headerMatch, { maxItems: 16 }).optional(),
  queryParams: mapList("Conditions on query parameters.", ["name"], queryParamMatch, {
    maxItems: 16,
  }).optional(),
  method: enumeration("Method of the request.", [...HTTP_METHODS]).optional(),
});
export type HTTPRouteMatch = Infer<typeof match>;

const httpBackendRef = object("A backend with its share of the traffic.", {
  ...weightedBackendFields,
  filters: httpFilters.describe("Filters for requests that go to this backend.").optional(),
}).rules(servicePortRule);
export type HTTPBackendRef = Infer<typeof httpBackendRef>;

const timeouts = object("Time limits; 0s means none.", {
  request: duration("Limit for the whole exchange with the client.").optional(),
  backendRequest: duration("Limit for one attempt at a backend.").optional(),
}).rules(
  rule(
    "backendRequest timeout cannot be longer than request timeout",
    "!(has(self.request) && has(self.backendRequest) && duration(self.request) != duration('0s') && " +
      "duration(self.backendRequest) > duration(self.request))",
  ),
);
export type HTTPRouteTimeouts = Infer<typeof timeouts>;

const retry = object("When failed requests are tried again.", {
  codes: atomicList(
    "Status codes of backends that call for another attempt.",
    integer("A status code.", { minimum: 400, maximum: 599 }),
  )
    .when({ since: "v1.6.1" }, { "x-kubernetes-list-type": "set" })
    .optional(),
  attempts: integer("Most further attempts.").when({ since: "v1.6.1" }, { minimum: 1 }).optional(),
  backoff: duration("Shortest pause between attempts.").optional(),
});
export type HTTPRouteRetry = Infer<typeof retry>;

/** replacePrefixMatch only makes sense where one prefix was matched. `member` is the filter's field. */
const onePrefixMatch = (member: string) =>
  `has(f.${member}) && has(f.${member}.path) && f.${member}.path.type == 'ReplacePrefixMatch' && ` +
  `has(f.${member}.path.replacePrefixMatch)`;
const otherwiseOnePrefix =
  "((size(self.matches) != 1 || !has(self.matches[0].path) || self.matches[0].path.type != 'PathPrefix') ? false : true) : true";

const prefixRule = (filterType: string, member: string) =>
  rule(
    `When using ${filterType} filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified`,
    `(has(self.filters) && self.filters.exists_one(f, ${onePrefixMatch(member)})) ? ${otherwiseOnePrefix}`,
  );

const backendPrefixRule = (when: string, filterType: string, member: string) =>
  rule(
    `Within backendRefs, ${when} using ${filterType} filter with path.replacePrefixMatch, exactly one PathPrefix match must be specified`,
    "(has(self.backendRefs) && self.backendRefs.exists_one(b, (has(b.filters) && " +
      `b.filters.exists_one(f, ${onePrefixMatch(member)})) )) ? ${otherwiseOnePrefix}`,
  );

const routeRule = object("Matches, and what happens to the requests they select.", {
  name: ruleName.optional(),
  matches: atomicList("Conditions, of which one must hold.", match, { maxItems: 64 }).default([
    { path: { type: "PathPrefix", value: "/" } },
  ]),
  filters: httpFilters.optional(),
  backendRefs: atomicList("Backends that share the requests by weight.", httpBackendRef, {
    maxItems: 16,
  }).optional(),
  timeouts: timeouts.optional(),
  retry: retry.only(experimental),
  sessionPersistence: sessionPersistence.only(experimental),
}).rules(
  rule(
    "RequestRedirect filter must not be used together with backendRefs",
    "(has(self.backendRefs) && size(self.backendRefs) > 0) ? " +
      "(!has(self.filters) || self.filters.all(f, !has(f.requestRedirect))): true",
  ),
  prefixRule("RequestRedirect", "requestRedirect"),
  prefixRule("URLRewrite", "urlRewrite"),
  backendPrefixRule("when", "RequestRedirect", "requestRedirect"),
  backendPrefixRule("When", "URLRewrite", "urlRewrite"),
);
export type HTTPRouteRule = Infer<typeof routeRule>;

const spec = object("What the route takes and where it sends it.", {
  ...commonRouteFields,
  hostnames: hostnames.optional(),
  rules: atomicList("Rules; the most specific match of all rules wins.", routeRule, {
    maxItems: 16,
  })
    .when({ since: "v1.6.1" }, { minItems: 1 })
    .default([{ matches: [{ path: { type: "PathPrefix", value: "/" } }] }])
    .rules(
      matchLimitRule((each) => `${each}.matches.size()`),
      uniqueRuleNames,
    ),
});
export type HTTPRouteSpec = Infer<typeof spec>;

export const httpRoute = kindObject("Routes HTTP requests from Gateways to backends.", {
  spec,
  status: routeStatus.optional(),
});
export interface HTTPRoute extends Infer<typeof httpRoute> {}

export const httpRoutes: ResourceType<HTTPRoute> = {
  group: GROUP_NAME,
  version: "v1",
  plural: "httproutes",
  kind: "HTTPRoute",
  namespaced: true,
};

const version = {
  schema: httpRoute,
  columns: [{ name: "Hostnames", type: "string", jsonPath: ".spec.hostnames" }, ageColumn],
  subresources: { status: {} },
} as const;

export const httpRouteKind: KindDefinition = {
  resource: httpRoutes,
  versions: [
    { ...version, name: "v1", storage: [{}] },
    { ...version, name: "v1beta1", storage: [] },
  ],
};
