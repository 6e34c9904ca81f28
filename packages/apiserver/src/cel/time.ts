// Durations and timestamps in whole nanoseconds: reading them, printing them, and the range CEL allows them.

import { parseGoDuration } from "@gatehouse/apimachinery/duration";
import { CelError, Duration, Timestamp } from "./values.ts";

const nanosPerSecond = 1_000_000_000n;
const int64 = 2n ** 63n;
/** The years 1 to 9999. */
const firstSecond = -62_135_596_800n;
const lastSecond = 253_402_300_799n;

/** Throws CelError for what is no Go duration. */
export function parseDuration(text: string): Duration {
  const ms = parseGoDuration(text);
  if (ms === undefined) throw new CelError("type conversion error from 'string' to 'google.protobuf.Duration'");
  return duration(BigInt(Math.round(ms * 1e6)));
}

/** Throws CelError when `nanos` are more than 64 bits hold. */
export function duration(nanos: bigint): Duration {
  if (nanos >= int64 || nanos < -int64) throw new CelError("integer overflow");
  return new Duration(nanos);
}

const rfc3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/i;

/** Throws CelError for what is no RFC 3339 time. */
export function parseTimestamp(text: string): Timestamp {
  const parts = rfc3339.exec(text);
  const ms = parts ? Date.parse(`${parts[1]}${parts[3]}`.toUpperCase()) : NaN;
  if (Number.isNaN(ms)) throw new CelError("type conversion error from 'string' to 'google.protobuf.Timestamp'");
  return timestamp(BigInt(ms) * 1_000_000n + BigInt((parts?.[2] ?? "").padEnd(9, "0")));
}

/** Throws CelError when `nanos` are outside of the years 1 to 9999. */
export function timestamp(nanos: bigint): Timestamp {
  const seconds = secondsOf(nanos);
  if (seconds < firstSecond || seconds > lastSecond) throw new CelError("timestamp overflow");
  return new Timestamp(nanos);
}

/** Whole seconds, rounded down. */
export function secondsOf(nanos: bigint): bigint {
  const seconds = nanos / nanosPerSecond;
  return nanos < 0n && seconds * nanosPerSecond !== nanos ? seconds - 1n : seconds;
}

/** `1.5s`, as cel-go's string() prints durations. */
export function durationText({ nanos }: Duration): string {
  const sign = nanos < 0n ? "-" : "";
  return `${sign}${decimal(nanos < 0n ? -nanos : nanos)}s`;
}

/** RFC 3339 in UTC, with as many digits of the second as there are. */
export function timestampText({ nanos }: Timestamp): string {
  const seconds = secondsOf(nanos);
  const rest = nanos - seconds * nanosPerSecond;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return rest === 0n ? `${whole}Z` : `${whole}.${String(rest).padStart(9, "0").replace(/0+$/, "")}Z`;
}

function decimal(nanos: bigint): string {
  const rest = String(nanos % nanosPerSecond)
    .padStart(9, "0")
    .replace(/0+$/, "");
  return rest ? `${nanos / nanosPerSecond}.${rest}` : `${nanos / nanosPerSecond}`;
}

/** The calendar of `nanos` in the time zone `zone` (UTC when absent): fields as a Date whose UTC parts are the local ones. */
export function localDate({ nanos }: Timestamp, zone = "UTC"): Date {
  const ms = Number(secondsOf(nanos)) * 1000;
  const offset = /^([+-]?)(\d{2}):(\d{2})$/.exec(zone);
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    return new Date(ms + (offset[1] === "-" ? -minutes : minutes) * 60_000);
  }
  if (zone === "UTC" || zone === "") return new Date(ms);
  try {
    // "sv-SE" prints 2006-01-02 15:04:05.
    const local = new Date(ms).toLocaleString("sv-SE", { timeZone: zone });
    return new Date(`${local.replace(" ", "T")}Z`);
  } catch {
    throw new CelError(`unknown time zone ${zone}`);
  }
}
