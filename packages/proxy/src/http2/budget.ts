// What a peer may do often but not without end: a bucket of tokens that fills at a steady rate.

export class Budget {
  readonly #most: number;
  readonly #perMillisecond: number;
  #tokens: number;
  #filledAt: number;

  /** `burst` at once, `perSecond` in the long run. */
  constructor({ burst, perSecond }: { burst: number; perSecond: number }, now: number) {
    this.#most = this.#tokens = burst;
    this.#perMillisecond = perSecond / 1000;
    this.#filledAt = now;
  }

  /** Gives back: what the peer does otherwise makes up for it. */
  earn(tokens: number): void {
    this.#tokens = Math.min(this.#most, this.#tokens + tokens);
  }

  /** Takes one. False: there is none left. `now` as of performance.now(). */
  spend(now: number): boolean {
    const filled = this.#tokens + (now - this.#filledAt) * this.#perMillisecond;
    this.#filledAt = now;
    this.#tokens = Math.min(this.#most, filled) - 1;
    if (this.#tokens >= 0) return true;
    this.#tokens = 0;
    return false;
  }
}
