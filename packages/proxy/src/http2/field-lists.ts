// Between HTTP/2's header lists and field lines (`Name: value` with CRLF, Latin-1), the form that fields have inside the proxy.

import type { OutgoingHttpHeaders } from "node:http2";
import { FieldLines, REFUSED } from "../http1/field-lines.ts";
import type { Refusal } from "../http1/field-lines.ts";
import { forwardableTrailers } from "../http1/chunked.ts";

const SPACE = 32;
const TAB = 9;

/** Names, in lower case, and values in turns; pseudo-header fields first. */
export type FieldList = (string | number)[];

/** Adds `lines` to a list that is to be sent. */
export function addFieldLines(target: FieldList, lines: string): void {
  for (let at = 0; at < lines.length;) {
    const colon = lines.indexOf(":", at);
    const next = lines.indexOf("\r\n", colon) + 2;
    let start = colon + 1;
    let end = next - 2;
    while (start < end && isBlank(lines.charCodeAt(start))) start++;
    while (end > start && isBlank(lines.charCodeAt(end - 1))) end--;
    target.push(lines.slice(at, colon).toLowerCase(), lines.slice(start, end));
    at = next;
  }
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB;

/** Whether this runtime sends heads from lists as they are (Node 24.2 for requests, 24.7 for answers). */
const takesLists = ((): boolean => {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 24 || (major === 24 && minor >= 7);
})();

/** What a head to send is given as. */
export function headOf(fields: FieldList): OutgoingHttpHeaders {
  // Its types know objects only.
  return takesLists ? (fields as unknown as OutgoingHttpHeaders) : objectOf(fields);
}

/** The same as an object, for what is sent beside heads. */
export function objectOf(fields: FieldList): OutgoingHttpHeaders {
  // Without a prototype, as names come from elsewhere.
  const object: OutgoingHttpHeaders = Object.create(null);
  for (let at = 0; at < fields.length; at += 2) {
    const [name, value] = [String(fields[at]), fields[at + 1]!];
    const present = object[name];
    if (present === undefined) object[name] = value;
    else if (Array.isArray(present)) present.push(String(value));
    else object[name] = [String(present), String(value)];
  }
  return object;
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
  // RFC 9113 sections 8.1 and 8.2: no pseudo-header fields, names in lower case.
  if (fields.some((name, at) => at % 2 === 0 && (name[0] === ":" || name.toLowerCase() !== name))) return INVALID;
  const lines = fieldLinesOf(fields);
  if (lines === null) return INVALID;
  const bytes = Buffer.from(`${lines.text}\r\n`, "latin1");
  const after = scratch.parseFields(bytes, 0, bytes.length, 0);
  if (after === REFUSED) return scratch.refusal!;
  if (after !== bytes.length || scratch.count !== lines.count) return INVALID;
  scratch.text = lines.text;
  return forwardableTrailers(scratch);
}
