// Which address each request takes into one cluster: the user's (`--entry`), or the one that the cluster leads to, looked
// up once per listener port.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { entryIn, type FoundEntry, readEntryWorld, refusalOf } from "../entry-address.ts";
import { hostAndPort } from "../entry-candidates.ts";
import { UserError } from "../user-error.ts";
import type { Target } from "./planned-request.ts";
import type { ClusterHeading } from "./report.ts";

/** What `--entry` gave for one cluster. */
export interface GivenEntry {
  scheme: "http" | "https";
  host: string;
  port: number;
}

export interface ClusterEntries {
  /** The address for a target, or what was tried. The target must have been among those looked up. */
  of(target: Target): FoundEntry;
  heading: ClusterHeading["entries"];
}

const timeoutMs = 2_000;

const targetKey = ({ scheme, listenerPort, gateway }: Target): string =>
  JSON.stringify([scheme, listenerPort ?? null, gateway ? [gateway.namespace, gateway.name] : null]);

/** Throws a UserError (exit code 2) when an address that the user gave takes no connection. */
export async function findEntries(
  client: ApiClient,
  context: string,
  targets: readonly Target[],
  given: readonly GivenEntry[],
): Promise<ClusterEntries> {
  await Promise.all(given.map((entry) => refuseUnreachable(context, entry)));
  const wanted = new Map(targets.map((target) => [targetKey(target), target]));
  const found = new Map<string, FoundEntry>();
  const ownFor = (target: Target) => given.find(({ scheme }) => scheme === target.scheme);
  const world = targets.every(ownFor) ? undefined : await readEntryWorld(client);
  for (const [key, target] of wanted) {
    const own = ownFor(target);
    if (own) found.set(key, { host: own.host, port: own.port, how: "--entry" });
    else if (world) found.set(key, await entryIn(world, { context, ...target, timeoutMs }));
  }
  const heading = new Map<string, ClusterHeading["entries"][number]>();
  for (const [key, target] of wanted) {
    const entry = found.get(key);
    if (!entry || "tried" in entry) continue;
    const address = hostAndPort(entry);
    const what =
      target.listenerPort === undefined ? target.scheme : `${target.scheme} listener port ${target.listenerPort}`;
    heading.set(`${what} ${address}`, { for: what, address, how: entry.how });
  }
  return { of: (target) => found.get(targetKey(target)) as FoundEntry, heading: [...heading.values()] };
}

async function refuseUnreachable(context: string, entry: GivenEntry): Promise<void> {
  const refusal = await refusalOf(entry, timeoutMs);
  if (refusal === undefined) return;
  throw new UserError(
    `--entry ${context}=${hostAndPort(entry)} takes no connection (${refusal}): see what listens there`,
    2,
  );
}

/** `CONTEXT=[http://|https://]HOST:PORT`, for one of these contexts. Throws a UserError (exit code 2). */
export function parseEntries(texts: readonly string[], contexts: readonly string[]): Map<string, GivenEntry[]> {
  const entries = new Map<string, GivenEntry[]>(contexts.map((context) => [context, []]));
  for (const text of texts) {
    const split = text.lastIndexOf("=");
    const context = text.slice(0, Math.max(split, 0));
    const [, scheme = "http", host = "", port = ""] =
      /^(?:(https?):\/\/)?(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):(\d+)\/?$/.exec(text.slice(split + 1)) ?? [];
    const number = Number(port);
    if (!host || number < 1 || number > 65535) {
      throw new UserError(`--entry ${text}: write CONTEXT=HOST:PORT, e.g. ${contexts[0]}=127.0.0.1:8080`, 2);
    }
    const list = entries.get(context);
    if (!list) throw new UserError(`--entry ${text}: the contexts compared are ${contexts.join(" and ")}`, 2);
    list.push({ scheme: scheme as "http" | "https", host: host.replace(/^\[|\]$/g, ""), port: number });
  }
  return entries;
}
