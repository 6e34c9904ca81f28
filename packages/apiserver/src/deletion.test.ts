// Deleting objects: what goes at once, what lingers, and what must stay.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeList, KubeObject } from "@gatehouse/apimachinery/meta";
import type { Status } from "@gatehouse/apimachinery/status-error";
import {
  type ConfigMap,
  configMaps,
  type Namespace,
  namespaces,
  type Pod,
  pods,
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
const create = (name: string, metadata: object = {}): Promise<ConfigMap> =>
  client.create(configMaps, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, ...metadata } });
const remove = <T>(path: string, options?: object): Promise<T> =>
  client.json<T>({
    method: "DELETE",
    path,
    ...(options ? { body: JSON.stringify(options), headers: { "content-type": "application/json" } } : {}),
  });
const at = (name: string): string => `/api/v1/namespaces/default/configmaps/${name}`;
const gone = (name: string): Promise<void> => assert.rejects(client.get(configMaps, name, namespace), refusedWith(404));

describe("a deletion", () => {
  it("answers a Status with details, and the object is gone", async () => {
    const { metadata } = await create("plain");
    const status = await remove<Status>(at("plain"));
    assert.deepEqual(
      [status.kind, status.status, status.details],
      ["Status", "Success", { name: "plain", kind: "configmaps", uid: metadata.uid }],
    );
    await gone("plain");
    await assert.rejects(remove(at("plain")), refusedWith(404, /configmaps "plain" not found/));
  });

  it("waits for finalizers; the object answered is terminating, and goes with the last of them", async () => {
    await create("held", { finalizers: ["example.com/a", "example.com/b"] });
    const lingering = await remove<ConfigMap>(at("held"));
    assert.equal(lingering.kind, "ConfigMap");
    assert.ok(lingering.metadata.deletionTimestamp);
    const again = await remove<ConfigMap>(at("held"));
    assert.equal(again.metadata.resourceVersion, lingering.metadata.resourceVersion, "deleting twice changes nothing");
    const finalizers = (list: string[]) =>
      client.patch(configMaps, { name: "held", namespace }, "merge", { metadata: { finalizers: list } });
    await assert.rejects(
      finalizers(["example.com/a", "example.com/b", "example.com/c"]),
      refusedWith(422, /no new finalizers can be added if the object is being deleted.*example.com\/c/),
    );
    assert.ok((await finalizers(["example.com/a"])).metadata.deletionTimestamp);
    await finalizers([]);
    await gone("held");
  });

  it("checks its preconditions", async () => {
    const { metadata } = await create("guarded");
    await assert.rejects(
      remove(at("guarded"), { preconditions: { uid: "other" } }),
      refusedWith(409, /UID in precondition: other, UID in object meta/),
    );
    await assert.rejects(
      remove(at("guarded"), { preconditions: { resourceVersion: "1" } }),
      refusedWith(409, /ResourceVersion in precondition: 1/),
    );
    await remove(at("guarded"), { preconditions: { uid: metadata.uid, resourceVersion: metadata.resourceVersion } });
    await gone("guarded");
  });

  it("leaves the work of a propagation policy to its finalizer", async () => {
    for (const [policy, finalizer] of [
      ["Foreground", "foregroundDeletion"],
      ["Orphan", "orphan"],
    ] as const) {
      const name = policy.toLowerCase();
      await create(name);
      const { metadata } = await remove<ConfigMap>(at(name), { propagationPolicy: policy });
      assert.deepEqual(metadata.finalizers, [finalizer]);
      await remove(at(name), { propagationPolicy: "Background" });
      await gone(name);
    }
    await create("by-query");
    assert.deepEqual((await remove<ConfigMap>(`${at("by-query")}?propagationPolicy=Orphan`)).metadata.finalizers, [
      "orphan",
    ]);
  });

  it("refuses options that make no sense", async () => {
    await create("kept");
    for (const [options, code, message] of [
      [{ propagationPolicy: "Sideways" }, 422, /^DeleteOptions\.meta\.k8s\.io "" is invalid: propagationPolicy: Unsup/],
      [{ propagationPolicy: "Orphan", orphanDependents: true }, 422, /cannot be both set/],
      [{ gracePeriodSeconds: "x" }, 400, /cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSec/],
      [{ dryRun: ["x"] }, 422, /dryRun: Unsupported value: \["x"\]: supported values: "All"/],
      [{ apiVersion: "v1", kind: "ConfigMap" }, 400, /no kind "ConfigMap"/],
    ] as const) {
      await assert.rejects(remove(at("kept"), options), refusedWith(code, message));
    }
    await client.get(configMaps, "kept", namespace);
  });

  it("of a collection takes what its selectors name", async () => {
    for (const [name, app] of [
      ["c1", "x"],
      ["c2", "x"],
      ["c3", "y"],
    ] as const)
      await create(name, { labels: { app } });
    const { items } = await remove<KubeList>("/api/v1/namespaces/default/configmaps?labelSelector=app%3Dx");
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ["c1", "c2"],
    );
    await gone("c1");
    await client.get(configMaps, "c3", namespace);
  });
});

