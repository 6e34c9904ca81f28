import assert from "node:assert/strict";
import { test } from "node:test";
import { timeFault } from "./go-time.ts";

test("times are read as Go reads them", () => {
  for (const text of [
    "2024-02-29T23:59:59Z",
    "2024-01-01T00:00:00.123456Z",
    "2024-01-01T00:00:00,5+02:00",
    "2024-01-01T00:00:00-11:30",
  ]) {
    assert.equal(timeFault(text, "second"), undefined, text);
  }
  assert.equal(timeFault("2024-01-01T00:00:00.000000Z", "micro"), undefined);
});

test("what is no time is refused in Go's words", () => {
  const layout = "2006-01-02T15:04:05Z07:00";
  const rows: [text: string, fault: string][] = [
    ["yesterday", `as "${layout}": cannot parse "yesterday" as "2006"`],
    ["", `as "${layout}": cannot parse "" as "2006"`],
    ["2020-01-01", `as "${layout}": cannot parse "" as "T"`],
    ["2020-01-01T00:00:00", `as "${layout}": cannot parse "" as "Z07:00"`],
  ];
  for (const [text, fault] of rows) assert.equal(timeFault(text, "second"), `parsing time "${text}" ${fault}`);
  for (const [text, what] of [
    ["2020-13-01T00:00:00Z", "month"],
    ["2023-02-29T00:00:00Z", "day"],
    ["2020-01-01T24:00:00Z", "hour"],
    ["2020-01-01T00:00:60Z", "second"],
  ] as const) {
    assert.equal(timeFault(text, "second"), `parsing time "${text}": ${what} out of range`);
  }
  assert.equal(timeFault("2020-01-01T00:00:00Zx", "second"), 'parsing time "2020-01-01T00:00:00Zx": extra text: "x"');
});

test("times with microseconds have six digits", () => {
  const wanted = 'as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"';
  assert.equal(timeFault("2020-01-01T00:00:00Z", "micro"), `parsing time "2020-01-01T00:00:00Z" ${wanted}`);
});
