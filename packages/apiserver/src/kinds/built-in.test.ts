import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schema } from "@gatehouse/apimachinery/schema";
import { applyDefaults } from "../schema/default.ts";
import { pruneUnknown } from "../schema/prune.ts";
import { validateSchema } from "../schema/validate.ts";
import { builtInDefinitions } from "./built-in.ts";

const definitions = builtInDefinitions();

function definition(kind: string) {
  const found = definitions.find(({ type }) => type.kind === kind);
  assert.ok(found, kind);
  return found;
}

/** The object after decoding into its kind: pruned and defaulted; unknown fields and faults beside it. */
function decode(kind: string, object: unknown): { object: unknown; unknown: string[]; faults: string[] } {
  const { schema } = definition(kind);
  const result = structuredClone(object);
  const unknown = pruneUnknown(schema, result);
  applyDefaults(schema, result);
  return {
    object: result,
    unknown,
    faults: validateSchema(schema, result).map(({ field, message }) => `${field}: ${message}`),
  };
}

test("every kind is named once, and its schema says which kind it is", () => {
  const keys = definitions.map(({ type }) => `${type.group}/${type.version}/${type.plural}`);
  assert.equal(new Set(keys).size, keys.length);
  for (const { type, schema, columns } of definitions) {
    const { group, version, kind } = type;
    assert.deepEqual(schema["x-kubernetes-group-version-kind"], [{ group, version, kind }]);
    assert.ok(columns.length >= 2, `${kind} has columns`);
  }
});

test("lists by key have the keys in their items, defaults fit their schema", () => {
  const seen = new Set<Schema>();
  const visit = (schema: Schema, path: string): void => {
    if (seen.has(schema)) return;
    seen.add(schema);
    for (const key of schema["x-kubernetes-list-map-keys"] ?? []) {
      assert.ok(schema.items?.properties?.[key], `${path}: ${key}`);
    }
    if (schema.default !== undefined) {
      const value = structuredClone(schema.default);
      applyDefaults(schema, value);
      assert.deepEqual(validateSchema(schema, value, path), []);
    }
    for (const [name, property] of Object.entries(schema.properties ?? {})) visit(property, `${path}.${name}`);
    if (schema.items) visit(schema.items, `${path}[]`);
    if (typeof schema.additionalProperties === "object") visit(schema.additionalProperties, `${path}{}`);
  };
  for (const { schema, type } of definitions) visit(schema, type.kind);
});

test("a Deployment gets Kubernetes' defaults", () => {
  const { object, unknown, faults } = decode("Deployment", {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "whoami-v1", creationTimestamp: null },
    spec: {
      selector: { matchLabels: { app: "whoami" } },
      strategy: {},
      template: {
        metadata: { labels: { app: "whoami" }, creationTimestamp: null },
        spec: {
          containers: [
            {
              name: "whoami",
              image: "traefik/whoami:v1.10",
              ports: [{ containerPort: 80 }],
              resources: {},
              readinessProbe: { httpGet: { port: "web" } },
              env: [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
            },
          ],
          volumes: [{ name: "settings", configMap: { name: "settings" } }],
        },
      },
    },
    status: {},
  });
  assert.deepEqual({ unknown, faults }, { unknown: [], faults: [] });
  assert.deepEqual(object, {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "whoami-v1" },
    spec: {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      selector: { matchLabels: { app: "whoami" } },
      strategy: { type: "RollingUpdate" },
      template: {
        metadata: { labels: { app: "whoami" } },
        spec: {
          restartPolicy: "Always",
          dnsPolicy: "ClusterFirst",
          schedulerName: "default-scheduler",
          securityContext: {},
          terminationGracePeriodSeconds: 30,
          containers: [
            {
              name: "whoami",
              image: "traefik/whoami:v1.10",
              ports: [{ containerPort: 80, protocol: "TCP" }],
              resources: {},
              readinessProbe: {
                httpGet: { port: "web", path: "/", scheme: "HTTP" },
                periodSeconds: 10,
                timeoutSeconds: 1,
                successThreshold: 1,
                failureThreshold: 3,
              },
              env: [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name", apiVersion: "v1" } } }],
              terminationMessagePath: "/dev/termination-log",
              terminationMessagePolicy: "File",
            },
          ],
          volumes: [{ name: "settings", configMap: { name: "settings", defaultMode: 420 } }],
        },
      },
    },
    status: {},
  });
});

test("pods alone get enableServiceLinks", () => {
  const spec = { containers: [{ name: "web", image: "whoami" }] };
  const pod = decode("Pod", { spec }).object as { spec: { enableServiceLinks?: boolean } };
  assert.equal(pod.spec.enableServiceLinks, true);
  const set = decode("ReplicaSet", { spec: { selector: {}, template: { spec } } }).object;
  assert.ok(!JSON.stringify(set).includes("enableServiceLinks"));
});

test("unknown fields are named, known ones of every corner are not", () => {
  const { unknown } = decode("Pod", {
    metadata: { name: "x" },
    spec: {
      containers: [{ name: "web", image: "x", imagepullPolicy: "Always", ports: [{ containerPort: 80, hostport: 1 }] }],
      initContainers: [
        {
          name: "init",
          restartPolicy: "Always",
          volumeMounts: [{ name: "a", mountPath: "/a", recursiveReadOnly: "Disabled" }],
        },
      ],
      ephemeralContainers: [{ name: "debug", targetContainerName: "web" }],
      volumes: [
        { name: "a", projected: { sources: [{ serviceAccountToken: { path: "t", audience: "b" } }] } },
        { name: "b", rbd: { image: "x", monitors: ["m"] } },
      ],
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: "zone", whenUnsatisfiable: "ScheduleAnyway", matchLabelKeys: ["a"] },
      ],
      affinity: {
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, podAffinityTerm: { topologyKey: "host", mismatchLabelKeys: ["a"] } },
          ],
        },
      },
      foo: 1,
    },
  });
  assert.deepEqual(unknown, ["spec.containers[0].imagepullPolicy", "spec.containers[0].ports[0].hostport", "spec.foo"]);
});

