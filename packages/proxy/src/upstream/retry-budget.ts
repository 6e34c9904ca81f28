// How many retries a service takes (GEP-3388): a share of the requests it was lately asked, and always a few per second,
// so that retries cannot grow into a storm on a service that is failing anyway.

import type { RetryBudget } from "../routing-table.ts";

/** The window moves on in so many steps. */
const STEPS = 10;
const SECOND = 1_000;

export class RetryBudgetMeter {
  readonly #budget: RetryBudget;
  readonly #requests: SlidingCount;
  readonly #retries: SlidingCount;
  readonly #lately: SlidingCount = new SlidingCount(SECOND);

  constructor(budget: RetryBudget) {
    this.#budget = budget;
    this.#requests = new SlidingCount(budget.interval);
    this.#retries = new SlidingCount(budget.interval);
  }

  /** A request began. `now` is performance.now(). */
  onRequest(now: number): void {
    this.#requests.add(now);
  }

  /** Takes one retry out of the budget; false when there is none left. */
  take(now: number): boolean {
    const { percent, minPerSecond } = this.#budget;
    const within = (this.#retries.count(now) + 1) * 100 <= percent * this.#requests.count(now);
    if (!within && this.#lately.count(now) >= minPerSecond) return false;
    this.#retries.add(now);
    this.#lately.add(now);
    return true;
  }
}

/** Events of the last `interval` milliseconds, to a tenth of that. */
class SlidingCount {
  readonly #step: number;
  readonly #counts: number[] = Array.from({ length: STEPS }, () => 0);
  #sum = 0;
  #at = 0;

  constructor(interval: number) {
    this.#step = interval / STEPS;
  }

  add(now: number): void {
    this.#moveTo(now);
    this.#counts[this.#at % STEPS]!++;
    this.#sum++;
  }

  count(now: number): number {
    this.#moveTo(now);
    return this.#sum;
  }

  #moveTo(now: number): void {
    const at = Math.floor(now / this.#step);
    for (let gone = Math.max(this.#at + 1, at - STEPS + 1); gone <= at; gone++) {
      this.#sum -= this.#counts[gone % STEPS]!;
      this.#counts[gone % STEPS] = 0;
    }
    this.#at = Math.max(this.#at, at);
  }
}
