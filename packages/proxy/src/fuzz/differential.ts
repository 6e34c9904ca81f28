// Holds what the proxy reads and sends on against llhttp: what both take they must frame alike, what is sent on must be framed as
// it was read, and nothing may depend on how the bytes arrive in pieces.

import { answersByLlhttp, KNOWN_METHODS, requestsByLlhttp } from "./llhttp-reading.ts";
import type { OracleMessage, OracleReading } from "./llhttp-reading.ts";
import { readAnswer, readRequests } from "./our-reading.ts";
import type { ReadMessage, Reading } from "./our-reading.ts";
import type { Random } from "./random.ts";

/** Something that must not be: `what` in words, and the bytes that show it, Latin-1. */
export interface Finding {
  what: string;
  stream: string;
}

const outline = ({ start, body }: { start: string; body: string }): string => `${start} ${JSON.stringify(body)}`;

/** node:http forgets what came along with a request for an upgrade that it does not grant. */
const lastRead = ({ fields }: OracleMessage): boolean => fields.some((field) => field.toLowerCase() === "upgrade");

/** Why two readings of a stream of requests cannot both be; null when they can. Whoever refuses is never wrong: what is
 * dangerous is that both go on, each with its own idea. */
export function disagreement(ours: Reading, oracle: OracleReading): string | null {
  for (const [index, message] of ours.messages.entries()) {
    const other = oracle.messages[index];
    if (index > 0 && lastRead(oracle.messages[index - 1]!)) return null;
    if (other?.complete !== true) {
      if (other !== undefined && lastRead(other)) return null;
      if (oracle.error !== "" && (other === undefined || other.start === message.start)) return null;
      return `read as a request: ${outline(message)}; llhttp: ${oracle.error} ${other === undefined ? "nothing" : outline(other)}`;
    }
    if (outline(other) !== outline(message)) return `read ${outline(message)}; llhttp: ${outline(other)}`;
  }
  const more = oracle.messages[ours.messages.length];
  if (more?.complete !== true || ours.end === "refused" || ours.end === "closed") return null;
  return `${ours.end} where llhttp reads ${outline(more)}`;
}

/** Whether what is sent on for `messages`, one behind the other on one connection, is read by llhttp as just these. */
function misreading(messages: readonly ReadMessage[], oracle: OracleReading): string | null {
  const sent = messages.filter(({ forwarded }) => forwarded !== "");
  const strange = sent.findIndex(({ start }) => !KNOWN_METHODS.has(start.slice(0, start.indexOf(" "))));
  const upgrade = oracle.messages.findIndex(lastRead);
  const all = strange < 0 && upgrade < 0;
  const expected = sent.slice(
    0,
    Math.min(strange < 0 ? sent.length : strange, upgrade < 0 ? sent.length : upgrade + 1),
  );
  if (all && oracle.error !== "") return `sent on what llhttp refuses: ${oracle.error}`;
  for (const [index, message] of expected.entries()) {
    const other = oracle.messages[index];
    const start = `${message.start.slice(0, message.start.indexOf(" "))} ${message.target}`;
    if (other === undefined || !other.complete) return `sent on ${outline(message)}, which llhttp does not find`;
    if (other.start !== start || other.body !== message.body)
      return `sent on ${start} ${JSON.stringify(message.body)}; llhttp reads ${outline(other)}`;
    // The body aside, and the start line and the empty one.
    const lines = message.forwarded.slice(0, message.forwarded.indexOf("\r\n\r\n")).split("\r\n").length - 1;
    if (other.fields.length !== 2 * lines) return `sent on ${lines} fields; llhttp reads ${other.fields.length / 2}`;
  }
  return all && oracle.messages.length > sent.length ? "sent on more than was read" : null;
}

const same = (whole: Reading, cut: Reading): boolean =>
  whole.end === cut.end &&
  JSON.stringify(whole.messages.map(outline)) === JSON.stringify(cut.messages.map(outline)) &&
  whole.unfinished === cut.unfinished;

/** What `read` comes to when the bytes arrive in pieces and not `whole`; null when that is the same. */
function differenceWhenCut(
  bytes: Buffer,
  whole: Reading,
  read: (bytes: Buffer, cuts: number[]) => Reading,
  cuts: number[],
): string | null {
  const cut = read(bytes, cuts);
  if (same(whole, cut)) return null;
  // A head in pieces is looked at when a line end says that it may be complete.
  if (whole.end === "refused" && cut.end === "incomplete") {
    const ended = read(Buffer.concat([bytes, Buffer.from("\n\n")]), [...cuts, bytes.length]);
    if (ended.end === "refused" && ended.messages.length === whole.messages.length) return null;
  }
  const tell = ({ end, messages }: Reading): string => `${end} ${messages.map(outline).join()}`;
  return `in pieces (${cuts.join()}): ${tell(cut)}, whole: ${tell(whole)}`;
}

