import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { conflict } from "./status-error.ts";
import { createWorkQueue } from "./work-queue.ts";

const ignore = (): void => {};

function deferred(): { promise: Promise<void>; resolve: () => void } {
  return Promise.withResolvers<void>();
}

test("a key added several times while waiting is reconciled once", async () => {
  const seen: string[] = [];
  const queue = createWorkQueue({ reconcile: async (key) => void seen.push(key), onError: ignore });
  queue.add("a");
  queue.add("b");
  queue.add("a");
  await queue.idle();
  assert.deepEqual(seen, ["a", "b"]);
});

test("a key added while it is under way runs once more after, never at the same time", async () => {
  const gate = deferred();
  let running = 0;
  let most = 0;
  let runs = 0;
  const queue = createWorkQueue({
    reconcile: async () => {
      most = Math.max(most, ++running);
      runs++;
      if (runs === 1) await gate.promise;
      running--;
    },
    onError: ignore,
  });
  queue.add("a");
  await Promise.resolve();
  queue.add("a");
  queue.add("a");
  gate.resolve();
  await queue.idle();
  assert.deepEqual([runs, most], [2, 1]);
});

test("concurrency is bounded and everything gets its turn", async () => {
  let running = 0;
  let most = 0;
  const done: string[] = [];
  const queue = createWorkQueue({
    concurrency: 2,
    reconcile: async (key) => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
      done.push(key);
    },
    onError: ignore,
  });
  for (const key of ["a", "b", "c", "d", "e"]) queue.add(key);
  await queue.idle();
  assert.equal(most, 2);
  assert.deepEqual(done.sort(), ["a", "b", "c", "d", "e"]);
});

test("failures are told and tried again with growing pauses; success resets them", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const errors: string[] = [];
  let runs = 0;
  const queue = createWorkQueue({
    reconcile: async () => {
      if (++runs <= 2) throw new Error(`failure ${runs}`);
    },
    onError: (key, error) => errors.push(`${key}: ${(error as Error).message}`),
  });
  queue.add("a");
  await queue.idle();
  assert.equal(runs, 1);
  t.mock.timers.tick(9);
  await queue.idle();
  assert.equal(runs, 1, "before the first pause of 10 ms is over");
  t.mock.timers.tick(1);
  await queue.idle();
  assert.equal(runs, 2);
  t.mock.timers.tick(19);
  await queue.idle();
  assert.equal(runs, 2, "the second pause is 20 ms");
  t.mock.timers.tick(1);
  await queue.idle();
  assert.equal(runs, 3);
  t.mock.timers.tick(60_000);
  await queue.idle();
  assert.equal(runs, 3, "nothing after success");
  assert.deepEqual(errors, ["a: failure 1", "a: failure 2"]);
});

test("a conflict is tried again without being told", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const onError = mock.fn();
  let runs = 0;
  const queue = createWorkQueue({
    reconcile: async () => {
      if (++runs === 1) throw conflict({ group: "", plural: "pods", name: "a" }, "stale");
    },
    onError,
  });
  queue.add("a");
  await queue.idle();
  t.mock.timers.tick(10);
  await queue.idle();
  assert.equal(runs, 2);
  assert.equal(onError.mock.callCount(), 0);
});

test("addAfter keeps the earliest of several requests", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  let runs = 0;
  const queue = createWorkQueue({ reconcile: async () => void runs++, onError: ignore });
  queue.addAfter("a", 100);
  queue.addAfter("a", 50);
  queue.addAfter("a", 200);
  t.mock.timers.tick(49);
  await queue.idle();
  assert.equal(runs, 0);
  t.mock.timers.tick(1);
  await queue.idle();
  assert.equal(runs, 1);
  t.mock.timers.tick(1000);
  await queue.idle();
  assert.equal(runs, 1);
});

test("a delay beyond what timers hold does not fire at once", async (t) => {
  const delays: number[] = [];
  const original = globalThis.setTimeout;
  t.mock.method(globalThis, "setTimeout", (run: () => void, delay: number) => {
    delays.push(delay);
    return original(run, delay);
  });
  const queue = createWorkQueue({ reconcile: async () => {}, onError: ignore });
  queue.addAfter("a", 365 * 24 * 3600 * 1000);
  await queue.stop();
  assert.deepEqual(delays, [2 ** 31 - 1]);
});

test("stop drops what waits, awaits what runs and takes nothing more", async () => {
  const gate = deferred();
  const seen: string[] = [];
  const queue = createWorkQueue({
    concurrency: 1,
    reconcile: async (key) => {
      await gate.promise;
      seen.push(key);
    },
    onError: ignore,
  });
  queue.add("a");
  queue.add("b");
  await Promise.resolve();
  const stopped = queue.stop();
  queue.add("c");
  queue.add("a");
  queue.addAfter("d", 0);
  gate.resolve();
  await stopped;
  assert.deepEqual(seen, ["a"]);
});
