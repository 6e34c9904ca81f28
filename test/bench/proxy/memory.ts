// The memory of fresh processes: under load, and what an idle connection adds.

import type { Contestant, Running, Surroundings } from "./contestant.ts";
import { standard } from "./contestant.ts";
import { type Contest, contestsFrom, type Figures } from "./figures.ts";
import { generatorProgram, type Load, wrk } from "./loads.ts";
import { memoryOf } from "./process-usage.ts";
import { measure, type RunOptions, warmUp } from "./run.ts";
import { addresses, connectionLimit, type Stage, type Started } from "./stage.ts";

/** Enough that what the rest of a process does in the meantime is small beside them; divides by 4. */
const idleConnections = 4 * Math.floor(Math.min(8000, connectionLimit - 128) / 4);

/** Rounds beyond three tell nothing new: memory is hardly disturbed by others. */
export async function runMemory(
  surroundings: Surroundings,
  load: Load,
  contestants: readonly Contestant[],
  { rounds, seconds }: RunOptions,
): Promise<Contest[]> {
  const measured = contestants.map(({ name }) => ({ name, hosts: 0, rounds: [] as Figures[] }));
  for (let round = 0; round < Math.min(rounds, 3); round++)
    for (const [index, contestant] of contestants.entries())
      measured[index]?.rounds.push(await oneRound(surroundings, load, contestant, seconds));
  return contestsFrom(measured);
}

async function oneRound(
  surroundings: Surroundings,
  load: Load,
  contestant: Contestant,
  seconds: number,
): Promise<Figures> {
  const { stage } = surroundings;
  const busy = await contestant.start(surroundings, standard);
  await warmUp(stage, load, busy, 0);
  const figures = await measure(stage, load, busy, seconds, 0);
  await stage.stop(busy.started);
  const fresh = await contestant.start(surroundings, standard);
  await warmUp(stage, wrk({ connections: 64 }), fresh, 0);
  const idle = await idleCost(surroundings, fresh);
  await stage.stop(fresh.started);
  return { ...figures, idle };
}

/** KiB (PSS) per idle connection: what the later three quarters add to the first. The first ones also take the place of
 * whatever a warm process has to throw away, and would look too cheap. */
async function idleCost({ stage }: Surroundings, { started, ports }: Running): Promise<number> {
  const some = await openIdle(stage, ports.http, idleConnections / 4);
  const before = await settledPss(started.pid);
  const more = await openIdle(stage, ports.http, (3 * idleConnections) / 4);
  const after = await settledPss(started.pid);
  await Promise.all([some, more].map((clients) => stage.stop(clients)));
  return (after - before) / ((3 * idleConnections) / 4);
}

async function openIdle(stage: Stage, port: number, connections: number): Promise<Started> {
  const args = [generatorProgram, "idle", JSON.stringify({ addresses, port, connections })];
  const clients = stage.start(process.execPath, args, { cores: stage.cores.load });
  let ended = false;
  void clients.ended.then(() => (ended = true));
  while (!clients.output().includes("open")) {
    if (ended) throw new Error(`${connections} idle connections cannot be opened: ${clients.output().slice(-500)}`);
    await pause(50);
  }
  return clients;
}

/** When it no longer changes by a percent within half a second, or after ten. */
async function settledPss(pid: number): Promise<number> {
  let pss = memoryOf(pid).pss;
  for (let look = 0; look < 20; look++) {
    await pause(500);
    const now = memoryOf(pid).pss;
    if (Math.abs(now - pss) < pss / 100) return now;
    pss = now;
  }
  return pss;
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
