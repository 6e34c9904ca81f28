// HTTPRoute filters -> the proxy's filters. A filter that is not implemented is never skipped: it makes its rule unusable.

import type { Filter, PathRewrite, RouteMatch } from "@gatehouse/proxy/routing-table";
import type { HTTPPathModifier, HTTPRouteFilter } from "@gatehouse/gateway-api/http-filters";
import type { HTTPHeaderFilter } from "@gatehouse/gateway-api/route-filters";
import { type RuleProblem, unsupported } from "./problems.ts";

const redirectStatuses: readonly number[] = [301, 302, 303, 307, 308];
const redirectSchemes: readonly string[] = ["http", "https"];
const ruleFilters = ["RequestHeaderModifier", "ResponseHeaderModifier", "RequestRedirect", "URLRewrite"];
const backendFilters = ["RequestHeaderModifier", "ResponseHeaderModifier"];

/** Filters of a rule, in their order. `field` is e.g. `rules[0].filters`; `matches` are the rule's. */
export function translateRuleFilters(
  filters: readonly HTTPRouteFilter[],
  field: string,
  matches: readonly RouteMatch[],
): Filter[] | RuleProblem {
  const types = filters.map((filter) => filter.type);
  if (types.includes("RequestRedirect") && types.includes("URLRewrite")) {
    return {
      reason: "IncompatibleFilters",
      message: `${field} has both RequestRedirect and URLRewrite, which exclude each other: remove one`,
    };
  }
  const onlyPrefixes = matches.every((match) => match.path.type === "prefix");
  return translateAll(filters, field, ruleFilters, onlyPrefixes);
}

/** Filters of one backendRef: header modifiers only, what else a rule can do it does before a backend is chosen. */
export function translateBackendFilters(filters: readonly HTTPRouteFilter[], field: string): Filter[] | RuleProblem {
  return translateAll(filters, field, backendFilters, false);
}

function translateAll(
  filters: readonly HTTPRouteFilter[],
  field: string,
  implemented: readonly string[],
  onlyPrefixes: boolean,
): Filter[] | RuleProblem {
  const translated: Filter[] = [];
  const seen = new Set<string>();
  for (const [index, filter] of filters.entries()) {
    const at = `${field}[${index}]`;
    if (!implemented.includes(filter.type)) {
      return unsupported(
        `${at}.type ${filter.type} is not supported here: remove it (supported: ${implemented.join(", ")})`,
      );
    }
    if (seen.has(filter.type)) return unsupported(`${at} repeats ${filter.type}: merge it into the first one`);
    seen.add(filter.type);
    const result = translateFilter(filter, at, onlyPrefixes);
    if ("reason" in result) return result;
    translated.push(result);
  }
  return translated;
}

function translateFilter(filter: HTTPRouteFilter, field: string, onlyPrefixes: boolean): Filter | RuleProblem {
  switch (filter.type) {
    case "RequestHeaderModifier":
      return { type: "requestHeaders", ...headerChanges(filter.requestHeaderModifier) };
    case "ResponseHeaderModifier":
      return { type: "responseHeaders", ...headerChanges(filter.responseHeaderModifier) };
    case "RequestRedirect":
      return translateRedirect(filter.requestRedirect ?? {}, `${field}.requestRedirect`, onlyPrefixes);
    default:
      return translateRewrite(filter.urlRewrite ?? {}, `${field}.urlRewrite`, onlyPrefixes);
  }
}

function headerChanges({ set = [], add = [], remove = [] }: HTTPHeaderFilter = {}) {
  const copy = ({ name, value }: { name: string; value: string }) => ({ name, value });
  return { set: set.map(copy), add: add.map(copy), remove: [...remove] };
}

function translateRedirect(
  redirect: NonNullable<HTTPRouteFilter["requestRedirect"]>,
  field: string,
  onlyPrefixes: boolean,
): Filter | RuleProblem {
  const { scheme, hostname, port, statusCode = 302 } = redirect;
  if (!redirectStatuses.includes(statusCode)) {
    return unsupported(`${field}.statusCode ${statusCode} is not supported: use one of ${redirectStatuses.join(", ")}`);
  }
  if (scheme !== undefined && !redirectSchemes.includes(scheme)) {
    return unsupported(`${field}.scheme "${scheme}" is not supported: use http or https`);
  }
  const path = translatePath(redirect.path, `${field}.path`, onlyPrefixes);
  if (path && "reason" in path) return path;
  return {
    type: "redirect",
    ...(scheme ? { scheme } : {}),
    ...(hostname ? { hostname } : {}),
    ...(port ? { port } : {}),
    ...(path ? { path } : {}),
    status: statusCode,
  };
}

function translateRewrite(
  { hostname, path: modifier }: NonNullable<HTTPRouteFilter["urlRewrite"]>,
  field: string,
  onlyPrefixes: boolean,
): Filter | RuleProblem {
  const path = translatePath(modifier, `${field}.path`, onlyPrefixes);
  if (path && "reason" in path) return path;
  return { type: "rewrite", ...(hostname ? { hostname } : {}), ...(path ? { path } : {}) };
}

function translatePath(
  modifier: HTTPPathModifier | undefined,
  field: string,
  onlyPrefixes: boolean,
): PathRewrite | RuleProblem | undefined {
  if (!modifier) return undefined;
  if (modifier.type === "ReplaceFullPath") return { type: "full", value: modifier.replaceFullPath ?? "/" };
  if (modifier.type !== "ReplacePrefixMatch") {
    return unsupported(
      `${field}.type "${String(modifier.type)}" is not supported: use ReplaceFullPath or ReplacePrefixMatch`,
    );
  }
  if (!onlyPrefixes) {
    return unsupported(`${field}.type ReplacePrefixMatch needs every match of the rule to be of type PathPrefix`);
  }
  return { type: "prefix", value: modifier.replacePrefixMatch ?? "" };
}
