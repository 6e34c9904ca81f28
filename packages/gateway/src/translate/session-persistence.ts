// sessionPersistence of rules and policies (GEP-1619) -> the proxy's.

import { createHash } from "node:crypto";
import type { SessionPersistence as SessionPersistenceSpec } from "@gatehouse/gateway-api/route-filters";
import type { SessionPersistence } from "@gatehouse/proxy/routing-table";
import { parseGatewayDuration } from "./duration.ts";
import { type RuleProblem, unsupported } from "./problems.ts";

/** `scope` names whose sessions these are; where no name is given a name of its own is made of it. */
export function translateSessionPersistence(
  { sessionName, type = "Cookie", absoluteTimeout, idleTimeout, cookieConfig }: SessionPersistenceSpec,
  scope: string,
  field: string,
): SessionPersistence | RuleProblem {
  if (type !== "Cookie" && type !== "Header") {
    return unsupported(`${field}.type "${String(type)}" is not supported: use Cookie or Header`);
  }
  if (idleTimeout !== undefined) {
    return unsupported(`${field}.idleTimeout is not supported (v1.6 of the API has done away with it): remove it`);
  }
  const name = sessionName || `gatehouse-${createHash("sha256").update(scope).digest("hex").slice(0, 12)}`;
  const permanent = cookieConfig?.lifetimeType === "Permanent";
  if (absoluteTimeout === undefined) {
    if (permanent) return unsupported(`${field}.cookieConfig.lifetimeType Permanent needs ${field}.absoluteTimeout`);
    return { type: type === "Cookie" ? "cookie" : "header", name };
  }
  const milliseconds = parseGatewayDuration(absoluteTimeout);
  if (milliseconds === undefined) {
    return unsupported(`${field}.absoluteTimeout "${absoluteTimeout}" is not a duration such as 1h30m`);
  }
  return {
    type: type === "Cookie" ? "cookie" : "header",
    name,
    ...(milliseconds > 0 ? { absoluteTimeout: milliseconds } : {}),
    ...(permanent ? { permanent } : {}),
  };
}
