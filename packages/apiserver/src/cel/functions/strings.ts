// Methods of texts: the standard ones, cel-go's strings extension and Kubernetes' regular expressions. Positions are code points.

import type { Meter } from "../../meter.ts";
import { compileRe2, type Program } from "@gatehouse/re2/program";
import { CelError, List, type Value } from "../values.ts";
import { formatText } from "./format-text.ts";
import { fn, method, type Overload } from "./overload.ts";

const astral = /[\uD800-\uDFFF]/;

/** The code points of `text`; paid for. */
function points(text: string, meter: Meter): string[] | string {
  meter.spendText(text.length);
  return astral.test(text) ? Array.from(text) : text;
}

function pointCount(text: string, meter: Meter): bigint {
  return BigInt(points(text, meter).length);
}

function joined(part: string | string[]): string {
  return typeof part === "string" ? part : part.join("");
}

function program(pattern: string): Program {
  try {
    return compileRe2(pattern);
  } catch (error) {
    throw new CelError((error as Error).message);
  }
}

function matches(text: string, pattern: string, meter: Meter): boolean {
  meter.spendText(pattern.length);
  return program(pattern).test(text, meter);
}

/** The matches from left to right, at most `limit` of them unless it is negative. */
function findAll(text: string, pattern: string, limit: bigint, meter: Meter): string[] {
  meter.spendText(pattern.length);
  const chars = Array.from(text);
  const found: string[] = [];
  const compiled = program(pattern);
  const most = limit < 0n ? Infinity : Number(limit);
  for (let from = 0; from <= chars.length && found.length < most;) {
    const match = compiled.find(chars, from, meter);
    if (!match) break;
    const [start, end] = match;
    found.push(chars.slice(start, end).join(""));
    from = end > start ? end : end + 1;
  }
  return found;
}

/** Looking for one text in another; `test` does it. */
function search(name: string, test: (text: string, part: string) => boolean): Overload {
  return method(`${name}(string, string)`, "bool", (text: string, part: string, meter: Meter) => {
    meter.spendText(text.length);
    return test(text, part);
  });
}

function charAt(text: string, index: bigint, meter: Meter): string {
  const chars = points(text, meter);
  if (index < 0n || index > BigInt(chars.length)) throw new CelError(`index out of range: ${index}`);
  return chars[Number(index)] ?? "";
}

function substring(text: string, start: bigint, end: bigint | undefined, meter: Meter): string {
  const chars = points(text, meter);
  const size = BigInt(chars.length);
  const last = end ?? size;
  if (last < 0n || last > size) throw new CelError(`index out of range: ${last}`);
  if (start < 0n || start > size) throw new CelError(`index out of range: ${start}`);
  if (start > last) throw new CelError(`invalid substring range. start: ${start}, end: ${last}`);
  return joined(chars.slice(Number(start), Number(last)));
}

/** Positions in code points, from those JavaScript finds in UTF-16 units. */
function indexOf(text: string, part: string, from: bigint, meter: Meter): bigint {
  const chars = points(text, meter);
  if (from < 0n || from > BigInt(chars.length)) throw new CelError(`index out of range: ${from}`);
  const units = joined(chars.slice(0, Number(from))).length;
  const found = text.indexOf(part, units);
  return found < 0 ? -1n : BigInt(Array.from(text.slice(0, found)).length);
}

function lastIndexOf(text: string, part: string, from: bigint | undefined, meter: Meter): bigint {
  const chars = points(text, meter);
  if (from !== undefined && (from < 0n || from > BigInt(chars.length))) {
    throw new CelError(`index out of range: ${from}`);
  }
  const units = from === undefined ? Infinity : joined(chars.slice(0, Number(from))).length;
  const found = text.lastIndexOf(part, units);
  return found < 0 ? -1n : BigInt(Array.from(text.slice(0, found)).length);
}

