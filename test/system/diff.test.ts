// `gatehouse diff` between two embedded clusters: equal ones, one that was changed, one that is down.

import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { eventually } from "../until.ts";
import { gatehouseProgram, run, type RunResult, temporaryHome } from "./test-cluster.ts";

interface Report {
  summary: { equal: boolean; objects: number; requests: number; differences: number; notes: number };
  objects: { object: string; differences: Finding[]; notes: Finding[] }[];
  requests: { request: string; origin: string; times: number; differences: Finding[] }[];
  skipped: { what: string; why: string }[];
}
type Finding = { field: string; a: unknown; b: unknown };

const { home, environment } = temporaryHome();
const gatehouse = (...args: string[]): Promise<RunResult> => run(gatehouseProgram, args, environment);
const contexts = ["--context", "gatehouse-a", "--context", "gatehouse-b"];
const diff = (...args: string[]): Promise<RunResult> => gatehouse("diff", ...contexts, ...args);

async function reported(...args: string[]): Promise<Report> {
  const { stdout, stderr } = await diff("-o", "json", ...args);
  assert.equal(stderr, "");
  return JSON.parse(stdout) as Report;
}

async function apply(name: "a" | "b", manifest: object): Promise<void> {
  const context = `gatehouse-${name}`;
  const applied = await run(
    gatehouseProgram,
    ["apply", "--context", context, "-f", "-"],
    environment,
    JSON.stringify(manifest),
  );
  assert.equal(applied.code, 0, applied.stderr);
}

function route(name: string, hostname: string, rule: object): object {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name, namespace: "demo" },
    spec: {
      parentRefs: [{ name: "traefik-gateway", namespace: "traefik" }],
      hostnames: [hostname],
      rules: [rule],
    },
  };
}

/** Takes the route away when the test ends, and waits until nothing is left to tell apart. */
function removeAfter(t: TestContext, route: string, ...names: ("a" | "b")[]): void {
  t.after(async () => {
    for (const name of names) {
      await gatehouse("delete", "httproute", route, "-n", "demo", "--context", `gatehouse-${name}`);
    }
    await equalAgain();
  });
}

const equalAgain = (): Promise<void> =>
  eventually(async () => {
    const { code, stdout } = await diff();
    assert.equal(code, 0, stdout);
  });

before(async () => {
  for (const name of ["a", "b"]) {
    const up = await gatehouse("up", "--name", name, "--http-port", "0", "--https-port", "0", "--hosts", "no");
    assert.equal(up.code, 0, up.stderr + up.stdout);
  }
});
after(async () => {
  for (const name of ["a", "b"]) await gatehouse("down", "--name", name);
  rmSync(home, { recursive: true, force: true });
});

