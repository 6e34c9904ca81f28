// `npm run bench -- proxy`: ours beside nginx, HAProxy and Caddy, row by row. What is compared is processor time per
// request, which a busy machine disturbs least; throughput and tails are printed beside it.

import { writeFileSync } from "node:fs";
import { startBackend } from "./backend.ts";
import { makeCertificate } from "./certificate.ts";
import { type Contestant, oursName, type Surroundings } from "./contestant.ts";
import type { Contest } from "./figures.ts";
import { LaneStarter } from "./lanes.ts";
import { describeMachine, load } from "./machine.ts";
import { runMemory } from "./memory.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { createOurs } from "./ours.ts";
import { findPeers } from "./peers.ts";
import { judge, renderHeading, renderRow, type Report, type RowReport } from "./report.ts";
import type { Row } from "./rows.ts";
import { runRow } from "./run.ts";
import { soak } from "./soak.ts";
import { growthOf, renderSoak } from "./soak-report.ts";
import { Stage } from "./stage.ts";
import { renderSvg } from "./svg.ts";

export async function main(args: string[]): Promise<void> {
  const options = parseOptions(args);
  if (typeof options === "string") {
    process.stderr.write(`error: ${options}\n${usage}`);
    process.exitCode = 2;
    return;
  }
  const stage = new Stage();
  try {
    if (options.soak !== undefined) return await benchSoak(stage, options.soak, options.json);
    const report = await bench(stage, options);
    if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    if (options.svg !== undefined) writeFileSync(options.svg, renderSvg(report));
  } finally {
    await stage.close();
  }
}

async function benchSoak(stage: Stage, seconds: number, json: boolean): Promise<void> {
  const report = await soak(await surround(stage), seconds);
  process.stdout.write(
    json ? `${JSON.stringify({ ...report, growth: growthOf(report) }, null, 2)}\n` : renderSoak(report),
  );
}

async function surround(stage: Stage): Promise<Surroundings> {
  const tls = await makeCertificate(stage);
  return { stage, backend: await startBackend(stage), ...(tls ? { tls } : {}) };
}

async function bench(stage: Stage, options: Options): Promise<Report> {
  const { found, missing } = findPeers(options.peers);
  const profile = options.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${options.profile}`];
  const contestants = [createOurs(profile), ...found];
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    busy: load(),
    rounds: options.rounds,
    seconds: options.seconds,
    versions: Object.fromEntries(contestants.map(({ name, version }) => [name, version])),
    missing,
    rows: [],
  };
  const print = (text: string): void => void (options.json || process.stdout.write(`${text}\n`));
  print(renderHeading(report));
  const surroundings = await surround(stage);
  const starter = new LaneStarter(surroundings, contestants);
  for (const row of options.rows) {
    const done = await benchRow(surroundings, row, contestants, starter, options);
    report.rows.push(done);
    print(renderRow(done));
  }
  return report;
}

async function benchRow(
  surroundings: Surroundings,
  row: Row,
  contestants: readonly Contestant[],
  starter: LaneStarter,
  options: Options,
): Promise<RowReport> {
  const about = { name: row.name, title: row.title, load: row.load.description };
  const done = (contests: Contest[], absent: Record<string, string>): RowReport => ({
    ...about,
    absent,
    contests,
    bars: judge(row, contests),
  });
  const skipped = row.load.lacks() ?? (row.needs && !surroundings.tls ? "openssl is not installed" : undefined);
  if (skipped !== undefined) return { ...done([], {}), skipped };
  try {
    if (row.memory) return done(await runMemory(surroundings, row.load, contestants, options), {});
    const lanes = await starter.lanesOf(row);
    const lacking = lanes.absent[oursName];
    const contests = lacking === undefined ? await runRow(surroundings.stage, row, lanes.running, options) : [];
    await starter.release(row, lanes);
    return { ...done(contests, lanes.absent), ...(lacking === undefined ? {} : { skipped: `ours: ${lacking}` }) };
  } catch (error) {
    // The other rows are worth their quarter of an hour.
    process.exitCode = 1;
    return { ...done([], {}), skipped: `failed: ${(error as Error).message}` };
  }
}
