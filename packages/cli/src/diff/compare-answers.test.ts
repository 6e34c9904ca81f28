import assert from "node:assert/strict";
import { test } from "node:test";
import { compareAnswers } from "./compare-answers.ts";
import { observe, workloadOf } from "./observe-answer.ts";
import type { PlannedRequest } from "./planned-request.ts";
import type { Answer } from "./send-request.ts";

function planned(more: Partial<PlannedRequest> = {}): PlannedRequest {
  return {
    method: "GET",
    scheme: "http",
    host: "a.test",
    path: "/v1",
    headers: {},
    times: 1,
    conclusive: true,
    responseHeaders: [],
    ignoreBody: false,
    origin: "test",
    targets: {},
    ...more,
  };
}

function answer(status: number, body = "", headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { "content-type": "text/plain", ...headers },
    body: Buffer.from(body),
    truncated: false,
  };
}

/** What traefik/whoami writes. */
function whoami(pod: string, more: { name?: string; path?: string; headers?: string[] } = {}): string {
  const { name, path = "/v1", headers = [] } = more;
  return [
    ...(name ? [`Name: ${name}`] : []),
    `Hostname: ${pod}`,
    `IP: 10.244.0.${pod.length}`,
    `RemoteAddr: 10.0.0.1:${pod.length}`,
    `GET ${path} HTTP/1.1`,
    "Host: a.test",
    "User-Agent: gatehouse-diff",
    ...headers,
    "",
    "",
  ].join("\n");
}

const compare = (a: Answer | Answer[], b: Answer | Answer[], request = planned()) => {
  const seen = (answers: Answer | Answer[]) => [answers].flat().map((each) => observe(each, request));
  const { differences, notes } = compareAnswers(request, seen(a), seen(b));
  return { differences, notes };
};

const [podA, podB] = ["whoami-v1-6d4cf56db6-x7k2p", "whoami-v1-85b9c7f9-tz9qf"];

const same: [what: string, a: Answer, b: Answer, request?: PlannedRequest][] = [
  ["two pods of a Deployment", answer(200, whoami(podA)), answer(200, whoami(podB))],
  [
    "addresses in forwarded headers, and identifiers of the request",
    answer(200, whoami(podA, { headers: ["X-Forwarded-For: 1.1.1.1", "X-Real-Ip: 1.1.1.1", "X-Request-Id: 1"] })),
    answer(200, whoami(podA, { headers: ["X-Real-Ip: 2.2.2.2", "X-Forwarded-For: 2.2.2.2", "X-Request-Id: 2"] })),
  ],
  [
    "headers that say nothing of the route",
    answer(200, "", { server: "a", date: "x", "content-type": "text/plain;charset=UTF-8" }),
    answer(200, "", { date: "y", "content-type": "text/plain; charset=utf-8" }),
  ],
  ["a body that is ignored", answer(200, "one"), answer(200, "two"), planned({ ignoreBody: true })],
  [
    "bytes that are no text",
    answer(200, "\u0000one", { "content-type": "image/png" }),
    answer(200, "two", { "content-type": "image/png" }),
  ],
  [
    "whoami's JSON",
    answer(200, `{"hostname":"${podA}","ip":["10.0.0.1"],"headers":{"X-Real-Ip":["1"]},"url":"/api","host":"a.test"}`),
    answer(200, `{"hostname":"${podB}","ip":["10.0.0.2"],"headers":{"X-Real-Ip":["2"]},"url":"/api","host":"a.test"}`),
  ],
  [
    "echo servers",
    answer(
      200,
      '{"path":"/v1","host":"a.test","method":"GET","headers":{"X-Real-Ip":["1"]},"namespace":"n","pod":"web-x7k2p"}',
    ),
    answer(
      200,
      '{"pod":"web-tz9qf","namespace":"n","path":"/v1","host":"a.test","method":"GET","headers":{"X-Real-Ip":["2"]}}',
    ),
  ],
];

for (const [what, a, b, request] of same) {
  test(`the same answer: ${what}`, () => assert.deepEqual(compare(a, b, request), { differences: [], notes: [] }));
}

