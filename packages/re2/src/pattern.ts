// The syntax of RE2 expressions as a tree (https://github.com/google/re2/wiki/Syntax). Groups are not captured.

/** True when the code point is one of the class. */
export type CharClass = (code: number) => boolean;
export type Assertion = "textStart" | "textEnd" | "lineStart" | "lineEnd" | "word" | "notWord";

export type Pattern =
  | { kind: "char"; test: CharClass }
  | { kind: "assert"; assertion: Assertion }
  | { kind: "sequence" | "choice"; parts: Pattern[] }
  /** At most `max` times, forever when it is Infinity. */
  | { kind: "repeat"; part: Pattern; min: number; max: number; lazy: boolean };

interface Flags {
  ignoreCase: boolean;
  multiLine: boolean;
  dotAll: boolean;
  ungreedy: boolean;
}

const maxRepeat = 1000;
const maxDepth = 200;

/** Throws SyntaxError for what RE2 does not accept. */
export function parsePattern(source: string): Pattern {
  return new PatternParser(source).parse();
}

type Range = [number, number];

const inRanges =
  (ranges: readonly Range[]): CharClass =>
  (code) =>
    ranges.some(([low, high]) => code >= low && code <= high);

const rangesOf = (pairs: string): Range[] =>
  (pairs.match(/[^]{2}/gu) ?? []).map((pair) => [pair.codePointAt(0) ?? 0, pair.codePointAt(1) ?? 0]);

const perl: Record<string, CharClass> = {
  d: inRanges(rangesOf("09")),
  s: inRanges(rangesOf("\t\n\f\r  ")),
  w: inRanges(rangesOf("09AZaz__")),
};

const posix: Record<string, string> = {
  alnum: "09AZaz",
  alpha: "AZaz",
  ascii: "\x00\x7f",
  blank: "\t\t  ",
  cntrl: "\x00\x1f\x7f\x7f",
  digit: "09",
  graph: "!~",
  lower: "az",
  print: " ~",
  punct: "!/:@[`{~",
  space: "\t\r  ",
  upper: "AZ",
  word: "09AZaz__",
  xdigit: "09AFaf",
};

export const isWord = perl["w"] as CharClass;

const not =
  (test: CharClass): CharClass =>
  (code) =>
    !test(code);

function ignoringCase(test: CharClass): CharClass {
  return (code) => {
    if (test(code)) return true;
    const text = String.fromCodePoint(code);
    return [text.toLowerCase(), text.toUpperCase()].some(
      (other) => other.length === text.length && test(other.codePointAt(0) ?? 0),
    );
  };
}

const controls: Record<string, number> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };
const assertions: Record<string, Assertion> = { A: "textStart", z: "textEnd", b: "word", B: "notWord" };

class PatternParser {
  readonly #source: string;
  #at = 0;
  #depth = 0;
  #flags: Flags = { ignoreCase: false, multiLine: false, dotAll: false, ungreedy: false };

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Pattern {
    const pattern = this.#choice();
    if (this.#at < this.#source.length) throw this.#fault("unexpected )");
    return pattern;
  }

  #fault(what: string): SyntaxError {
    return new SyntaxError(`error parsing regexp: ${what}: \`${this.#source}\``);
  }

