// The language: what expressions evaluate to, which errors they end in, and what does not compile.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { explainFault, Expression, usesOldSelf } from "./expression.ts";
import { costPerExpression, CostExceeded, Meter } from "../meter.ts";
import { valueOf } from "./schema-values.ts";
import type { Value } from "./values.ts";

const text: Schema = { type: "string" };
const schema: Schema = {
  type: "object",
  properties: {
    name: text,
    namespace: text,
    "a-b": text,
    "x/y.z": text,
    a__b: text,
    size: { type: "integer" },
    ratio: { type: "number" },
    open: { type: "boolean" },
    port: { "x-kubernetes-int-or-string": true },
    wait: { type: "string", format: "duration" },
    since: { type: "string", format: "date-time" },
    day: { type: "string", format: "date" },
    data: { type: "string", format: "byte" },
    nothing: { type: "string", nullable: true },
    absent: { type: "object", properties: { inner: text } },
    labels: { type: "object", additionalProperties: text },
    tags: { type: "array", items: text, "x-kubernetes-list-type": "set" },
    plain: { type: "array", items: { type: "integer" } },
    ports: {
      type: "array",
      items: { type: "object", properties: { name: text, port: { type: "integer" } } },
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
    },
    open2: { type: "object", properties: { known: text }, "x-kubernetes-preserve-unknown-fields": true },
  },
};

const object = {
  name: "whoami",
  namespace: "demo",
  "a-b": "dash",
  "x/y.z": "path",
  a__b: "under",
  size: 3,
  ratio: 2,
  open: true,
  port: "http",
  wait: "1m30s",
  since: "2026-01-02T03:04:05Z",
  day: "2026-01-02",
  data: "aGk=",
  nothing: null,
  labels: { app: "whoami", "tier/x": "web" },
  tags: ["b", "a"],
  plain: [3, 1, 2],
  ports: [
    { name: "web", port: 80 },
    { name: "tls", port: 443 },
  ],
  open2: { known: "k", unknown: [1] },
};

function evaluate(source: string, limit = costPerExpression): Value {
  return new Expression(source).evaluate(valueOf(schema, object), undefined, new Meter(limit));
}

