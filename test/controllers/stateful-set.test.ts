// StatefulSets: names that stay, one pod after the other, updates from the top down to the partition, and back.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { controllerRevisions, type StatefulSet, statefulSets } from "@gatehouse/apimachinery/types/apps-v1";
import { type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import { labelsOf, podTemplate, sorted, startTestCluster, type TestCluster } from "./cluster.ts";

const statefulSet = (name: string, spec: Partial<StatefulSet["spec"]> = {}): StatefulSet => ({
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name, namespace: "demo" },
  spec: {
    replicas: 3,
    serviceName: name,
    selector: { matchLabels: labelsOf(name) },
    template: podTemplate(name),
    ...spec,
  },
});
const names = (found: Pod[]): string[] => sorted(found.map(({ metadata }) => metadata.name));
const imageOf = (pod: Pod | undefined): string | undefined => pod?.spec.containers[0]?.image;
const target = (name: string) => ({ name, namespace: "demo" });

describe("a StatefulSet", () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startTestCluster();
  });
  after(() => cluster.close());

  const podsOf = (app: string, holds: (found: Pod[]) => boolean): Promise<Pod[]> =>
    cluster
      .until(pods, (all) => holds(all.filter(({ metadata }) => metadata.labels?.app === app)), "demo")
      .then((all) => all.filter(({ metadata }) => metadata.labels?.app === app));
  const settled = (name: string, holds: (set: StatefulSet) => boolean): Promise<StatefulSet[]> =>
    cluster.until(
      statefulSets,
      (all) =>
        all.some(
          (set) =>
            set.metadata.name === name && set.status?.observedGeneration === set.metadata.generation && holds(set),
        ),
      "demo",
    );

  it("makes the next pod only when the one before is ready, and gives each its name", async () => {
    await cluster.client.create(statefulSets, statefulSet("ordered", { replicas: 2 }));
    const [first] = await podsOf("ordered", (found) => found.length === 1);
    assert.ok(first);
    assert.equal(first.metadata.name, "ordered-0");
    assert.deepEqual([first.spec.hostname, first.spec.subdomain], ["ordered-0", "ordered"]);
    assert.equal(first.metadata.labels?.["statefulset.kubernetes.io/pod-name"], "ordered-0");
    assert.equal(first.metadata.labels?.["apps.kubernetes.io/pod-index"], "0");
    await settled("ordered", ({ status }) => status?.replicas === 1 && status.readyReplicas === 0);
    await cluster.setReady(first);
    const both = await podsOf("ordered", (found) => found.length === 2);
    assert.deepEqual(names(both), ["ordered-0", "ordered-1"]);
  });

  it("makes all at once with Parallel, and counts from ordinals.start", async () => {
    const spec = { podManagementPolicy: "Parallel" as const, ordinals: { start: 5 } };
    await cluster.client.create(statefulSets, statefulSet("parallel", spec));
    assert.deepEqual(names(await podsOf("parallel", (found) => found.length === 3)), [
      "parallel-5",
      "parallel-6",
      "parallel-7",
    ]);
  });

  it("replaces pods from the top down to the partition, goes back with an undo, and shrinks from the top", async () => {
    const stop = cluster.actAsKubelet((pod) => pod.metadata.labels?.app === "rolled");
    await cluster.client.create(statefulSets, statefulSet("rolled"));
    const [before] = (await settled("rolled", ({ status }) => status?.availableReplicas === 3)).filter(
      ({ metadata }) => metadata.name === "rolled",
    );
    const firstRevision = before?.status?.currentRevision;
    assert.equal(before?.status?.updateRevision, firstRevision);

    const template = podTemplate("rolled", "traefik/whoami:v2");
    const updateStrategy = { type: "RollingUpdate", rollingUpdate: { partition: 2 } };
    await cluster.client.patch(statefulSets, target("rolled"), "merge", { spec: { template, updateStrategy } });
    await settled("rolled", ({ status }) => status?.updatedReplicas === 1 && status.readyReplicas === 3);
    const canary = await podsOf("rolled", (found) => found.length === 3);
    const images = new Map(canary.map((pod) => [pod.metadata.name, imageOf(pod)]));
    assert.deepEqual(
      [images.get("rolled-0"), images.get("rolled-1"), images.get("rolled-2")],
      ["traefik/whoami", "traefik/whoami", "traefik/whoami:v2"],
    );
    // A pod below the partition that goes comes back with the template it had.
    await cluster.client.delete(pods, "rolled-0", "demo");
    const uid = canary.find(({ metadata }) => metadata.name === "rolled-0")?.metadata.uid;
    const again = await podsOf("rolled", (found) =>
      found.some(({ metadata }) => metadata.name === "rolled-0" && metadata.uid !== uid),
    );
    assert.equal(imageOf(again.find(({ metadata }) => metadata.name === "rolled-0")), "traefik/whoami");

    await cluster.client.patch(statefulSets, target("rolled"), "merge", {
      spec: { updateStrategy: { rollingUpdate: { partition: 0 } } },
    });
    await settled(
      "rolled",
      ({ status }) => status?.updatedReplicas === 3 && status.currentRevision === status.updateRevision,
    );
    const history = (await cluster.client.list(controllerRevisions, { namespace: "demo" })).items.filter(
      ({ metadata }) => metadata.ownerReferences?.[0]?.name === "rolled",
    );
    assert.deepEqual(sorted(history.map(({ revision }) => revision)), [1, 2]);

    await cluster.client.patch(statefulSets, target("rolled"), "merge", { spec: { template: podTemplate("rolled") } });
    await settled("rolled", ({ status }) => status?.currentRevision === firstRevision && status?.readyReplicas === 3);

    await cluster.client.patch(statefulSets, { ...target("rolled"), subresource: "scale" }, "merge", {
      spec: { replicas: 1 },
    });
    assert.deepEqual(names(await podsOf("rolled", (found) => found.length === 1)), ["rolled-0"]);
    const deleted = cluster.writes.filter((line) => line.startsWith("delete Pod rolled-")).slice(-2);
    assert.deepEqual(deleted, ["delete Pod rolled-2", "delete Pod rolled-1"]);
    stop();
  });

  it("leaves old pods alone with OnDelete, and makes their successors new", async () => {
    const stop = cluster.actAsKubelet((pod) => pod.metadata.labels?.app === "manual");
    const updateStrategy = { type: "OnDelete" as const };
    await cluster.client.create(statefulSets, statefulSet("manual", { replicas: 1, updateStrategy }));
    await settled("manual", ({ status }) => status?.readyReplicas === 1);
    await cluster.client.patch(statefulSets, target("manual"), "merge", {
      spec: { template: podTemplate("manual", "traefik/whoami:v2") },
    });
    await settled(
      "manual",
      ({ status }) => status?.updatedReplicas === 0 && status.currentRevision !== status.updateRevision,
    );
    assert.equal(imageOf((await podsOf("manual", (found) => found.length === 1))[0]), "traefik/whoami");
    await cluster.client.delete(pods, "manual-0", "demo");
    await podsOf("manual", ([pod]) => imageOf(pod) === "traefik/whoami:v2");
    stop();
  });

  it("makes a pod that has ended anew, and takes no pod whose name is not one of its own", async () => {
    const stray: Pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "stray", namespace: "demo", labels: labelsOf("ended") },
      spec: podTemplate("ended").spec,
    };
    await cluster.client.create(pods, stray);
    await cluster.client.create(statefulSets, statefulSet("ended", { replicas: 1 }));
    const [first] = await podsOf("ended", (found) => names(found).includes("ended-0")).then((found) =>
      found.filter(({ metadata }) => metadata.name === "ended-0"),
    );
    await cluster.client.patch(pods, { name: "ended-0", namespace: "demo", subresource: "status" }, "merge", {
      status: { phase: "Failed" },
    });
    const found = await podsOf("ended", (all) =>
      all.some(({ metadata }) => metadata.name === "ended-0" && metadata.uid !== first?.metadata.uid),
    );
    assert.equal(found.find(({ metadata }) => metadata.name === "stray")?.metadata.ownerReferences, undefined);
  });
});
