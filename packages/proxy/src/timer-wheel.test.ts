import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { describe, it } from "node:test";
import type { TestContext } from "node:test";
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

/** A clock that is set by hand. `pass`: the event loop runs meanwhile; `block`: it does not. */
function handClock({ mock }: TestContext) {
  let now = 0;
  mock.timers.enable({ apis: ["setInterval"] });
  mock.method(performance, "now", () => now);
  const block = (milliseconds: number): void => void (now += milliseconds);
  const pass = (milliseconds: number): void => {
    for (let passed = 0; passed < milliseconds; passed += 10) {
      block(10);
      mock.timers.tick(10);
    }
  };
  return { block, pass, now: () => now };
}

describe("timer wheel when the event loop was blocked", () => {
  /** How long after it was armed, and was to wait `milliseconds`, each of the timers fires. */
  function waits(test: TestContext, blocked: number, milliseconds: number[]): number[] {
    const { block, pass, now } = handClock(test);
    const wheel = new TimerWheel();
    wheel.arm(new Timer(() => {}), 3_600_000);
    pass(1000);
    block(blocked);
    const armed = now();
    const fired = milliseconds.map((each) => {
      const fired = { after: -1 };
      wheel.arm(new Timer(() => (fired.after = now() - armed)), each);
      return fired;
    });
    pass(120_000);
    return fired.map(({ after }) => after);
  }

  for (const blocked of [0, 40, 60, 140, 2000, 70_000]) {
    it(`for ${blocked} ms: what was armed at its end waits as long as was asked`, (test) => {
      const asked = [0, 60, 1000, 5000, 60_000];
      for (const [index, after] of waits(test, blocked, asked).entries()) {
        const early = asked[index]! - after;
        assert.ok(early <= 50, `${asked[index]} ms were ${after}`);
        // Nobody knows when it was armed: at the beginning of the time, perhaps.
        assert.ok(-early <= 150 + (blocked > 50 ? 50 : 0), `${asked[index]} ms were ${after}`);
      }
    });
  }

  it("what was armed before is due all the same", (test) => {
    const { block, pass, now } = handClock(test);
    const wheel = new TimerWheel();
    const fired: [name: string, at: number][] = [];
    const arm = (name: string, milliseconds: number): Timer => {
      const timer = new Timer(() => fired.push([name, now()]));
      wheel.arm(timer, milliseconds);
      return timer;
    };
    arm("due meanwhile", 1000);
    arm("due later", 3000);
    const gone = arm("disarmed", 3000);
    pass(500);
    wheel.disarm(gone);
    block(2000);
    pass(1000);
    assert.deepEqual(
      fired.map(([name]) => name),
      ["due meanwhile", "due later"],
    );
    assert.ok(fired[0]![1] <= 2600, `at ${fired[0]![1]}`);
    assert.ok(fired[1]![1] >= 2950 && fired[1]![1] <= 3100, `at ${fired[1]![1]}`);
  });

  it("what a timeout arms counts from that timeout, however late it is", (test) => {
    const { block, pass, now } = handClock(test);
    const wheel = new TimerWheel();
    let [first, second] = [0, 0];
    const next = new Timer(() => (second = now()));
    const timer = new Timer(() => {
      first = now();
      wheel.arm(next, 1000);
    });
    wheel.arm(timer, 100);
    pass(60);
    block(5000);
    pass(2000);
    assert.ok(first >= 5000);
    assert.ok(second - first >= 950 && second - first <= 1100, `${second - first}`);
  });
});
