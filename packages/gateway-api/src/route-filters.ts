// Filters that HTTP and gRPC routes share, and the rules every list of filters obeys.

import type { Clause } from "./bundle.ts";
import { duration, token } from "./names.ts";
import { backendObjectReference } from "./references.ts";
import {
  enumeration,
  type Infer,
  integer,
  mapList,
  object,
  type Rule,
  rule,
  setList,
  string,
} from "./schema-builder.ts";

/** RFC 9110 section 5.5, `field-value` without obs-text; checked from v1.6.1 on, in the experimental channel. */
export const headerValue = (description: string) =>
  string(description, { minLength: 1, maxLength: 4096 }).when(
    { channel: "experimental", since: "v1.6.1" },
    { pattern: "^[!-~]+([\\t ]?[!-~]+)*$" },
  );

/** How header and query parameter values are compared. */
export const valueMatchType = enumeration("How the value is compared.", ["Exact", "RegularExpression"]);

const httpHeader = object("A header.", {
  name: token("Name of the header, in any case."),
  value: headerValue("Value of the header."),
});
export type HTTPHeader = Infer<typeof httpHeader>;

export const headerModifier = object("Changes to headers.", {
  set: mapList("Headers to write, replacing values that are there.", ["name"], httpHeader, {
    maxItems: 16,
  }).optional(),
  add: mapList("Headers to add to values that are there.", ["name"], httpHeader, {
    maxItems: 16,
  }).optional(),
  remove: setList("Headers to take away, by name in any case.", string("Name of a header."), {
    maxItems: 16,
  }).optional(),
});
export type HTTPHeaderFilter = Infer<typeof headerModifier>;

const fraction = object("Part of the requests, as numerator / denominator.", {
  numerator: integer("Requests to mirror out of every denominator requests.", {
    format: "int32",
    minimum: 0,
  }),
  denominator: integer("What the numerator is divided by.", {
    format: "int32",
    minimum: 1,
  }).default(100),
}).rules(rule("numerator must be less than or equal to denominator", "self.numerator <= self.denominator"));

export const requestMirror = object("Sends a copy of requests elsewhere; answers of the copy are dropped.", {
  backendRef: backendObjectReference.describe("Who gets the copies."),
  percent: integer("Percentage of the requests to mirror; all of them when absent.", {
    format: "int32",
    minimum: 0,
    maximum: 100,
  }).optional(),
  fraction: fraction.optional(),
}).rules(
  rule(
    "Only one of percent or fraction may be specified in HTTPRequestMirrorFilter",
    "!(has(self.percent) && has(self.fraction))",
  ),
);
export type HTTPRequestMirrorFilter = Infer<typeof requestMirror>;

export const sessionPersistence = object("Keeps the requests of one client session with one backend.", {
  sessionName: string("Name of the session's cookie or header.", { maxLength: 128 }).optional(),
  absoluteTimeout: duration("Sessions end after this time, used or not.").optional(),
  idleTimeout: duration("Sessions end when unused for this time.").only({ until: "v1.6.1" }),
  type: enumeration("What carries the session.", ["Cookie", "Header"]).default("Cookie"),
  cookieConfig: object("Settings of the cookie.", {
    lifetimeType: enumeration("Whether the cookie outlives the browser's session.", ["Permanent", "Session"]).default(
      "Session",
    ),
  }).optional(),
}).rules(
  rule(
    "AbsoluteTimeout must be specified when cookie lifetimeType is Permanent",
    "!has(self.cookieConfig) || !has(self.cookieConfig.lifetimeType) || " +
      "self.cookieConfig.lifetimeType != 'Permanent' || has(self.absoluteTimeout)",
  ),
  rule("cookieConfig can only be set with type Cookie", "!has(self.cookieConfig) || self.type == 'Cookie'", {
    since: "v1.6.1",
  }),
);
export type SessionPersistence = Infer<typeof sessionPersistence>;

/** The two rules that tie a member of a filter to the type that uses it. */
export function memberRules(member: string, type: string, ...clauses: Clause[]): Rule[] {
  return [
    rule(
      `filter.${member} must be nil if the filter.type is not ${type}`,
      `!(has(self.${member}) && self.type != '${type}')`,
      ...clauses,
    ),
    rule(
      `filter.${member} must be specified for ${type} filter.type`,
      `!(!has(self.${member}) && self.type == '${type}')`,
      ...clauses,
    ),
  ];
}

/** At most one filter of that type in a list. */
export function notRepeated(type: string, ...clauses: Clause[]): Rule {
  return rule(`${type} filter cannot be repeated`, `self.filter(f, f.type == '${type}').size() <= 1`, ...clauses);
}

/** At most 128 matches in all rules of a route. CEL's cost model forbids a sum over lists, so it is spelt out. */
export function matchLimitRule(countOf: (ruleExpression: string) => string): Rule {
  const counts = Array.from({ length: 16 }, (_, i) => `(self.size() > ${i} ? ${countOf(`self[${i}]`)} : 0)`);
  return rule(
    "While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128",
    `${counts.join(" + ")} <= 128`,
  );
}
