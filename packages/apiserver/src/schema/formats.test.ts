import assert from "node:assert/strict";
import { test } from "node:test";
import { matchesFormat } from "./formats.ts";

const cases: Record<string, { good: string[]; bad: string[] }> = {
  "date-time": {
    good: ["2024-02-29T23:59:60Z", "2024-01-01T00:00:00.123456Z", "2024-01-01t00:00:00+02:00"],
    bad: ["2023-02-29T00:00:00Z", "2024-01-01", "2024-01-01T25:00:00Z", "2024-01-01T00:00:00", ""],
  },
  date: { good: ["2024-02-29"], bad: ["2024-2-9", "2023-02-29"] },
  duration: { good: ["1h30m", "0", "3 days", "12 34h"], bad: ["1x", "", "0".repeat(200_000)] },
  ipv4: { good: ["127.0.0.1"], bad: ["::1", "127.0.0.256"] },
  ipv6: { good: ["::1"], bad: ["127.0.0.1"] },
  cidr: { good: ["10.0.0.0/8", "fe80::/10"], bad: ["10.0.0.0", "10.0.0.0/33", "x/8"] },
  byte: { good: ["", "aGk=", "aGVs\nbG8="], bad: ["aGk", "a b="] },
  uri: { good: ["https://example.com/a?b", "/path"], bad: ["example.com", "https://a b"] },
  hostname: { good: ["example.com", "a"], bad: ["-a.com", "a..b", ""] },
  uuid: { good: ["123e4567-e89b-12d3-a456-426614174000"], bad: ["123e4567"] },
  mac: { good: ["00:1b:44:11:3a:b7", "001b.4411.3ab7"], bad: ["00:1b:44:11:3a"] },
  "k8s-short-name": { good: ["a-1"], bad: ["A", "a.b", "a-"] },
  "k8s-long-name": { good: ["a.b-c"], bad: ["a..b"] },
  "not-a-known-format": { good: ["", "anything"], bad: [] },
};

test("formats", () => {
  for (const [format, { good, bad }] of Object.entries(cases)) {
    for (const text of good) assert.equal(matchesFormat(format, text), true, `${format}: ${text}`);
    for (const text of bad) assert.equal(matchesFormat(format, text), false, `${format}: ${text}`);
  }
});
