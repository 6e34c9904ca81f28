// The command line of the bench.

import { parseArgs } from "node:util";
import { peerNames } from "./peers.ts";
import { type Row, rows } from "./rows.ts";

export interface Options {
  rows: Row[];
  /** Empty: all. */
  peers: string[];
  rounds: number;
  seconds: number;
  json: boolean;
  /** File for the picture. */
  svg?: string;
  /** Directory for a CPU profile of ours. */
  profile?: string;
  /** Seconds of a soak, instead of rows. */
  soak?: number;
}

export const usage = `npm run bench -- proxy [--rows NAME,...] [--peers NAME,...] [--rounds 5] [--seconds 2] [-o text|json]
  [--svg FILE] [--profile DIRECTORY]
npm run bench -- proxy --soak SECONDS [-o text|json]
rows: ${rows.map(({ name }) => name).join(", ")}
peers: ${peerNames.join(", ")}
`;

/** What the command line asks for, or what is wrong with it. */
export function parseOptions(args: string[]): Options | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        rows: { type: "string", default: "" },
        peers: { type: "string", default: "" },
        rounds: { type: "string", default: "5" },
        seconds: { type: "string", default: "2" },
        soak: { type: "string" },
        svg: { type: "string" },
        profile: { type: "string" },
        output: { type: "string", short: "o", default: "text" },
      },
    });
    const names = words(values.rows);
    const unknown = names.find((name) => !rows.some((row) => row.name === name));
    if (unknown !== undefined) return `there is no row "${unknown}"`;
    const stranger = words(values.peers).find((name) => !peerNames.includes(name));
    if (stranger !== undefined) return `there is no peer "${stranger}"`;
    if (!["text", "json"].includes(values.output)) return `--output: "${values.output}" is neither text nor json`;
    return {
      rows: rows.filter(({ name }) => names.length === 0 || names.includes(name)),
      peers: words(values.peers),
      rounds: positive("--rounds", values.rounds),
      seconds: positive("--seconds", values.seconds),
      json: values.output === "json",
      ...(values.soak === undefined ? {} : { soak: positive("--soak", values.soak) }),
      ...(values.svg === undefined ? {} : { svg: values.svg }),
      ...(values.profile === undefined ? {} : { profile: values.profile }),
    };
  } catch (error) {
    return (error as Error).message;
  }
}

const words = (text: string): string[] => text.split(",").filter((word) => word !== "");

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name}: "${text}" is not a whole number above 0`);
  return value;
}
