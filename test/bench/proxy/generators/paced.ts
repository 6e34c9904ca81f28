// Requests at a fixed rate, whatever the proxy does (open loop): a request that finds all connections busy waits, and its
// wait counts. A closed loop would ask less while the proxy stalls, and would not see most of what a stall does to users.

import { Latencies } from "./latencies.ts";
import { Requester } from "./requester.ts";

export interface PacedSettings {
  addresses: string[];
  port: number;
  path: string;
  /** Requests per second. */
  rate: number;
  connections: number;
  seconds: number;
}

/** Milliseconds between looks at the clock: the arrivals of that time come together. */
const interval = 0.1;
/** Arrivals that this process itself was late for are left out beyond this: a burst that nobody sent says nothing. */
const mostLate = 5;

export async function paced(settings: PacedSettings): Promise<Latencies> {
  const { addresses, port, path, rate, connections, seconds } = settings;
  const latencies = new Latencies();
  const idle: Requester[] = [];
  /** Arrival times of requests that wait for a connection. */
  const waiting: number[] = [];
  let underWay = 0;

  const send = (requester: Requester, arrived: number): void => {
    underWay++;
    requester.onAnswer = (ok) => {
      underWay--;
      if (ok) latencies.add(performance.now() - arrived);
      else latencies.errors++;
      if (!requester.alive) return;
      const next = waiting.shift();
      if (next === undefined) idle.push(requester);
      else send(requester, next);
    };
    requester.send();
  };
  for (let index = 0; index < connections; index++)
    idle.push(await Requester.open(addresses[index % addresses.length] ?? "", port, path));
  await arrivals(rate, seconds, (arrived) => {
    const requester = idle.shift();
    if (requester) send(requester, arrived);
    else waiting.push(arrived);
  });
  // What waits then has no connection left to wait for.
  await settled(() => underWay === 0);
  for (const requester of idle) requester.close();
  latencies.errors += underWay + waiting.length;
  return latencies;
}

/** Calls `arrive` with the moment, `rate` times a second. */
function arrivals(rate: number, seconds: number, arrive: (now: number) => void): Promise<void> {
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  const perMillisecond = rate / 1000;
  let last = performance.now();
  const end = last + seconds * 1000;
  let due = 0;
  return new Promise((resolve) => {
    const look = (): void => {
      const now = performance.now();
      due += Math.min(now - last, mostLate) * perMillisecond;
      last = now;
      for (; due >= 1; due--) arrive(now);
      if (now >= end) return resolve();
      // Sleeps below a millisecond, which timers cannot, and leaves the core to the backend.
      Atomics.wait(sleeper, 0, 0, interval);
      setImmediate(look);
    };
    look();
  });
}

/** Resolves when `done` holds, or after ten seconds. */
function settled(done: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  return new Promise((resolve) => {
    const look = (): void => {
      if (done() || performance.now() > deadline) resolve();
      else setTimeout(look, 1);
    };
    look();
  });
}