describe("a Pod's deletion", () => {
  const newPod = async (name: string, node?: string, spec: object = {}): Promise<Pod> => {
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace },
      spec: { containers: [{ name: "a", image: "b" }], ...(node ? { nodeName: node } : {}), ...spec },
    };
    return client.create(pods, pod);
  };
  const path = (name: string): string => `/api/v1/namespaces/default/pods/${name}`;

  it("waits for the kubelet: terminating with its grace, then removed with grace 0", async () => {
    await newPod("graceful", "node", { terminationGracePeriodSeconds: 20 });
    const before = Date.now();
    const { metadata } = await remove<Pod>(path("graceful"));
    assert.equal(metadata.deletionGracePeriodSeconds, 20);
    const wait = Date.parse(metadata.deletionTimestamp ?? "") - before;
    assert.ok(wait > 18_000 && wait <= 21_000, String(wait));
    const running = await client.updateStatus(pods, {
      ...(await client.get(pods, "graceful", namespace)),
      status: { phase: "Running" },
    });
    assert.ok(running.metadata.deletionTimestamp, "a status report does not end the grace");
    const longer = await remove<Pod>(path("graceful"), { gracePeriodSeconds: 60 });
    assert.equal(longer.metadata.deletionGracePeriodSeconds, 20, "grace is never lengthened");
    const shorter = await remove<Pod>(path("graceful"), { gracePeriodSeconds: 5 });
    assert.equal(shorter.metadata.deletionGracePeriodSeconds, 5);
    await assert.rejects(
      remove(path("graceful"), { gracePeriodSeconds: 0, preconditions: { uid: "other" } }),
      refusedWith(409),
    );
    const last = await remove<Pod>(path("graceful"), { gracePeriodSeconds: 0 });
    assert.equal(last.kind, "Pod");
    await assert.rejects(client.get(pods, "graceful", namespace), refusedWith(404));
  });

  it("is immediate where nobody runs it, whatever grace is asked", async () => {
    await newPod("unscheduled");
    await remove(path("unscheduled"), { gracePeriodSeconds: 30 });
    const done = await newPod("done", "node");
    await client.updateStatus(pods, { ...done, status: { phase: "Succeeded" } });
    await remove(path("done"));
    for (const name of ["unscheduled", "done"])
      await assert.rejects(client.get(pods, name, namespace), refusedWith(404));
  });

  it("by eviction is the same", async () => {
    await newPod("evicted", "node");
    const eviction = {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name: "evicted", namespace },
      deleteOptions: { gracePeriodSeconds: 7 },
    };
    const post = (name: string) =>
      client.json<Status>({
        method: "POST",
        path: `${path(name)}/eviction`,
        body: JSON.stringify(eviction),
        headers: { "content-type": "application/json" },
      });
    assert.equal((await post("evicted")).status, "Success");
    assert.equal((await client.get(pods, "evicted", namespace)).metadata.deletionGracePeriodSeconds, 7);
    await assert.rejects(post("absent"), refusedWith(404));
  });
});

describe("a Namespace's deletion", () => {
  it("takes in nothing new and ends with the finalize call", async () => {
    await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "ending" } });
    const inside = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "inside", namespace: "ending" } };
    const present = await client.create(configMaps, inside);
    const terminating = await remove<Namespace>("/api/v1/namespaces/ending");
    assert.equal(terminating.status?.phase, "Terminating");
    const late = { ...inside, metadata: { ...inside.metadata, name: "late" } };
    await assert.rejects(client.create(configMaps, late), (error: { status: Status }) => {
      refusedWith(
        403,
        /^configmaps "late" is forbidden: unable to create new content in namespace ending because it is being terminated$/,
      )(error);
      assert.equal(error.status.details?.causes?.[0]?.reason, "NamespaceTerminating");
      return true;
    });
    await client.update(configMaps, { ...present, data: { still: "changes" } });
    await client.delete(configMaps, "inside", "ending");
    const finalize = (body: object) =>
      client.json<KubeObject>({
        method: "PUT",
        path: "/api/v1/namespaces/ending/finalize",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      });
    await assert.rejects(
      finalize({ ...terminating, metadata: { ...terminating.metadata, resourceVersion: "1" } }),
      refusedWith(409),
    );
    await finalize({ ...terminating, spec: { finalizers: [] } });
    await assert.rejects(client.get(namespaces, "ending"), refusedWith(404));
  });

  it("is refused for the system's own", async () => {
    for (const name of ["default", "kube-system", "kube-public"]) {
      await assert.rejects(remove(`/api/v1/namespaces/${name}`), refusedWith(403, /this namespace may not be deleted/));
    }
  });
});
