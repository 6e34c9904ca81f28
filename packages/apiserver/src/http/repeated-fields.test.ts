import assert from "node:assert/strict";
import { test } from "node:test";
import { repeatedFields } from "./repeated-fields.ts";

test("fields said twice are named with their path", () => {
  const cases: [json: string, paths: string[]][] = [
    ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}', []],
    ['{"a":"a:\\"b\\":1,","b":["a","a","{\\"x\\":1}"]}', []],
    ['{"__proto__":1,"constructor":2}', []],
    ['{"a":1,"a":1}', ["a"]],
    ['{"data":{"key":"1" , "other":2, "key" : "2","key":"3"}}', ["data.key"]],
    ['{"items":[{"n":1},{"n":1,"m":{},"n":2}]}', ["items[1].n"]],
    ['[[{"\\u0061":1,"a":2}]]', ["[0][0].a"]],
    ['{"__proto__":{"a":1},"__proto__":{"a":1}}', ["__proto__"]],
    ['{"a":{"b":1,"b":2},"a":{"c":1}}', ["a.b", "a"]],
  ];
  for (const [json, paths] of cases) assert.deepEqual(repeatedFields(json), paths, json);
});