function split(text: string, separator: string, limit: bigint, meter: Meter): List {
  meter.spendText(text.length);
  if (limit === 0n) return List.of([]);
  const parts = separator === "" ? Array.from(text) : text.split(separator);
  if (limit < 0n || BigInt(parts.length) <= limit) return List.of(parts);
  const head = parts.slice(0, Number(limit) - 1);
  return List.of([...head, parts.slice(head.length).join(separator)]);
}

function replace(text: string, from: string, to: string, limit: bigint, meter: Meter): string {
  meter.spendText(text.length);
  const pieces = from === "" ? ["", ...Array.from(text), ""] : text.split(from);
  const times = limit < 0n ? pieces.length - 1 : Math.min(Number(limit), pieces.length - 1);
  // Before it is built: a short text with many places may grow beyond all bounds.
  meter.spendText(text.length + times * to.length);
  return pieces.reduce((result, piece, index) => result + (index <= times ? to : from) + piece);
}

function join(list: List, separator: string, meter: Meter): string {
  const parts = list.items();
  let length = separator.length * parts.length;
  for (const part of parts) {
    if (typeof part !== "string") throw new CelError("no such overload");
    length += part.length;
  }
  meter.spendText(length);
  return parts.join(separator);
}

const quoteEscapes: Record<string, string> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

function changed(name: string, change: (text: string) => string): Overload {
  return method(`${name}(string)`, "string", (text: string, meter: Meter) => {
    meter.spendText(text.length);
    return change(text);
  });
}

/** The functions of this file. */
export const strings: Overload[] = [
  fn("size(string)", "int", pointCount),
  method("size(string)", "int", pointCount),
  search("contains", (text, part) => text.includes(part)),
  search("startsWith", (text, part) => text.startsWith(part)),
  search("endsWith", (text, part) => text.endsWith(part)),
  fn("matches(string, string)", "bool", matches),
  method("matches(string, string)", "bool", matches),
  method("find(string, string)", "string", (text: string, pattern: string, meter: Meter) => {
    return findAll(text, pattern, 1n, meter)[0] ?? "";
  }),
  method("findAll(string, string)", "list(string)", (text: string, pattern: string, meter: Meter) =>
    List.of(findAll(text, pattern, -1n, meter)),
  ),
  method("findAll(string, string, int)", "list(string)", (text: string, pattern: string, limit: bigint, meter: Meter) =>
    List.of(findAll(text, pattern, limit, meter)),
  ),
  method("charAt(string, int)", "string", charAt),
  method("substring(string, int)", "string", (text: string, start: bigint, meter: Meter) =>
    substring(text, start, undefined, meter),
  ),
  method("substring(string, int, int)", "string", substring),
  method("indexOf(string, string)", "int", (text: string, part: string, meter: Meter) =>
    indexOf(text, part, 0n, meter),
  ),
  method("indexOf(string, string, int)", "int", indexOf),
  method("lastIndexOf(string, string)", "int", (text: string, part: string, meter: Meter) =>
    lastIndexOf(text, part, undefined, meter),
  ),
  method("lastIndexOf(string, string, int)", "int", lastIndexOf),
  method("split(string, string)", "list(string)", (text: string, separator: string, meter: Meter) =>
    split(text, separator, -1n, meter),
  ),
  method("split(string, string, int)", "list(string)", split),
  method("replace(string, string, string)", "string", (text: string, from: string, to: string, meter: Meter) =>
    replace(text, from, to, -1n, meter),
  ),
  method("replace(string, string, string, int)", "string", replace),
  method("join(list)", "string", (list: List, meter: Meter) => join(list, "", meter)),
  method("join(list, string)", "string", join),
  changed("lowerAscii", (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())),
  changed("upperAscii", (text) => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase())),
  changed("trim", (text) => text.trim()),
  fn("strings.quote(string)", "string", (text: string, meter: Meter) => {
    meter.spendText(text.length);
    return `"${text.replace(/[\p{Cc}\\"]/gu, (char) => quoteEscapes[char] ?? char)}"`;
  }),
  method("format(string, list)", "string", (text: string, list: List, meter: Meter): Value =>
    formatText(text, list, meter),
  ),
];