const different: [what: string, a: Answer, b: Answer, differences: unknown[]][] = [
  [
    "the status, and nothing of what follows from it",
    answer(200, whoami(podA)),
    answer(500, "no"),
    [{ field: "status", a: "200", b: "500" }],
  ],
  [
    "another workload",
    answer(200, whoami(podA, { name: "v1" })),
    answer(200, whoami("whoami-v2-6d4cf56db6-x7k2p", { name: "v2" })),
    [{ field: "backend", a: "whoami-v1", b: "whoami-v2" }],
  ],
  [
    "the workload's own name",
    answer(200, whoami(podA, { name: "v1" })),
    answer(200, whoami(podA, { name: "v2" })),
    [{ field: "backend name", a: "v1", b: "v2" }],
  ],
  [
    "the path that the backend saw",
    answer(200, whoami(podA)),
    answer(200, whoami(podA, { path: "/" })),
    [{ field: "backend saw", a: "GET /v1", b: "GET /" }],
  ],
  [
    "a forwarded header that one gateway does not send, and a header that a filter set",
    answer(200, whoami(podA, { headers: ["X-Real-Ip: 1.1.1.1", "X-Env: a", "X-Forwarded-Proto: http"] })),
    answer(200, whoami(podA, { headers: ["X-Env: b", "X-Forwarded-Proto: https"] })),
    [
      { field: "backend saw x-env", a: "a", b: "b" },
      { field: "backend saw x-forwarded-proto", a: "http", b: "https" },
      { field: "backend saw x-real-ip", a: "(there)", b: null },
    ],
  ],
  [
    "where a redirect leads",
    answer(302, "", { location: "https://a.test/" }),
    answer(302, "", { location: "https://a.test:8443/" }),
    [{ field: "header location", a: "https://a.test/", b: "https://a.test:8443/" }],
  ],
  [
    "the first line of a body",
    answer(200, "1\n2\n3"),
    answer(200, "1\nx\ny"),
    [{ field: "body, line 2", a: "2", b: "x" }],
  ],
  ["a body that ends sooner", answer(200, "1\n2"), answer(200, "1"), [{ field: "body, line 2", a: "2", b: null }]],
];

for (const [what, a, b, differences] of different) {
  test(`another answer: ${what}`, () => assert.deepEqual(compare(a, b), { differences, notes: [] }));
}

test("what each gateway says of a failure is noted", () => {
  assert.deepEqual(compare(answer(404, "404 page not found"), { ...answer(404, ""), headers: {} }), {
    differences: [],
    notes: [
      { field: "header content-type", a: "text/plain", b: null },
      { field: "body, line 1", a: "404 page not found", b: "" },
    ],
  });
});

test("no answer is one that counts", () => {
  const none = observe({ failure: "ECONNRESET", unreachable: false }, planned());
  const { differences } = compareAnswers(planned(), [observe(answer(200), planned())], [none]);
  assert.deepEqual(differences, [{ field: "status", a: "200", b: "no answer (ECONNRESET)" }]);
});

test("two ways to give no answer are noted", () => {
  const none = (failure: string) => observe({ failure, unreachable: false }, planned());
  const { differences, notes } = compareAnswers(planned(), [none("EPROTO")], [none("ECONNRESET")]);
  assert.deepEqual([differences, notes], [[], [{ field: "failure", a: "EPROTO", b: "ECONNRESET" }]]);
});

test("of repeated requests the sets count, not the order or the shares", () => {
  const request = planned({ times: 3 });
  const [v1, v2] = [answer(200, whoami(podA)), answer(200, whoami("whoami-v2-6d4cf56db6-x7k2p"))];
  assert.deepEqual(compare([v1, v1, v2], [v2, v1, v2], request), { differences: [], notes: [] });
  const onlyOne = { field: "backend", a: ["whoami-v1", "whoami-v2"], b: "whoami-v1" };
  assert.deepEqual(compare([v1, v2, v1], [v1, v1, v1], request), { differences: [onlyOne], notes: [] });
  // Too few to meet each backend: that one was not met proves nothing, that others were does.
  const few = planned({ times: 3, conclusive: false });
  assert.deepEqual(compare([v1, v2, v1], [v1, v1, v1], few), { differences: [], notes: [onlyOne] });
  assert.equal(compare([v1, v1, v1], [v2, v2, v2], few).differences.length, 1);
});

test("the workload of a pod's name", () => {
  const names: [pod: string, workload: string][] = [
    ["whoami-v1-6d4cf56db6-x7k2p", "whoami-v1"],
    ["traefik-x7k2p", "traefik"],
    ["web-0", "web"],
    ["whoami-v1", "whoami-v1"],
    ["tests", "tests"],
    ["my-server", "my-server"],
  ];
  for (const [pod, workload] of names) assert.equal(workloadOf(pod), workload);
});
