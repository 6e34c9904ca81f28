// From the text of an expression to its tokens.

import { CelSyntaxError } from "./syntax.ts";
import { Uint, type Value } from "./values.ts";

/** `literal` carries a value; `operator` includes brackets, dots and commas; `end` closes every list of tokens. */
export interface Token {
  type: "literal" | "identifier" | "operator" | "end";
  text: string;
  value?: Value;
  at: number;
}

const space = /(?:[\t\n\f\r ]+|\/\/[^\n]*)+/y;
const identifier = /[A-Za-z_][A-Za-z0-9_]*/y;
const number = /0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?[uU]?/y;
const text =
  /([rRbB]{0,2})("""[^]*?(?<!\\)(?:\\\\)*"""|'''[^]*?(?<!\\)(?:\\\\)*'''|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')/y;
const rawText = /[rRbB]{1,2}("""[^]*?"""|'''[^]*?'''|"[^"\n\r]*"|'[^'\n\r]*')/y;
const operator = /\.\?|\[\?|&&|\|\||[<>=!]=|[-+*/%!<>?:.,()[\]{}]/y;

/** Throws CelSyntaxError for characters that start no token, bad escapes and numbers out of range. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(source);
  };
  while (at < source.length) {
    const blank = match(space);
    if (blank) {
      at += blank[0].length;
      continue;
    }
    const token = textToken(source, at, match) ?? plainToken(at, match);
    if (!token) throw new CelSyntaxError(`Syntax error: token recognition error at: '${source[at] ?? ""}'`, at);
    tokens.push(token);
    at += token.text.length;
  }
  tokens.push({ type: "end", text: "<EOF>", at: source.length });
  return tokens;
}

type Match = (pattern: RegExp) => RegExpExecArray | null;

function plainToken(at: number, match: Match): Token | undefined {
  const digits = match(number);
  if (digits) return { type: "literal", text: digits[0], value: numberValue(digits[0], at), at };
  const name = match(identifier);
  if (name) return { type: "identifier", text: name[0], at };
  const sign = match(operator);
  return sign ? { type: "operator", text: sign[0], at } : undefined;
}

const int64Limit = 2n ** 63n;

function numberValue(digits: string, at: number): Value {
  const isHex = /^0x/i.test(digits);
  if (!isHex && /[.eE]/.test(digits)) {
    if (/u$/i.test(digits)) throw new CelSyntaxError("Syntax error: invalid uint literal", at);
    return Number(digits);
  }
  const isUint = /u$/i.test(digits);
  const value = BigInt(isUint ? digits.slice(0, -1) : digits);
  if (isUint) {
    if (value >= 2n ** 64n) throw new CelSyntaxError("Syntax error: invalid uint literal", at);
    return new Uint(value);
  }
  // One more than fits: the parser folds a leading minus into the literal and checks again.
  if (value > int64Limit) throw new CelSyntaxError("Syntax error: invalid int literal", at);
  return value;
}

function textToken(source: string, at: number, match: Match): Token | undefined {
  const prefix = /^[rRbB]{0,2}(?=["'])/.exec(source.slice(at, at + 3))?.[0];
  if (prefix === undefined) return undefined;
  const isRaw = /r/i.test(prefix);
  const found = match(isRaw ? rawText : text);
  if (!found) throw new CelSyntaxError(`Syntax error: token recognition error at: '${source[at] ?? ""}'`, at);
  const quoted = (isRaw ? found[1] : found[2]) ?? "";
  const quotes = /^(?:"""|''')/.test(quoted) && quoted.length >= 6 ? 3 : 1;
  const body = quoted.slice(quotes, -quotes);
  const isBytes = /b/i.test(prefix);
  let value: Value = isRaw ? body : unescapeText(body, isBytes, at);
  if (isBytes) value = isRaw ? Buffer.from(body) : Buffer.from(value, "latin1");
  return { type: "literal", text: found[0], value, at };
}

const simpleEscapes: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "?": "?",
  '"': '"',
  "'": "'",
  "`": "`",
};

const escape = /\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([^]?))|[^\\]+/g;

/** The text behind the escapes; for bytes one character for each byte. */
function unescapeText(body: string, isBytes: boolean, at: number): string {
  const bytesOf = (plain: string): string => (isBytes ? Buffer.from(plain).toString("latin1") : plain);
  return body.replace(escape, (whole, hex?: string, short?: string, long?: string, octal?: string, simple?: string) => {
    if (whole[0] !== "\\") return bytesOf(whole);
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    const code = short ?? long;
    if (code === undefined) {
      const plain = simpleEscapes[simple ?? ""];
      if (plain === undefined) throw new CelSyntaxError(`Syntax error: invalid escape '${whole}'`, at);
      return plain;
    }
    const point = Number.parseInt(code, 16);
    if (isBytes || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
      throw new CelSyntaxError(`Syntax error: invalid escape '${whole}'`, at);
    }
    return String.fromCodePoint(point);
  });
}
