// The time of day by a clock that was read for another purpose: asking the system's for every request costs more than it tells.

import { performance } from "node:perf_hooks";

/** Until the system's clock, which may be set at any time, is asked again, in milliseconds. */
const TRUSTED_FOR = 100;

let offset = 0;
let askedAt = -Infinity;

/** Milliseconds since the epoch at `now`, which is performance.now() of just now. */
export function wallTime(now: number): number {
  if (now - askedAt > TRUSTED_FOR) {
    askedAt = now;
    offset = Date.now() - performance.now();
  }
  return Math.round(now + offset);
}
