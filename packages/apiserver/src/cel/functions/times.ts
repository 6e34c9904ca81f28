// Parts of timestamps (in UTC, or in the zone that is named) and of durations.

import { localDate } from "../time.ts";
import type { Duration, Timestamp } from "../values.ts";
import { method, type Overload } from "./overload.ts";

const dayMs = 86_400_000;

const parts: Record<string, (date: Date) => number> = {
  getFullYear: (date) => date.getUTCFullYear(),
  getMonth: (date) => date.getUTCMonth(),
  getDayOfMonth: (date) => date.getUTCDate() - 1,
  getDate: (date) => date.getUTCDate(),
  getDayOfWeek: (date) => date.getUTCDay(),
  getDayOfYear: (date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / dayMs),
  getHours: (date) => date.getUTCHours(),
  getMinutes: (date) => date.getUTCMinutes(),
  getSeconds: (date) => date.getUTCSeconds(),
};

/** Durations answer with their whole length in the unit. */
const units: Record<string, bigint> = {
  getHours: 3_600_000_000_000n,
  getMinutes: 60_000_000_000n,
  getSeconds: 1_000_000_000n,
  getMilliseconds: 1_000_000n,
};

function milliseconds({ nanos }: Timestamp): bigint {
  return (((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n) / 1_000_000n;
}

/** The functions of this file. */
export const times: Overload[] = [
  ...Object.entries(parts).flatMap(([name, part]) => [
    method(`${name}(timestamp)`, "int", (time: Timestamp) => BigInt(part(localDate(time)))),
    method(`${name}(timestamp, string)`, "int", (time: Timestamp, zone: string) => BigInt(part(localDate(time, zone)))),
  ]),
  ...Object.entries(units).map(([name, unit]) =>
    method(`${name}(duration)`, "int", ({ nanos }: Duration) => nanos / unit),
  ),
  method("getMilliseconds(timestamp)", "int", milliseconds),
  method("getMilliseconds(timestamp, string)", "int", milliseconds),
];
