// The filters of an HTTPRoute: changes to requests and answers, redirects, mirrors, CORS, external authorization.

import { type Clause, experimental, graduated } from "./bundle.ts";
import { portNumber, preciseHostname, token } from "./names.ts";
import { backendObjectReference, localObjectReference } from "./references.ts";
import { headerModifier, memberRules, notRepeated, requestMirror } from "./route-filters.ts";
import {
  atomicList,
  boolean,
  enumeration,
  type Infer,
  integer,
  object,
  only,
  rule,
  setList,
  string,
} from "./schema-builder.ts";

/** Methods that a match or a CORS filter can name. */
export const HTTP_METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"] as const;

/** `when type is T, member must be there` and the reverse, as two rules. */
const pathMember = (member: string, type: string) => [
  rule(
    `${member} must be specified when type is set to '${type}'`,
    `self.type == '${type}' ? has(self.${member}) : true`,
  ),
  rule(`type must be '${type}' when ${member} is set`, `has(self.${member}) ? self.type == '${type}' : true`),
];

const pathModifier = object("Change to the path.", {
  type: enumeration("Which of the two replacements is meant.", ["ReplaceFullPath", "ReplacePrefixMatch"]),
  replaceFullPath: string("The new path.", { maxLength: 1024 }).optional(),
  replacePrefixMatch: string("What replaces the prefix that the match named; the rest of the path stays.", {
    maxLength: 1024,
  }).optional(),
}).rules(
  ...pathMember("replaceFullPath", "ReplaceFullPath"),
  ...pathMember("replacePrefixMatch", "ReplacePrefixMatch"),
);
export type HTTPPathModifier = Infer<typeof pathModifier>;

const requestRedirect = object("Answers with a redirect; every absent part is taken from the request.", {
  scheme: enumeration("Scheme of the Location.", ["http", "https"]).optional(),
  hostname: preciseHostname("Host of the Location.").optional(),
  path: pathModifier.describe("Path of the Location.").optional(),
  port: portNumber("Port of the Location; default follows from the scheme, then from the listener.").optional(),
  statusCode: enumeration("Status code of the answer.", [
    301,
    302,
    only(303, { since: "v1.6.1" }),
    only(307, { since: "v1.6.1" }),
    only(308, { since: "v1.6.1" }),
  ]).default(302),
});
export type HTTPRequestRedirectFilter = Infer<typeof requestRedirect>;

const urlRewrite = object("Changes host or path on the way to the backend.", {
  hostname: preciseHostname("Host to send to the backend.").optional(),
  path: pathModifier.describe("Path to send to the backend.").optional(),
});
export type HTTPURLRewriteFilter = Infer<typeof urlRewrite>;

const noStarBesideOthers = (field: string, others: string, ...clauses: Clause[]) =>
  rule(`${field} cannot contain '*' alongside other ${others}`, "!('*' in self && self.size() > 1)", ...clauses);

const origin = string("An origin, e.g. https://example.com, or *.", {
  minLength: 1,
  maxLength: 253,
  pattern: "(^\\*$)|(^([a-zA-Z][a-zA-Z0-9+\\-.]+):\\/\\/([^:/?#]+)(:([0-9]{1,5}))?$)",
}).when(
  { since: "v1.6.1" },
  {
    pattern: "(^\\*$)|(^(http(s)?):\\/\\/(((\\*\\.)?([a-zA-Z0-9\\-]+\\.)*[a-zA-Z0-9-]+|\\*)(:([0-9]{1,5}))?)$)",
  },
);

const cors = object("Answers cross-origin requests of browsers (the Fetch standard's CORS protocol).", {
  allowOrigins: setList("Origins that may read answers.", origin, { maxItems: 64 })
    .rules(noStarBesideOthers("AllowOrigins", "origins"))
    .optional(),
  allowCredentials: boolean("Whether requests with cookies or authorization are allowed.").optional(),
  allowMethods: setList(
    "Methods that are allowed beside the simple ones.",
    enumeration("A method, or *.", [...HTTP_METHODS, "*"]),
    {
      maxItems: 9,
    },
  )
    .rules(noStarBesideOthers("AllowMethods", "methods"))
    .optional(),
  allowHeaders: setList("Request headers that are allowed.", token("Name of a header, or *."), {
    maxItems: 64,
  })
    .rules(noStarBesideOthers("AllowHeaders", "methods", { since: "v1.6.1" }))
    .optional(),
  exposeHeaders: setList("Answer headers that scripts may read.", token("Name of a header, or *."), {
    maxItems: 64,
  }).optional(),
  maxAge: integer("Seconds a browser may remember the answer to a preflight.", {
    format: "int32",
    minimum: 1,
  }).default(5),
});
export type HTTPCORSFilter = Infer<typeof cors>;

