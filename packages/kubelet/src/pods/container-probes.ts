// The probes of one container instance: start-up first, then readiness and liveness together.

import type { Container, Probe } from "@gatehouse/apimachinery/types/core-v1";
import { type Locate, runHandler } from "../probes/probe-handler.ts";
import { type ProbeWorker, startProbe } from "../probes/probe-worker.ts";

export interface ContainerProbesOptions {
  container: Container;
  locate: Locate;
  /** Milliseconds since the epoch. */
  startedAt: number;
  onStarted: () => void;
  onReady: (ready: boolean) => void;
  /** A liveness or start-up probe gave up. */
  onDead: (probe: "liveness" | "startup", gracePeriodSeconds: number | undefined) => void;
  /** Each counted failure, for the Unhealthy event. */
  onFailure: (message: string) => void;
}

/** Returns the way to stop. A container without a readiness probe is ready as soon as it is started. */
export function startContainerProbes(options: ContainerProbesOptions): () => void {
  const { container, onDead } = options;
  const workers: ProbeWorker[] = [];
  let stopped = false;

  const begin = (kind: string, probe: Probe, eager: boolean, onVerdict: (success: boolean) => void): void => {
    const worker = startProbe({
      probe,
      eager,
      startedMsAgo: Date.now() - options.startedAt,
      run: (timeoutMs) => runHandler(probe, container, options.locate, timeoutMs),
      onVerdict: (verdict) => {
        if (!stopped) onVerdict(verdict === "success");
      },
      onFailure: (message) => options.onFailure(`${kind} probe failed: ${message}`),
    });
    workers.push(worker);
  };

  const afterStart = (): void => {
    const { readinessProbe, livenessProbe } = container;
    options.onStarted();
    if (readinessProbe) begin("Readiness", readinessProbe, true, options.onReady);
    else options.onReady(true);
    if (livenessProbe) {
      begin("Liveness", livenessProbe, false, (alive) => {
        if (!alive) onDead("liveness", livenessProbe.terminationGracePeriodSeconds);
      });
    }
  };

  const { startupProbe } = container;
  if (!startupProbe) afterStart();
  else {
    let done = false;
    begin("Startup", startupProbe, true, (up) => {
      if (done) return;
      done = true;
      workers.splice(0).forEach((worker) => worker.stop());
      if (up) afterStart();
      else onDead("startup", startupProbe.terminationGracePeriodSeconds);
    });
  }
  return () => {
    stopped = true;
    workers.forEach((worker) => worker.stop());
  };
}
