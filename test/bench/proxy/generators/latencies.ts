// What all generators count.

import type { LoadResult } from "../loads.ts";

/** Times in milliseconds; `errors` are connections that broke and answers that were not 200. */
export class Latencies {
  readonly #times: number[] = [];
  errors = 0;

  add(milliseconds: number): void {
    this.#times.push(milliseconds);
  }

  /** After `seconds` of load. */
  result(seconds: number): LoadResult {
    const sorted = Float64Array.from(this.#times).sort();
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { requests: sorted.length, seconds, errors: this.errors, p50: at(0.5), p99: at(0.99), p999: at(0.999) };
  }
}
