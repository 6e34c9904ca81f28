// What the scenarios share: work spread over connections, and asking a gateway until it answers as it should.

import { RawClient, type Target } from "../raw-client.ts";
import type { ScenarioName } from "./options.ts";
import type { Figure } from "./report.ts";
import type { Site } from "./site.ts";

export interface ScenarioContext {
  site: Site;
  /** At most so many routes. */
  routes: number;
  seconds: number;
  /** The gateway's process, where it runs on this machine. */
  pid: number | undefined;
  /** Takes a figure as soon as it is there. */
  tell: (figure: Figure) => void;
  note: (text: string) => void;
}

export interface ScenarioDefinition {
  name: ScenarioName;
  title: string;
  run: (context: ScenarioContext) => Promise<void>;
}

/** All connections work through `count` things together, each taking its next when the last is done. */
export async function spreadOver(
  clients: readonly RawClient[],
  count: number,
  signal: AbortSignal,
  work: (client: RawClient, index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    clients.map(async (client) => {
      for (let index = next++; index < count; index = next++) {
        signal.throwIfAborted();
        await work(client, index);
      }
    }),
  );
}

const askAgainMs = 1;
const patienceMs = 60_000;

export interface FirstAnswer {
  /** When the first 200 was there. */
  at: number;
  /** Statuses before it that were neither 404. */
  strangers: number[];
}

/** Asks for a host until it answers 200, one request every millisecond. */
export async function firstAnswer(gateway: RawClient, host: string, signal: AbortSignal): Promise<FirstAnswer> {
  const strangers: number[] = [];
  const began = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const { status } = await gateway.get(host, "/");
    const at = performance.now();
    if (status === 200) return { at, strangers };
    if (status !== 404) strangers.push(status);
    if (at - began > patienceMs) throw new Error(`${host} still answers ${status} after ${patienceMs / 1_000} s`);
    await pause(askAgainMs);
  }
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A connection to the gateway for as long as `work` takes. */
export async function withGateway<T>(target: Target, work: (gateway: RawClient) => Promise<T>): Promise<T> {
  const gateway = await RawClient.open(target);
  try {
    return await work(gateway);
  } finally {
    gateway.close();
  }
}
