// Between HTTP/2's header lists and field lines (`Name: value` with CRLF, Latin-1), the form that fields have inside the proxy.

import type { OutgoingHttpHeaders } from "node:http2";
import { FieldLines, REFUSED } from "../http1/field-lines.ts";
import type { Refusal } from "../http1/field-lines.ts";
import { forwardableTrailers } from "../http1/chunked.ts";

const SPACE = 32;
const TAB = 9;

/** Adds `lines` to what node:http2 is given to send. Repeated names become lists. */
export function addFieldLines(target: OutgoingHttpHeaders, lines: string): void {
  for (let at = 0; at < lines.length;) {
    const colon = lines.indexOf(":", at);
    const next = lines.indexOf("\r\n", colon) + 2;
    let start = colon + 1;
    let end = next - 2;
    while (start < end && isBlank(lines.charCodeAt(start))) start++;
    while (end > start && isBlank(lines.charCodeAt(end - 1))) end--;
    addField(target, lines.slice(at, colon).toLowerCase(), lines.slice(start, end));
    at = next;
  }
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB;

function addField(target: OutgoingHttpHeaders, name: string, value: string): void {
  const present = target[name];
  if (present === undefined) target[name] = value;
  else if (Array.isArray(present)) present.push(value);
  else target[name] = [String(present), value];
}

/** The fields of a header list as lines, names and values in turns; pseudo-header fields are left out. Null when there is a
 * name with a colon, which would read as another name. */
export function fieldLinesOf(fields: readonly string[]): { text: string; count: number } | null {
  let text = "";
  let count = 0;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!;
    const colon = name.indexOf(":");
    if (colon === 0) continue;
    if (colon > 0) return null;
    text += `${name}: ${fields[at + 1]!}\r\n`;
    count++;
  }
  return { text, count };
}

const INVALID: Refusal = { status: 400, reason: "trailers-invalid" };
const scratch = new FieldLines();

/** Trailer lines fit to forward of a header list that came last, or why there are none. */
export function readTrailers(fields: readonly string[]): string | Refusal {
  const lines = fieldLinesOf(fields);
  if (lines === null) return INVALID;
  const bytes = Buffer.from(`${lines.text}\r\n`, "latin1");
  const after = scratch.parseFields(bytes, 0, bytes.length, 0);
  if (after === REFUSED) return scratch.refusal!;
  if (after !== bytes.length || scratch.count !== lines.count) return INVALID;
  scratch.text = lines.text;
  return forwardableTrailers(scratch);
}
