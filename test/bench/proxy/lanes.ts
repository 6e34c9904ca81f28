// Who runs in a row: all contestants in all its variants, and why one cannot.

import { connect } from "node:tls";
import { type Contestant, type Running, standard, type Surroundings } from "./contestant.ts";
import type { Row } from "./rows.ts";

export interface Lanes {
  running: Running[];
  /** By contestant, why it does not take part. */
  absent: Record<string, string>;
}

/** Starts contestants when a row asks for them. Those of the standard variant stay for later rows: warm, as in daily life. */
export class LaneStarter {
  readonly #surroundings: Surroundings;
  readonly #contestants: readonly Contestant[];
  #standing: Promise<Lanes> | undefined;

  constructor(surroundings: Surroundings, contestants: readonly Contestant[]) {
    this.#surroundings = surroundings;
    this.#contestants = contestants;
  }

  async lanesOf({ variants, needs }: Row): Promise<Lanes> {
    if (variants) return this.#start(variants);
    const { running, absent } = await (this.#standing ??= this.#start([standard]));
    if (needs !== "h2") return { running, absent };
    const able = await Promise.all(running.map(({ ports }) => speaksH2(ports.https)));
    const unable = running.filter((_, index) => !able[index]).map(({ name }) => [name, "no HTTP/2 by ALPN"] as const);
    return {
      running: running.filter((_, index) => able[index]),
      absent: { ...absent, ...Object.fromEntries(unable) },
    };
  }

  /** Ends what was started for `row` alone. */
  async release({ variants }: Row, { running }: Lanes): Promise<void> {
    if (variants) await Promise.all(running.map(({ started }) => this.#surroundings.stage.stop(started)));
  }

  async #start(variants: NonNullable<Row["variants"]>): Promise<Lanes> {
    const lanes: Lanes = { running: [], absent: {} };
    for (const variant of variants)
      for (const contestant of this.#contestants)
        try {
          lanes.running.push(await contestant.start(this.#surroundings, variant));
        } catch (error) {
          lanes.absent[contestant.name] = (error as Error).message;
        }
    return lanes;
  }
}

function speaksH2(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["h2", "http/1.1"] };
    const socket = connect(options, () => {
      resolve(socket.alpnProtocol === "h2");
      socket.destroy();
    });
    socket.once("error", () => resolve(false));
  });
}
