// Endpoints that answer, but badly: who fails several times in a row is left out for a while, longer each time, as long as
// enough others remain.

import { performance } from "node:perf_hooks";
import type { OutlierDetection } from "../routing-table.ts";

/** The longest ejection, in multiples of the first. */
const LONGEST = 10;

/** The endpoints of one service, judged together. */
export class OutlierDetector {
  config: OutlierDetection;
  #states: OutlierState[] = [];

  constructor(config: OutlierDetection) {
    this.config = config;
  }

  /** From now on the service has these endpoints. */
  watch(states: OutlierState[]): void {
    this.#states = states;
  }

  /** Whether one more endpoint may be left out. */
  mayEject(now: number): boolean {
    const all = this.#states.length;
    const out = this.#states.filter((state) => state.ejectedUntil > now).length + 1;
    return out < all && out * 100 <= this.config.maxEjectedPercent * all;
  }
}

export class OutlierState {
  /** performance.now() until which the endpoint is left out. */
  ejectedUntil = 0;
  readonly #detector: OutlierDetector;
  readonly #counters: { ejections: number };
  /** In a row. */
  #failures = 0;
  /** Length of the last ejection in multiples of the configured time. */
  #times = 0;

  constructor(detector: OutlierDetector, counters: { ejections: number }) {
    this.#detector = detector;
    this.#counters = counters;
  }

  report(failed: boolean, now: number = performance.now()): void {
    const { consecutiveFailures, ejectionTime } = this.#detector.config;
    if (!failed) {
      this.#failures = 0;
      return;
    }
    if (this.ejectedUntil > now || ++this.#failures < consecutiveFailures || !this.#detector.mayEject(now)) return;
    // Who did well for as long as it had been out begins anew.
    const forgiven = now - this.ejectedUntil > ejectionTime * this.#times;
    this.#times = forgiven ? 1 : Math.min(this.#times + 1, LONGEST);
    this.ejectedUntil = now + ejectionTime * this.#times;
    this.#counters.ejections++;
    this.#failures = 0;
  }
}