test("wrong values are refused in Kubernetes' words", () => {
  const cases: [string, unknown, string[]][] = [
    [
      "Deployment",
      { spec: { selector: {}, template: { spec: { containers: [{ image: "x" }] } } } },
      ["spec.template.spec.containers[0].name: Required value"],
    ],
    [
      "Deployment",
      { spec: { replicas: "two", selector: {}, template: {} } },
      ['spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"'],
    ],
    ["Deployment", { spec: { selector: {} } }, ["spec.template: Required value"]],
    [
      "Service",
      { spec: { type: "Cluster", ports: [{ port: 80, targetPort: 1.5 }] } },
      [
        'spec.ports[0].targetPort: Invalid value: "number": spec.ports[0].targetPort in body must be of type integer,string: "number"',
        'spec.type: Unsupported value: "Cluster": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [
      "ConfigMap",
      { data: { a: 1 } },
      ['data.a: Invalid value: "integer": data.a in body must be of type string: "integer"'],
    ],
    [
      "Secret",
      { data: { a: "not base64" } },
      ['data.a: Invalid value: "not base64": data.a in body must be of type byte: "not base64"'],
    ],
    [
      "Pod",
      { spec: { containers: [{ name: "a" }], schedulingGates: [{ name: "a" }, { name: "a" }] } },
      ['spec.schedulingGates[1]: Duplicate value: {"name":"a"}'],
    ],
  ];
  for (const [kind, object, expected] of cases)
    assert.deepEqual(decode(kind, object).faults.toSorted(), expected, JSON.stringify(object));
});

test("what Kubernetes lets repeat may repeat", () => {
  const container = {
    name: "web",
    image: "x",
    env: [
      { name: "A", value: "1" },
      { name: "A", value: "2" },
    ],
    ports: [
      { containerPort: 80, name: "a" },
      { containerPort: 80, name: "b" },
    ],
  };
  assert.deepEqual(decode("Pod", { spec: { containers: [container] } }).faults, []);
});

test("amounts may be written as numbers", () => {
  const resources = { limits: { cpu: 1, memory: "128Mi" }, requests: { cpu: 0.5, memory: 1048576 } };
  const { object, faults } = decode("Pod", { spec: { containers: [{ name: "web", resources }] } });
  assert.deepEqual(faults, []);
  assert.deepEqual((object as { spec: { containers: { resources: unknown }[] } }).spec.containers[0]?.resources, {
    limits: { cpu: "1", memory: "128Mi" },
    requests: { cpu: "500m", memory: "1048576" },
  });
  const wrong = decode("Pod", { spec: { containers: [{ name: "web", resources: { limits: { cpu: true } } }] } }).faults;
  assert.match(wrong[0] ?? "", /"spec\.containers\[0\]\.resources\.limits\.cpu" must .*oneOf/);
});

test("empty texts and zeros count as absent where Go cannot tell them apart", () => {
  const readinessProbe = { httpGet: { port: 80, path: "", scheme: "" }, periodSeconds: 0, initialDelaySeconds: 0 };
  const { object, faults } = decode("Pod", {
    spec: {
      restartPolicy: "",
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "web", imagePullPolicy: "", env: [{ name: "A", value: "" }], readinessProbe }],
    },
  });
  assert.deepEqual(faults, []);
  const { spec } = object as {
    spec: { restartPolicy: string; terminationGracePeriodSeconds: number; containers: Record<string, unknown>[] };
  };
  assert.equal(spec.restartPolicy, "Always");
  assert.equal(spec.terminationGracePeriodSeconds, 0);
  const [container] = spec.containers;
  assert.ok(container && !("imagePullPolicy" in container));
  assert.deepEqual(container["env"], [{ name: "A", value: "" }]);
  const probe = container["readinessProbe"] as { httpGet: unknown; periodSeconds: number; initialDelaySeconds: number };
  assert.deepEqual(
    [probe.httpGet, probe.periodSeconds, probe.initialDelaySeconds],
    [{ port: 80, path: "/", scheme: "HTTP" }, 10, 0],
  );
});

test("reviews only take create, namespaces no deletecollection", () => {
  assert.ok(!definition("TokenReview").verbs?.includes("create"));
  assert.ok(definition("TokenReview").verbs?.includes("get"));
  assert.deepEqual(definition("Namespace").verbs, ["deletecollection"]);
  assert.equal(definition("Pod").verbs, undefined);
});

test("field selectors read their fields, booleans as true or false", () => {
  const select = definition("Pod").selectableFields ?? {};
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "x" },
    spec: { nodeName: "node-1" },
    status: { phase: "Running" },
  };
  assert.equal(select["spec.nodeName"]?.(pod), "node-1");
  assert.equal(select["status.phase"]?.(pod), "Running");
  assert.equal(select["status.podIP"]?.(pod), "");
  assert.equal(select["spec.hostNetwork"]?.(pod), "false");
  const event = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: "x" },
    involvedObject: { kind: "Pod", name: "web" },
    source: { component: "kubelet" },
  };
  const events = definitions.find(({ type }) => type.plural === "events" && type.group === "")?.selectableFields ?? {};
  assert.equal(events["involvedObject.name"]?.(event), "web");
  assert.equal(events["source"]?.(event), "kubelet");
});
