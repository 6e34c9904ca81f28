// Runs RE2 expressions in time linear to the text, whatever the expression (Thompson's simulation with prioritised threads, as
// RE2 itself does): JavaScript's engine could be kept busy for years by a rule like `(a+)+$`.

import { type Assertion, type CharClass, isWord, parsePattern, type Pattern } from "./pattern.ts";

/** What bounds the work of one search: every step is paid for. */
export interface Meter {
  /** Takes `units`, about one for two steps of the program; throws when they are not there. */
  spend(units: number): void;
}

export type Step =
  | { op: "char"; test: CharClass }
  | { op: "assert"; assertion: Assertion }
  /** The first branch is preferred. */
  | { op: "split"; first: number; second: number }
  | { op: "jump"; to: number }
  | { op: "match" };

/** Expressions that come to more are refused. */
export const maxSteps = 20_000;
const cacheSize = 500;
const cache = new Map<string, Program>();

/** The program for `source`, compiled once. Throws SyntaxError for what RE2 does not accept. */
export function compileRe2(source: string): Program {
  const known = cache.get(source);
  if (known) return known;
  if (cache.size >= cacheSize) cache.clear();
  const program = new Program(source);
  cache.set(source, program);
  return program;
}

interface Thread {
  step: number;
  start: number;
}

export class Program {
  readonly #steps: Step[] = [];

  /** Where a search begins with step 0; a character's or assertion's successor is the step behind it. */
  get steps(): readonly Step[] {
    return this.#steps;
  }

  constructor(source: string) {
    this.#emit(parsePattern(source));
    this.#add({ op: "match" });
  }

  /** True when the expression matches anywhere in `text`. Throws what `meter` throws. */
  test(text: string, meter: Meter): boolean {
    return this.find(Array.from(text), 0, meter, true) !== undefined;
  }

  /**
   * The first match at or after `from`, as [start, end) in code points; `shortest` stops at the first that is found, whose end
   * then means nothing. Throws what `meter` throws.
   */
  find(text: readonly string[], from: number, meter: Meter, shortest = false): [number, number] | undefined {
    let threads: Thread[] = [];
    let found: [number, number] | undefined;
    for (let at = from; at <= text.length; at++) {
      const seen = new Set<number>();
      const ready: Thread[] = [];
      // A match that began earlier wins, so new threads come last, and none once there is a match.
      for (const { step, start } of threads) this.#follow(step, start, at, text, seen, ready);
      if (!found) this.#follow(0, at, at, text, seen, ready);
      meter.spend(1 + seen.size / 2);
      threads = [];
      const code = text[at]?.codePointAt(0);
      for (const { step, start } of ready) {
        const current = this.#steps[step] as Step;
        if (current.op === "match") {
          found = [start, at];
          if (shortest) return found;
          break;
        }
        if (current.op === "char" && code !== undefined && current.test(code)) threads.push({ step: step + 1, start });
      }
      if (found && threads.length === 0) return found;
    }
    return found;
  }

  /** Collects in order of preference the steps that read a character or match, reachable from `from` without reading. */
  #follow(from: number, start: number, at: number, text: readonly string[], seen: Set<number>, ready: Thread[]): void {
    const stack = [from];
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      if (seen.has(index)) continue;
      seen.add(index);
      const step = this.#steps[index] as Step;
      if (step.op === "jump") stack.push(step.to);
      else if (step.op === "split") stack.push(step.second, step.first);
      else if (step.op === "assert") {
        if (holds(step.assertion, at, text)) stack.push(index + 1);
      } else ready.push({ step: index, start });
    }
  }

  #add(step: Step): number {
    if (this.#steps.length >= maxSteps) throw new SyntaxError("error parsing regexp: expression too large");
    return this.#steps.push(step) - 1;
  }

  #emit(pattern: Pattern): void {
    switch (pattern.kind) {
      case "char":
        this.#add({ op: "char", test: pattern.test });
        break;
      case "assert":
        this.#add({ op: "assert", assertion: pattern.assertion });
        break;
      case "sequence":
        for (const part of pattern.parts) this.#emit(part);
        break;
      case "choice":
        this.#emitChoice(pattern.parts);
        break;
      case "repeat":
        this.#emitRepeat(pattern);
        break;
    }
  }

  #split(): { op: "split"; first: number; second: number } {
    const split = { op: "split" as const, first: 0, second: 0 };
    this.#add(split);
    return split;
  }

  #emitChoice(parts: Pattern[]): void {
    const jumps: { op: "jump"; to: number }[] = [];
    parts.forEach((part, index) => {
      if (index === parts.length - 1) return this.#emit(part);
      const split = this.#split();
      split.first = this.#steps.length;
      this.#emit(part);
      const jump = { op: "jump" as const, to: 0 };
      jumps.push(jump);
      this.#add(jump);
      split.second = this.#steps.length;
    });
    for (const jump of jumps) jump.to = this.#steps.length;
  }

  #emitRepeat({ part, min, max, lazy }: Extract<Pattern, { kind: "repeat" }>): void {
    for (let times = 0; times < min; times++) this.#emit(part);
    const splits: { first: number; second: number }[] = [];
    const optional = max === Infinity ? 1 : max - min;
    for (let times = 0; times < optional; times++) {
      const at = this.#steps.length;
      const split = this.#split();
      splits.push(split);
      this.#branch(split, lazy, at + 1, 0);
      this.#emit(part);
      if (max === Infinity) this.#add({ op: "jump", to: at });
    }
    for (const split of splits) {
      if (lazy) split.first = this.#steps.length;
      else split.second = this.#steps.length;
    }
  }

  #branch(split: { first: number; second: number }, lazy: boolean, body: number, after: number): void {
    [split.first, split.second] = lazy ? [after, body] : [body, after];
  }
}

function holds(assertion: Assertion, at: number, text: readonly string[]): boolean {
  const [before, after] = [text[at - 1], text[at]];
  switch (assertion) {
    case "textStart":
      return at === 0;
    case "textEnd":
      return at === text.length;
    case "lineStart":
      return at === 0 || before === "\n";
    case "lineEnd":
      return at === text.length || after === "\n";
    default: {
      const atBoundary = wordAt(before) !== wordAt(after);
      return assertion === "word" ? atBoundary : !atBoundary;
    }
  }
}

function wordAt(char: string | undefined): boolean {
  return char !== undefined && isWord(char.codePointAt(0) ?? 0);
}
