// Runs one probe of one container instance on its schedule and reports verdicts.

import type { Probe } from "@gatehouse/apimachinery/types/core-v1";
import type { ProbeResult } from "./probe-handler.ts";
import { createProbeState, type Verdict } from "./probe-state.ts";

export interface ProbeWorkerOptions {
  probe: Probe;
  run: (timeoutMs: number) => Promise<ProbeResult>;
  /** How many milliseconds ago the container started: the initial delay counts from there. */
  startedMsAgo: number;
  /**
   * A failing first probe is repeated every 25 ms for a second before it counts. For readiness and start-up, whose
   * first success a cluster's start waits for; a period (10 s by default) would be the whole wait.
   */
  eager: boolean;
  onVerdict: (verdict: Verdict) => void;
  /** Told of each failure that counts. */
  onFailure: (message: string) => void;
}

export interface ProbeWorker {
  stop(): void;
}

const eagerEveryMs = 25;
const eagerForMs = 1_000;

export function startProbe(options: ProbeWorkerOptions): ProbeWorker {
  const { probe } = options;
  const state = createProbeState(probe);
  const periodMs = (probe.periodSeconds || 10) * 1000;
  const timeoutMs = (probe.timeoutSeconds || 1) * 1000;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let eagerUntil = 0;

  const attempt = async (): Promise<void> => {
    const { success, message } = await options.run(timeoutMs);
    if (stopped) return;
    const early = options.eager && !success && state.verdict === "unknown" && Date.now() < eagerUntil;
    if (early) return schedule(eagerEveryMs);
    if (!success) options.onFailure(message);
    const changed = state.observe(success);
    schedule(periodMs);
    if (changed) options.onVerdict(state.verdict);
  };
  const schedule = (milliseconds: number): void => {
    timer = setTimeout(() => void attempt(), milliseconds);
  };

  const delayMs = Math.max(0, (probe.initialDelaySeconds ?? 0) * 1000 - options.startedMsAgo);
  eagerUntil = Date.now() + delayMs + eagerForMs;
  if (delayMs === 0) void attempt();
  else schedule(delayMs);

  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
