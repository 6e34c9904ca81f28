// The verdict of a probe over its results: a change needs successThreshold successes or failureThreshold failures in
// a row. Pure; the worker feeds it.

import type { Probe } from "@gatehouse/apimachinery/types/core-v1";

export type Verdict = "unknown" | "success" | "failure";

export interface ProbeState {
  readonly verdict: Verdict;
  /** Takes one result; true when the verdict changed. */
  observe(success: boolean): boolean;
}

export function createProbeState({ successThreshold = 1, failureThreshold = 3 }: Probe): ProbeState {
  let verdict: Verdict = "unknown";
  let last: boolean | undefined;
  let run = 0;
  return {
    get verdict() {
      return verdict;
    },
    observe: (success) => {
      run = success === last ? run + 1 : 1;
      last = success;
      if (run < (success ? successThreshold : failureThreshold)) return false;
      const before = verdict;
      verdict = success ? "success" : "failure";
      return verdict !== before;
    },
  };
}
