// Numbers that look random and are the same for the same seed, so that a failure can be repeated.

export interface Random {
  /** From 0 up to, not including, `end`. */
  below(end: number): number;
  /** True in one of `n` cases. */
  once(n: number): boolean;
  pick<T>(choices: readonly T[]): T;
  /** `least` to `most` things made one by one. */
  list<T>(least: number, most: number, make: (position: number) => T): T[];
}

export function createRandom(seed: number): Random {
  let state = seed;
  const below = (end: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  };
  return {
    below,
    once: (n) => below(n) === 0,
    pick: <T>(choices: readonly T[]): T => choices[below(choices.length)] as T,
    list: (least, most, make) => Array.from({ length: least + below(most - least + 1) }, (_, at) => make(at)),
  };
}
