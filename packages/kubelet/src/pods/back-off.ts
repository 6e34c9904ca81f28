// How long a container waits before it is started again (kubelet's CrashLoopBackOff): the first restart at once,
// then 10 s, 20 s, ... 5 min; forgotten after ten minutes of running.

const firstMs = 10_000;
const maxMs = 300_000;
const resetAfterMs = 600_000;

export interface BackOff {
  /** Milliseconds to wait before the next start, given how long the last instance ran. */
  next(ranMs: number): number;
}

export function createBackOff(): BackOff {
  let restarts = 0;
  return {
    next: (ranMs) => {
      if (ranMs >= resetAfterMs) restarts = 0;
      const wait = restarts === 0 ? 0 : Math.min(firstMs * 2 ** (restarts - 1), maxMs);
      restarts++;
      return wait;
    },
  };
}