  #peek(offset = 0): string {
    return this.#source[this.#at + offset] ?? "";
  }

  #accept(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  /** What the sticky `pattern` finds here. */
  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#source);
  }

  #choice(): Pattern {
    if (++this.#depth > maxDepth) throw this.#fault("expression nests too deeply");
    const outer = this.#flags;
    const parts = [this.#sequence()];
    while (this.#accept("|")) parts.push(this.#sequence());
    this.#flags = outer;
    this.#depth--;
    return parts.length === 1 ? (parts[0] as Pattern) : { kind: "choice", parts };
  }

  #sequence(): Pattern {
    const parts: Pattern[] = [];
    while (this.#at < this.#source.length && this.#peek() !== "|" && this.#peek() !== ")") {
      parts.push(...this.#literalText(), ...this.#repeated());
    }
    return { kind: "sequence", parts };
  }

  /** `\Q...\E`. */
  #literalText(): Pattern[] {
    if (!this.#accept("\\Q")) return [];
    const parts: Pattern[] = [];
    while (this.#at < this.#source.length && !this.#accept("\\E")) parts.push(this.#char(this.#next()));
    return parts;
  }

  #next(): number {
    const code = this.#source.codePointAt(this.#at) ?? 0;
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  #char(code: number): Pattern {
    const test: CharClass = (other) => other === code;
    return { kind: "char", test: this.#flags.ignoreCase ? ignoringCase(test) : test };
  }

  #class(test: CharClass): Pattern {
    return { kind: "char", test };
  }

  #repeated(): Pattern[] {
    if (this.#at >= this.#source.length || this.#peek() === "|" || this.#peek() === ")") return [];
    let part = this.#atom();
    if (!part) return [];
    for (let times = 0, count = this.#count(); count; times++, count = this.#count()) {
      if (times > 0) throw this.#fault("invalid nested repetition operator");
      part = { kind: "repeat", part, ...count };
    }
    return [part];
  }

  #count(): { min: number; max: number; lazy: boolean } | undefined {
    const counts: Record<string, [number, number]> = { "*": [0, Infinity], "+": [1, Infinity], "?": [0, 1] };
    let range = Object.hasOwn(counts, this.#peek()) ? counts[this.#peek()] : undefined;
    if (range) this.#at++;
    else {
      const found = this.#peek() === "{" ? this.#match(/\{(\d{1,4})(,(\d{1,4})?)?\}/y) : null;
      if (!found) return undefined;
      const min = Number(found[1]);
      range = [min, found[2] === undefined ? min : found[3] === undefined ? Infinity : Number(found[3])];
      if (min > maxRepeat || range[1] < min || (range[1] !== Infinity && range[1] > maxRepeat)) {
        throw this.#fault("invalid repeat count");
      }
      this.#at += found[0].length;
    }
    return { min: range[0], max: range[1], lazy: this.#accept("?") !== this.#flags.ungreedy };
  }

  /** Undefined for what matches nothing on its own, such as flags. */
  #atom(): Pattern | undefined {
    const char = this.#peek();
    if (char === "(") return this.#group();
    if (char === "[") return this.#class(this.#bracket());
    if (char === "\\") return this.#escape();
    if (/[*+?]/.test(char)) throw this.#fault("missing argument to repetition operator");
    const { multiLine, dotAll } = this.#flags;
    const code = this.#next();
    if (char === "^") return { kind: "assert", assertion: multiLine ? "lineStart" : "textStart" };
    if (char === "$") return { kind: "assert", assertion: multiLine ? "lineEnd" : "textEnd" };
    if (char === ".") return this.#class((code) => dotAll || code !== 10);
    return this.#char(code);
  }

  #group(): Pattern | undefined {
    const head = this.#match(/\((?:\?(?:P?<(\w+)>|([imsU]*(?:-[imsU]+)?)([:)])))?/y);
    const [whole = "(", , flags, end] = head ?? [];
    if (whole === "(" && this.#peek(1) === "?") throw this.#fault("invalid or unsupported Perl syntax");
    this.#at += whole.length;
    const outer = this.#flags;
    if (flags) this.#setFlags(flags);
    if (end === ")") return undefined;
    const pattern = this.#choice();
    if (!this.#accept(")")) throw this.#fault("missing closing )");
    this.#flags = outer;
    return pattern;
  }

  #setFlags(text: string): void {
    const [on = "", off = ""] = text.split("-");
    const flags = { ...this.#flags };
    const names = { i: "ignoreCase", m: "multiLine", s: "dotAll", U: "ungreedy" } as const;
    for (const [letter, name] of Object.entries(names)) {
      if (on.includes(letter)) flags[name] = true;
      if (off.includes(letter)) flags[name] = false;
    }
    this.#flags = flags;
  }

  #escape(): Pattern {
    const letter = this.#peek(1);
    const assertion = Object.hasOwn(assertions, letter) ? assertions[letter] : undefined;
    if (assertion) {
      this.#at += 2;
      return { kind: "assert", assertion };
    }
    const test = this.#escapedClass();
    return test ? this.#class(test) : this.#char(this.#escapedCode());
  }

  /** `\d`, `\W`, `\pL`, `\P{Greek}`; undefined when the escape is no class. */
  #escapedClass(): CharClass | undefined {
    const letter = this.#peek(1);
    const named = Object.hasOwn(perl, letter.toLowerCase()) ? perl[letter.toLowerCase()] : undefined;
    if (named) {
      this.#at += 2;
      return letter === letter.toLowerCase() ? named : not(named);
    }
    if (letter !== "p" && letter !== "P") return undefined;
    const found = this.#match(/\\[pP](?:([A-Z])|\{(\^?)(\w+)\})/y);
    const name = found?.[1] ?? found?.[3] ?? "";
    const expression = propertyExpression(name);
    if (!found || !expression) throw this.#fault("invalid character class range");
    this.#at += found[0].length;
    const test: CharClass = (code) => expression.test(String.fromCodePoint(code));
    return (letter === "P") !== (found[2] === "^") ? not(test) : test;
  }

  #escapedCode(): number {
    const letter = this.#peek(1);
    const hex = this.#match(/\\x(?:\{([0-9a-fA-F]{1,8})\}|([0-9a-fA-F]{2}))/y);
    const octal = this.#match(/\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/y);
    const digits = hex?.[1] ?? hex?.[2];
    if (hex && Number.parseInt(digits ?? "", 16) <= 0x10ffff) {
      this.#at += hex[0].length;
      return Number.parseInt(digits ?? "", 16);
    }
    if (octal) {
      this.#at += octal[0].length;
      return Number.parseInt(octal[1] ?? "", 8);
    }
    const control = Object.hasOwn(controls, letter) ? controls[letter] : undefined;
    if (letter === "") throw this.#fault("trailing backslash at end of expression");
    if (control === undefined && /[0-9A-Za-z]/.test(letter)) throw this.#fault("invalid escape sequence");
    this.#at++;
    const code = this.#next();
    return control ?? code;
  }

  #bracket(): CharClass {
    this.#at++;
    const negated = this.#accept("^");
    const tests: CharClass[] = [];
    const ranges: Range[] = [];
    for (let first = true; first || this.#peek() !== "]"; first = false) {
      if (this.#at >= this.#source.length) throw this.#fault("missing closing ]");
      const test = this.#posixClass() ?? (this.#peek() === "\\" ? this.#escapedClass() : undefined);
      if (test) tests.push(test);
      else ranges.push(this.#range());
    }
    this.#at++;
    tests.push(inRanges(ranges));
    const any: CharClass = (code) => tests.some((test) => test(code));
    const folded = this.#flags.ignoreCase ? ignoringCase(any) : any;
    return negated ? not(folded) : folded;
  }

  #posixClass(): CharClass | undefined {
    const found = this.#peek() === "[" ? this.#match(/\[:(\^?)([a-z]+):\]/y) : null;
    const pairs = found && posix[found[2] ?? ""];
    if (!found || !pairs) return undefined;
    this.#at += found[0].length;
    const test = inRanges(rangesOf(pairs));
    return found[1] ? not(test) : test;
  }

  #range(): Range {
    const low = this.#peek() === "\\" ? this.#escapedCode() : this.#next();
    if (this.#peek() !== "-" || this.#peek(1) === "]" || this.#peek(1) === "") return [low, low];
    this.#at++;
    const high = this.#peek() === "\\" ? this.#escapedCode() : this.#next();
    if (high < low) throw this.#fault("invalid character class range");
    return [low, high];
  }
}

/** RE2 takes general categories and scripts by their bare names. */
function propertyExpression(name: string): RegExp | undefined {
  for (const property of [name, `Script=${name}`]) {
    try {
      return new RegExp(`^\\p{${property}}$`, "u");
    } catch {
      // Not this kind of name.
    }
  }
  return undefined;
}
