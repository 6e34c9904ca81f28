// One coarse timer for everything that can time out. Arming is a few assignments; an entry that was only prolonged is
// not moved but looked at again when its old slot comes up.

import { performance } from "node:perf_hooks";

/** Resolution in milliseconds: a timer fires up to two of these late. */
const TICK = 50;
const SLOTS = 1024;

/** Embed one per connection or exchange. */
export class Timer {
  readonly onTimeout: () => void;
  /** Tick at which it fires, Infinity when disarmed. */
  due = Infinity;
  /** Tick of the slot it waits in, -1 when in none. */
  slotTick = -1;
  next: Timer | null = null;
  previous: Timer | null = null;

  constructor(onTimeout: () => void) {
    this.onTimeout = onTimeout;
  }
}

export class TimerWheel {
  readonly #slots: (Timer | null)[] = Array.from({ length: SLOTS }, () => null);
  #tick = 0;
  #count = 0;
  #interval: NodeJS.Timeout | null = null;
  #origin = 0;

  /** Fires `timer` once, `milliseconds` from now; replaces what it was armed for. */
  arm(timer: Timer, milliseconds: number): void {
    if (this.#interval === null) this.#start();
    timer.due = this.#tick + 1 + Math.ceil(milliseconds / TICK);
    if (timer.slotTick >= 0) {
      if (timer.slotTick <= timer.due) return;
      this.#unlink(timer);
    }
    this.#link(timer);
  }

  /** Keeps the timer from firing. It leaves its slot later, unless `release` is called. */
  disarm(timer: Timer): void {
    timer.due = Infinity;
  }

  /** Takes the timer out for good. */
  release(timer: Timer): void {
    timer.due = Infinity;
    if (timer.slotTick >= 0) this.#unlink(timer);
  }

  #start(): void {
    this.#origin = performance.now() - this.#tick * TICK;
    this.#interval = setInterval(() => this.#advance(), TICK).unref();
  }

  #link(timer: Timer): void {
    // A timer further away than one turn waits in the last slot and is moved on from there.
    timer.slotTick = Math.min(timer.due, this.#tick + SLOTS - 1);
    const slot = timer.slotTick % SLOTS;
    timer.next = this.#slots[slot]!;
    if (timer.next !== null) timer.next.previous = timer;
    this.#slots[slot] = timer;
    this.#count++;
  }

  #unlink(timer: Timer): void {
    if (timer.previous !== null) timer.previous.next = timer.next;
    else this.#slots[timer.slotTick % SLOTS] = timer.next;
    if (timer.next !== null) timer.next.previous = timer.previous;
    timer.next = timer.previous = null;
    timer.slotTick = -1;
    this.#count--;
  }

  #advance(): void {
    const now = Math.floor((performance.now() - this.#origin) / TICK);
    while (this.#tick < now && this.#count > 0) {
      this.#tick++;
      this.#fire(this.#tick % SLOTS);
    }
    this.#tick = now;
    if (this.#count === 0 && this.#interval !== null) {
      clearInterval(this.#interval);
      this.#interval = null;
    }
  }

  #fire(slot: number): void {
    // Whatever a timeout does to other timers of this slot, each is taken out before it is judged.
    for (let timer = this.#slots[slot]; timer; timer = this.#slots[slot]) {
      this.#unlink(timer);
      if (timer.due <= this.#tick) {
        timer.due = Infinity;
        timer.onTimeout();
      } else if (timer.due !== Infinity) {
        this.#link(timer);
      }
    }
  }
}