function someCuts(length: number, random: Random): number[] {
  if (random.once(6)) return Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1);
  return random.cuts(length, 4);
}

/** Whether streams read alike wherever they are cut once. */
export function checkEveryCut(streams: readonly string[], read: (bytes: Buffer, cuts: number[]) => Reading): Finding[] {
  const findings: Finding[] = [];
  for (const stream of streams) {
    const bytes = Buffer.from(stream, "latin1");
    for (let at = 1; at < bytes.length; at++) {
      const what = differenceWhenCut(bytes, read(bytes, []), read, [at]);
      if (what !== null) findings.push({ what, stream });
    }
  }
  return findings;
}

/** Checks streams of requests. */
export async function checkRequests(streams: readonly string[], random: Random): Promise<Finding[]> {
  const findings: Finding[] = [];
  const bytes = streams.map((stream) => Buffer.from(stream, "latin1"));
  const note = (index: number, what: string | null): void => {
    if (what !== null) findings.push({ what, stream: streams[index]! });
  };
  const readings = bytes.map((each) => readRequests(each));
  for (const [index, oracle] of (await requestsByLlhttp(bytes)).entries())
    note(index, disagreement(readings[index]!, oracle));
  const sending = readings
    .map((reading, index) => ({ reading, index }))
    .filter(({ reading }) => reading.messages.length > 0);
  const sent = sending.map(({ reading }) =>
    Buffer.from(reading.messages.map(({ forwarded }) => forwarded).join(""), "latin1"),
  );
  for (const [at, oracle] of (await requestsByLlhttp(sent)).entries())
    note(sending[at]!.index, misreading(sending[at]!.reading.messages, oracle));
  for (const [index, each] of bytes.entries()) {
    if (each.length > 0)
      note(index, differenceWhenCut(each, readings[index]!, readRequests, someCuts(each.length, random)));
  }
  return findings;
}

/** To llhttp a coding with a blank behind it is an unknown one, whose answer ends with the connection (RFC 9110 section 5.5 has it
 * otherwise). Nothing of that is sent on. */
const MISREAD_BY_LLHTTP = /transfer-encoding:[^\r]*[ \t]\r/i;

/** Why two readings of one answer cannot both be. */
function answerDisagreement(ours: Reading, oracle: OracleReading): string | null {
  const [message] = ours.messages;
  const other = oracle.messages.find(({ complete }) => complete);
  if (message === undefined) {
    if (other === undefined || ours.end === "refused") return null;
    return `${ours.end} where llhttp reads ${outline(other)}`;
  }
  if (message.start === "101") return null;
  if (other === undefined) return oracle.error === "" ? `read ${outline(message)}; llhttp: incomplete` : null;
  return outline(other) === outline(message) ? null : `read ${outline(message)}; llhttp: ${outline(other)}`;
}

/** Checks answers to requests of method HEAD or not. */
export async function checkAnswers(streams: readonly string[], toHead: boolean, random: Random): Promise<Finding[]> {
  const findings: Finding[] = [];
  const bytes = streams.map((stream) => Buffer.from(stream, "latin1"));
  const method = toHead ? "HEAD" : "GET";
  const read = (each: Buffer, cuts: number[] = []): Reading => readAnswer(each, toHead, cuts);
  const note = (index: number, what: string | null): void => {
    if (what !== null) findings.push({ what, stream: streams[index]! });
  };
  const readings = bytes.map((each) => read(each));
  for (const [index, oracle] of (await answersByLlhttp(bytes, method)).entries()) {
    if (!MISREAD_BY_LLHTTP.test(streams[index]!)) note(index, answerDisagreement(readings[index]!, oracle));
  }
  const sending = readings
    .map((reading, index) => ({ reading, index }))
    .filter(({ reading }) => reading.messages.length > 0);
  const sent = sending.map(({ reading }) => Buffer.from(reading.messages[0]!.forwarded, "latin1"));
  for (const [at, oracle] of (await answersByLlhttp(sent, method)).entries()) {
    const what = answerDisagreement(sending[at]!.reading, oracle);
    note(sending[at]!.index, what === null ? null : `sent on: ${what}`);
  }
  for (const [index, each] of bytes.entries()) {
    if (each.length > 0) note(index, differenceWhenCut(each, readings[index]!, read, someCuts(each.length, random)));
  }
  return findings;
}
