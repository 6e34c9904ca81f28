import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { compareObjects } from "./compare-objects.ts";

const kindsInUse = new Set(["HTTPRoute"]);
const plain = { messages: false, all: false, kindsInUse };

const condition = (type: string, status = "True", reason = type, more: object = {}) => ({
  type,
  status,
  reason,
  message: "",
  lastTransitionTime: "2026-01-01T00:00:00Z",
  observedGeneration: 1,
  ...more,
});

function route(spec: object, parents: object[] = [], metadata: object = {}): KubeObject {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: "r", namespace: "demo", generation: 1, ...metadata },
    spec,
    status: { parents },
  };
}

const parent = (conditions: object[], more: object = {}) => ({
  parentRef: { group: "gateway.networking.k8s.io", kind: "Gateway", name: "web" },
  controllerName: "traefik.io/gateway-controller",
  conditions,
  ...more,
});

function gateway(status: object, spec: object = {}): KubeObject {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "Gateway",
    metadata: { name: "web", namespace: "demo", generation: 1 },
    spec,
    status,
  };
}

const compare = (a: KubeObject, b: KubeObject, options = plain) => {
  const [found, ...more] = compareObjects([a], [b], options);
  assert.equal(more.length, 0);
  return found ?? assert.fail("nothing was compared");
};

const equalPairs: [what: string, a: KubeObject, b: KubeObject][] = [
  [
    "what servers fill in, and bookkeeping of tools",
    route({}, [], { uid: "1", resourceVersion: "7", creationTimestamp: "2026-01-01T00:00:00Z", managedFields: [{}] }),
    route({}, [], {
      uid: "2",
      generation: 9,
      annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}" },
      labels: { "app.kubernetes.io/managed-by": "Helm" },
    }),
  ],
  [
    "the order of hostnames, parents, backends and conditions, and times",
    route(
      {
        hostnames: ["a.test", "b.test"],
        parentRefs: [{ name: "web", sectionName: "x" }, { name: "web" }],
        rules: [
          {
            backendRefs: [
              { name: "s", port: 80 },
              { name: "s", port: 81 },
            ],
          },
        ],
      },
      [parent([condition("Accepted"), condition("ResolvedRefs")])],
    ),
    route(
      {
        hostnames: ["b.test", "a.test"],
        parentRefs: [{ name: "web" }, { name: "web", sectionName: "x" }],
        rules: [
          {
            backendRefs: [
              { port: 81, name: "s" },
              { name: "s", port: 80 },
            ],
          },
        ],
      },
      [
        parent([
          condition("ResolvedRefs", "True", "ResolvedRefs", { lastTransitionTime: "2020" }),
          condition("Accepted"),
        ]),
      ],
    ),
  ],
  ["a parent's namespace that is written or not", route({}, [parent([])]), route({}, [parentIn("demo")])],
  [
    "messages",
    route({}, [parent([condition("Accepted", "False", "NoMatchingParent", { message: "x" })])]),
    route({}, [parent([condition("Accepted", "False", "NoMatchingParent", { message: "y" })])]),
  ],
  [
    "the values of addresses, and features",
    gateway({ addresses: [{ value: "10.0.0.1" }], supportedFeatures: [{ name: "Gateway" }] }),
    gateway({ addresses: [{ value: "10.0.0.2" }] }),
  ],
  ["no status and an empty one", { ...gateway({}), status: undefined }, gateway({ conditions: [], listeners: [] })],
];

function parentIn(namespace: string) {
  return { ...parent([]), parentRef: { kind: "Gateway", name: "web", namespace } };
}

for (const [what, a, b] of equalPairs) {
  test(`no difference: ${what}`, () => {
    assert.deepEqual(compare(a, b), { object: `${a.kind} demo/${a.metadata.name}`, differences: [], notes: [] });
  });
}

const listener = (name: string, more: object = {}) => ({ name, attachedRoutes: 1, conditions: [], ...more });

