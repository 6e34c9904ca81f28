import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCronSchedule } from "./cron-schedule.ts";

function next(text: string, after: string, timeZone = "UTC"): string | undefined {
  const schedule = parseCronSchedule(text, timeZone);
  assert.ok(typeof schedule !== "string", String(schedule));
  return schedule.next(new Date(after))?.toISOString();
}

describe("a cron schedule", () => {
  const cases: [string, string, string, string][] = [
    ["every minute", "* * * * *", "2026-01-01T00:00:30Z", "2026-01-01T00:01:00.000Z"],
    ["steps", "*/15 * * * *", "2026-01-01T00:15:00Z", "2026-01-01T00:30:00.000Z"],
    ["a step from a value on", "10/20 * * * *", "2026-01-01T00:51:00Z", "2026-01-01T01:10:00.000Z"],
    ["a list and a range", "0 9-10,14 * * *", "2026-01-01T10:00:00Z", "2026-01-01T14:00:00.000Z"],
    ["names", "0 0 * FEB sun", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00.000Z"],
    ["day or weekday when both are given", "0 0 13 * fri", "2026-01-01T12:00:00Z", "2026-01-02T00:00:00.000Z"],
    ["a weekday alone", "0 0 * * 1", "2026-01-01T00:00:00Z", "2026-01-05T00:00:00.000Z"],
    ["a leap day", "0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00.000Z"],
    ["a descriptor", "@hourly", "2026-01-01T00:59:59Z", "2026-01-01T01:00:00.000Z"],
    ["an interval", "@every 1h30m", "2026-01-01T00:00:00.500Z", "2026-01-01T01:30:00.000Z"],
  ];
  for (const [what, text, after, expected] of cases) {
    it(`reads ${what}`, () => assert.equal(next(text, after), expected));
  }

  it("has no time when there is none", () => assert.equal(next("0 0 30 2 *", "2026-01-01T00:00:00Z"), undefined));

  it("follows the clock of its zone through summer time", () => {
    assert.equal(next("30 9 * * *", "2026-07-01T00:00:00Z", "Europe/Berlin"), "2026-07-01T07:30:00.000Z");
    // 02:30 does not exist on this day.
    assert.equal(next("30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin"), "2026-03-30T00:30:00.000Z");
    // 02:30 comes twice on this day and counts once.
    assert.equal(next("30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin"), "2026-10-25T00:30:00.000Z");
    assert.equal(next("30 2 * * *", "2026-10-25T00:30:00Z", "Europe/Berlin"), "2026-10-26T01:30:00.000Z");
  });

  const wrong: [string, string][] = [
    ["* * *", "expected exactly 5 fields, found 3: [* * *]"],
    ["* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"],
    ["60 * * * *", "end of range (60) above maximum (59): 60"],
    ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
    ["* * * * 7", "end of range (7) above maximum (6): 7"],
    ["5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"],
    ["*/0 * * * *", "step of range should be a positive number: */0"],
    ["x * * * *", 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
    ["@sometimes", "unrecognized descriptor: @sometimes"],
  ];
  for (const [text, message] of wrong) {
    it(`refuses ${text}`, () => assert.equal(parseCronSchedule(text), message));
  }
});
