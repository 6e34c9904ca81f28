// The same streams through ours and through real proxies, in front of the same server: what several take they must frame alike, and
// ours may not pass on what the next one frames otherwise.

import { BEST_IO } from "../io/network.ts";
import type { Io } from "../io/network.ts";
import { createProxy } from "../proxy.ts";
import type { Proxy } from "../proxy.ts";
import { listener, route, service, table } from "../testing/tables.ts";
import type { Finding } from "./differential.ts";
import { Writer } from "./grammar.ts";
import { readBy, startPeer, startRecorder } from "./peers.ts";
import type { PeerReading, Running } from "./peers.ts";
import { Random } from "./random.ts";

/** What every stream ends with: a request of its own wherever the ones before were framed as their sender says. */
export const LAST = "GET /last HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n";
const AT_A_TIME = 32;

/** The proxy in front of `backend`. */
export async function startOurs(backend: number, io: Io = BEST_IO): Promise<Running> {
  const proxy: Proxy = createProxy({ io, limits: { headTimeout: 1000, keepAliveTimeout: 1000, stallTimeout: 1000 } });
  const [state] = await proxy.apply(table([listener({ "*": [route("/*", "s")] })], [service("s", [backend])]));
  return { name: "ours", port: state!.port, close: () => proxy.close({ graceMs: 0 }) };
}

const isOwn = (answer: string): boolean => answer.startsWith("!");

/** Whether two read requests at the same place of a stream, and not the same. Who refuses has agreed up to there; who closes behind a
 * request that may be read as the last has done no harm. */
export function framedDifferently(one: PeerReading, other: PeerReading): boolean {
  return one.some((answer, at) => {
    const beside = other[at];
    return beside !== undefined && answer !== beside && !isOwn(answer) && !isOwn(beside);
  });
}

/** Whether a proxy behind ours did not find the requests that the server finds there. */
export function foundOtherwise(alone: PeerReading, chained: PeerReading): boolean {
  return framedDifferently(alone, chained) || alone.length !== chained.length;
}

/** Everything that runs for a search: ours and the others in front of the recorder, and ours in front of each of the others. */
export class Arena {
  readonly #all: Running[] = [];
  ours!: Running;
  readonly fronts: Running[] = [];
  readonly chains: Running[] = [];

  static async open(names: readonly string[]): Promise<Arena> {
    const arena = new Arena();
    try {
      await arena.#start(names);
    } catch (error) {
      await arena.close();
      throw error;
    }
    return arena;
  }

  async #start(names: readonly string[]): Promise<void> {
    const recorder = await this.#add(startRecorder());
    this.ours = await this.#add(startOurs(recorder.port));
    for (const name of names) {
      const peer = await this.#add(startPeer(name, recorder.port));
      this.fronts.push(peer);
      this.chains.push({ ...(await this.#add(startOurs(peer.port))), name });
    }
  }

  async #add(starting: Promise<Running>): Promise<Running> {
    const running = await starting;
    this.#all.push(running);
    return running;
  }

  async close(): Promise<void> {
    for (const running of this.#all.toReversed()) await running.close();
  }

  /** What is wrong with how a stream was read. */
  async check(stream: string): Promise<Finding[]> {
    const whole = stream + LAST;
    const by = (running: Running): Promise<PeerReading> => readBy(running.port, whole);
    const [ours, fronts, chains] = await Promise.all([
      by(this.ours),
      Promise.all(this.fronts.map(by)),
      Promise.all(this.chains.map(by)),
    ]);
    const tell = (reading: PeerReading): string => reading.join(", ") || "nothing";
    const findings: Finding[] = [];
    for (const [index, front] of fronts.entries()) {
      if (!framedDifferently(ours, front)) continue;
      findings.push({ what: `ours: ${tell(ours)}; ${this.fronts[index]!.name}: ${tell(front)}`, stream: whole });
    }
    for (const [index, chain] of chains.entries()) {
      if (!foundOtherwise(ours, chain)) continue;
      findings.push({
        what: `ours: ${tell(ours)}; behind it ${this.chains[index]!.name}: ${tell(chain)}`,
        stream: whole,
      });
    }
    return findings;
  }
}

/** Checks `streams`, several at a time. */
export async function checkBesidePeers(arena: Arena, streams: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  const rest = [...streams];
  const work = async (): Promise<void> => {
    for (let stream = rest.shift(); stream !== undefined; stream = rest.shift())
      findings.push(...(await arena.check(stream)));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return findings;
}

/** The server behind them all is node:http, which frames what follows a request for an upgrade wrongly. */
export const withoutUpgrades = (stream: string): string => stream.replaceAll(/upgrade/gi, "Nothing");

/** Streams of requests of the search, of which the same seed makes the same. */
export function requestStreams(count: number, seed: number): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const writer = new Writer(random, random.pick([3, 10, 40]));
    const stream = random.once(3) ? writer.requests() : writer.mutate(writer.requests());
    return withoutUpgrades(stream);
  });
}
