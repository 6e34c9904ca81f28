// One coarse timer for everything that can time out. Arming is a few assignments; an entry that was only prolonged is
// not moved but looked at again when its old slot comes up.

import { performance } from "node:perf_hooks";

/** Resolution in milliseconds: a timer fires at most one of these early, and up to two late. One that was armed while the event loop was
 * blocked counts from the end of that. */
const TICK = 50;
const SLOTS = 1024;

/** Embed one per connection or exchange. */
export class Timer {
  readonly onTimeout: () => void;
  /** Tick at which it fires, Infinity when disarmed. */
  due = Infinity;
  /** What the time was taken for when it was armed. */
  armed = 0;
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
  /** What the clock said when it was last looked at: once in a tick, unless the event loop is blocked. */
  #tick = 0;
  /** Slots have been emptied up to this tick. */
  #turned = 0;
  #count = 0;
  #interval: NodeJS.Timeout | null = null;
  #origin = 0;

  /** Fires `timer` once, `milliseconds` from now; replaces what it was armed for. */
  arm(timer: Timer, milliseconds: number): void {
    if (this.#interval === null) this.#start();
    timer.armed = this.#tick;
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
    timer.slotTick = Math.min(timer.due, this.#turned + SLOTS - 1);
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
    const before = this.#tick;
    // What timeouts arm counts from now, not from when they were due.
    this.#tick = Math.floor((performance.now() - this.#origin) / TICK);
    if (this.#tick - before > 1) this.#delay(before, this.#tick - before);
    while (this.#turned < this.#tick && this.#count > 0) {
      this.#turned++;
      this.#fire(this.#turned % SLOTS);
    }
    this.#turned = this.#tick;
    if (this.#count === 0 && this.#interval !== null) {
      clearInterval(this.#interval);
      this.#interval = null;
    }
  }

  /** The clock was not looked at for `ticks`: what was armed at `since`, as it was thought, may have been armed just now. */
  #delay(since: number, ticks: number): void {
    for (const slot of this.#slots)
      for (let timer = slot; timer !== null; timer = timer.next) if (timer.armed === since) timer.due += ticks;
  }

  #fire(slot: number): void {
    // Whatever a timeout does to other timers of this slot, each is taken out before it is judged.
    for (let timer = this.#slots[slot]; timer; timer = this.#slots[slot]) {
      this.#unlink(timer);
      if (timer.due <= this.#turned) {
        timer.due = Infinity;
        timer.onTimeout();
      } else if (timer.due !== Infinity) {
        this.#link(timer);
      }
    }
  }
}
