// XBackendTrafficPolicy (GEP-3388, GEP-1619): a budget for retries and session persistence, for whole Services.

import { objectKey } from "@gatehouse/apimachinery/meta";
import type { XBackendTrafficPolicy } from "@gatehouse/gateway-api/x-backend-traffic-policy";
import type { RetryBudget, SessionPersistence } from "@gatehouse/proxy/routing-table";
import type { Backend } from "./backends.ts";
import { type DesiredCondition, fails, holds } from "./conditions.ts";
import { parseGatewayDuration } from "./duration.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { crowdedOut, isCrowdedOut } from "./policy-room.ts";
import { type RuleProblem, unsupported } from "./problems.ts";
import { translateSessionPersistence } from "./session-persistence.ts";

/** What the oldest policy says, if it can be done. */
export function retryBudgetOf(namespace: string, service: string, index: ObjectIndex): RetryBudget | undefined {
  const [policy] = index.backendTrafficPolicies(namespace, service);
  if (!policy?.spec.retryConstraint || judge(policy)) return undefined;
  const budget = translateBudget(policy.spec.retryConstraint);
  return "reason" in budget ? undefined : budget;
}

/** For a rule that says nothing itself: what the policy of its first backend that has one says, for all its backends (GEP-1619,
 * "Traffic Splitting"). */
export function sessionPersistenceOf(backends: readonly Backend[], index: ObjectIndex): SessionPersistence | undefined {
  for (const { kind, namespace, name } of backends) {
    const [policy] = kind === "Service" ? index.backendTrafficPolicies(namespace, name) : [];
    const session = policy && !judge(policy) ? translateSession(policy) : undefined;
    if (session && !("reason" in session)) return session;
  }
  return undefined;
}

function translateBudget({
  budget = {},
  minRetryRate = {},
}: NonNullable<XBackendTrafficPolicy["spec"]["retryConstraint"]>): RetryBudget | RuleProblem {
  const { percent = 20, interval = "10s" } = budget;
  const { count = 10, interval: every = "1s" } = minRetryRate;
  const [length, period] = [parseGatewayDuration(interval), parseGatewayDuration(every)];
  if (!length) return unsupported(`spec.retryConstraint.budget.interval "${interval}" is not a duration such as 10s`);
  if (!period) return unsupported(`spec.retryConstraint.minRetryRate.interval "${every}" is not a duration such as 1s`);
  return { percent, interval: length, minPerSecond: (count * 1000) / period };
}

function translateSession(policy: XBackendTrafficPolicy): SessionPersistence | RuleProblem | undefined {
  const { sessionPersistence } = policy.spec;
  const scope = `xbackendtrafficpolicy/${objectKey(policy)}`;
  return sessionPersistence && translateSessionPersistence(sessionPersistence, scope, "spec.sessionPersistence");
}

/** Why the policy cannot be carried out. */
function judge(policy: XBackendTrafficPolicy): RuleProblem | undefined {
  if (isCrowdedOut(policy)) return unsupported(crowdedOut);
  const { retryConstraint } = policy.spec;
  const budget = retryConstraint && translateBudget(retryConstraint);
  if (budget && "reason" in budget) return budget;
  const session = translateSession(policy);
  return session && "reason" in session ? session : undefined;
}

/** What the policy's status says for an ancestor whose routes use `services` (names in the policy's namespace). */
export function trafficPolicyConditions(
  policy: XBackendTrafficPolicy,
  services: ReadonlySet<string>,
  index: ObjectIndex,
): DesiredCondition[] {
  const namespace = policy.metadata.namespace ?? "";
  const names = policy.spec.targetRefs.filter(({ name }) => services.has(name)).map(({ name }) => name);
  const missing = names.filter((name) => !index.service(namespace, name));
  if (missing.length === names.length) {
    const message = `Service "${missing.join('", "')}" not found in namespace "${namespace}": create it or correct spec.targetRefs`;
    return [fails("Accepted", "TargetNotFound", message)];
  }
  const lost = names.flatMap((name) => {
    const [first] = index.backendTrafficPolicies(namespace, name);
    if (!first || objectKey(first) === objectKey(policy)) return [];
    return [
      `XBackendTrafficPolicy "${first.metadata.name}" has precedence for Service "${name}": target another Service`,
    ];
  });
  if (lost.length === names.length) return [fails("Accepted", "Conflicted", lost.join("; "))];
  const problem = judge(policy);
  if (problem) return [fails("Accepted", "Invalid", problem.message)];
  return [holds("Accepted", "Accepted", ["The policy is in force", ...lost].join("; "))];
}
