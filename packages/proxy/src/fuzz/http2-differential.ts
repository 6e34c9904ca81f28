// Holds how sessions take streams of frames against what must always be so, and against node:http2: a request that both take must
// be the same one.

import { performServerHandshake } from "node:http2";
import { Duplex } from "node:stream";
import { ErrorCode, Flag, FrameType } from "../http2/frames.ts";
import type { Finding } from "./differential.ts";
import { Http2Writer } from "./http2-grammar.ts";
import { readConnection } from "./http2-reading.ts";
import type { Http2Reading, SaidFrame } from "./http2-reading.ts";
import { Random } from "./random.ts";

/** Why these frames must not be said; null when they may. */
export function misbehaviour(frames: readonly SaidFrame[]): string | null {
  const state = new Map<number, "head" | "ended" | "reset">();
  for (const [index, { type, flags, stream, payload }] of frames.entries()) {
    if (index === 0 && type !== FrameType.settings) return "does not begin with SETTINGS";
    if (type === FrameType.goaway && payload.readUInt32BE(4) !== 0 && index !== frames.length - 1)
      return "goes on behind a GOAWAY with an error";
    if (stream === 0 || type === FrameType.windowUpdate) continue;
    const before = state.get(stream);
    if (before === "reset") return `frame ${type} on stream ${stream} behind its reset`;
    if (type === FrameType.rstStream) state.set(stream, "reset");
    else if (before === "ended") return `frame ${type} on stream ${stream} behind its end`;
    else if (before === undefined && type !== FrameType.headers)
      return `frame ${type} on stream ${stream} before its head`;
    else state.set(stream, (flags & Flag.endStream) === 0 ? "head" : "ended");
  }
  return null;
}

/** What node:http2 makes of the same bytes: `METHOD target host` of the requests it takes. */
export async function requestsByNode(stream: Buffer): Promise<string[]> {
  const requests: string[] = [];
  const duplex = new Duplex({
    read() {},
    write: (_bytes, _encoding, done) => done(),
  });
  const session = performServerHandshake(duplex, { strictSingleValueFields: false });
  session.on("error", () => {});
  session.on("stream", (each, headers) => {
    each.on("error", () => {});
    requests.push(`${headers[":method"]} ${headers[":path"]} ${headers[":authority"] ?? headers.host ?? ""}`);
  });
  duplex.push(stream);
  // What it reads it hands over within few turns.
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
  session.destroy();
  return requests;
}

/** A request of ours that node:http2 reads otherwise; it may refuse what is taken here. Targets tell requests apart. */
export function misread(ours: Http2Reading, theirs: readonly string[]): string | null {
  const target = (request: string): string => request.split(" ")[1]!;
  const strange = ours.requests.find(
    (request) => !theirs.includes(request) && theirs.some((other) => target(other) === target(request)),
  );
  return strange === undefined ? null : `${strange}; node:http2: ${theirs.join(" | ")}`;
}

function someCuts(length: number, random: Random): number[] {
  return random.once(6) ? Array.from({ length: length - 1 }, (_, at) => at + 1) : random.cuts(length, 4);
}

/** Whether what is asked for a client, or how its connection ends, depends on how its bytes arrive. That requests are begun only
 * when all that came with them is read, and answered before the next is, may make a difference: between a stream that is reset and
 * one never begun, or one that has ended and one that is closed. */
function differs(whole: Http2Reading, cut: Http2Reading): boolean {
  if (whole.error === ErrorCode.streamClosed || cut.error === ErrorCode.streamClosed) return false;
  if (whole.error !== cut.error) return true;
  return whole.error === 0 && whole.requests.some((request) => !cut.requests.includes(request));
}

export async function checkConnections(
  streams: readonly string[],
  random: Random,
  besideNode: boolean,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const stream of streams) {
    const bytes = Buffer.from(stream, "latin1");
    const note = (what: string | null): void => {
      if (what !== null) findings.push({ what, stream });
    };
    const reading = readConnection(bytes);
    note(reading.fault === "" ? misbehaviour(reading.frames) : reading.fault);
    const cuts = someCuts(bytes.length, random);
    const cut = readConnection(bytes, cuts);
    note(cut.fault === "" ? misbehaviour(cut.frames) : cut.fault);
    if (differs(reading, cut)) {
      note(
        `in pieces (${cuts.join()}): ${cut.error} ${cut.requests.join()}, whole: ${reading.error} ${reading.requests.join()}`,
      );
    }
    if (besideNode) note(misread(reading, await requestsByNode(bytes)));
  }
  return findings;
}

export interface Http2Outcome {
  checked: number;
  /** Connections on which a request was taken, and those that ended with an error. */
  taken: number;
  failed: number;
  findings: Finding[];
}

/** A search in `count` connections; the same seed makes the same. */
export async function http2Campaign(count: number, seed: number): Promise<Http2Outcome> {
  const random = new Random(seed);
  const outcome: Http2Outcome = { checked: 0, taken: 0, failed: 0, findings: [] };
  while (outcome.checked < count && outcome.findings.length < 20) {
    const stream = new Http2Writer(random, random.pick([0, 5, 20, 80])).connection();
    outcome.findings.push(...(await checkConnections([stream], random, outcome.checked % 4 === 0)));
    const { requests, error } = readConnection(Buffer.from(stream, "latin1"));
    if (requests.length > 0) outcome.taken++;
    if (error !== 0) outcome.failed++;
    outcome.checked++;
  }
  return outcome;
}
