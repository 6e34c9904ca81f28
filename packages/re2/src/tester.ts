// Says whether an RE2 expression matches anywhere in a text, fast enough for every request of a gateway: the sets of places the
// program can be at become the states of an automaton that is built while it runs (as in RE2 itself). A known state costs one
// look-up per character, a new one what Thompson's simulation costs: time is linear in the text whatever the expression.

import { isWord } from "./pattern.ts";
import { compileRe2 } from "./program.ts";
import { Beside, StepTable } from "./step-table.ts";

/** Characters with a place in the table of transitions; others are looked up in a map. */
const TABLE = 128;
/** States beyond which all are forgotten: half a megabyte of transitions. */
const MOST_STATES = 1_024;
/** Steps that states may go on from, together. */
const MOST_PLACES = 100_000;

/** Instead of a state: not known yet, everything from here on matches, nothing does. */
const UNKNOWN = 0;
const MATCHED = 1;
const DEAD = 2;
const START = 3;

const NOWHERE: readonly number[] = [];

/** A set of places between two characters: what was read last, and the steps to go on from beside the first one. */
interface Place {
  before: number;
  from: readonly number[];
  /** Whether the text may end here as a match. */
  matchesAtEnd: boolean | undefined;
}

const placeOf = (before: number, from: readonly number[]): Place => ({ before, from, matchesAtEnd: undefined });

export class Re2Tester {
  readonly #steps: StepTable;
  /** It only matches at the start of a text. */
  readonly #anchored: boolean;
  #places: Place[] = [];
  #byKey = new Map<string, number>();
  /** State times TABLE plus character -> state. */
  #table = new Int32Array(8 * TABLE);
  /** The same for other characters. */
  #others = new Map<number, number>();
  #sum = 0;

  /** Throws SyntaxError for what RE2 does not accept, and for what comes to more than `mostSteps` (about one for each character
   * of the expression once its counted repetitions are written out), of which each may be taken at each character of a text. */
  constructor(source: string, mostSteps: number) {
    const { steps } = compileRe2(source);
    if (steps.length > mostSteps) throw new SyntaxError(`error parsing regexp: expression too large: \`${source}\``);
    this.#steps = new StepTable(steps);
    this.#anchored = isAnchored(this.#steps);
    this.#forget();
  }

  #forget(): void {
    const start = placeOf(Beside.edge, NOWHERE);
    this.#places = [start, start, start, start];
    this.#byKey = new Map();
    this.#table.fill(UNKNOWN);
    this.#others = new Map();
    this.#sum = 0;
  }

  /** Whether the expression matches anywhere in `text`. */
  test(text: string): boolean {
    let table = this.#table;
    let state: number = START;
    let at = 0;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      const known = code < TABLE ? table[state * TABLE + code]! : UNKNOWN;
      if (known > DEAD) {
        state = known;
        at++;
        continue;
      }
      if (known !== UNKNOWN) return known === MATCHED;
      if (this.#sum > MOST_PLACES || this.#places.length > MOST_STATES) {
        const place = this.#places[state]!;
        this.#forget();
        // An expression that comes to new states all the time gains nothing by remembering them.
        return this.#simulate(text, at, place);
      }
      const whole = text.codePointAt(at)!;
      at += whole > 0xffff ? 2 : 1;
      state = this.#next(state, whole);
      if (state <= DEAD) return state === MATCHED;
      table = this.#table;
    }
    const place = this.#places[state]!;
    return (place.matchesAtEnd ??= this.#steps.follow(place.before, Beside.edge, place.from));
  }

  #next(state: number, code: number): number {
    // Code points end below 2^21.
    const key = state * 2 ** 21 + code;
    const known = code < TABLE ? undefined : this.#others.get(key);
    if (known !== undefined) return known;
    const next = this.#build(this.#places[state]!, code);
    if (code < TABLE) this.#table[state * TABLE + code] = next;
    else this.#others.set(key, next);
    this.#sum++;
    return next;
  }

  #build(place: Place, code: number): number {
    const kind = kindOf(code);
    if (this.#steps.follow(place.before, kind, place.from)) return MATCHED;
    const from = this.#steps.read(code);
    if (from.length === 0 && this.#anchored) return DEAD;
    from.sort((a, b) => a - b);
    const key = `${kind}:${from.join()}`;
    let next = this.#byKey.get(key);
    if (next === undefined) {
      next = this.#places.push(placeOf(kind, from)) - 1;
      this.#byKey.set(key, next);
      this.#sum += from.length;
      if ((next + 1) * TABLE > this.#table.length) this.#grow();
    }
    return next;
  }

  #grow(): void {
    const grown = new Int32Array(this.#table.length * 2);
    grown.set(this.#table);
    this.#table = grown;
  }

  /** Goes through the text from `at` without remembering states. */
  #simulate(text: string, start: number, { before, from }: Place): boolean {
    let at = start;
    let places = from;
    let last = before;
    while (at < text.length) {
      const code = text.codePointAt(at)!;
      at += code > 0xffff ? 2 : 1;
      const kind = kindOf(code);
      if (this.#steps.follow(last, kind, places)) return true;
      places = this.#steps.read(code);
      if (places.length === 0 && this.#anchored) return false;
      last = kind;
    }
    return this.#steps.follow(last, Beside.edge, places);
  }
}

function kindOf(code: number): number {
  if (code === 10) return Beside.newline;
  return isWord(code) ? Beside.word : Beside.other;
}

function isAnchored(steps: StepTable): boolean {
  const inside = [Beside.newline, Beside.word, Beside.other];
  return inside.every((before) =>
    [...inside, Beside.edge].every((after) => !steps.follow(before, after, NOWHERE) && steps.reading === 0),
  );
}
