// What pods are waiting for, said while a step waits for them: image pulls above all.

import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { type Event, events, pods } from "@gatehouse/apimachinery/types/core-v1";
import type { Step } from "../progress.ts";
import { unreadyObjects } from "./unready.ts";

const pollMs = 2_000;

/** Begins after two seconds: what is ready by then needs no words. Returns the way to stop. Never fails. */
export function reportPods(client: ApiClient, namespaces: string[], { detail }: Step): () => void {
  let stopped = false;
  const report = async (): Promise<void> => {
    const found = await Promise.all(namespaces.map((namespace) => waiting(client, namespace)));
    const [first, ...others] = found.flat();
    if (!stopped && first) detail(others.length > 0 ? `${first} (and ${others.length} more)` : first);
  };
  const timer = setInterval(() => void report().catch(() => {}), pollMs);
  return () => {
    stopped = true;
    clearInterval(timer);
    detail("");
  };
}

async function waiting(client: ApiClient, namespace: string): Promise<string[]> {
  const [{ items }, { items: said }] = await Promise.all([
    client.list(pods, { namespace }),
    client.list(events, { namespace }),
  ]);
  return unreadyObjects(items.map((pod) => ({ ...pod, kind: "Pod" }))).map(({ object, reason }) => {
    const name = object.split("/").at(-1);
    const last = said
      .filter((event) => event.involvedObject.name === name)
      .toSorted(byTime)
      .at(-1);
    return `${name}: ${last ? firstLine(last.message ?? "") : reason}`;
  });
}

const byTime = (a: Event, b: Event): number => timeOf(a).localeCompare(timeOf(b));
const timeOf = ({ lastTimestamp, metadata }: Event): string => lastTimestamp ?? metadata.creationTimestamp ?? "";
const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
