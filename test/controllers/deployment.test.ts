// Deployments over a real API server: creation, rolling update, undo, recreate, scaling, pause, history.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { createInformer } from "@gatehouse/apimachinery/informer";
import { controllerOf } from "@gatehouse/apimachinery/meta";
import { type Deployment, deployments, type ReplicaSet, replicaSets } from "@gatehouse/apimachinery/types/apps-v1";
import { templateHash } from "@gatehouse/controller-manager/template-hash";
import { type Event, events, type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import { deployment, podTemplate, startTestCluster, type TestCluster, sorted } from "./cluster.ts";

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster();
});
afterEach(() => cluster.close());

const progressing = (object: Deployment | undefined): string | undefined =>
  object?.status?.conditions?.find(({ type }) => type === "Progressing")?.reason;
const revision = (object: ReplicaSet | Deployment): string | undefined =>
  object.metadata.annotations?.["deployment.kubernetes.io/revision"];

/** Resolves with the Deployment when its present generation is rolled out, as `kubectl rollout status` sees it. */
async function rolledOut(name: string): Promise<Deployment> {
  const all = await cluster.until(
    deployments,
    (objects) => objects.some((object) => object.metadata.name === name && isRolledOut(object)),
    "demo",
  );
  return all.find((object) => object.metadata.name === name) as Deployment;
}

function isRolledOut({ metadata, spec, status }: Deployment): boolean {
  const wanted = spec.replicas ?? 1;
  return (
    status?.observedGeneration === metadata.generation &&
    status?.updatedReplicas === wanted &&
    status.replicas === wanted &&
    status.availableReplicas === wanted
  );
}

const patchSpec = (name: string, spec: unknown): Promise<Deployment> =>
  cluster.client.patch(deployments, { name, namespace: "demo" }, "merge", { spec });

const patchImage = (name: string, image: string): Promise<Deployment> =>
  patchSpec(name, { template: podTemplate(name, image) });

const settledEvents = (about: string, holds: (found: Event[]) => boolean): Promise<Event[]> =>
  cluster.until(events, (all) => holds(all.filter((event) => event.involvedObject.name === about)), "demo");

test("a Deployment brings up its pods on the node and becomes available", async () => {
  const { client, until } = cluster;
  await client.create(deployments, deployment("web"));
  const bound = await until(pods, (all) => all.filter((pod) => pod.spec.nodeName === "node").length === 2, "demo");
  const [replicaSet] = (await client.list(replicaSets)).items;
  const hash = replicaSet?.metadata.labels?.["pod-template-hash"];
  for (const pod of bound) {
    assert.match(pod.metadata.name, new RegExp(`^web-${hash}-[bcdfghjklmnpqrstvwxz2456789]{5}$`));
    assert.equal(pod.metadata.labels?.["pod-template-hash"], hash);
    assert.equal(controllerOf(pod)?.name, replicaSet?.metadata.name);
  }
  const [waiting] = await until(deployments, ([only]) => only?.status?.replicas === 2, "demo");
  assert.equal(waiting?.status?.unavailableReplicas, 2);
  assert.equal(waiting?.status?.conditions?.find(({ type }) => type === "Available")?.status, "False");

  for (const pod of bound) await cluster.setReady(pod);
  const web = await rolledOut("web");
  assert.equal(progressing(web), "NewReplicaSetAvailable");
  assert.equal(revision(web), "1");
  assert.equal(web.status?.conditions?.find(({ type }) => type === "Available")?.status, "True");
  const found = await settledEvents("web", (all) => all.length > 0);
  const scaling = found.find((event) => event.involvedObject.name === "web");
  assert.equal(scaling?.reason, "ScalingReplicaSet");
  assert.equal(scaling?.message, `Scaled up replica set ${replicaSet?.metadata.name} from 0 to 2`);
  const created = await settledEvents(replicaSet?.metadata.name ?? "", (all) => all.length === 2);
  const messages = created.filter(({ reason }) => reason === "SuccessfulCreate").map(({ message }) => message);
  assert.deepEqual(sorted(messages), sorted(bound.map((pod) => `Created pod: ${pod.metadata.name}`)));
});

