// Numbers that look random and are the same for the same seed: what a fuzzer found can be had again.

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 to below `limit` (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * limit);
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** Positions from 1 to below `length` where a stream is cut, in order. */
  cuts(length: number, most: number): number[] {
    if (length < 2) return [];
    const count = 1 + this.below(most);
    const cuts = Array.from({ length: count }, () => 1 + this.below(length - 1));
    return [...new Set(cuts)].toSorted((a, b) => a - b);
  }
}
