// Retries that a route asks for (GEP-1731): on which statuses, how often, how long apart, and for which requests that is
// possible at all. Connections that fail without an answer are always tried again under such a policy.

import type { Retry } from "../routing-table.ts";
import type { RetryBudgetMeter } from "../upstream/retry-budget.ts";
import type { KeptBody } from "./kept-body.ts";

/** The longest wait between attempts, in multiples of the first. */
const LONGEST = 10;
/** Up to this share is added to each wait at random, so that what failed together does not come back together. */
const JITTER = 0.25;

/** Instead of a wait: this was the last attempt. */
export const NO_MORE = -1;
/** Instead of a wait: the service's budget is spent (503, XBackendTrafficPolicy.retryConstraint). */
export const BUDGET_SPENT = -2;

/** The retries of one request. */
export class RetryPlan {
  readonly #policy: Retry;
  readonly #budget: RetryBudgetMeter | null;
  /** Null for a request without a body. */
  readonly #body: KeptBody | null;
  #done = 0;

  constructor(policy: Retry, budget: RetryBudgetMeter | null, body: KeptBody | null) {
    this.#policy = policy;
    this.#budget = budget;
    this.#body = body;
  }

  /** Whether the policy would have an answer with this status tried again. */
  wants(status: number): boolean {
    return this.#policy.statuses.includes(status);
  }

  /** Takes one retry: milliseconds to wait before it, NO_MORE or BUDGET_SPENT. */
  next(now: number): number {
    if (this.#done >= this.#policy.attempts || this.#body?.overflowed === true) return NO_MORE;
    if (this.#budget !== null && !this.#budget.take(now)) return BUDGET_SPENT;
    const { backoff } = this.#policy;
    const wait = Math.min(backoff * 2 ** this.#done++, backoff * LONGEST);
    return wait + Math.random() * JITTER * wait;
  }
}