test("a rolling update never has fewer than the wanted available pods, nor more than the surge allows", async () => {
  const { client, until } = cluster;
  cluster.actAsKubelet();
  const strategy = { type: "RollingUpdate" as const, rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  await client.create(deployments, deployment("web", { replicas: 3, strategy }));
  await rolledOut("web");
  const extremes = { ready: Infinity, total: 0 };
  const watched = until(pods, (all) => {
    const present = all.filter((pod) => !pod.metadata.deletionTimestamp);
    const ready = present.filter((pod) =>
      pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"),
    );
    extremes.ready = Math.min(extremes.ready, all.length < 3 ? Infinity : ready.length);
    extremes.total = Math.max(extremes.total, present.length);
    return all.length === 3 && all.every((pod) => pod.spec.containers[0]?.image === "traefik/whoami:v2");
  });
  await patchImage("web", "traefik/whoami:v2");
  await Promise.all([watched, rolledOut("web")]);
  assert.deepEqual(extremes, { ready: 3, total: 4 });
  const sets = await client.list(replicaSets, { namespace: "demo" });
  assert.deepEqual(sorted(sets.items.map((set) => [revision(set), set.spec.replicas])), [
    ["1", 0],
    ["2", 3],
  ]);
});

test("going back to an old template reuses its ReplicaSet under a new revision (rollout undo)", async () => {
  const { client } = cluster;
  cluster.actAsKubelet();
  await client.create(deployments, deployment("web"));
  await rolledOut("web");
  await patchImage("web", "traefik/whoami:v2");
  await rolledOut("web");
  await patchImage("web", "traefik/whoami");
  const web = await rolledOut("web");
  assert.equal(revision(web), "3");
  const sets = (await client.list(replicaSets, { namespace: "demo" })).items;
  assert.deepEqual(sorted(sets.map((set) => [revision(set), set.spec.replicas])), [
    ["2", 0],
    ["3", 2],
  ]);
  const reused = sets.find((set) => revision(set) === "3");
  assert.equal(reused?.metadata.annotations?.["deployment.kubernetes.io/revision-history"], "1");
});

test("Recreate starts no new pod before the last old one is gone", async () => {
  const { client, until } = cluster;
  const stopKubelet = cluster.actAsKubelet();
  await client.create(deployments, deployment("web", { strategy: { type: "Recreate" } }));
  await rolledOut("web");
  stopKubelet();
  await patchImage("web", "traefik/whoami:v2");
  const old = await until(
    pods,
    (all) => all.length === 2 && all.every((pod) => pod.metadata.deletionTimestamp),
    "demo",
  );
  await cluster.finishPod(old[0] as Pod);
  await until(replicaSets, (sets) => sets.length === 1 && sets[0]?.status?.replicas === 0, "demo");
  assert.equal((await client.list(replicaSets, { namespace: "demo" })).items.length, 1);
  await cluster.finishPod(old[1] as Pod);
  cluster.actAsKubelet();
  await rolledOut("web");
  assert.equal((await client.list(replicaSets, { namespace: "demo" })).items.length, 2);
});

test("scaling goes both ways and to zero, and pods that are not ready go first", async () => {
  const { client, until } = cluster;
  await client.create(deployments, deployment("web", { replicas: 3 }));
  const [first, second, third] = await until(
    pods,
    (all) => all.filter((pod) => pod.spec.nodeName).length === 3,
    "demo",
  );
  await cluster.setReady(first as Pod);
  await cluster.setReady(second as Pod, false);
  await cluster.setReady(third as Pod);
  await until(replicaSets, ([set]) => set?.status?.readyReplicas === 2, "demo");
  await patchSpec("web", { replicas: 2 });
  const after = await until(pods, (all) => all.some((pod) => pod.metadata.deletionTimestamp), "demo");
  const going = after.filter((pod) => pod.metadata.deletionTimestamp).map((pod) => pod.metadata.name);
  assert.deepEqual(going, [second?.metadata.name]);
  cluster.actAsKubelet();
  await rolledOut("web");
  await patchSpec("web", { replicas: 0 });
  await rolledOut("web");
  await until(pods, (all) => all.length === 0, "demo");
});

test("a paused Deployment scales but does not roll; resumed it does", async () => {
  const { client, until } = cluster;
  cluster.actAsKubelet();
  await client.create(deployments, deployment("web"));
  await rolledOut("web");
  await patchSpec("web", { paused: true, replicas: 3, template: podTemplate("web", "traefik/whoami:v2") });
  const [paused] = await until(
    deployments,
    ([only]) => progressing(only) === "DeploymentPaused" && only?.status?.replicas === 3,
    "demo",
  );
  assert.equal(paused?.status?.updatedReplicas, 0);
  assert.equal((await client.list(replicaSets, { namespace: "demo" })).items.length, 1);
  await patchSpec("web", { paused: null });
  assert.equal(revision(await rolledOut("web")), "2");
});

test("only as many old ReplicaSets are kept as the history limit says", async () => {
  const { client, until } = cluster;
  cluster.actAsKubelet();
  await client.create(deployments, deployment("web", { revisionHistoryLimit: 1 }));
  await rolledOut("web");
  for (const version of ["v2", "v3", "v4"]) {
    await patchImage("web", `traefik/whoami:${version}`);
    await rolledOut("web");
  }
  const sets = await until(replicaSets, (all) => all.length === 2, "demo");
  assert.deepEqual(sorted(sets.map(revision)), ["3", "4"]);
});

test("a rollout that gets nowhere exceeds its deadline and says so", async () => {
  const { client, until } = cluster;
  await client.create(deployments, deployment("web", { progressDeadlineSeconds: 1, minReadySeconds: 0 }));
  const [web] = await until(deployments, ([only]) => progressing(only) === "ProgressDeadlineExceeded", "demo");
  const condition = web?.status?.conditions?.find(({ type }) => type === "Progressing");
  assert.equal(condition?.status, "False");
  assert.match(condition?.message ?? "", /^ReplicaSet "web-.*" has timed out progressing\.$/);
});

test("a killed pod is replaced, an orphan that matches is adopted, one that no longer matches is let go", async () => {
  const { client, until } = cluster;
  cluster.actAsKubelet();
  await client.create(deployments, deployment("web", { replicas: 1 }));
  await rolledOut("web");
  const [victim] = (await client.list(pods, { namespace: "demo" })).items;
  await client.delete(pods, victim?.metadata.name ?? "", "demo");
  const [next] = await until(pods, (all) => all.length === 1 && all[0]?.metadata.uid !== victim?.metadata.uid, "demo");
  await rolledOut("web");

  const name = next?.metadata.name ?? "";
  await client.patch(pods, { name, namespace: "demo" }, "merge", { metadata: { labels: { app: "other" } } });
  const two = await until(pods, (all) => all.length === 2 && all.some((pod) => !controllerOf(pod)), "demo");
  const released = two.find((pod) => !controllerOf(pod));
  assert.equal(released?.metadata.name, name);

  await client.patch(pods, { name, namespace: "demo" }, "merge", { metadata: { labels: { app: "web" } } });
  const one = await until(pods, (all) => all.length === 1 && all.every(controllerOf), "demo");
  assert.equal(one.length, 1);
});

test("a ReplicaSet of another's that has the name makes the hash change, and is left alone", async () => {
  const { client } = cluster;
  cluster.actAsKubelet();
  const { spec } = await client.create(deployments, deployment("web", { paused: true }));
  const name = `web-${templateHash(spec.template)}`;
  const selector = { matchLabels: { app: "stranger" } };
  const stranger = { replicas: 0, selector, template: podTemplate("stranger") };
  const metadata = { name, namespace: "demo" };
  await client.create(replicaSets, { apiVersion: "apps/v1", kind: "ReplicaSet", metadata, spec: stranger });
  await patchSpec("web", { paused: null });
  const web = await rolledOut("web");
  assert.equal(web.status?.collisionCount, 1);
  const sets = (await client.list(replicaSets, { namespace: "demo" })).items;
  assert.equal(sets.find((set) => set.metadata.name === name)?.spec.replicas, 0);
  assert.equal(sets.length, 2);
});

test("pods count as available only after minReadySeconds, without anything else happening", async () => {
  const { client, until } = cluster;
  cluster.actAsKubelet();
  await client.create(deployments, deployment("web", { replicas: 1, minReadySeconds: 2 }));
  const [early] = await until(deployments, ([only]) => only?.status?.readyReplicas === 1, "demo");
  assert.equal(early?.status?.availableReplicas ?? 0, 0);
  await rolledOut("web");
});

test("however fast pods die, there are never more than wanted, and in the end exactly as many", async () => {
  const { client, until } = cluster;
  cluster.actAsKubelet();
  await client.create(deployments, deployment("web", { replicas: 5 }));
  await rolledOut("web");
  const watched = createInformer(client, pods, { namespace: "demo" });
  await watched.start();
  let most = 0;
  const active = (): Pod[] => [...watched.objects.values()].filter((pod) => !pod.metadata.deletionTimestamp);
  watched.onChange(() => {
    most = Math.max(most, active().length);
  });
  for (let round = 0; round < 15; round++) {
    const victims = active().slice(round % 3);
    await Promise.allSettled(victims.map((pod) => client.delete(pods, pod.metadata.name, "demo")));
    await until(pods, (all) => all.some((pod) => !pod.metadata.deletionTimestamp), "demo");
  }
  await rolledOut("web");
  watched.stop();
  assert.equal(most, 5);
  await until(pods, (all) => all.length === 5, "demo");
});
