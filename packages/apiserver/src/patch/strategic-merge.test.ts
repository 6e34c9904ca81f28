import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { builtInDefinitions } from "../kinds/built-in.ts";
import { strategicMerge } from "./strategic-merge.ts";

const schemas = new Map(builtInDefinitions().map(({ type, schema }) => [type.kind, schema]));
const merge = (kind: string, document: unknown, patch: unknown): unknown =>
  strategicMerge(schemas.get(kind) ?? {}, document, patch);

const podSpec = (spec: unknown): unknown => ({ spec });
const merged = (live: unknown, patch: unknown): unknown =>
  (merge("Pod", podSpec(live), podSpec(patch)) as { spec: unknown }).spec;

const web = { name: "web", image: "whoami:1", ports: [{ containerPort: 80, protocol: "TCP" }] };
const side = { name: "side", image: "proxy:1" };

const cases: { name: string; live: unknown; patch: unknown; expected: unknown }[] = [
  {
    name: "containers merge by name",
    live: { containers: [web, side] },
    patch: { containers: [{ name: "side", image: "proxy:2" }] },
    expected: { containers: [web, { name: "side", image: "proxy:2" }] },
  },
  {
    name: "a new container is added; kubectl's order decides where",
    live: { containers: [web] },
    patch: { "$setElementOrder/containers": [{ name: "side" }, { name: "web" }], containers: [side] },
    expected: { containers: [side, web] },
  },
  {
    name: "what only the server has keeps its place",
    live: { containers: [{ name: "injected" }, web, side] },
    patch: {
      "$setElementOrder/containers": [{ name: "side" }, { name: "web" }],
      containers: [{ name: "web", image: "whoami:2" }],
    },
    expected: { containers: [{ name: "injected" }, side, { ...web, image: "whoami:2" }] },
  },
  {
    name: "an order alone reorders",
    live: { containers: [web, side] },
    patch: { "$setElementOrder/containers": [{ name: "side" }, { name: "web" }] },
    expected: { containers: [side, web] },
  },
  {
    name: "an item is deleted by its key",
    live: { containers: [web, side] },
    patch: { "$setElementOrder/containers": [{ name: "web" }], containers: [{ $patch: "delete", name: "side" }] },
    expected: { containers: [web] },
  },
  {
    name: "a list is replaced",
    live: { containers: [web, side] },
    patch: { containers: [{ $patch: "replace" }, { name: "only" }] },
    expected: { containers: [{ name: "only" }] },
  },
  {
    name: "a list that is not merged is replaced",
    live: { tolerations: [{ key: "a" }], containers: [{ name: "web", args: ["a", "b"] }] },
    patch: { tolerations: [{ key: "b" }], containers: [{ name: "web", args: ["c"] }] },
    expected: { tolerations: [{ key: "b" }], containers: [{ name: "web", args: ["c"] }] },
  },
  {
    name: "ports merge by containerPort, env by name",
    live: {
      containers: [
        {
          ...web,
          env: [
            { name: "A", value: "1" },
            { name: "B", value: "2" },
          ],
        },
      ],
    },
    patch: {
      "$setElementOrder/containers": [{ name: "web" }],
      containers: [
        {
          name: "web",
          "$setElementOrder/env": [{ name: "A" }, { name: "C" }],
          env: [
            { name: "C", value: "3" },
            { $patch: "delete", name: "B" },
          ],
          "$setElementOrder/ports": [{ containerPort: 80 }, { containerPort: 443 }],
          ports: [{ containerPort: 443, name: "tls" }],
        },
      ],
    },
    expected: {
      containers: [
        {
          ...web,
          env: [
            { name: "A", value: "1" },
            { name: "C", value: "3" },
          ],
          ports: [
            { containerPort: 80, protocol: "TCP" },
            { containerPort: 443, name: "tls" },
          ],
        },
      ],
    },
  },
  {
    name: "env: a value takes the place of valueFrom when null says so",
    live: {
      containers: [{ name: "web", env: [{ name: "A", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }] }],
    },
    patch: { containers: [{ name: "web", env: [{ name: "A", value: "1", valueFrom: null }] }] },
    expected: { containers: [{ name: "web", env: [{ name: "A", value: "1" }] }] },
  },
  {
    name: "$retainKeys drops the other members of a union",
    live: {
      volumes: [
        { name: "data", emptyDir: {} },
        { name: "other", emptyDir: {} },
      ],
    },
    patch: { volumes: [{ $retainKeys: ["name", "configMap"], name: "data", configMap: { name: "settings" } }] },
    expected: {
      volumes: [
        { name: "data", configMap: { name: "settings" } },
        { name: "other", emptyDir: {} },
      ],
    },
  },
  {
    name: "maps merge, null removes, $patch replaces or empties",
    live: {
      nodeSelector: { a: "1", b: "2" },
      securityContext: { runAsUser: 1, fsGroup: 2 },
      dnsConfig: { searches: ["a"] },
    },
    patch: {
      nodeSelector: { a: null, c: "3" },
      securityContext: { $patch: "replace", runAsUser: 3 },
      dnsConfig: { $patch: "delete" },
    },
    expected: { nodeSelector: { b: "2", c: "3" }, securityContext: { runAsUser: 3 }, dnsConfig: {} },
  },
  {
    name: "directives and nulls of what is new do not reach the document",
    live: {},
    patch: {
      nodeSelector: { a: "1", b: null },
      "$setElementOrder/containers": [{ name: "web" }, { name: "gone" }],
      containers: [
        { name: "web", "$setElementOrder/env": [{ name: "A" }], env: [{ name: "A" }] },
        { name: "gone", $patch: "delete" },
      ],
    },
    expected: { nodeSelector: { a: "1" }, containers: [{ name: "web", env: [{ name: "A" }] }] },
  },
];

