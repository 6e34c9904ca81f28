// Jobs and CronJobs: pods that end are counted once, replaced, and the Job says in the end how it went.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { timestamp } from "@gatehouse/apimachinery/meta";
import {
  type CronJob,
  cronJobs,
  type Job,
  jobs,
  type JobSpec,
  jobTrackingFinalizer,
} from "@gatehouse/apimachinery/types/batch-v1";
import { type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import { podTemplate, sorted, startTestCluster, type TestCluster } from "./cluster.ts";

const template = (): JobSpec["template"] => ({ spec: { ...podTemplate("x").spec, restartPolicy: "Never" } });
const job = (name: string, spec: Partial<JobSpec> = {}): Job => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name, namespace: "demo" },
  spec: { template: template(), ...spec },
});
const ofJob = (name: string) => (pod: Pod) => pod.metadata.labels?.["batch.kubernetes.io/job-name"] === name;
const indexOf = (pod: Pod): number => Number(pod.metadata.annotations?.["batch.kubernetes.io/job-completion-index"]);
const conditionsOf = ({ status }: Job): string[] =>
  (status?.conditions ?? []).filter((one) => one.status === "True").map(({ type, reason }) => `${type} ${reason}`);

describe("a Job", () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startTestCluster();
    // Pods stay as they are made; those that are deleted end.
    cluster.actAsKubelet(() => false);
  });
  after(() => cluster.close());

  const podsOf = (name: string, holds: (found: Pod[]) => boolean): Promise<Pod[]> =>
    cluster.until(pods, (all) => holds(all.filter(ofJob(name))), "demo").then((all) => all.filter(ofJob(name)));
  const running = (name: string, count: number): Promise<Pod[]> =>
    podsOf(name, (found) => found.filter(({ status }) => status?.phase === "Pending").length === count).then((found) =>
      found.filter(({ status }) => status?.phase === "Pending"),
    );
  const until = async (name: string, holds: (found: Job) => boolean): Promise<Job> => {
    const all = await cluster.until(
      jobs,
      (list) => list.some((one) => one.metadata.name === name && holds(one)),
      "demo",
    );
    return all.find(({ metadata }) => metadata.name === name) as Job;
  };
  const end = (pod: Pod, exitCode: number): Promise<Pod> => {
    const terminated = { exitCode, reason: exitCode === 0 ? "Completed" : "Error", finishedAt: timestamp() };
    const containerStatuses = [
      { name: "main", image: "x", imageID: "", ready: false, restartCount: 0, state: { terminated } },
    ];
    const { name, namespace = "" } = pod.metadata;
    return cluster.client.patch<Pod>(pods, { name, namespace, subresource: "status" }, "merge", {
      status: { phase: exitCode === 0 ? "Succeeded" : "Failed", containerStatuses },
    });
  };

  it("runs as many pods at once as it may, and is complete when enough have succeeded", async () => {
    const created = await cluster.client.create(jobs, job("done", { completions: 3, parallelism: 2 }));
    const { selector, backoffLimit, completionMode } = created.spec;
    assert.deepEqual(selector?.matchLabels, { "batch.kubernetes.io/controller-uid": created.metadata.uid });
    assert.deepEqual([backoffLimit, completionMode], [6, "NonIndexed"]);
    const first = await running("done", 2);
    assert.deepEqual(first[0]?.metadata.finalizers, [jobTrackingFinalizer]);
    for (const pod of first) await end(pod, 0);
    const [last] = await running("done", 1);
    assert.ok(last);
    await end(last, 0);
    const { status } = await until("done", (found) => conditionsOf(found).length === 2);
    assert.deepEqual(
      status?.conditions?.map(({ type, reason }) => `${type} ${reason}`),
      ["SuccessCriteriaMet CompletionsReached", "Complete CompletionsReached"],
    );
    assert.equal(status?.succeeded, 3);
    assert.equal(status?.active, undefined);
    assert.ok(status?.completionTime);
    const ended = await podsOf("done", (found) => found.every(({ metadata }) => !metadata.finalizers));
    assert.equal(ended.length, 3);
  });

  it("fails when more pods fail than it makes up for", async () => {
    await cluster.client.create(jobs, job("failing", { backoffLimit: 0 }));
    const [pod] = await running("failing", 1);
    await end(pod as Pod, 1);
    const failed = await until("failing", (found) => conditionsOf(found).some((text) => text.startsWith("Failed")));
    assert.deepEqual(conditionsOf(failed), ["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
    assert.equal(failed.status?.failed, 1);
  });

  it("waits before it makes up for a failed pod", async () => {
    await cluster.client.create(jobs, job("pausing"));
    const [pod] = await running("pausing", 1);
    await end(pod as Pod, 1);
    const { status } = await until("pausing", (found) => found.status?.failed === 1);
    assert.equal(status?.active, undefined);
    assert.equal((await podsOf("pausing", () => true)).length, 1);
  });

  it("gives the pods of an Indexed Job one index each", async () => {
    await cluster.client.create(jobs, job("indexed", { completions: 3, parallelism: 3, completionMode: "Indexed" }));
    const found = await running("indexed", 3);
    assert.deepEqual(sorted(found.map(indexOf)), [0, 1, 2]);
    const second = found.find((pod) => indexOf(pod) === 1) as Pod;
    assert.match(second.metadata.name, /^indexed-1-[a-z0-9]{5}$/);
    assert.equal(second.spec.hostname, "indexed-1");
    assert.equal(second.spec.containers[0]?.env?.[0]?.name, "JOB_COMPLETION_INDEX");
    await end(second, 0);
    const half = await until("indexed", ({ status }) => status?.succeeded === 1);
    assert.equal(half.status?.completedIndexes, "1");
    for (const pod of found) if (pod !== second) await end(pod, 0);
    const whole = await until("indexed", (one) => conditionsOf(one).some((text) => text.startsWith("Complete")));
    assert.equal(whole.status?.completedIndexes, "0-2");
  });

  it("stops while it is suspended, without counting the pods it stops", async () => {
    await cluster.client.create(jobs, job("paused"));
    await running("paused", 1);
    await cluster.client.patch(jobs, { name: "paused", namespace: "demo" }, "merge", { spec: { suspend: true } });
    const { status } = await until("paused", (found) => conditionsOf(found).length === 1 && !found.status?.active);
    assert.equal(status?.startTime, undefined);
    assert.equal(status?.failed, undefined);
    await podsOf("paused", (found) => found.length === 0);
    await cluster.client.patch(jobs, { name: "paused", namespace: "demo" }, "merge", { spec: { suspend: false } });
    await running("paused", 1);
    await until("paused", (found) => conditionsOf(found).length === 0 && found.status?.startTime !== undefined);
  });

  it("fails at its deadline, and its pods go with it", async () => {
    await cluster.client.create(jobs, job("late", { activeDeadlineSeconds: 1 }));
    const failed = await until("late", (found) => conditionsOf(found).some((text) => text.startsWith("Failed")));
    assert.deepEqual(conditionsOf(failed), ["FailureTarget DeadlineExceeded", "Failed DeadlineExceeded"]);
    await podsOf("late", (found) => found.length === 0);
  });

  it("ends by its podFailurePolicy, or looks away", async () => {
    const rules: NonNullable<JobSpec["podFailurePolicy"]>["rules"] = [
      { action: "Ignore", onExitCodes: { operator: "In", values: [7] } },
      { action: "FailJob", onExitCodes: { operator: "In", values: [42] } },
    ];
    const spec = { parallelism: 2, completions: 2, podFailurePolicy: { rules } };
    await cluster.client.create(jobs, job("judged", spec));
    const [one, other] = await running("judged", 2);
    await end(one as Pod, 7);
    await podsOf("judged", (found) => found.some((pod) => pod.status?.phase === "Failed" && !pod.metadata.finalizers));
    await end(other as Pod, 42);
    const failed = await until("judged", (found) => conditionsOf(found).some((text) => text.startsWith("Failed")));
    assert.equal(failed.status?.failed, 1);
    const { message } = failed.status?.conditions?.find(({ type }) => type === "Failed") ?? {};
    assert.match(
      message ?? "",
      /Container main for pod demo\/judged-.* failed with exit code 42 matching FailJob rule at index 1/,
    );
  });

  it("is deleted with its pods when its time after the end is over", async () => {
    await cluster.client.create(jobs, job("brief", { ttlSecondsAfterFinished: 0 }));
    const [pod] = await running("brief", 1);
    await end(pod as Pod, 0);
    await cluster.until(jobs, (all) => !all.some(({ metadata }) => metadata.name === "brief"), "demo");
    await podsOf("brief", (found) => found.length === 0);
  });

  it("lets go of its pods when it is deleted", async () => {
    await cluster.client.create(jobs, job("dropped"));
    await running("dropped", 1);
    await cluster.client.delete(jobs, "dropped", "demo", { propagationPolicy: "Background" });
    await podsOf("dropped", (found) => found.length === 0);
  });

  it("is left to others when it says so", async () => {
    await cluster.client.create(jobs, job("foreign", { managedBy: "example.com/queue" }));
    await cluster.client.create(jobs, job("own"));
    await running("own", 1);
    assert.deepEqual(await podsOf("foreign", () => true), []);
  });
});

