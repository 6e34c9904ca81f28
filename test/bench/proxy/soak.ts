// `npm run bench -- proxy --soak SECONDS`: ours under full load of every kind at once, and whether it needs more at the end than
// at the beginning.

import { readdirSync, truncateSync } from "node:fs";
import type { Running, Surroundings } from "./contestant.ts";
import { oursName, standard } from "./contestant.ts";
import { generator, type Load, wrk } from "./loads.ts";
import { describeMachine, load } from "./machine.ts";
import { createOurs } from "./ours.ts";
import { cpuMicros, memoryOf } from "./process-usage.ts";
import type { HeapReport } from "./serve.ts";
import type { Sample, SoakReport } from "./soak-report.ts";
import type { Started } from "./stage.ts";

/** All at the same time: as much as the load generators' core can make. */
const loads: Record<string, Load> = {
  "keep-alive": wrk({ connections: 32 }),
  "a connection per request": wrk({ connections: 16, threads: 4, headers: { Connection: "close" } }),
  "1 MiB up": wrk({ connections: 4, path: "/large/up", bodyBytes: 2 ** 20 }),
  "1 MiB down": wrk({ connections: 4, path: "/large/1m" }),
  "broken off": generator("aborts", { connections: 8 }),
};
const loadsOverTls: Record<string, Load> = {
  "keep-alive over TLS": wrk({ connections: 16, tls: true }),
  "TLS handshakes": generator("handshakes", { connections: 2, tls: true }),
};

/** Samples in all: enough for medians, too few to disturb. */
const samples = 150;

export async function soak(surroundings: Surroundings, seconds: number): Promise<SoakReport> {
  const { stage, tls } = surroundings;
  const kinds = { ...loads, ...(tls && loadsOverTls) };
  const missing = Object.values(kinds).flatMap((each) => each.lacks() ?? []);
  if (missing.length > 0) throw new Error(missing[0]);
  const report = { date: new Date().toISOString().slice(0, 10), machine: describeMachine(), busy: load(), seconds };
  const running = await createOurs([]).start(surroundings, standard);
  const aim = { ports: running.ports, hosts: 0, seconds, rate: 0 };
  const started = performance.now();
  const taken: Sample[] = [];
  const timer = setInterval(() => taken.push(take(running, started)), (seconds * 1000) / samples);
  const before = cpuMicros(running.started.pid);
  const results = await Promise.all(
    Object.entries(kinds).map(async ([kind, each]) => ({ kind, ...(await each.run(stage, aim)) })),
  );
  clearInterval(timer);
  const used = cpuMicros(running.started.pid) - before;
  const share = used / 1000 / (performance.now() - started);
  const counted = results.map(({ kind, requests, errors }) => ({ kind, requests, errors }));
  return { ...report, name: oursName, processor: share, loads: counted, samples: taken };
}

function take({ started, accessLog }: Running, begin: number): Sample {
  const { pid } = started;
  // Gigabytes would come together.
  truncateSync(accessLog);
  const { rss, pss } = memoryOf(pid);
  const heap = lastHeap(started);
  // Its answer is the next sample's.
  process.kill(pid, "SIGUSR2");
  const descriptors = readdirSync(`/proc/${pid}/fd`).length;
  return { second: (performance.now() - begin) / 1000, rss, pss, heap: heap / 1024, descriptors };
}

/** Bytes of the heap in use when it was asked last; NaN before. */
function lastHeap(started: Started): number {
  const line = started
    .output()
    .split("\n")
    .findLast((each) => each.startsWith("{") && each.endsWith("}"));
  return line === undefined ? Number.NaN : (JSON.parse(line) as HeapReport).heapUsed;
}
