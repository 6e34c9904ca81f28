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

export interface WorkQueueOptions {
  reconcile: (key: string) => Promise<void>;
  onError: (key: string, error: unknown) => void;
  /** How many keys may be under way at once. Default: 8. */
  concurrency?: number;
}

/** `reconcile` must be idempotent; Conflict failures are retried quietly, others are also passed to `onError`. */
export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const queue = new RateLimitedQueue(options);
  return {
    add: (key) => queue.add(key),
    addAfter: (key, milliseconds) => queue.addAfter(key, milliseconds),
    idle: () => queue.idle(),
    stop: () => queue.stop(),
  };
}

class RateLimitedQueue implements WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #concurrency: number;
  readonly #waiting = new Set<string>();
  readonly #active = new Set<string>();
  /** Added while under way. */
  readonly #again = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, { timer: NodeJS.Timeout; due: number }>();
  readonly #idleWaiters = new Set<() => void>();
  #stopped = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#concurrency = options.concurrency ?? 8;
  }

  add(key: string): void {
    if (this.#stopped) return;
    if (this.#active.has(key)) this.#again.add(key);
    else if (!this.#waiting.has(key)) {
      this.#waiting.add(key);
      queueMicrotask(() => this.#next());
    }
  }

  addAfter(key: string, milliseconds: number): void {
    if (this.#stopped) return;
    const delay = Math.min(Math.max(milliseconds, 0), maxTimerMs);
    const due = Date.now() + delay;
    const pending = this.#timers.get(key);
    if (pending && pending.due <= due) return;
    if (pending) clearTimeout(pending.timer);
    const timer = setTimeout(() => {
      this.#timers.delete(key);
      this.add(key);
    }, delay);
    this.#timers.set(key, { timer, due });
  }

  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => void this.#idleWaiters.add(resolve));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.clear();
    this.#again.clear();
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    if (this.#isIdle()) this.#settle();
    await this.idle();
  }

  #isIdle(): boolean {
    return this.#active.size === 0 && this.#waiting.size === 0;
  }

  #next(): void {
    for (const key of this.#waiting) {
      if (this.#active.size >= this.#concurrency) return;
      this.#waiting.delete(key);
      this.#active.add(key);
      void this.#work(key);
    }
  }

  async #work(key: string): Promise<void> {
    try {
      await this.#options.reconcile(key);
      this.#failures.delete(key);
    } catch (error) {
      if (!this.#stopped) this.#retry(key, error);
    } finally {
      this.#active.delete(key);
      if (this.#again.delete(key)) this.add(key);
      this.#next();
      if (this.#isIdle()) this.#settle();
    }
  }

  #retry(key: string, error: unknown): void {
    const count = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, count);
    this.addAfter(key, Math.min(firstRetryMs * 2 ** (count - 1), maxRetryMs));
    if (!hasReason(error, "Conflict")) this.#options.onError(key, error);
  }

  #settle(): void {
    for (const resolve of this.#idleWaiters) resolve();
    this.#idleWaiters.clear();
  }
}
