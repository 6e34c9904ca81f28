// GRPCRoute matches -> the proxy's matches: a call is a request for `/service/method` (gRPC over HTTP/2, "Requests").

import type { GRPCMethodMatch, GRPCRouteMatch } from "@gatehouse/gateway-api/grpc-route";
import type { RouteMatch } from "@gatehouse/proxy/routing-table";
import { patternProblem, translateHeaders } from "./matches.ts";
import { type RuleProblem, unsupported } from "./problems.ts";

/** `field` is the match's own path in the route, e.g. `rules[0].matches[1]`. */
export function translateGrpcMatch({ method, headers = [] }: GRPCRouteMatch, field: string): RouteMatch | RuleProblem {
  const path = translateMethod(method, `${field}.method`);
  if ("reason" in path) return path;
  const translated = translateHeaders(headers, `${field}.headers`);
  return "reason" in translated ? translated : { path, headers: translated, query: [] };
}

/**
 * The path of a call. Names are whole segments, so the longer name is the more specific one, service before method, as
 * GRPCRouteRule.matches ranks them: `/service/method` exactly, then the prefix `/service`, then expressions.
 */
function translateMethod(match: GRPCMethodMatch | undefined, field: string): RouteMatch["path"] | RuleProblem {
  const { type = "Exact", service = "", method = "" } = match ?? {};
  if (service === "" && method === "") return { type: "prefix", value: "/" };
  if (type === "Exact") {
    if (service === "") return { type: "regex", value: `^/[^/]+/${escape(method)}$` };
    return method === "" ? { type: "prefix", value: `/${service}` } : { type: "exact", value: `/${service}/${method}` };
  }
  if (type !== "RegularExpression") {
    return unsupported(`${field}.type "${String(type)}" is not supported: use Exact or RegularExpression`);
  }
  const problem =
    (service && patternProblem(service, `${field}.service`)) || (method && patternProblem(method, `${field}.method`));
  if (problem) return problem;
  return { type: "regex", value: `^/(?:${service || "[^/]+"})/(?:${method || "[^/]+"})$` };
}

const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
