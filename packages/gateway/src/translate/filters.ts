// Filters of HTTPRoutes and GRPCRoutes -> the proxy's filters. A filter that is not implemented, or not as it is asked, is
// never skipped: it makes its rule unusable.

import type { HTTPHeaderFilter, HTTPRequestMirrorFilter } from "@gatehouse/gateway-api/route-filters";
import type { HTTPRouteFilter } from "@gatehouse/gateway-api/http-filters";
import type { Cors } from "@gatehouse/proxy/routing-table";
import { translateExternalAuth } from "./external-auth.ts";
import type { FilterContext, TranslatedFilters } from "./filter-context.ts";
import { translateRedirect, translateRewrite } from "./path-filters.ts";
import { incompatible, type RuleProblem, unsupported } from "./problems.ts";
import { sized } from "./sized-list.ts";

const headerFilters = ["RequestHeaderModifier", "ResponseHeaderModifier"];
/** A backend is chosen after CORS, authorization and redirects have had their say. */
const implemented = {
  http: {
    rule: [...headerFilters, "RequestMirror", "RequestRedirect", "URLRewrite", "CORS", "ExternalAuth"],
    backend: [...headerFilters, "RequestMirror", "URLRewrite"],
  },
  grpc: { rule: [...headerFilters, "RequestMirror"], backend: [...headerFilters, "RequestMirror"] },
};
const repeatable = ["RequestMirror"];

/** The filters of a rule or of one of its backendRefs, in their order. */
export function translateFilters(
  filters: readonly HTTPRouteFilter[],
  place: "rule" | "backend",
  context: FilterContext,
): TranslatedFilters | RuleProblem {
  const { field, traffic } = context;
  const known = implemented[traffic][place];
  const types = filters.map((filter) => filter.type);
  if (types.includes("RequestRedirect") && types.includes("URLRewrite")) {
    return incompatible(`${field} has both RequestRedirect and URLRewrite, which exclude each other: remove one`);
  }
  const result: TranslatedFilters = { filters: [] };
  for (const [index, filter] of filters.entries()) {
    const at = `${field}[${index}]`;
    if (!known.includes(filter.type)) {
      return unsupported(`${at}.type ${filter.type} is not supported here: remove it (supported: ${known.join(", ")})`);
    }
    if (types.indexOf(filter.type) < index && !repeatable.includes(filter.type)) {
      return unsupported(`${at} repeats ${filter.type}: merge it into the first one`);
    }
    const translated = translateFilter(filter, { ...context, field: at, inRule: `${context.inRule}[${index}]` });
    if ("reason" in translated) return translated;
    result.filters.push(...translated.filters);
    if (translated.refusal !== undefined) result.refusal ??= translated.refusal;
  }
  return { ...result, filters: sized(result.filters) };
}

function translateFilter(filter: HTTPRouteFilter, context: FilterContext): TranslatedFilters | RuleProblem {
  const { field } = context;
  switch (filter.type) {
    case "RequestHeaderModifier":
      return headerChanges("requestHeaders", filter.requestHeaderModifier, `${field}.requestHeaderModifier`);
    case "ResponseHeaderModifier":
      return headerChanges("responseHeaders", filter.responseHeaderModifier, `${field}.responseHeaderModifier`);
    case "RequestRedirect":
      return translateRedirect(filter.requestRedirect ?? {}, `${field}.requestRedirect`, context.matches);
    case "URLRewrite":
      return translateRewrite(filter.urlRewrite ?? {}, `${field}.urlRewrite`, context.matches);
    case "RequestMirror":
      return translateMirror(filter.requestMirror, context);
    case "CORS":
      return { filters: [translateCors(filter.cors)] };
    default:
      return translateExternalAuth(filter.externalAuth, context);
  }
}

/** Thousands of routes have nothing to say here. */
const none: never[] = [];

/** A header may be named once only, whatever is done with it (HTTPHeaderFilter). */
function headerChanges(
  type: "requestHeaders" | "responseHeaders",
  { set = none, add = none, remove = none }: HTTPHeaderFilter = {},
  field: string,
): TranslatedFilters | RuleProblem {
  const seen = new Set<string>();
  for (const name of [...set, ...add].map((header) => header.name).concat(remove)) {
    const lower = name.toLowerCase();
    if (seen.has(lower)) return unsupported(`${field} names header ${name} twice: one action per header is possible`);
    seen.add(lower);
  }
  return { filters: [{ type, set, add, remove }] };
}

/** A mirror that does not resolve is left out; the requests themselves go on (HTTPRequestMirrorFilter.backendRef). */
function translateMirror(
  mirror: HTTPRequestMirrorFilter | undefined,
  { field, inRule, references, traffic }: FilterContext,
): TranslatedFilters | RuleProblem {
  if (!mirror) return unsupported(`${field}.requestMirror is missing: name a backendRef`);
  const backend = references.resolve(mirror.backendRef, `${inRule}.requestMirror.backendRef`, traffic);
  if ("reason" in backend) return { filters: [] };
  const { percent, fraction } = mirror;
  const share =
    percent !== undefined
      ? { numerator: percent, denominator: 100 }
      : fraction && { numerator: fraction.numerator, denominator: fraction.denominator ?? 100 };
  return { filters: [{ type: "mirror", service: backend.id, ...(share ? { fraction: share } : {}) }] };
}

/** HTTPCORSFilter.maxAge. */
const defaultMaxAge = 5;

function translateCors(cors: HTTPRouteFilter["cors"] = {}): Cors {
  return {
    type: "cors",
    allowOrigins: [...(cors.allowOrigins ?? [])],
    allowCredentials: cors.allowCredentials ?? false,
    allowMethods: [...(cors.allowMethods ?? [])],
    allowHeaders: [...(cors.allowHeaders ?? [])],
    exposeHeaders: [...(cors.exposeHeaders ?? [])],
    maxAge: cors.maxAge ?? defaultMaxAge,
  };
}
