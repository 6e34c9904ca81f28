import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBody } from "./decode-body.ts";
import { refusedWith } from "../testing.ts";

const decode = (contentType: string, text: string): Promise<unknown> =>
  decodeBody({ contentType, bytes: Buffer.from(text) });

test("JSON, YAML and nothing said are read alike", async () => {
  for (const type of ["", "application/json", "application/yaml"]) {
    assert.deepEqual(await decode(type, '{"a":[1,{"b":null}]}'), { a: [1, { b: null }] });
  }
  assert.deepEqual(await decode("application/yaml", "a: &x {b: 1}\nc: *x\n"), { a: { b: 1 }, c: { b: 1 } });
});

const refused: [what: string, type: string, text: string, code: number, message: RegExp][] = [
  ["half an object", "application/json", '{"a":', 400, /not valid JSON/],
  ["a tree of 300 levels", "application/json", "[".repeat(300), 400, /nested deeper than 256 levels/],
  ["YAML that is none", "application/yaml", "a: [", 400, /not valid YAML/],
  ["a key that stands twice", "application/yaml", "a: 1\nb: {c: 1, c: 2}\n", 400, /the key "c" stands twice/],
  ["an encoding nobody has", "text/plain", "a", 415, /text\/plain/],
  ["an encoding named like a property of every object", "constructor", "a", 415, /constructor/],
  ["more YAML than a mebibyte", "application/yaml", `a: ${"x".repeat(1024 * 1024)}`, 413, /send JSON instead/],
  [
    "aliases that multiply",
    "application/yaml",
    `a: &a ${"x".repeat(200_000)}\nb: [${Array(90).fill("*a").join(", ")}]\n`,
    413,
    /aliases expand/,
  ],
];
for (const [what, type, text, code, message] of refused) {
  test(`${what} is refused with ${code}`, () => assert.rejects(decode(type, text), refusedWith(code, message)));
}

test("many keys take time in proportion", async () => {
  const keys = Array.from({ length: 40_000 }, (_, index) => `k${index}: 1`);
  assert.equal(Object.keys((await decode("application/yaml", `{${keys.join(", ")}}`)) as object).length, 40_000);
});
