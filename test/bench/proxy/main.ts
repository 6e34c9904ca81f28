// `npm run bench -- proxy`: ours beside nginx, HAProxy and Caddy, row by row. What is compared is processor time per
// request, which a busy machine disturbs least; throughput and tails are printed beside it.

import { parseArgs } from "node:util";
import { startBackend } from "./backend.ts";
import { makeCertificate } from "./certificate.ts";
import { type Contestant, findContestants, type Running, type Surroundings, type Variant } from "./contestants.ts";
import { describeMachine, load } from "./machine.ts";
import { judge, renderHeading, renderRow, type Report, type RowReport } from "./report.ts";
import { type Row, rows } from "./rows.ts";
import { runRow } from "./run.ts";
import { Stage } from "./stage.ts";

const usage = `npm run bench -- proxy [--rows NAME,...] [--peers NAME,...] [--rounds 5] [--seconds 2] [-o text|json]
rows: ${rows.map(({ name }) => name).join(", ")}\n`;

interface Options {
  rows: Row[];
  peers: string[];
  rounds: number;
  seconds: number;
  json: boolean;
}

export async function main(args: string[]): Promise<void> {
  const options = parse(args);
  if (typeof options === "string") {
    process.stderr.write(`error: ${options}\n${usage}`);
    process.exitCode = 2;
    return;
  }
  const stage = new Stage();
  try {
    await bench(stage, options);
  } finally {
    await stage.close();
  }
}

/** What the command line asks for, or what is wrong with it. */
function parse(args: string[]): Options | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        rows: { type: "string", default: "" },
        peers: { type: "string", default: "" },
        rounds: { type: "string", default: "5" },
        seconds: { type: "string", default: "2" },
        output: { type: "string", short: "o", default: "text" },
      },
    });
    const names = words(values.rows);
    const unknown = names.find((name) => !rows.some((row) => row.name === name));
    if (unknown !== undefined) return `there is no row "${unknown}"`;
    const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
    if (!(Number.isInteger(rounds) && rounds > 0)) return `--rounds: "${values.rounds}" is not a number of rounds`;
    if (!(Number.isInteger(seconds) && seconds > 0)) return `--seconds: "${values.seconds}" is not a number of seconds`;
    return {
      rows: rows.filter(({ name }) => names.length === 0 || names.includes(name)),
      peers: words(values.peers),
      rounds,
      seconds,
      json: values.output === "json",
    };
  } catch (error) {
    return (error as Error).message;
  }
}

const words = (text: string): string[] => text.split(",").filter((word) => word !== "");

async function bench(stage: Stage, options: Options): Promise<void> {
  const { found, missing } = findContestants(options.peers);
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    busy: load(),
    rounds: options.rounds,
    seconds: options.seconds,
    versions: Object.fromEntries(found.map(({ name, version }) => [name, version])),
    missing,
    rows: [],
  };
  const print = (text: string): void => void (options.json || process.stdout.write(`${text}\n`));
  print(renderHeading(report));
  const tls = await makeCertificate(stage);
  const surroundings: Surroundings = { stage, backend: await startBackend(stage), ...(tls ? { tls } : {}) };
  const start = startOnce(surroundings, found);
  for (const row of options.rows) {
    const done = await benchRow(stage, row, start, options);
    report.rows.push(done);
    print(renderRow(done));
  }
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
}

/** Starts all contestants when a row asks for them, and keeps them for the next rows. */
function startOnce(surroundings: Surroundings, contestants: readonly Contestant[]): () => Promise<Running[]> {
  const variant: Variant = { hosts: 0, workers: 1 };
  let running: Promise<Running[]> | undefined;
  return () => (running ??= Promise.all(contestants.map((each) => each.start(surroundings, variant))));
}

async function benchRow(
  stage: Stage,
  row: Row,
  start: () => Promise<Running[]>,
  { rounds, seconds }: Options,
): Promise<RowReport> {
  const about = { name: row.name, title: row.title, load: row.load.description };
  const skipped = row.load.lacks();
  if (skipped !== undefined) return { ...about, skipped, contests: [], bars: [] };
  const contests = await runRow(stage, row.load, await start(), { rounds, seconds });
  return { ...about, contests, bars: judge(row, contests) };
}
