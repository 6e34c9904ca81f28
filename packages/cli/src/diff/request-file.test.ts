import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../user-error.ts";
import { requestTitle } from "./planned-request.ts";
import { parseRequests } from "./request-file.ts";

test("a list of URLs and of mappings", async () => {
  const requests = await parseRequests(
    `
- http://a.test
- url: https://a.test:8443/x/../y?q=1#fragment
  name: sign in
  method: post
  headers: { X-Count: 3, Accept: "*/*" }
  body: '{}'
  times: 5
  ignoreBody: true
`,
    "r.yaml",
  );
  assert.deepEqual(requests.map(requestTitle), [
    "GET http://a.test/",
    "POST https://a.test:8443/x/../y?q=1 (X-Count: 3, Accept: */*)",
  ]);
  const [first, second] = requests;
  assert.deepEqual([first?.origin, first?.times, first?.ignoreBody], ["r.yaml, request 1", 1, false]);
  assert.deepEqual([second?.origin, second?.times, second?.ignoreBody, second?.body], ["sign in", 5, true, "{}"]);
});

const wrong: [content: string, message: RegExp][] = [
  ["", /^r\.yaml must be a list of requests/],
  ["url: http://a.test", /^r\.yaml must be a list of requests/],
  ["[}", /^r\.yaml is not YAML: /],
  ["- 5", /^r\.yaml, request 1: must be a URL, or a mapping/],
  ["- url: a.test", /^r\.yaml, request 1: url must be/],
  ["- http://a.test\n- method: GET", /^r\.yaml, request 2: url must be/],
  ["- url: http://ä.test", /percent-encoded/],
  ["- { url: http://a.test, verb: GET }", /field "verb", which is none of name, method/],
  ["- { url: http://a.test, method: 'A B' }", /method must be/],
  ["- { url: http://a.test, times: 0 }", /times must be a whole number from 1/],
  ["- { url: http://a.test, headers: [a] }", /headers must be a mapping/],
  ["- { url: http://a.test, headers: { Host: b } }", /Host header is the one of the url/],
  ["- { url: http://a.test, headers: { 'a b': c } }", /"a b" is not the name/],
  ['- { url: http://a.test, headers: { a: "b\\r\\nc: d" } }', /header a must be one line/],
  ["- { url: http://a.test, body: {} }", /body must be text/],
  ["- { url: http://a.test, ignoreBody: 1 }", /ignoreBody must be/],
];

for (const [content, message] of wrong) {
  test(`refused: ${JSON.stringify(content)}`, async () => {
    await assert.rejects(parseRequests(content, "r.yaml"), (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.exitCode, 2);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
  });
}
