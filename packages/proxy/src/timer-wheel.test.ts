import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Timer, TimerWheel } from "./timer-wheel.ts";

/** Arms timers with the given durations and resolves with the order in which `expected` of them fired. */
function fired(
  arrange: (arm: (name: string, milliseconds: number) => Timer, wheel: TimerWheel) => void,
  expected: number,
) {
  return new Promise<string[]>((resolve) => {
    const wheel = new TimerWheel();
    const order: string[] = [];
    // The wheel must not keep a process alive; the test must.
    const alive = setInterval(() => {}, 1000);
    arrange((name, milliseconds) => {
      const timer = new Timer(() => {
        order.push(name);
        if (order.length < expected) return;
        clearInterval(alive);
        resolve(order);
      });
      wheel.arm(timer, milliseconds);
      return timer;
    }, wheel);
  });
}

describe("timer wheel", () => {
  it("fires in order of time, not before it", async () => {
    const start = performance.now();
    const order = await fired((arm) => {
      arm("late", 260);
      arm("early", 60);
      arm("middle", 160);
    }, 3);
    assert.deepEqual(order, ["early", "middle", "late"]);
    assert.ok(performance.now() - start >= 260);
  });

  it("prolongs, shortens, disarms and releases", async () => {
    const order = await fired((arm, wheel) => {
      wheel.arm(arm("prolonged", 60), 300);
      wheel.arm(arm("shortened", 900_000), 110);
      wheel.disarm(arm("disarmed", 60));
      wheel.release(arm("released", 60));
      const again = arm("again", 60);
      wheel.disarm(again);
      wheel.arm(again, 200);
    }, 3);
    assert.deepEqual(order, ["shortened", "again", "prolonged"]);
  });

  it("lets a timeout release its neighbours of the same slot", async () => {
    const order = await new Promise<string[]>((resolve) => {
      const wheel = new TimerWheel();
      const alive = setInterval(() => {}, 1000);
      const seen: string[] = [];
      const timers: Timer[] = [];
      for (const name of ["a", "b", "c"]) {
        timers.push(
          new Timer(() => {
            seen.push(name);
            for (const timer of timers) wheel.release(timer);
          }),
        );
      }
      for (const timer of timers) wheel.arm(timer, 60);
      const last = new Timer(() => {
        clearInterval(alive);
        resolve(seen);
      });
      wheel.arm(last, 160);
    });
    assert.equal(order.length, 1);
  });
});