describe("a CronJob", () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startTestCluster();
  });
  after(() => cluster.close());

  const cronJob = (name: string, spec: Partial<CronJob["spec"]> = {}): CronJob => ({
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name, namespace: "demo" },
    spec: { schedule: "@every 1s", jobTemplate: { spec: { template: template() } }, ...spec },
  });

  it("makes a Job for each time, and none while one runs that Forbid asks to wait for", async () => {
    await cluster.client.create(cronJobs, cronJob("often", { concurrencyPolicy: "Forbid" }));
    const [made] = await cluster.until(jobs, (all) => all.length === 1, "demo");
    assert.ok(made);
    assert.match(made.metadata.name, /^often-\d+$/);
    assert.equal(made.metadata.ownerReferences?.[0]?.kind, "CronJob");
    const [known] = await cluster.until(cronJobs, ([one]) => one?.status?.active?.length === 1, "demo");
    assert.ok(known?.status?.lastScheduleTime);
    assert.equal(known.status.active?.[0]?.name, made?.metadata.name);
    await cluster.client.patch(cronJobs, { name: "often", namespace: "demo" }, "merge", { spec: { suspend: true } });
    const { name } = made.metadata;
    await cluster.client.delete(jobs, name, "demo", { propagationPolicy: "Background" });
    await cluster.until(
      cronJobs,
      ([one]) => one?.status?.active === undefined || one.status.active.length === 0,
      "demo",
    );
  });
});