test("pod specs", () => {
  for (const { name, live, patch, expected } of cases) {
    const before = structuredClone([live, patch]);
    assert.deepEqual(merged(live, patch), expected, name);
    assert.deepEqual([live, patch], before, `${name}: the inputs are left alone`);
  }
});

test("finalizers are a merged list of primitives", () => {
  const live = { metadata: { name: "x", finalizers: ["a", "b", "c"] } };
  assert.deepEqual(merge("ConfigMap", live, { metadata: { finalizers: ["d", "a"] } }), {
    metadata: { name: "x", finalizers: ["d", "a", "b", "c"] },
  });
  assert.deepEqual(
    merge("ConfigMap", live, {
      metadata: { "$deleteFromPrimitiveList/finalizers": ["b"], "$setElementOrder/finalizers": ["c", "a"] },
    }),
    { metadata: { name: "x", finalizers: ["c", "a"] } },
  );
});

test("owner references merge by uid, deployments' strategy retains keys", () => {
  assert.deepEqual(
    merge(
      "Pod",
      { metadata: { ownerReferences: [{ uid: "1", name: "a" }] } },
      { metadata: { ownerReferences: [{ $patch: "delete", uid: "1" }] } },
    ),
    { metadata: { ownerReferences: [] } },
  );
  assert.deepEqual(
    merge(
      "Deployment",
      { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } },
      { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } },
    ),
    { spec: { strategy: { type: "Recreate" } } },
  );
});

test("service ports merge by port, and duplicates by another protocol go with the first", () => {
  assert.deepEqual(
    merge(
      "Service",
      { spec: { ports: [{ port: 80, protocol: "TCP", targetPort: 80 }] } },
      { spec: { ports: [{ port: 80, targetPort: 8080 }] } },
    ),
    { spec: { ports: [{ port: 80, protocol: "TCP", targetPort: 8080 }] } },
  );
});

test("bad patches are refused", () => {
  const live = podSpec({ containers: [web], volumes: [{ name: "data", emptyDir: {} }] });
  const refusals: [string, unknown, number, RegExp][] = [
    ["no object", [], 400, /is an object/],
    ["unknown directive", podSpec({ $patch: "merge-all" }), 400, /unknown patch type: merge-all/],
    [
      "item without its key",
      podSpec({ containers: [{ image: "x" }] }),
      422,
      /does not contain declared merge key: name/,
    ],
    ["deletion without its key", podSpec({ containers: [{ $patch: "delete" }] }), 422, /merge key: name/],
    [
      "retainKeys leaves out a key",
      podSpec({ volumes: [{ $retainKeys: ["name"], name: "data", secret: {} }] }),
      400,
      /retainKeys/,
    ],
    ["retainKeys is no list", podSpec({ volumes: [{ $retainKeys: "name", name: "data" }] }), 400, /retainKeys/],
    ["order is no list", podSpec({ "$setElementOrder/containers": {} }), 400, /setElementOrder/],
    [
      "order contradicts the list",
      podSpec({ "$setElementOrder/containers": [{ name: "web" }], containers: [{ name: "other" }] }),
      422,
      /order in patch list of containers/,
    ],
    ["mixed items", podSpec({ containers: ["web"] }), 422, /not identical/],
    ["primitive list is no list", { metadata: { "$deleteFromPrimitiveList/finalizers": "a" } }, 400, /primitive list/],
  ];
  for (const [name, patch, code, message] of refusals) {
    assert.throws(
      () => merge("Pod", { ...(live as object), metadata: { finalizers: ["a"] } }, patch),
      (error) => error instanceof StatusError && error.code === code && message.test(error.message),
      name,
    );
  }
});

test("a field called __proto__ is a field: nothing outside the document changes", () => {
  const patch = JSON.parse(
    '{"__proto__":{"polluted":1},"metadata":{"__proto__":{"polluted":1},"constructor":{"a":1}}}',
  );
  const result = merge("Pod", { metadata: { labels: {} } }, patch) as { metadata: object };
  assert.equal(({} as { polluted?: number }).polluted, undefined);
  assert.deepEqual(Object.getOwnPropertyDescriptor(result, "__proto__")?.value, { polluted: 1 });
  assert.deepEqual(Object.keys(result.metadata).sort(), ["__proto__", "constructor", "labels"]);
  const deletion = JSON.parse('{"$setElementOrder/__proto__":["a"],"$deleteFromPrimitiveList/constructor":["a"]}');
  assert.deepEqual(merge("Pod", {}, deletion), {});
});
