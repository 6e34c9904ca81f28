import assert from "node:assert/strict";
import { test } from "node:test";
import { goJson } from "./go-json.ts";

test("JSON is written as Go writes it", () => {
  const cases: [unknown, string][] = [
    [{ b: 1, a: [{ d: null, c: true }] }, '{"a":[{"c":true,"d":null}],"b":1}'],
    [{ 9: "x", 10: "y", a: 1 }, '{"10":"y","9":"x","a":1}'],
    ["<a href='b'>&\u2028\u2029", "\"\\u003ca href='b'\\u003e\\u0026\\u2028\\u2029\""],
    [{ "<": '"' }, '{"\\u003c":"\\""}'],
    [Object.fromEntries([["__proto__", 1]]), '{"__proto__":1}'],
    [{ gone: undefined, kept: [undefined] }, '{"kept":[null]}'],
    [1.5, "1.5"],
    [{}, "{}"],
    [[], "[]"],
  ];
  for (const [value, expected] of cases) assert.equal(goJson(value), expected);
});
