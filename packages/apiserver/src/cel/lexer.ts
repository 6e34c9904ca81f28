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

const space = /(?:[\t\n\f\r ]+|\/\/[^\n]*)+/;
const rawText = /(?:[rR][bB]?|[bB][rR])(?:"""[^]*?"""|'''[^]*?'''|"[^"\n\r]*"|'[^'\n\r]*')/;
const text = /[bB]?(?:"""(?:[^\\]|\\[^])*?"""|'''(?:[^\\]|\\[^])*?'''|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')/;
const number = /0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?[uU]?/;
const identifier = /[A-Za-z_][A-Za-z0-9_]*/;
const operator = /\.\?|\[\?|&&|\|\||[<>=!]=|[-+*/%!<>?:.,()[\]{}]/;

/** One group for each kind of token, in this order. */
const anyToken = new RegExp(
  [space, rawText, text, number, identifier, operator].map(({ source }) => `(${source})`).join("|"),
  "y",
);

/** Throws CelSyntaxError for characters that start no token, bad escapes and numbers out of range. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  anyToken.lastIndex = 0;
  for (let at = 0; at < source.length; at = anyToken.lastIndex) {
    const found = anyToken.exec(source);
    if (!found) throw new CelSyntaxError(`Syntax error: token recognition error at: '${source[at] ?? ""}'`, at);
    const [whole, blank, raw, quoted, digits, name] = found;
    if (blank !== undefined) continue;
    if (name !== undefined) tokens.push({ type: "identifier", text: name, at });
    else if (raw !== undefined) tokens.push({ type: "literal", text: raw, value: rawValue(raw), at });
    else if (quoted !== undefined) tokens.push({ type: "literal", text: quoted, value: textValue(quoted, at), at });
    else if (digits !== undefined) tokens.push({ type: "literal", text: digits, value: numberValue(digits, at), at });
    else tokens.push({ type: "operator", text: whole, at });
  }
  tokens.push({ type: "end", text: "<EOF>", at: source.length });
  return tokens;
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

/** What stands between the quotes, which are one or three. */
function unquoted(quoted: string): string {
  const quotes = /^(?:"""|''')/.test(quoted) && quoted.length >= 6 ? 3 : 1;
  return quoted.slice(quotes, -quotes);
}

function rawValue(token: string): Value {
  const prefix = /^[a-zA-Z]+/.exec(token)?.[0] ?? "";
  const body = unquoted(token.slice(prefix.length));
  return /b/i.test(prefix) ? Buffer.from(body) : body;
}

function textValue(token: string, at: number): Value {
  if (!/^b/i.test(token)) return unescapeText(unquoted(token), false, at);
  return Buffer.from(unescapeText(unquoted(token.slice(1)), true, at), "latin1");
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
  if (!isBytes && !body.includes("\\")) return body;
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
    if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
      throw new CelSyntaxError(`Syntax error: invalid escape '${whole}'`, at);
    }
    return bytesOf(String.fromCodePoint(point));
  });
}
