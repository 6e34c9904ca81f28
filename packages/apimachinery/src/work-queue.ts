// The loop at the heart of a controller: keys to reconcile, each at most once at a time, coalesced while waiting,
// tried again with back-off when reconciling fails (client-go's rate-limited work queue).

import { hasReason } from "./status-error.ts";

export interface WorkQueue {
  /** Reconcile `key` soon. Adding a waiting key changes nothing; adding one under way runs it once more after. */
  add(key: string): void;
  /** Reconcile `key` after `milliseconds` (the earliest of several requests wins). */
  addAfter(key: string, milliseconds: number): void;
  /** Resolves when nothing is waiting for or under reconciliation (delayed keys do not count). */
  idle(): Promise<void>;
  /** Drops what waits; resolves when the work under way is done. */
  stop(): Promise<void>;
}

const firstRetryMs = 10;
const maxRetryMs = 30_000;
/** Longer timeouts overflow setTimeout, which then fires at once. */
const maxTimerMs = 2 ** 31 - 1;

/** `reconcile` must be idempotent; Conflict failures are retried quietly, others are also passed to `onError`. */
export function createWorkQueue(options: {
  reconcile: (key: string) => Promise<void>;
  onError: (key: string, error: unknown) => void;
  concurrency?: number;
}): WorkQueue {
  const waiting = new Set<string>();
  const active = new Set<string>();
  const again = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, { timer: NodeJS.Timeout; due: number }>();
  const idleWaiters = new Set<() => void>();
  const concurrency = options.concurrency ?? 8;
  let stopped = false;

  const add = (key: string): void => {
    if (stopped) return;
    if (active.has(key)) again.add(key);
    else if (!waiting.has(key)) {
      waiting.add(key);
      queueMicrotask(next);
    }
  };

  const addAfter = (key: string, milliseconds: number): void => {
    if (stopped) return;
    const delay = Math.min(Math.max(milliseconds, 0), maxTimerMs);
    const due = Date.now() + delay;
    const pending = timers.get(key);
    if (pending && pending.due <= due) return;
    if (pending) clearTimeout(pending.timer);
    const timer = setTimeout(() => {
      timers.delete(key);
      add(key);
    }, delay);
    timers.set(key, { timer, due });
  };

  const next = (): void => {
    for (const key of waiting) {
      if (active.size >= concurrency) return;
      waiting.delete(key);
      active.add(key);
      void work(key);
    }
  };

  const work = async (key: string): Promise<void> => {
    try {
      await options.reconcile(key);
      failures.delete(key);
    } catch (error) {
      if (!stopped) retry(key, error);
    } finally {
      active.delete(key);
      if (again.delete(key)) add(key);
      next();
      if (active.size === 0 && waiting.size === 0) settle();
    }
  };

  const retry = (key: string, error: unknown): void => {
    const count = (failures.get(key) ?? 0) + 1;
    failures.set(key, count);
    addAfter(key, Math.min(firstRetryMs * 2 ** (count - 1), maxRetryMs));
    if (!hasReason(error, "Conflict")) options.onError(key, error);
  };

  const settle = (): void => {
    for (const resolve of idleWaiters) resolve();
    idleWaiters.clear();
  };

  const idle = (): Promise<void> =>
    active.size === 0 && waiting.size === 0
      ? Promise.resolve()
      : new Promise((resolve) => void idleWaiters.add(resolve));

  return {
    add,
    addAfter,
    idle,
    stop: async () => {
      stopped = true;
      waiting.clear();
      again.clear();
      for (const { timer } of timers.values()) clearTimeout(timer);
      timers.clear();
      await idle();
    },
  };
}