/** Each must compile and be true. */
const truths: Record<string, string[]> = {
  "numbers by schema": [
    "type(self.size) == int && self.size + 1 == 4",
    "type(self.ratio) == double && self.ratio == 2.0",
    "self.ratio < self.size && self.size > 2.5 && 1u < 2",
    "7 / 2 == 3 && -7 / 2 == -3 && -7 % 2 == -1 && 7.0 / 2.0 == 3.5",
    "-9223372036854775808 < 0 && 0xff == 255 && 1e3 == 1000.0 && - -1 == 1 && !!true",
    "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 10 - 3 - 2 == 5",
  ],
  "property names": [
    "self.__namespace__ == 'demo' && self.namespace == 'demo'",
    "self.a__dash__b == 'dash' && self.x__slash__y__dot__z == 'path' && self.a__underscores__b == 'under'",
  ],
  presence: [
    "has(self.name) && !has(self.absent) && !has(self.nothing)",
    "'app' in self.labels && !('web' in self.labels) && has(self.labels.app)",
    "!has(self.labels.missing) && self.?absent.?inner.orValue('none') == 'none'",
    "self.?name.hasValue() && self.labels[?'no'] == optional.none() && self.plain[?9].orValue(7) == 7",
    "self.?name.optMap(n, n + '!').value() == 'whoami!' && {?'a': self.?absent.?inner}.size() == 0",
  ],
  "int-or-string is either": ["self.port == 'http'", "type(self.port) == string", "type(self.port) == int || true"],
  formats: [
    "self.wait == duration('90s') && self.wait > duration('1m') && self.wait.getSeconds() == 90",
    "self.since == timestamp('2026-01-02T04:04:05+01:00') && self.since.getFullYear() == 2026",
    "self.since.getHours('+02:00') == 5 && self.since.getDayOfWeek() == 5 && self.since.getMonth() == 0",
    "self.day < self.since && self.since - self.day == duration('3h4m5s') && self.data == b'hi'",
  ],
  "lists and maps": [
    "self.tags == ['a', 'b'] && self.plain != [1, 2, 3] && 'a' in self.tags",
    "(self.tags + ['a', 'c']).size() == 3 && (self.plain + [1]).size() == 4",
    "size(self.labels) == 2 && self.labels['tier/x'] == 'web' && self.plain[0] == 3",
    "self.plain.max() == 3 && self.plain.sum() == 6 && !self.plain.isSorted() && self.plain.indexOf(2) == 2",
    "self.plain.sort() == [1, 2, 3] && [1, 1, 2].distinct() == [1, 2] && [[1], [2]].flatten() == [1, 2]",
    "sets.contains([1, 2], [2]) && !sets.intersects([1], [2]) && sets.equivalent([1, 2, 2], [2, 1])",
    "self.open2 == self.open2",
  ],
  macros: [
    "self.ports.all(p, p.port > 79) && !self.ports.all(p, p.port > 80) && [].all(x, false)",
    "self.ports.exists(p, p.name == 'tls') && !self.ports.exists(p, p.name == 'x')",
    "self.ports.exists_one(p, p.port == 80) && !self.ports.exists_one(p, p.port > 1)",
    "self.ports.map(p, p.port) == [80, 443] && self.ports.map(p, p.port > 80, p.name) == ['tls']",
    "self.ports.filter(p, p.port == 80).size() == 1 && self.labels.all(k, k.size() > 2)",
    "self.plain.all(i, v, i < 3 && v > 0) && self.labels.exists(k, v, k == 'app' && v == 'whoami')",
    "self.plain.transformList(i, v, v > 1, v * 10) == [30, 20] && self.labels.transformMap(k, v, k + v)['app'] == 'appwhoami'",
    "self.ports.all(a, self.ports.exists_one(b, a.name == b.name)) && [3, 1].sortBy(x, -x) == [3, 1]",
  ],
  "logic outweighs errors": [
    "true || self.plain[9] == 1",
    "self.plain[9] == 1 || true",
    "!(self.plain[9] == 1 && false)",
    "[0, 1].exists(x, 1 / x == 1)",
    "!has(self.absent) || self.absent.inner == ''",
  ],
  strings: [
    "'a,b,c'.split(',') == ['a', 'b', 'c'] && 'a,b,c'.split(',', 2) == ['a', 'b,c'] && 'ab'.split('') == ['a', 'b']",
    "'tacocat'.substring(4) == 'cat' && 'tacocat'.substring(0, 4) == 'taco' && 'héllo🐱'.size() == 6",
    "'abc'.startsWith('ab') && 'abc'.endsWith('bc') && 'abc'.contains('b') && 'abc'.charAt(1) == 'b'",
    "'abcb'.indexOf('b') == 1 && 'abcb'.lastIndexOf('b') == 3 && '🐱b'.indexOf('b') == 1",
    "'a-b-c'.replace('-', '+') == 'a+b+c' && 'a-b-c'.replace('-', '+', 1) == 'a+b-c' && ['x', 'y'].join('/') == 'x/y'",
    "' x '.trim() == 'x' && 'aÉ'.upperAscii() == 'AÉ' && 'AÉ'.lowerAscii() == 'aÉ'",
    "'%s has %d at %.2f'.format(['x', 2, 1.5]) == 'x has 2 at 1.50' && '%x'.format([255]) == 'ff'",
    "'''multi\nline''' == 'multi\\nline' && r'\\d' == '\\\\d' && \"\\u0041\\x42\" == 'AB'",
    "string(1) == '1' && int('7') == 7 && string(duration('90s')) == '90s' && double('1.5') == 1.5 && bool('true')",
  ],
  "comments and spaces": ["true // always\n && true"],
};

