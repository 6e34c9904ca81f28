// Sends each request to both clusters, a few at a time, and compares what comes back.

import { UserError } from "../user-error.ts";
import type { ClusterEntries } from "./cluster-entries.ts";
import { compareAnswers } from "./compare-answers.ts";
import { type Observation, observe } from "./observe-answer.ts";
import { type PlannedRequest, requestTitle, type Target } from "./planned-request.ts";
import type { RequestFindings, Skipped } from "./report.ts";
import { type Answer, type NoAnswer, sendRequest } from "./send-request.ts";

export interface AskOptions {
  timeoutMs: number;
  /** Requests under way at a time, each to both clusters. */
  parallel: number;
}

interface Side {
  context: string;
  entries: ClusterEntries;
  tally: { sent: number; refused: number };
}

/** The targets of a request: its own, or that of its scheme where a cluster's routes do not know it. */
export const targetOf = (planned: PlannedRequest, side: "a" | "b"): Target =>
  planned.targets[side] ?? { scheme: planned.scheme };

/**
 * Findings in the order of the requests. A request for which a cluster has no entry is skipped with what was tried. Throws
 * a UserError (exit code 2) when nothing could be sent to one of the clusters.
 */
export async function askClusters(
  requests: readonly PlannedRequest[],
  left: Omit<Side, "tally">,
  right: Omit<Side, "tally">,
  options: AskOptions,
): Promise<{ findings: RequestFindings[]; skipped: Skipped[] }> {
  const a = { ...left, tally: { sent: 0, refused: 0 } };
  const b = { ...right, tally: { sent: 0, refused: 0 } };
  const skipped = new Map<string, Skipped>();
  const findings = await mapInParallel(requests, options.parallel, async (planned) => {
    const entryA = a.entries.of(targetOf(planned, "a"));
    const entryB = b.entries.of(targetOf(planned, "b"));
    if ("tried" in entryA) addSkipped(skipped, planned, a.context, entryA.tried);
    if ("tried" in entryB) addSkipped(skipped, planned, b.context, entryB.tried);
    if ("tried" in entryA || "tried" in entryB) return undefined;
    const facts: { a: Observation[]; b: Observation[] } = { a: [], b: [] };
    for (let time = 0; time < planned.times; time++) {
      const [one, other] = await Promise.all([
        sendRequest(planned, entryA, options.timeoutMs),
        sendRequest(planned, entryB, options.timeoutMs),
      ]);
      facts.a.push(observe(one, planned));
      facts.b.push(observe(other, planned));
      count(a, one);
      count(b, other);
    }
    return compareAnswers(planned, facts.a, facts.b);
  });
  const compared = findings.filter((found) => found !== undefined);
  for (const side of [a, b]) refuseSilence(side);
  const [first] = skipped.values();
  if (compared.length === 0 && first) {
    throw new UserError(`${first.why}, or compare the statuses alone with --no-requests`, 2);
  }
  return { findings: compared, skipped: [...skipped.values()] };
}

function count({ tally }: Side, answer: Answer | NoAnswer): void {
  tally.sent++;
  if ("failure" in answer && answer.unreachable) tally.refused++;
}

function refuseSilence({ context, entries, tally }: Side): void {
  if (tally.sent === 0 || tally.refused < tally.sent) return;
  const where = entries.heading.map(({ address }) => address).join(", ");
  throw new UserError(`the entry of context "${context}" takes no connection any more: ${where}`, 2);
}

/** One line for all requests that miss the same entry. */
function addSkipped(skipped: Map<string, Skipped>, planned: PlannedRequest, context: string, tried: string[]): void {
  const port = planned.targets.a?.listenerPort ?? planned.targets.b?.listenerPort;
  const entry = `${planned.scheme} entry of context "${context}"${port === undefined ? "" : ` for listener port ${port}`}`;
  const known = skipped.get(entry);
  if (known) {
    known.what = known.what.replace(/( and (\d+) more)?$/, (_, _1, more = "0") => ` and ${Number(more) + 1} more`);
    return;
  }
  const why = `no ${entry} is reachable from here: ${tried.join("; ")}; give one with --entry`;
  skipped.set(entry, { what: requestTitle(planned), why });
}

async function mapInParallel<T, R>(items: readonly T[], parallel: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = Array.from({ length: items.length });
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    // The iterator is shared: each worker takes the next item that nobody has.
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
  return results;
}
