// Cron schedules as CronJobs have them: five fields or a descriptor. Syntax, meaning and words of refusal are those of
// robfig/cron's standard parser, which Kubernetes uses; libraries for JavaScript take other syntaxes (seconds, L, W, #).

import { parseGoDuration } from "./duration.ts";

export interface CronSchedule {
  /** The first time after `after`, to the minute; undefined when there is none within five years. */
  next(after: Date): Date | undefined;
}

/** Values a field may have, and names for them. */
interface Bounds {
  min: number;
  max: number;
  names?: string[];
}

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const bounds = {
  minute: { min: 0, max: 59 },
  hour: { min: 0, max: 23 },
  day: { min: 1, max: 31 },
  month: { min: 1, max: 12, names: months },
  weekday: { min: 0, max: 6, names: weekdays },
} satisfies Record<string, Bounds>;

const descriptors: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const searchYears = 5;

class Unreadable extends Error {}

/** The schedule, in `timeZone` (an IANA name; the process's own by default), or what is wrong with the text. */
export function parseCronSchedule(text: string, timeZone?: string): CronSchedule | string {
  try {
    return parse(text, timeZone);
  } catch (error) {
    if (error instanceof Unreadable) return error.message;
    throw error;
  }
}

function parse(text: string, timeZone: string | undefined): CronSchedule {
  if (text.startsWith("@every ")) return every(text);
  if (text.startsWith("@")) {
    const meant = Object.hasOwn(descriptors, text) ? descriptors[text] : undefined;
    if (meant === undefined) throw new Unreadable(`unrecognized descriptor: ${text}`);
    return parse(meant, timeZone);
  }
  const parts = text.split(/\s+/).filter(Boolean);
  if (parts.length !== 5) {
    throw new Unreadable(`expected exactly 5 fields, found ${parts.length}: [${parts.join(" ")}]`);
  }
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = parts;
  const fields: Fields = {
    minute: readField(minute, bounds.minute),
    hour: readField(hour, bounds.hour),
    day: readField(day, bounds.day),
    month: readField(month, bounds.month),
    weekday: readField(weekday, bounds.weekday),
    anyDay: isStarred(day) || isStarred(weekday),
  };
  const zone = new Intl.DateTimeFormat("en", { timeZone, hourCycle: "h23", ...clockParts });
  return { next: (after) => nextTime(fields, zone, after) };
}

function every(text: string): CronSchedule {
  const duration = text.slice("@every ".length);
  const delay = parseGoDuration(duration);
  if (delay === undefined) {
    throw new Unreadable(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`);
  }
  const step = Math.max(secondMs, Math.floor(delay / secondMs) * secondMs);
  return { next: (after) => new Date(Math.floor(after.getTime() / secondMs) * secondMs + step) };
}

const isStarred = (field: string): boolean => field.split(",").some((part) => /^[*?]/.test(part));

function readField(field: string, limits: Bounds): Set<number> {
  return new Set(field.split(",").flatMap((part) => readRange(part, limits)));
}

function readRange(text: string, limits: Bounds): number[] {
  const [range = "", stepText, ...moreSteps] = text.split("/");
  const [low = "", high, ...moreBounds] = range.split("-");
  if (moreBounds.length > 0) throw new Unreadable(`too many hyphens: ${text}`);
  if (moreSteps.length > 0) throw new Unreadable(`too many slashes: ${text}`);
  const isAll = low === "*" || low === "?";
  const start = isAll ? limits.min : readValue(low, limits);
  const step = stepText === undefined ? 1 : readNumber(stepText);
  const openEnd = isAll || (stepText !== undefined && high === undefined);
  const end = openEnd ? limits.max : high === undefined ? start : readValue(high, limits);
  if (start < limits.min) throw new Unreadable(`beginning of range (${start}) below minimum (${limits.min}): ${text}`);
  if (end > limits.max) throw new Unreadable(`end of range (${end}) above maximum (${limits.max}): ${text}`);
  if (start > end) throw new Unreadable(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new Unreadable(`step of range should be a positive number: ${text}`);
  return Array.from({ length: Math.floor((end - start) / step) + 1 }, (_, index) => start + index * step);
}

function readValue(text: string, { names, min }: Bounds): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  return named >= 0 ? named + min : readNumber(text);
}

function readNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  if (/^-\d+$/.test(text)) throw new Unreadable(`negative number (${text}) not allowed: ${text}`);
  throw new Unreadable(
    `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

interface Fields {
  minute: Set<number>;
  hour: Set<number>;
  day: Set<number>;
  month: Set<number>;
  weekday: Set<number>;
  /** One of the two fields of days is a star: then both must hold, otherwise either will do. */
  anyDay: boolean;
}

/**
 * Walks the zone's own clock, a date whose UTC fields are that clock's. A time that the clock skips (summer time begins)
 * is left out; one that it shows twice counts once.
 */
function nextTime(fields: Fields, zone: Intl.DateTimeFormat, after: Date): Date | undefined {
  const clock = new Date(Math.floor(clockOf(zone, after.getTime()) / minuteMs) * minuteMs + minuteMs);
  const lastYear = clock.getUTCFullYear() + searchYears;
  while (clock.getUTCFullYear() <= lastYear) {
    if (!fields.month.has(clock.getUTCMonth() + 1)) {
      clock.setUTCMonth(clock.getUTCMonth() + 1, 1);
      clock.setUTCHours(0, 0);
    } else if (!matchesDay(fields, clock)) {
      clock.setUTCDate(clock.getUTCDate() + 1);
      clock.setUTCHours(0, 0);
    } else if (!fields.hour.has(clock.getUTCHours())) clock.setUTCHours(clock.getUTCHours() + 1, 0);
    else {
      const time = fields.minute.has(clock.getUTCMinutes()) ? instantOf(zone, clock.getTime()) : undefined;
      if (time !== undefined && time > after.getTime()) return new Date(time);
      clock.setUTCMinutes(clock.getUTCMinutes() + 1);
    }
  }
  return undefined;
}

function matchesDay(fields: Fields, clock: Date): boolean {
  const day = fields.day.has(clock.getUTCDate());
  const weekday = fields.weekday.has(clock.getUTCDay());
  return fields.anyDay ? day && weekday : day || weekday;
}

const clockParts = {
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "numeric",
  minute: "numeric",
  second: "numeric",
} as const;

/** What the zone's clock shows at `time`, as the UTC milliseconds of the same figures. */
function clockOf(zone: Intl.DateTimeFormat, time: number): number {
  const parts = zone.formatToParts(time);
  const part = (type: string): number => Number(parts.find((item) => item.type === type)?.value);
  return Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
}

/** When the zone's clock first shows `clock`; undefined when it never does. */
function instantOf(zone: Intl.DateTimeFormat, clock: number): number | undefined {
  const offsets = [clock - 24 * hourMs, clock + 24 * hourMs].map((near) => clockOf(zone, near) - near);
  return offsets
    .map((offset) => clock - offset)
    .sort((a, b) => a - b)
    .find((time) => clockOf(zone, time) === clock);
}
