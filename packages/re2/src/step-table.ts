// A program's steps as tables of numbers, and one step of Thompson's simulation over them: which steps can be reached without
// reading, and which of those read a given character.

import type { Assertion, CharClass } from "./pattern.ts";
import type { Step } from "./program.ts";

const Op = { char: 0, jump: 1, split: 2, assert: 3, match: 4 } as const;

const ASSERTIONS: Assertion[] = ["textStart", "textEnd", "lineStart", "lineEnd", "word", "notWord"];

/** What lies beside a position, as far as assertions tell it apart. */
export const Beside = { edge: 0, newline: 1, word: 2, other: 3 } as const;

/** Which of the first 256 characters are of a class. */
const KNOWN = 256;

export class StepTable {
  readonly #ops: Uint8Array;
  /** Of a jump or split: where to; of a character: which class; of an assertion: which. */
  readonly #first: Int32Array;
  readonly #second: Int32Array;
  readonly #classes: CharClass[] = [];
  /** By class and character. */
  readonly #members: Uint8Array;
  /** By step: the number of the walk that has seen it last. */
  readonly #seen: Uint32Array;
  #walk = 0;
  readonly #stack: Int32Array;
  readonly #reading: Int32Array;
  /** How many steps read a character, by the last `follow`. */
  reading = 0;

  constructor(steps: readonly Step[]) {
    const count = steps.length;
    this.#ops = Uint8Array.from(steps, ({ op }) => Op[op]);
    this.#first = new Int32Array(count);
    this.#second = new Int32Array(count);
    this.#seen = new Uint32Array(count);
    this.#reading = new Int32Array(count);
    // Each step is expanded once per walk and leaves at most two.
    this.#stack = new Int32Array(count * 2 + 1);
    const numbers = new Map<CharClass, number>();
    for (const [at, step] of steps.entries()) {
      if (step.op === "jump") this.#first[at] = step.to;
      else if (step.op === "assert") this.#first[at] = ASSERTIONS.indexOf(step.assertion);
      else if (step.op === "split") {
        this.#first[at] = step.first;
        this.#second[at] = step.second;
      } else if (step.op === "char") {
        // A repetition holds the same class many times.
        const known = numbers.get(step.test) ?? this.#classes.push(step.test) - 1;
        numbers.set(step.test, known);
        this.#first[at] = known;
      }
    }
    this.#members = new Uint8Array(this.#classes.length * KNOWN);
    for (const [number, test] of this.#classes.entries()) {
      for (let code = 0; code < KNOWN; code++) this.#members[number * KNOWN + code] = test(code) ? 1 : 0;
    }
  }

  /** Finds the steps that read a character, reachable without reading from the first step and from those in `from`, between
   * what `before` and `after` stand for. True when the expression has matched there. */
  follow(before: number, after: number, from: readonly number[]): boolean {
    this.#walk++;
    this.reading = 0;
    for (const index of from) if (this.#walkFrom(index, before, after)) return true;
    // A match may begin anywhere.
    return this.#walkFrom(0, before, after);
  }

  #walkFrom(start: number, before: number, after: number): boolean {
    const stack = this.#stack;
    let height = 0;
    let index = start;
    for (;;) {
      if (this.#seen[index] !== this.#walk) {
        this.#seen[index] = this.#walk;
        switch (this.#ops[index]) {
          case Op.char:
            this.#reading[this.reading++] = index;
            break;
          case Op.jump:
            index = this.#first[index]!;
            continue;
          case Op.split:
            stack[height++] = this.#second[index]!;
            index = this.#first[index]!;
            continue;
          case Op.match:
            return true;
          default:
            if (holds(this.#first[index]!, before, after)) {
              index++;
              continue;
            }
        }
      }
      if (height === 0) return false;
      index = stack[--height]!;
    }
  }

  /** Of the steps found last, those that read `code`: where they lead. */
  read(code: number): number[] {
    const next: number[] = [];
    for (let at = 0; at < this.reading; at++) {
      const index = this.#reading[at]!;
      const number = this.#first[index]!;
      const fits = code < KNOWN ? this.#members[number * KNOWN + code] === 1 : this.#classes[number]!(code);
      if (fits) next.push(index + 1);
    }
    return next;
  }
}

function holds(assertion: number, before: number, after: number): boolean {
  switch (ASSERTIONS[assertion]!) {
    case "textStart":
      return before === Beside.edge;
    case "textEnd":
      return after === Beside.edge;
    case "lineStart":
      return before <= Beside.newline;
    case "lineEnd":
      return after <= Beside.newline;
    case "word":
      return (before === Beside.word) !== (after === Beside.word);
    case "notWord":
      return (before === Beside.word) === (after === Beside.word);
  }
}
