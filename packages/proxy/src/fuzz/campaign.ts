// Generated and mutated streams in numbers, checked in batches.

import { checkAnswers, checkRequests } from "./differential.ts";
import type { Finding } from "./differential.ts";
import { Writer } from "./grammar.ts";
import { Random } from "./random.ts";
import { readRequests } from "./our-reading.ts";

const BATCH = 200;
/** A search that has found so much has found enough. */
const ENOUGH = 20;

export interface Outcome {
  checked: number;
  /** Streams of requests that were sent on at least in part, and those refused. */
  taken: number;
  refused: number;
  findings: Finding[];
}

/** Checks `count` streams: two thirds of them requests, one third answers. The same seed makes the same streams. */
export async function campaign(count: number, seed: number, onBatch?: (outcome: Outcome) => void): Promise<Outcome> {
  const random = new Random(seed);
  const outcome: Outcome = { checked: 0, taken: 0, refused: 0, findings: [] };
  while (outcome.checked < count && outcome.findings.length < ENOUGH) {
    const size = Math.min(BATCH, count - outcome.checked);
    const writer = new Writer(random, random.pick([3, 10, 40]));
    const mutated = random.below(3) > 0;
    const write = (make: () => string): string => (mutated ? writer.mutate(make()) : make());
    if (random.once(3)) {
      const streams = Array.from({ length: size }, () => write(() => writer.answer()));
      outcome.findings.push(...(await checkAnswers(streams, random.once(4), random)));
    } else {
      const streams = Array.from({ length: size }, () => write(() => writer.requests()));
      outcome.findings.push(...(await checkRequests(streams, random)));
      for (const stream of streams) {
        const { messages, end } = readRequests(Buffer.from(stream, "latin1"));
        if (messages.length > 0) outcome.taken++;
        if (end === "refused") outcome.refused++;
      }
    }
    outcome.checked += size;
    onBatch?.(outcome);
  }
  return outcome;
}

/** Correct streams of requests that are not taken whole. */
export function refusedThoughCorrect(count: number, seed: number): string[] {
  const writer = new Writer(new Random(seed), 0);
  const streams = Array.from({ length: count }, () => writer.requests());
  return streams.filter((stream) =>
    ["refused", "incomplete"].includes(readRequests(Buffer.from(stream, "latin1")).end),
  );
}
