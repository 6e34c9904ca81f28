import assert from "node:assert/strict";
import { test } from "node:test";
import { humanDuration, parseGoDuration } from "./duration.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

test("ages keep two or three characters of precision", () => {
  const cases: [number, string][] = [
    [-2 * second, "<invalid>"],
    [-1 * second, "0s"],
    [0, "0s"],
    [45 * second + 999, "45s"],
    [119 * second, "119s"],
    [2 * minute, "2m"],
    [5 * minute + 12 * second, "5m12s"],
    [10 * minute + 5 * second, "10m"],
    [179 * minute, "179m"],
    [3 * hour, "3h"],
    [3 * hour + 20 * minute, "3h20m"],
    [8 * hour + 20 * minute, "8h"],
    [47 * hour, "47h"],
    [2 * day + 5 * hour, "2d5h"],
    [8 * day + 5 * hour, "8d"],
    [729 * day, "729d"],
    [2 * 365 * day + 30 * day, "2y30d"],
    [8 * 365 * day + 30 * day, "8y"],
  ];
  for (const [ms, text] of cases) assert.equal(humanDuration(ms), text, `${ms} ms`);
});

test("Go durations are read to milliseconds, anything else is refused", () => {
  const cases: [string, number | undefined][] = [
    ["0", 0],
    ["1h30m", 90 * minute],
    ["-1.5s", -1500],
    ["+2m", 2 * minute],
    ["300ms", 300],
    ["1.5h", 90 * minute],
    [".5s", 500],
    ["10µs", 0.01],
    ["", undefined],
    ["5", undefined],
    ["1d", undefined],
    ["1h 30m", undefined],
    ["s", undefined],
  ];
  for (const [text, ms] of cases) assert.equal(parseGoDuration(text), ms, JSON.stringify(text));
});