const differentPairs: [what: string, a: KubeObject, b: KubeObject, differences: unknown[]][] = [
  [
    "a path",
    route({ rules: [{ matches: [{ path: { value: "/v1" } }] }] }),
    route({ rules: [{ matches: [{ path: { value: "/v2" } }] }] }),
    [{ field: "spec.rules[0].matches[0].path.value", a: "/v1", b: "/v2" }],
  ],
  [
    "a rule more",
    route({ rules: [] }),
    route({ rules: [{ matches: [] }] }),
    [{ field: "spec.rules[0]", a: null, b: { matches: [] } }],
  ],
  [
    "a listener's port, by its name",
    gateway(
      {},
      {
        listeners: [
          { name: "x", port: 1 },
          { name: "y", port: 2 },
        ],
      },
    ),
    gateway(
      {},
      {
        listeners: [
          { name: "y", port: 3 },
          { name: "x", port: 1 },
        ],
      },
    ),
    [{ field: "spec.listeners[y].port", a: 2, b: 3 }],
  ],
  [
    "the reason of a condition, and one that is missing",
    route({}, [parent([condition("Accepted"), condition("ResolvedRefs", "False", "RefNotPermitted")])]),
    route({}, [parent([condition("ResolvedRefs", "False", "BackendNotFound")])]),
    [
      { field: "Gateway demo/web: Accepted", a: "True (Accepted)", b: null },
      { field: "Gateway demo/web: ResolvedRefs", a: "False (RefNotPermitted)", b: "False (BackendNotFound)" },
    ],
  ],
  [
    "a condition of an older spec",
    route({}, [parent([condition("Accepted")])]),
    route({}, [parent([condition("Accepted")])], { generation: 2 }),
    [{ field: "Gateway demo/web: Accepted", a: "True (Accepted)", b: "True (Accepted), of an older spec" }],
  ],
  [
    "a parent that took the route in one only",
    route({}, [parent([])]),
    route({}),
    [{ field: "Gateway demo/web", a: "taken by traefik.io/gateway-controller", b: null }],
  ],
  [
    "the controller at the same parent",
    route({}, [parent([condition("Accepted")])]),
    route({}, [parent([condition("Accepted")], { controllerName: "other.io/x" })]),
    [{ field: "Gateway demo/web: controllerName", a: "traefik.io/gateway-controller", b: "other.io/x" }],
  ],
  [
    "attached routes, kinds and a listener",
    gateway({ listeners: [listener("x"), listener("y", { supportedKinds: [{ kind: "HTTPRoute" }] }), listener("z")] }),
    gateway({ listeners: [listener("y"), listener("x", { attachedRoutes: 2 })] }),
    [
      { field: "listener x: attachedRoutes", a: 1, b: 2 },
      { field: "listener y: supportedKinds", a: ["HTTPRoute"], b: [] },
      { field: "listener z in the status", a: "there", b: null },
    ],
  ],
  [
    "one that is being deleted",
    route({}),
    route({}, [], { deletionTimestamp: "2026-01-01T00:00:00Z" }),
    [{ field: "being deleted", a: false, b: true }],
  ],
];

for (const [what, a, b, differences] of differentPairs) {
  test(`a difference: ${what}`, () => assert.deepEqual(compare(a, b).differences, differences));
}

test("an object of one cluster only is one difference, whatever is in it", () => {
  const found = compareObjects([route({ rules: [{}] })], [gateway({})], plain);
  assert.deepEqual(
    found.map(({ object, differences }) => [object, differences]),
    [
      ["Gateway demo/web", [{ field: "object", a: null, b: "there" }]],
      ["HTTPRoute demo/r", [{ field: "object", a: "there", b: null }]],
    ],
  );
});

