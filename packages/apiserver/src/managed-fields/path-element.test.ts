import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalElement, elementText, inElementOrder, keyElement, valueElement } from "./path-element.ts";

test("items are written as Go writes JSON", () => {
  const cases: [string, string][] = [
    [keyElement([["name", "web"]]), 'k:{"name":"web"}'],
    [
      keyElement([
        ["containerPort", 80],
        ["protocol", "TCP"],
      ]),
      'k:{"containerPort":80,"protocol":"TCP"}',
    ],
    [keyElement([["name", 'a"<b>&\u2028']]), 'k:{"name":"a\\"\\u003cb\\u003e\\u0026\\u2028"}'],
    [keyElement([["on", true]]), 'k:{"on":true}'],
    [valueElement("a/b"), 'v:"a/b"'],
    [valueElement("a\nb"), 'v:"a\\nb"'],
    [valueElement(1.5), "v:1.5"],
  ];
  for (const [element, expected] of cases) assert.equal(element, expected);
});

test("elements of clients are brought into their one form, and unknown kinds passed over", () => {
  assert.equal(canonicalElement('k:{ "b": 1, "a": "x" }'), 'k:{"a":"x","b":1}');
  assert.equal(canonicalElement('v: "a"'), 'v:"a"');
  assert.equal(canonicalElement("f:a.b"), "f:a.b");
  assert.equal(canonicalElement("i:3"), "i:3");
  assert.equal(canonicalElement("z:new"), undefined);
  for (const broken of ["", "name", "k:{", "v:", "i:one"])
    assert.throws(() => canonicalElement(broken), SyntaxError, broken);
});

test("fields come first by name, then items by keys, by value and by position; numbers by size", () => {
  const ordered = [
    "f:a",
    "f:b",
    'k:{"a":1}',
    'k:{"a":1,"b":1}',
    'k:{"a":2}',
    'k:{"containerPort":80,"protocol":"TCP"}',
    'k:{"containerPort":80,"protocol":"UDP"}',
    'k:{"containerPort":443,"protocol":"TCP"}',
    'k:{"name":"a"}',
    "v:9",
    "v:10",
    'v:"10"',
    'v:"9"',
    "v:false",
    "v:true",
    "i:2",
    "i:10",
  ];
  const given = ordered.toReversed();
  assert.deepEqual(
    inElementOrder(given, (element) => element),
    ordered,
  );
  assert.deepEqual(given, ordered.toReversed(), "the given list stays");
});

test("sorting reads the JSON of each element once", ({ mock }) => {
  const elements = Array.from({ length: 256 }, (_, index) => valueElement(`v${(index * 37) % 256}`));
  const parse = mock.method(JSON, "parse");
  const sorted = inElementOrder(elements, (element) => element);
  assert.ok(parse.mock.callCount() <= elements.length, `${parse.mock.callCount()} for ${elements.length} elements`);
  assert.deepEqual(sorted, elements.toSorted());
});

test("elements are shown as in Kubernetes' messages", () => {
  const shown = ["f:replicas", 'k:{"containerPort":80,"name":"a"}', 'v:"x"', "i:0"].map(elementText);
  assert.deepEqual(shown, [".replicas", '[containerPort=80,name="a"]', '[="x"]', "[0]"]);
});
