// Redirects and rewrites of HTTPRoutes -> the proxy's filters.

import type { HTTPPathModifier, HTTPRouteFilter } from "@gatehouse/gateway-api/http-filters";
import type { PathRewrite, RouteMatch } from "@gatehouse/proxy/routing-table";
import type { TranslatedFilters } from "./filter-context.ts";
import { type RuleProblem, unsupported } from "./problems.ts";

const redirectStatuses: readonly number[] = [301, 302, 303, 307, 308];
const redirectSchemes: readonly string[] = ["http", "https"];

export function translateRedirect(
  redirect: NonNullable<HTTPRouteFilter["requestRedirect"]>,
  field: string,
  matches: readonly RouteMatch[],
): TranslatedFilters | RuleProblem {
  const { scheme, hostname, port, statusCode = 302 } = redirect;
  if (!redirectStatuses.includes(statusCode)) {
    return unsupported(`${field}.statusCode ${statusCode} is not supported: use one of ${redirectStatuses.join(", ")}`);
  }
  if (scheme !== undefined && !redirectSchemes.includes(scheme)) {
    return unsupported(`${field}.scheme "${scheme}" is not supported: use http or https`);
  }
  const path = translatePath(redirect.path, `${field}.path`, matches);
  if (path && "reason" in path) return path;
  const parts = { ...(scheme ? { scheme } : {}), ...(hostname ? { hostname } : {}), ...(port ? { port } : {}) };
  return { filters: [{ type: "redirect", ...parts, ...(path ? { path } : {}), status: statusCode }] };
}

export function translateRewrite(
  { hostname, path: modifier }: NonNullable<HTTPRouteFilter["urlRewrite"]>,
  field: string,
  matches: readonly RouteMatch[],
): TranslatedFilters | RuleProblem {
  const path = translatePath(modifier, `${field}.path`, matches);
  if (path && "reason" in path) return path;
  return { filters: [{ type: "rewrite", ...(hostname ? { hostname } : {}), ...(path ? { path } : {}) }] };
}

/** Only a rule whose matches are all prefixes has something that ReplacePrefixMatch can replace. */
function translatePath(
  modifier: HTTPPathModifier | undefined,
  field: string,
  matches: readonly RouteMatch[],
): PathRewrite | RuleProblem | undefined {
  if (!modifier) return undefined;
  if (modifier.type === "ReplaceFullPath") return { type: "full", value: modifier.replaceFullPath ?? "/" };
  if (modifier.type !== "ReplacePrefixMatch") {
    const type = String(modifier.type);
    return unsupported(`${field}.type "${type}" is not supported: use ReplaceFullPath or ReplacePrefixMatch`);
  }
  if (!matches.every((match) => match.path.type === "prefix")) {
    return unsupported(`${field}.type ReplacePrefixMatch needs every match of the rule to be of type PathPrefix`);
  }
  return { type: "prefix", value: modifier.replacePrefixMatch ?? "" };
}
