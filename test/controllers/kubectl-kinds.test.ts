// kubectl with StatefulSets, Jobs and CronJobs, with what is stored only, and with what this cluster does not have.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Kubectl, kubectlFor, kubectlSkip } from "@gatehouse/apiserver/kubectl.fixture";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { statefulSets } from "@gatehouse/apimachinery/types/apps-v1";
import { jobs } from "@gatehouse/apimachinery/types/batch-v1";
import { type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import { labelsOf, podTemplate, startTestCluster, type TestCluster } from "./cluster.ts";

const skip = kubectlSkip();

describe("kubectl", { skip }, () => {
  let cluster: TestCluster;
  let kubectl: Kubectl;
  before(async () => {
    cluster = await startTestCluster({ tls: true });
    cluster.actAsKubelet((pod) => pod.metadata.labels?.["job-name"] === undefined);
    kubectl = await kubectlFor(cluster.server);
  });
  after(async () => {
    await kubectl?.close();
    await cluster?.close();
  });

  const demo = (...args: string[]): Promise<string> => kubectl.succeeds(["--namespace=demo", ...args]);
  const statefulSet = (name: string): object => ({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name, namespace: "demo" },
    spec: { replicas: 2, serviceName: name, selector: { matchLabels: labelsOf(name) }, template: podTemplate(name) },
  });
  const succeed = async (job: string): Promise<void> => {
    const isOurs = (pod: Pod): boolean => pod.metadata.labels?.["job-name"] === job && pod.status?.phase === "Pending";
    const pod = (await cluster.until(pods, (all) => all.some(isOurs), "demo")).find(isOurs) as Pod;
    await cluster.client.patch(pods, { name: pod.metadata.name, namespace: "demo", subresource: "status" }, "merge", {
      status: { phase: "Succeeded" },
    });
  };

  it("rolls a StatefulSet out, restarts it, shows its history, and undoes", async () => {
    await kubectl.succeeds(["apply", "-f", "-"], statefulSet("db"));
    await demo("rollout", "status", "statefulset/db", "--timeout=30s");
    assert.match(
      await demo("get", "sts", "db", "-o", "wide"),
      /NAME +READY +AGE +CONTAINERS +IMAGES\ndb +2\/2 +\d+s +main +traefik\/whoami$/,
    );
    await demo("wait", "--for=jsonpath={.status.availableReplicas}=2", "statefulset/db", "--timeout=30s");
    await demo("set", "image", "statefulset/db", "main=traefik/whoami:v2");
    assert.match(
      await demo("rollout", "status", "statefulset/db", "--timeout=30s"),
      /roll out complete: 2 new pods have been updated/,
    );
    assert.match(await demo("rollout", "history", "statefulset/db"), /REVISION +CHANGE-CAUSE\n1 +<none>\n2 +<none>/);
    await demo("rollout", "undo", "statefulset/db");
    await demo("rollout", "status", "statefulset/db", "--timeout=30s");
    const { items } = await cluster.client.list(pods, { namespace: "demo", labelSelector: "app=db" });
    assert.deepEqual(new Set(items.map(({ spec }) => spec.containers[0]?.image)), new Set(["traefik/whoami"]));
    await demo("rollout", "restart", "statefulset/db");
    await demo("rollout", "status", "statefulset/db", "--timeout=30s");
    await demo("scale", "statefulset/db", "--replicas=1");
    await demo("wait", "--for=delete", "pod/db-1", "--timeout=30s");
    await cluster.until(statefulSets, ([set]) => set?.status?.replicas === 1, "demo");
  });

  it("names what cannot change, in one line", async () => {
    await kubectl.succeeds(["apply", "-f", "-"], statefulSet("fixed"));
    const changed = structuredClone(statefulSet("fixed")) as { spec: { serviceName: string } };
    changed.spec.serviceName = "other";
    const { code, stderr } = await kubectl.run(["apply", "-f", "-"], changed);
    assert.equal(code, 1);
    assert.equal(
      stderr.trim(),
      'The StatefulSet "fixed" is invalid: spec: Forbidden: updates to statefulset spec for fields other than ' +
        "'replicas', 'ordinals', 'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and " +
        "'minReadySeconds' are forbidden",
    );
  });

  it("creates a Job, waits for its end, and deletes it", async () => {
    await demo("create", "job", "once", "--image=busybox", "--", "true");
    assert.match(
      await demo("get", "jobs", "once"),
      /NAME +STATUS +COMPLETIONS +DURATION +AGE\nonce +Running +0\/1 +\d+s +\d+s$/,
    );
    const waiting = demo("wait", "--for=condition=complete", "job/once", "--timeout=30s");
    await succeed("once");
    assert.equal(await waiting, "job.batch/once condition met");
    assert.match(await demo("get", "jobs", "once"), /once +Complete +1\/1 /);
    assert.match(await demo("describe", "job", "once"), /Normal +Completed .*job-controller +Job completed/);
    await demo("delete", "job", "once");
    await cluster.until(pods, (all) => !all.some(({ metadata }) => metadata.labels?.["job-name"] === "once"), "demo");
  });

  it("creates a CronJob, and a Job of it by hand", async () => {
    await demo("create", "cronjob", "nightly", "--image=busybox", "--schedule=0 3 * * *", "--", "true");
    assert.match(
      await demo("get", "cronjobs"),
      /NAME +SCHEDULE +TIMEZONE +SUSPEND +ACTIVE +LAST SCHEDULE +AGE\nnightly +0 3 \* \* \* +<none> +False +0 +<none> +\d+s$/,
    );
    await demo("create", "job", "tonight", "--from=cronjob/nightly");
    const [made] = await cluster.until(jobs, (all) => all.some(({ metadata }) => metadata.name === "tonight"), "demo");
    assert.equal(made?.metadata.ownerReferences?.[0]?.kind, "CronJob");
    await succeed("tonight");
    await demo("wait", "--for=condition=complete", "job/tonight", "--timeout=30s");
    const { stderr } = await kubectl.run(["create", "cronjob", "odd", "--image=x", "--schedule=* *", "-n", "demo"]);
    assert.match(stderr, /spec\.schedule: Invalid value: "\* \*": expected exactly 5 fields, found 2: \[\* \*\]/);
  });

  const stored: [string, object, RegExp][] = [
    [
      "HorizontalPodAutoscaler",
      {
        apiVersion: "autoscaling/v2",
        spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" }, maxReplicas: 3 },
      },
      /HorizontalPodAutoscalers are stored but have no effect here/,
    ],
    [
      "PodDisruptionBudget",
      { apiVersion: "policy/v1", spec: { minAvailable: 1, selector: { matchLabels: labelsOf("web") } } },
      /PodDisruptionBudgets are stored but have no effect here/,
    ],
    [
      "NetworkPolicy",
      { apiVersion: "networking.k8s.io/v1", spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] } },
      /NetworkPolicies are stored but not enforced here/,
    ],
    [
      "PriorityClass",
      { apiVersion: "scheduling.k8s.io/v1", value: 100 },
      /PriorityClasses are stored but have no effect here/,
    ],
  ];
  for (const [kind, rest, warning] of stored) {
    it(`is warned that a ${kind} has no effect`, async () => {
      const metadata = { name: "kept", ...(kind === "PriorityClass" ? {} : { namespace: "demo" }) };
      const { code, stderr } = await kubectl.run(["apply", "-f", "-"], { kind, metadata, ...rest });
      assert.equal(code, 0, stderr);
      assert.match(stderr, warning);
      assert.match(await demo("get", kind), /kept/);
    });
  }

  it("shows what an autoscaler and a budget ask for", async () => {
    assert.match(await demo("get", "hpa"), /kept +Deployment\/web +cpu: <unknown>\/80% +1 +3 +0 /);
    assert.match(await demo("get", "pdb"), /kept +1 +N\/A +0 /);
  });

  it("is told by name of what this cluster does not have", async () => {
    const quota = await kubectl.run(["create", "quota", "q", "--hard=pods=1", "--namespace=demo"]);
    assert.match(quota.stderr, /this cluster has no ResourceQuota API: it would not enforce one/);
    const claim = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "data", namespace: "demo" } };
    assert.match(
      (await kubectl.run(["apply", "-f", "-"], claim)).stderr,
      /no matches for kind "PersistentVolumeClaim" in version "v1"/,
    );
    const post = (path: string): Promise<KubeObject> =>
      cluster.client.json({ method: "POST", path, headers: { "content-type": "application/json" }, body: "{}" });
    await assert.rejects(
      post("/apis/storage.k8s.io/v1/storageclasses"),
      /this cluster has no StorageClass API: it has no storage/,
    );
    await assert.rejects(post("/apis/example.com/v1/things"), /the server could not find the requested resource/);
  });
});