test("labels of people and an empty list of addresses are noted", () => {
  const a = { ...gateway({ addresses: [{ value: "10.0.0.1" }] }) };
  const b = gateway({ addresses: [] });
  b.metadata.labels = { team: "x" };
  const { differences, notes } = compare(a, b);
  assert.deepEqual(differences, []);
  assert.deepEqual(notes, [
    { field: "metadata.labels.team", a: null, b: "x" },
    { field: "addresses", a: ["10.0.0.1"], b: [] },
  ]);
});

test("success in other words, a fault that is not mentioned, and a kind that nobody uses are noted", () => {
  const kinds = (...names: string[]) => names.map((kind) => ({ kind }));
  const a = gateway({
    conditions: [condition("Accepted")],
    listeners: [
      listener("x", {
        conditions: [condition("Conflicted", "False", "NoConflicts")],
        supportedKinds: kinds("HTTPRoute"),
      }),
    ],
  });
  const b = gateway({
    conditions: [condition("Accepted", "True", "Handled")],
    listeners: [listener("x", { supportedKinds: kinds("GRPCRoute", "HTTPRoute") })],
  });
  const { differences, notes } = compare(a, b);
  assert.deepEqual(differences, []);
  assert.deepEqual(
    notes.map(({ field }) => field),
    ["Accepted", "listener x: Conflicted", "listener x: supportedKinds"],
  );
  assert.equal(compare(a, b, { ...plain, kindsInUse: new Set(["GRPCRoute"]) }).differences.length, 1);
  assert.equal(compare(a, b, { ...plain, all: true }).differences.length, 1);
});

test("what looks alike and is not counts", () => {
  const at = (...conditions: object[]) => gateway({ conditions });
  const cases: [KubeObject, KubeObject][] = [
    [at(condition("Accepted")), at(condition("Accepted", "True", "ListenersNotValid"))],
    [at(condition("PartiallyInvalid", "True", "UnsupportedValue")), at()],
    [at(condition("Conflicted", "True", "HostnameConflict")), at(condition("Conflicted", "True", "ProtocolConflict"))],
    [at(condition("ResolvedRefs", "False", "RefNotPermitted")), at()],
  ];
  for (const [a, b] of cases) assert.equal(compare(a, b).differences.length, 1);
});

test("messages and features count when they are asked for", () => {
  const a = route({}, [parent([condition("Accepted", "True", "Accepted", { message: "x" })])]);
  const b = route({}, [parent([condition("Accepted", "True", "Accepted", { message: "y" })])]);
  assert.deepEqual(compare(a, b, { ...plain, messages: true }).differences, [
    { field: "Gateway demo/web: Accepted message", a: "x", b: "y" },
  ]);
  const at = (message: string) => route({}, [parent([condition("Accepted", "True", "Accepted", { message })])]);
  assert.deepEqual(compare(at("on 10.0.0.1:80"), at("on 10.0.0.2:80"), { ...plain, messages: true }).differences, []);
  assert.deepEqual(compare(at("on fd00::1"), at("on 2001:db8:1::2"), { ...plain, messages: true }).differences, []);
  assert.equal(compare(at("on port 80"), at("on port 81"), { ...plain, messages: true }).differences.length, 1);
  const features = (...names: (string | { name: string })[]) => gateway({ supportedFeatures: names });
  const all = { ...plain, all: true };
  assert.deepEqual(compare(features("Gateway", { name: "X" }), features({ name: "Gateway" }), all).differences, [
    { field: "supportedFeatures of one only", a: ["X"], b: [] },
  ]);
});

test("a condition that not every implementation sets is no difference while it is True", () => {
  const at = (...conditions: object[]) => gateway({ conditions });
  const supported = at(condition("SupportedVersion"));
  const unsupported = at(condition("SupportedVersion", "False", "UnsupportedVersion"));
  const { differences, notes } = compare(at(), supported);
  assert.deepEqual([differences, notes.map(({ field }) => field)], [[], ["SupportedVersion"]]);
  for (const other of [at(), supported]) assert.equal(compare(other, unsupported).differences.length, 1);
});