test("two clusters with the same demo are equal, though no address, time or generated name is", async () => {
  const { code, stdout, stderr } = await diff();
  assert.equal(code, 0, stdout + stderr);
  assert.match(
    stdout,
    /^A +gatehouse-a +Kubernetes v\S+ +Gateway API v1\.4\.0 standard +127\.0\.0\.1:\d+ \(port mapping/,
  );
  assert.match(stdout, /\n\n9 objects and 7 requests compared: no differences\n$/);
  const whole = await reported("--messages", "--all");
  assert.deepEqual([whole.summary.equal, whole.objects, whole.requests, whole.skipped], [true, [], [], []]);
});

test("a cluster whose state is kept elsewhere is entered by its Gateway's address", async () => {
  const elsewhere = { ...environment, KUBECONFIG: join(home, ".kube/config"), GATEHOUSE_HOME: join(home, "elsewhere") };
  const { code, stdout } = await run(gatehouseProgram, ["diff", ...contexts, "-n", "demo"], elsewhere);
  assert.equal(code, 0, stdout);
  assert.match(stdout, /:8000 \(status address of Gateway traefik\/traefik-gateway\)/);
});

test("a backend that is not there: the route, its status and the answer are named", async (t) => {
  removeAfter(t, "backend", "a", "b");
  await apply("a", route("backend", "backend.localhost", { backendRefs: [{ name: "whoami-v1", port: 80 }] }));
  await apply("b", route("backend", "backend.localhost", { backendRefs: [{ name: "whoami-v9", port: 80 }] }));
  await eventually(async () => {
    const { objects, requests } = await reported();
    assert.deepEqual(
      objects.map(({ object, differences }) => [object, differences.map(({ field }) => field)]),
      [
        [
          "HTTPRoute demo/backend",
          ["spec.rules[0].backendRefs[0].name", "Gateway traefik/traefik-gateway: ResolvedRefs"],
        ],
      ],
    );
    assert.deepEqual(objects[0]?.differences[1], {
      field: "Gateway traefik/traefik-gateway: ResolvedRefs",
      a: "True (ResolvedRefs)",
      b: "False (BackendNotFound)",
    });
    assert.deepEqual(requests, [
      {
        request: "GET http://backend.localhost/",
        origin: "HTTPRoute demo/backend, rule 1, match 1",
        times: 1,
        differences: [{ field: "status", a: "200", b: "500" }],
        notes: [],
      },
    ]);
  });
  const { code, stdout } = await diff();
  assert.equal(code, 1);
  assert.match(stdout, /\nGET http:\/\/backend\.localhost\/\n +from: .*\n {2}status\n {4}A: 200\n {4}B: 500\n/);
});

test("a route of one cluster only, asked for in both", async (t) => {
  removeAfter(t, "only", "b");
  const rule = {
    matches: [{ path: { type: "PathPrefix", value: "/only" } }, { path: { type: "RegularExpression", value: "/r.*" } }],
    backendRefs: [{ name: "whoami-v1", port: 80 }],
  };
  await apply("b", route("only", "only.localhost", rule));
  await eventually(async () => {
    const { objects, requests, skipped } = await reported();
    assert.deepEqual(objects, [
      {
        object: "Gateway traefik/traefik-gateway",
        differences: [{ field: "listener web: attachedRoutes", a: 3, b: 4 }],
        notes: [],
      },
      { object: "HTTPRoute demo/only", differences: [{ field: "object", a: null, b: "there" }], notes: [] },
    ]);
    assert.deepEqual(
      requests.map(({ request, differences }) => [request, differences]),
      [["GET http://only.localhost/only", [{ field: "status", a: "404", b: "200" }]]],
    );
    assert.equal(skipped[0]?.what, "HTTPRoute demo/only, rule 1, match 2");
  });
  const statuses = await reported("--no-requests");
  assert.deepEqual([statuses.summary.requests, statuses.summary.differences, statuses.skipped], [0, 2, []]);
});

test("shares of two backends are compared as sets, and another weight is a difference of the spec", async (t) => {
  removeAfter(t, "shared", "a", "b");
  const rule = (weight: number) => ({
    backendRefs: [
      { name: "whoami-v1", port: 80, weight },
      { name: "whoami-v2", port: 80, weight: 1 },
    ],
  });
  for (const name of ["a", "b"] as const) await apply(name, route("shared", "shared.localhost", rule(1)));
  await equalAgain();
  await apply("b", route("shared", "shared.localhost", rule(0)));
  await eventually(async () => {
    const { objects, requests } = await reported();
    assert.deepEqual(objects[0]?.differences, [{ field: "spec.rules[0].backendRefs[whoami-v1].weight", a: 1, b: 0 }]);
    assert.deepEqual(requests[0]?.differences, [{ field: "backend", a: ["whoami-v1", "whoami-v2"], b: "whoami-v2" }]);
  });
});

test("requests of the user's own, from a file and from standard input", async () => {
  const file = join(home, "requests.yaml");
  writeFileSync(
    file,
    "- url: http://demo.localhost/v1\n  method: POST\n  body: hello\n- http://whoami.localhost/api\n",
  );
  const { summary } = await reported("--requests", file, "--no-derive");
  assert.deepEqual([summary.requests, summary.equal], [2, true]);
  const args = ["diff", ...contexts, "--requests", "-", "-o", "yaml"];
  const both = await run(gatehouseProgram, args, environment, "- http://x.localhost");
  assert.equal(both.code, 0, both.stderr);
  assert.match(both.stdout, /^ {2}requests: 8$/m);
});

const refused: [what: string, args: string[], message: RegExp][] = [
  ["one context", ["--context", "gatehouse-a"], /give --context twice \(given: gatehouse-a\)/],
  ["three contexts", [...contexts, "--context", "c"], /give --context twice/],
  ["the same twice", ["--context", "gatehouse-a", "--context", "gatehouse-a"], /no different from itself/],
  ["a context that is not there", ["--context", "gatehouse-a", "--context", "nowhere"], /context "nowhere" is not in/],
  [
    "an entry that nothing holds",
    [...contexts, "--entry", "gatehouse-b=127.0.0.1:1"],
    /127\.0\.0\.1:1 takes no connection/,
  ],
  [
    "an entry of another cluster",
    [...contexts, "--entry", "c=127.0.0.1:80"],
    /contexts compared are gatehouse-a and gatehouse-b/,
  ],
  ["no such file", [...contexts, "--requests", "nothing.yaml"], /nothing\.yaml does not exist/],
  ["nothing to send", [...contexts, "--no-derive"], /leaves no requests/],
  [
    "a namespace that is not there",
    [...contexts, "-n", "dmeo"],
    /namespace "dmeo" has no Gateway API objects in either/,
  ],
  ["one namespace and all", [...contexts, "-n", "demo", "-A"], /give -n or -A/],
  ["a timeout that is no number", [...contexts, "--timeout", "soon"], /--timeout soon: must be a whole number/],
];

for (const [what, args, message] of refused) {
  test(`exit code 2 and one line: ${what}`, async () => {
    const { code, stdout, stderr } = await gatehouse("diff", ...args);
    assert.equal(code, 2, stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^error: [^\n]*\n$/);
    assert.match(stderr, message);
  });
}

test("--wait: what settles in time is no difference, what does not is", async (t) => {
  removeAfter(t, "late", "a", "b");
  const late = route("late", "late.localhost", { backendRefs: [{ name: "whoami-v1", port: 80 }] });
  await apply("a", late);
  const waiting = diff("--wait", "60");
  await apply("b", late);
  const { code, stdout } = await waiting;
  assert.equal(code, 0, stdout);
  await gatehouse("delete", "httproute", "late", "-n", "demo", "--context", "gatehouse-b");
  assert.equal((await diff("--wait", "1")).code, 1);
});

test("an API server that takes connections and says nothing is given up", async (t) => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const sockets = new Set<Socket>();
  silent.on("connection", (socket) => sockets.add(socket));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const kubeconfig = join(home, "silent.json");
  const server = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const clusters = [{ name: "c", cluster: { server } }];
  const names = ["one", "two"].map((name) => ({ name, context: { cluster: "c" } }));
  writeFileSync(kubeconfig, JSON.stringify({ clusters, contexts: names }));
  const args = ["diff", "--context", "one", "--context", "two", "--kubeconfig", kubeconfig, "--timeout", "1"];
  const { code, stderr } = await gatehouse(...args);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /^error: cluster of context "one" does not answer within 1 s: .*--timeout\nerror: .*"two".*\n$/);
});

test("a cluster that is down cannot be compared: exit code 2, with the command that starts it", async () => {
  assert.equal((await gatehouse("stop", "--name", "b")).code, 0);
  const one = await diff();
  assert.equal(one.code, 2);
  assert.equal(one.stdout, "");
  assert.match(
    one.stderr,
    /^error: cluster of context "gatehouse-b" does not answer .*`gatehouse start --name b`.*\n$/,
  );
  assert.equal((await gatehouse("stop", "--name", "a")).code, 0);
  const none = await diff();
  assert.match(none.stderr, /^error: [^\n]*"gatehouse-a"[^\n]*\nerror: [^\n]*"gatehouse-b"[^\n]*\n$/);
});