const headerNames = (description: string) =>
  setList(description, string("Name of a header.")).when({ since: "v1.6.1" }, { maxItems: 64 }).optional();

const externalAuth = object("Asks a service whether the request may pass.", {
  protocol: enumeration("How the service is asked.", ["HTTP", "GRPC"]),
  backendRef: backendObjectReference.describe("The service to ask."),
  grpc: object("Settings for gRPC (Envoy's ext_authz protocol).", {
    allowedHeaders: headerNames("Request headers the service gets to see; all when absent."),
  }).optional(),
  http: object("Settings for HTTP.", {
    path: string("Prefix for the path of the question.", {
      maxLength: 1024,
      pattern: "^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$",
    }).optional(),
    allowedHeaders: headerNames("Further request headers the service gets to see."),
    allowedResponseHeaders: headerNames("Headers of its answer that go on to the backend; all but Host when absent."),
  }).optional(),
  forwardBody: object("Whether the service gets the body.", {
    maxSize: integer("Most bytes of the body to send; 0 sends none.").optional(),
  }).optional(),
}).rules(
  rule("grpc must be specified when protocol is set to 'GRPC'", "self.protocol == 'GRPC' ? has(self.grpc) : true"),
  rule("protocol must be 'GRPC' when grpc is set", "has(self.grpc) ? self.protocol == 'GRPC' : true"),
  rule("http must be specified when protocol is set to 'HTTP'", "self.protocol == 'HTTP' ? has(self.http) : true"),
  rule("protocol must be 'HTTP' when http is set", "has(self.http) ? self.protocol == 'HTTP' : true"),
);
export type HTTPExternalAuthFilter = Infer<typeof externalAuth>;

const filter = object("One step of processing; `type` says which member holds its settings.", {
  type: enumeration("Which filter this is.", [
    "RequestHeaderModifier",
    "ResponseHeaderModifier",
    "RequestMirror",
    "RequestRedirect",
    "URLRewrite",
    "ExtensionRef",
    only("CORS", ...graduated),
    only("ExternalAuth", experimental),
  ]),
  requestHeaderModifier: headerModifier.describe("Changes to the request's headers.").optional(),
  responseHeaderModifier: headerModifier.describe("Changes to the answer's headers.").optional(),
  requestMirror: requestMirror.optional(),
  requestRedirect: requestRedirect.optional(),
  urlRewrite: urlRewrite.optional(),
  extensionRef: localObjectReference.describe("A filter of the implementation's own.").optional(),
  cors: cors.only(...graduated),
  externalAuth: externalAuth.only(experimental),
}).rules(
  // The position of the CORS rules moved with the release; the API server reports violations in this order.
  ...memberRules("cors", "CORS", { since: "v1.6.1" }),
  ...memberRules("requestHeaderModifier", "RequestHeaderModifier"),
  ...memberRules("responseHeaderModifier", "ResponseHeaderModifier"),
  ...memberRules("requestMirror", "RequestMirror"),
  ...memberRules("requestRedirect", "RequestRedirect"),
  ...memberRules("urlRewrite", "URLRewrite"),
  ...memberRules("extensionRef", "ExtensionRef"),
  ...memberRules("cors", "CORS", { channel: "experimental", until: "v1.6.1" }),
  ...memberRules("externalAuth", "ExternalAuth", experimental),
);
export type HTTPRouteFilter = Infer<typeof filter>;

export const httpFilters = atomicList("Filters, applied in the order that suits their types.", filter, {
  maxItems: 16,
}).rules(
  rule(
    "May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite, but not both",
    "!(self.exists(f, f.type == 'RequestRedirect') && self.exists(f, f.type == 'URLRewrite'))",
  ),
  notRepeated("CORS", { since: "v1.6.1" }),
  notRepeated("RequestHeaderModifier"),
  notRepeated("ResponseHeaderModifier"),
  notRepeated("RequestRedirect"),
  notRepeated("URLRewrite"),
);
