// The rules of single kinds: how Pods, workloads, Secrets, ConfigMaps and Namespaces are completed and checked.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { type Deployment, deployments } from "@gatehouse/apimachinery/types/apps-v1";
import {
  type ConfigMap,
  configMaps,
  events,
  namespaces,
  nodes,
  type Pod,
  pods,
  secrets,
} from "@gatehouse/apimachinery/types/core-v1";
import { refusedWith, startTestServer, type TestServer } from "./testing.ts";

let cluster: TestServer;
let client: ApiClient;
before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
});
after(() => cluster.close());

const namespace = "default";
const configMap = (name: string, data: Record<string, string> = {}): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace },
  data,
});
const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image: "web:1" }] } };
const deployment = (name: string, spec: Partial<Deployment["spec"]> = {}): Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace },
  spec: { selector: { matchLabels: { app: "web" } }, template: structuredClone(template), ...spec },
});
const pod = (name: string, spec: Partial<Pod["spec"]> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace },
  spec: { containers: [{ name: "web", image: "web:1" }], ...spec },
});

describe("kinds' own rules", () => {
  it("treat a spec that is left out as an empty one: its faults are named", async () => {
    const bare = { apiVersion: "v1", kind: "Pod", metadata: { name: "bare", namespace } };
    await assert.rejects(client.create(pods, bare as never), refusedWith(422, /spec\.containers: Required value/));
    const empty = { ...deployment("bare"), spec: undefined };
    await assert.rejects(
      client.create(deployments, empty as never),
      refusedWith(422, /spec\.selector: Required value/),
    );
    const hollow = { ...template, spec: null };
    const attempt = client.create(deployments, deployment("hollow", { template: hollow as never }));
    await assert.rejects(attempt, refusedWith(422, /spec\.template\.spec\.containers: Required value/));
  });

  it("refuse finalizers that are no strings", async () => {
    const odd = { ...configMap("odd"), metadata: { name: "odd", namespace, finalizers: [5] } };
    await assert.rejects(
      client.create(configMaps, odd as never),
      refusedWith(400, /number into Go struct field ObjectMeta\.metadata\.finalizers of/),
    );
  });

  it("let no name of a Pod's volume be a path, and no variable's name be an assignment", async () => {
    const web = { name: "web", image: "web:1" };
    const volumes = ["../../../etc", "a/b", ""].map((name) => ({ name, emptyDir: {} }));
    const attempt = client.create(pods, pod("paths", { volumes, containers: [{ ...web, env: [{ name: "A=B" }] }] }));
    await assert.rejects(attempt, (error: { status?: { details?: { causes?: { field?: string }[] } } }) => {
      const found = error.status?.details?.causes?.map(({ field }) => field);
      assert.deepEqual(found, [
        "spec.volumes[0].name",
        "spec.volumes[1].name",
        "spec.volumes[2].name",
        "spec.containers[0].env[0].name",
      ]);
      return true;
    });
  });

  it("complete a Pod", async () => {
    const latest = { name: "latest", image: "web", resources: { limits: { cpu: "1", memory: "1Gi" } } };
    const digest = { name: "digest", image: "web@sha256:0", ports: [{ containerPort: 80 }] };
    const { spec, status } = await client.create(
      pods,
      pod("completed", { containers: [latest, digest], hostNetwork: true }),
    );
    assert.deepEqual(
      spec.containers.map(({ imagePullPolicy }) => imagePullPolicy),
      ["Always", "IfNotPresent"],
    );
    assert.deepEqual(
      [spec.restartPolicy, spec.dnsPolicy, spec.serviceAccountName, spec.terminationGracePeriodSeconds],
      ["Always", "ClusterFirst", "default", 30],
    );
    assert.deepEqual(spec.containers[0]?.resources?.requests, { cpu: "1", memory: "1Gi" });
    assert.equal(spec.containers[1]?.ports?.[0]?.hostPort, 80);
    assert.deepEqual(status, { phase: "Pending", qosClass: "Burstable" });
  });

  const badPods: [string, Partial<Pod["spec"]>, RegExp][] = [
    ["no containers", { containers: [] }, /spec.containers: Required value/],
    [
      "two containers of one name",
      { containers: [1, 2].map(() => ({ name: "a", image: "b" })) },
      /spec.containers\[1\].name: Duplicate value: "a"/,
    ],
    ["no image", { containers: [{ name: "a", image: "" }] }, /spec.containers\[0\].image: Required/],
    [
      "a port out of range",
      { containers: [{ name: "a", image: "b", ports: [{ containerPort: 70_000 }] }] },
      /containerPort: Invalid value: 70000: must be between 1 and 65535/,
    ],
    [
      "a mount of no volume",
      { containers: [{ name: "a", image: "b", volumeMounts: [{ name: "v", mountPath: "/" }] }] },
      /volumeMounts\[0\].name: Not found: "v"/,
    ],
  ];
  for (const [what, spec, message] of badPods) {
    it(`refuse a Pod with ${what}`, async () => {
      await assert.rejects(client.create(pods, pod("bad", spec)), refusedWith(422, message));
    });
  }

  it("freeze a Pod's spec but for its images", async () => {
    const created = await client.create(pods, pod("frozen"));
    const image = { spec: { containers: [{ name: "web", image: "web:2" }] } };
    const patched = await client.patch(pods, { name: "frozen", namespace }, "strategic-merge", image);
    assert.equal(patched.spec.containers[0]?.image, "web:2");
    for (const change of [
      { nodeName: "n" },
      { restartPolicy: "Never" },
      { containers: [{ name: "web", image: "x", command: ["y"] }] },
    ]) {
      await assert.rejects(
        client.patch(pods, { name: "frozen", namespace }, "strategic-merge", { spec: change }),
        refusedWith(422, /pod updates may not change fields other than/),
      );
    }
    assert.ok(created.metadata.uid);
  });

  it("check a workload's selector, and keep it", async () => {
    const wrong: [Partial<Deployment["spec"]>, RegExp][] = [
      [{ selector: { matchLabels: { app: "other" } } }, /`selector` does not match template `labels`/],
      [{ selector: {} }, /spec.selector: Invalid value: .*empty selector is invalid/],
      [{ replicas: -1 }, /spec.replicas/],
      [
        { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 0, maxUnavailable: "0%" } } },
        /may not be 0 when `maxSurge` is 0/,
      ],
      [
        { template: { ...template, spec: { ...template.spec, restartPolicy: "Never" } } },
        /restartPolicy: Unsupported value: "Never"/,
      ],
    ];
    for (const [spec, message] of wrong)
      await assert.rejects(client.create(deployments, deployment("wrong", spec)), refusedWith(422, message));
    const created = await client.create(deployments, deployment("kept"));
    assert.deepEqual(created.spec.strategy, {
      type: "RollingUpdate",
      rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" },
    });
    const labels = { app: "web", tier: "x" };
    const moved = {
      ...created.spec,
      selector: { matchLabels: labels },
      template: { ...created.spec.template, metadata: { labels } },
    };
    await assert.rejects(
      client.update(deployments, { ...created, spec: moved }),
      refusedWith(422, /spec.selector: Invalid value: .*field is immutable/),
    );
  });

  it("encode a Secret's plain text, fix its type, and want the keys of well-known types", async () => {
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace }, stringData: { a: "ü" } };
    const created = await client.create(secrets, secret);
    assert.deepEqual([created.data, created.stringData, created.type], [{ a: "w7w=" }, undefined, "Opaque"]);
    await assert.rejects(
      client.update(secrets, { ...created, type: "other" }),
      refusedWith(422, /type: Invalid value: "other": field is immutable/),
    );
    const tls = { ...secret, metadata: { name: "tls", namespace }, type: "kubernetes.io/tls" };
    await assert.rejects(
      client.create(secrets, tls),
      refusedWith(422, /data\[tls.crt\]: Required value.*data\[tls.key\]: Required value/),
    );
  });

  it("keep what is immutable", async () => {
    const created = await client.create(configMaps, { ...configMap("fixed", { a: "1" }), immutable: true });
    await assert.rejects(
      client.update(configMaps, { ...created, data: { a: "2" } }),
      refusedWith(422, /data: Forbidden: field is immutable when `immutable` is set/),
    );
    await assert.rejects(
      client.create(configMaps, configMap("bad-key", { "a b": "" })),
      refusedWith(422, /data\[a b\]: Invalid value/),
    );
  });

  it("give a Namespace its finalizer, phase and label, and freeze its finalizers", async () => {
    const created = await client.create(namespaces, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "labelled" },
    });
    assert.deepEqual(
      [created.spec, created.status, created.metadata.labels],
      [{ finalizers: ["kubernetes"] }, { phase: "Active" }, { "kubernetes.io/metadata.name": "labelled" }],
    );
    const emptied = await client.update(namespaces, { ...created, spec: { finalizers: [] } });
    assert.deepEqual(emptied.spec, { finalizers: ["kubernetes"] });
  });

  it("keep an Event with its object, and a Node's Pod range", async () => {
    const event = (place: string) => ({
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "e", namespace },
      involvedObject: { kind: "Pod", name: "p", namespace: place },
    });
    await assert.rejects(
      client.create(events, event("kube-system")),
      refusedWith(422, /involvedObject.namespace: Invalid value: "kube-system": does not match event.namespace/),
    );
    await client.create(events, event(namespace));
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: "n" }, spec: { podCIDR: "10.0.0.0/24" } };
    const created = await client.create(nodes, node);
    const moved = { ...created, spec: { podCIDR: "10.0.1.0/24" } };
    await assert.rejects(client.update(nodes, moved), refusedWith(422, /may not change podCIDR/));
  });

  it("check an Ingress, and say that nothing serves it", async () => {
    const ingresses = {
      group: "networking.k8s.io",
      version: "v1",
      plural: "ingresses",
      kind: "Ingress",
      namespaced: true,
    };
    const ingress = (path: object) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "i", namespace },
      spec: { rules: [{ http: { paths: [{ backend: { service: { name: "s", port: { number: 80 } } }, ...path }] } }] },
    });
    const relative = client.create<KubeObject>(ingresses, ingress({ path: "x", pathType: "Prefix" }));
    await assert.rejects(relative, refusedWith(422, /paths\[0\].path: Invalid value: "x": must be an absolute path/));
    const warnings: string[] = [];
    const onWarning = (warning: string) => warnings.push(warning);
    await client.create<KubeObject>(ingresses, ingress({ path: "/x", pathType: "Prefix" }), { onWarning });
    assert.match(warnings.join(), /^Ingresses are stored but not served by the built-in gateway/);
  });
});
