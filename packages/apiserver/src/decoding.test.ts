// Bodies whose values are of the wrong type, or null, or empty: what Kubernetes makes of them, in its words.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { startTestServer, type TestServer } from "./testing.ts";

let cluster: TestServer;
let client: ApiClient;
before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
});
after(() => cluster.close());

const paths: Record<string, string> = {
  Pod: "/api/v1/namespaces/default/pods",
  ConfigMap: "/api/v1/namespaces/default/configmaps",
  Secret: "/api/v1/namespaces/default/secrets",
  Service: "/api/v1/namespaces/default/services",
  Deployment: "/apis/apps/v1/namespaces/default/deployments",
  Lease: "/apis/coordination.k8s.io/v1/namespaces/default/leases",
  Role: "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
  CustomResourceDefinition: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
};

function send(method: string, path: string, body: object, type = "application/json"): Promise<KubeObject> {
  return client.json({ method, path, body: JSON.stringify(body), headers: { "content-type": type } });
}

const post = (kind: string, body: object): Promise<KubeObject> =>
  send("POST", `${paths[kind]}?dryRun=All`, { metadata: { name: "x" }, ...body });
const containers = (change: object): object => ({ spec: { containers: [{ name: "a", image: "b", ...change }] } });
const quantity = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const wrong = (what: string, field: string, type: string): string =>
  `json: cannot unmarshal ${what} into Go struct field ${field} of type ${type}`;

/** Each entry was said by kube-apiserver to this very body. */
const refusals: [kind: string, body: object, fault: string][] = [
  ["ConfigMap", { data: { a: 1 } }, wrong("number", "ConfigMap.data", "string")],
  ["ConfigMap", { data: { a: { b: "c" } } }, wrong("object", "ConfigMap.data", "string")],
  ["ConfigMap", { data: ["a"] }, wrong("array", "ConfigMap.data", "map[string]string")],
  ["ConfigMap", { metadata: "x" }, wrong("string", "ConfigMap.metadata", "v1.ObjectMeta")],
  ["ConfigMap", { metadata: { name: 1 } }, wrong("number", "ObjectMeta.metadata.name", "string")],
  ["ConfigMap", { metadata: { labels: { a: 1 } } }, wrong("number", "ObjectMeta.metadata.labels", "string")],
  ["ConfigMap", { metadata: { finalizers: "x" } }, wrong("string", "ObjectMeta.metadata.finalizers", "[]string")],
  [
    "ConfigMap",
    { metadata: { creationTimestamp: "x" } },
    'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"',
  ],
  ["Secret", { data: { a: "abc" } }, "illegal base64 data at input byte 0"],
  ["Secret", { data: { a: "YWJj ZA==" } }, "illegal base64 data at input byte 4"],
  ["Secret", { data: { a: 5 } }, wrong("number", "Secret.data", "[]uint8")],
  ["Pod", { spec: [] }, wrong("array", "Pod.spec", "v1.PodSpec")],
  ["Pod", { spec: { containers: {} } }, wrong("object", "PodSpec.spec.containers", "[]v1.Container")],
  [
    "Pod",
    containers({ env: [{ name: "A", value: true }] }),
    wrong("bool", "EnvVar.spec.containers.env.value", "string"),
  ],
  ["Pod", containers({ command: [1] }), wrong("number", "Container.spec.containers.command", "string")],
  [
    "Pod",
    containers({ ports: [{ containerPort: "80" }] }),
    wrong("string", "ContainerPort.spec.containers.ports.containerPort", "int32"),
  ],
  [
    "Pod",
    containers({ ports: [{ containerPort: 99_999_999_999 }] }),
    wrong("number 99999999999", "ContainerPort.spec.containers.ports.containerPort", "int32"),
  ],
  ["Pod", containers({ resources: { limits: { cpu: "lots" } } }), quantity],
  ["Pod", containers({ resources: { limits: { cpu: true } } }), quantity],
  [
    "Service",
    { spec: { ports: [{ port: 80, targetPort: true }] } },
    wrong("bool", "ServicePort.spec.ports.targetPort", "int32"),
  ],
  [
    "Deployment",
    { spec: { strategy: { rollingUpdate: { maxSurge: 1.5 } } } },
    wrong("number 1.5", "RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge", "int32"),
  ],
  ["Role", { rules: [{ verbs: "get" }] }, wrong("string", "PolicyRule.rules.verbs", "[]string")],
  [
    "Lease",
    { spec: { renewTime: "2020-01-01T00:00:00Z" } },
    'parsing time "2020-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
  ],
  [
    "CustomResourceDefinition",
    { spec: { versions: [{ name: 1 }] } },
    wrong("number", "CustomResourceDefinitionVersion.spec.versions.name", "string"),
  ],
];

describe("a value of the wrong type", () => {
  for (const [kind, body, fault] of refusals) {
    it(`is told of ${kind} ${JSON.stringify(body)}`, async () => {
      await assert.rejects(post(kind, body), (error) => {
        assert.ok(error instanceof StatusError, String(error));
        assert.equal(error.message, `${kind} in version "v1" cannot be handled as a ${kind}: ${fault}`);
        assert.equal(error.code, 400);
        return true;
      });
    });
  }

  it("that a patch brings is told by its place", async () => {
    const path = paths["ConfigMap"] ?? "";
    await send("POST", path, { metadata: { name: "patched" } });
    const patch = send("PATCH", `${path}/patched`, { data: { a: 1 } }, "application/merge-patch+json");
    await assert.rejects(
      patch,
      (error) => error instanceof StatusError && error.code === 422 && /data\.a: /.test(error.message),
    );
  });
});

describe("null", () => {
  it("is the empty text in a map, as in a YAML file with a key and nothing behind it", async () => {
    const metadata = { name: "x", labels: { l: null }, annotations: { n: null } };
    const made = await post("ConfigMap", { metadata, data: { a: null, b: "1" } });
    assert.deepEqual(made["data"], { a: "", b: "1" });
    assert.deepEqual([made.metadata.labels, made.metadata.annotations], [{ l: "" }, { n: "" }]);
  });

  it("is the zero value in a list, and an absent field everywhere else", async () => {
    const made = await post("Pod", containers({ args: [null, "a"], workingDir: null }));
    const [container] = (made["spec"] as { containers: [Record<string, unknown>] }).containers;
    assert.deepEqual(container["args"], ["", "a"]);
    assert.ok(!Object.hasOwn(container, "workingDir"));
    await assert.rejects(post("Pod", { spec: { containers: [null] } }), /spec\.containers\[0\]\.name: Required value/);
  });
});

it("empty maps and lists are left out, empty structures are not", async () => {
  const made = await post("Pod", {
    metadata: { name: "x", labels: {} },
    spec: {
      nodeSelector: {},
      volumes: [{ name: "v", emptyDir: {} }],
      containers: [{ name: "a", image: "b", env: [] }],
    },
  });
  const spec = made["spec"] as { volumes: object[]; containers: object[] };
  assert.deepEqual(spec.volumes, [{ name: "v", emptyDir: {} }]);
  assert.ok(!Object.hasOwn(spec, "nodeSelector") && !Object.hasOwn(spec.containers[0] as object, "env"));
  assert.ok(!Object.hasOwn(made.metadata, "labels"));
});