describe("expressions", () => {
  for (const [name, sources] of Object.entries(truths)) {
    test(name, () => {
      for (const source of sources) {
        assert.equal(explainFault(source, schema, "bool"), undefined, source);
        assert.equal(evaluate(source), true, source);
      }
    });
  }

  test("errors as they happen", () => {
    const errors: [source: string, message: RegExp][] = [
      ["self.absent.inner == ''", /^no such key: absent$/],
      ["self.labels['x'] == ''", /^no such key: x$/],
      ["self.plain[3] == 1", /^index out of bounds: 3$/],
      ["self.plain[-1] == 1", /^index out of bounds: -1$/],
      ["1 / (self.size - 3) == 1", /^division by zero$/],
      ["1 % (self.size - 3) == 1", /^modulus by zero$/],
      ["9223372036854775807 + self.size == 0", /^integer overflow$/],
      ["self.port + 1 == 2", /^no such overload$/],
      ["int(self.name) == 1", /parsing "whoami": invalid syntax/],
      ["duration(self.name) == duration('1s')", /type conversion error from 'string' to 'google.protobuf.Duration'/],
      ["self.plain.all(x, self.plain[x] > 0)", /^index out of bounds: 3$/],
      ["'abc'.substring(5) == ''", /^index out of range: 5$/],
      ["optional.none().value() == 1", /dereference/],
    ];
    for (const [source, message] of errors) {
      assert.equal(explainFault(source, schema, "bool"), undefined, source);
      assert.throws(() => evaluate(source), { name: "CelError", message }, source);
    }
  });

  test("what cannot work does not compile", () => {
    const faults: [source: string, fault: RegExp][] = [
      ["self.nam == 'x'", /ERROR: <input>:1:5: undefined field 'nam'\n \| self\.nam == 'x'\n \| \.\.\.\.\^$/],
      ["self.a__b == ''", /undefined field 'a__b'/],
      ["has(self.open2.unknown)", /undefined field 'unknown'/],
      ["self.size == 'x'", /found no matching overload for '_==_' applied to '\(int, string\)'/],
      ["self.name == null", /found no matching overload for '_==_' applied to '\(string, null\)'/],
      ["self.name.starts('x')", /undeclared reference to 'starts'/],
      ["self.name.contains(1)", /no matching overload for 'contains' applied to 'string\.\(int\)'/],
      ["other == 1", /undeclared reference to 'other'/],
      ["self.name", /^must evaluate to a bool$/],
      ["self.size ? true : false", /no matching overload for '_\?_:_'/],
      ["self.size && true", /no matching overload for '_&&_'/],
      ["self.all(x, true)", /cannot be range of a comprehension/],
      ["self.ports.all(p.x, true)", /argument must be a simple name/],
      ["has(self)", /invalid argument to has\(\) macro/],
      ["[1, 'a'].size() == 2", /expected type 'int' but found 'string'/],
      ["duration('1 fortnight') > self.wait", /invalid duration argument/],
      ["self.name.matches('(')", /invalid matches argument/],
      ["self.name ==", /Syntax error: mismatched input '<EOF>'/],
      ["self.name == 'x", /Syntax error: token recognition error/],
      ["(true", /mismatched input '<EOF>' expecting '\)'/],
      ["true true", /mismatched input 'true' expecting <EOF>/],
      ["package == 1", /reserved identifier: package/],
      ["self.in == 1", /mismatched input 'in'/],
      ["9223372036854775808 > 0", /invalid int literal/],
      ["'\\q' == ''", /invalid escape/],
      [`${"(".repeat(300)}true${")".repeat(300)}`, /recursion limit exceeded/],
      [`'${"x".repeat(100_001)}' == ''`, /size exceeds limit/],
    ];
    for (const [source, fault] of faults)
      assert.match(explainFault(source, schema, "bool") ?? "compiles", fault, source);
  });

  test("long chains of && neither nest nor fail", () => {
    const source = Array.from({ length: 3000 }, () => "self.size == 3").join(" && ");
    assert.equal(explainFault(source, schema, "bool"), undefined);
    assert.equal(evaluate(source), true);
  });

  test("oldSelf is found where it is a variable, not where it is text", () => {
    assert.equal(usesOldSelf("self.x == oldSelf.x"), true);
    assert.equal(usesOldSelf("[1].exists(x, has(oldSelf.y))"), true);
    assert.equal(usesOldSelf("self.x == 'oldSelf'"), false);
    assert.equal(usesOldSelf("self.oldSelf == 1"), false);
  });
});

describe("the cost of an evaluation is bounded", () => {
  const digits = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
  const nested = (depth: number): string => (depth === 0 ? "true" : `${digits}.all(x${depth}, ${nested(depth - 1)})`);
  const doubled = (depth: number): string =>
    depth === 0 ? "'0123456789'" : `[${doubled(depth - 1)}].map(x, x + x)[0]`;
  const hostile: Record<string, string> = {
    "nested loops": nested(8),
    "growing texts": `${doubled(40)} != ''`,
    replacements: `[${doubled(12)}].all(x, x.replace('', x) != '')`,
    backtracking: `[${doubled(14)}].all(x, x.matches('^(([0-9]+)+)+x$'))`,
    "large ranges": "lists.range(1000000000).all(x, true)",
  };
  for (const [name, source] of Object.entries(hostile)) {
    test(name, () => assert.throws(() => evaluate(source), CostExceeded));
  }

  test("no operator absorbs the end of the budget", () => {
    assert.throws(() => evaluate(`true || ${nested(8)}`, 0) && evaluate(`(${nested(8)}) || true`), CostExceeded);
    assert.throws(() => evaluate(`[1].exists(y, (${nested(8)}) || true)`), CostExceeded);
  });

  test("what is used in practice is far from the limit", () => {
    assert.equal(evaluate(nested(3), 10_000), true);
  });
});
