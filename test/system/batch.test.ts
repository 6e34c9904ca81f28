// Jobs, CronJobs and StatefulSets as people meet them: with real pods, and as the hooks and tests of a Helm chart.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { findHelm } from "../tools/find-helm.ts";
import { eventually } from "../until.ts";
import { gatehouseProgram, run, type RunResult, startTestCluster, type TestCluster } from "./test-cluster.ts";

const external = process.env.GATEHOUSE_TEST_CONTEXT ? "the images are those of an embedded cluster" : false;
const helm = findHelm();

describe("what runs to its end, and what keeps its name", { skip: external }, () => {
  let cluster: TestCluster;
  before(async () => {
    cluster = await startTestCluster();
  });
  after(() => cluster?.remove());

  const kubectl = async (...args: string[]): Promise<string> => {
    const result = await cluster.kubectl("-n", "demo", ...args);
    assert.equal(result.code, 0, result.stderr);
    return result.stdout.trim();
  };
  const apply = async (object: object): Promise<void> => {
    const args = ["apply", "--context", cluster.context, "-f", "-"];
    const result = await run(gatehouseProgram, args, cluster.environment, JSON.stringify(object));
    assert.equal(result.code, 0, result.stderr);
  };
  const job = (name: string, spec: object, container: object): object => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, namespace: "demo" },
    spec: {
      ...spec,
      template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox", ...container }] } },
    },
  });

  test("an Indexed Job runs its programs to their end, each knowing its index", async () => {
    const command = ["echo", "index", "$(JOB_COMPLETION_INDEX)"];
    await apply(job("greet", { completions: 3, parallelism: 3, completionMode: "Indexed" }, { command }));
    await kubectl("wait", "--for=condition=complete", "job/greet", "--timeout=60s");
    const lines = (await kubectl("logs", "-l", "job-name=greet")).split("\n").toSorted();
    assert.deepEqual(lines, ["index 0", "index 1", "index 2"]);
    assert.equal(await kubectl("get", "job", "greet", "-o", "jsonpath={.status.completedIndexes}"), "0-2");
    await kubectl("delete", "job", "greet");
    await kubectl("wait", "--for=delete", "pod", "-l", "job-name=greet", "--timeout=60s");
  });

  test("a Job whose program fails has failed, and so has one that takes too long", async () => {
    await apply(job("fails", { backoffLimit: 0 }, { command: ["false"] }));
    await apply(job("hangs", { activeDeadlineSeconds: 1 }, { command: ["sleep", "infinity"] }));
    await kubectl("wait", "--for=condition=failed", "job/fails", "job/hangs", "--timeout=60s");
    const reasons = await kubectl(
      "get",
      "jobs",
      "-o",
      'jsonpath={.items[*].status.conditions[?(@.type=="Failed")].reason}',
    );
    assert.deepEqual(reasons.split(" ").toSorted(), ["BackoffLimitExceeded", "DeadlineExceeded"]);
  });

  test("the pods of a StatefulSet are endpoints with names of their own", async () => {
    const labels = { app: "named" };
    const containers = [{ name: "main", image: "traefik/whoami", ports: [{ containerPort: 80 }] }];
    await apply({
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "named", namespace: "demo" },
      spec: { clusterIP: "None", selector: labels, ports: [{ port: 80 }] },
    });
    await apply({
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: "named", namespace: "demo" },
      spec: {
        replicas: 2,
        serviceName: "named",
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers } },
      },
    });
    await kubectl("rollout", "status", "statefulset/named", "--timeout=60s");
    const query = [
      "endpointslices",
      "-l",
      "kubernetes.io/service-name=named",
      "-o",
      "jsonpath={.items[*].endpoints[*].hostname}",
    ];
    await eventually(async () => {
      assert.deepEqual((await kubectl("get", ...query)).split(" ").toSorted(), ["named-0", "named-1"]);
    });
  });

  test("a chart's hooks run before it, and its tests after", { skip: helm.skip }, async () => {
    const chart = join(cluster.home, "hooked");
    mkdirSync(join(chart, "templates"), { recursive: true });
    writeFileSync(join(chart, "Chart.yaml"), "apiVersion: v2\nname: hooked\nversion: 0.1.0\n");
    writeFileSync(join(chart, "templates/objects.yaml"), hookedChart);
    const release = (...args: string[]): Promise<RunResult> =>
      run(helm.program, [...args, "-n", "demo", "--kube-context", cluster.context], cluster.environment);
    const refused = await release("install", "broken", chart, "--set", "applet=/bin/false", "--timeout", "60s");
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /pre-install/);
    const installed = await release("install", "hooked", chart, "--wait", "--timeout", "60s");
    assert.equal(installed.code, 0, installed.stderr);
    assert.match(installed.stderr, /PodDisruptionBudgets are stored but have no effect here/);
    const tested = await release("test", "hooked", "--logs", "--timeout", "60s");
    assert.equal(tested.code, 0, tested.stderr);
    assert.match(tested.stdout, /tested hooked/);
  });
});

const hookedChart = `
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-before
  annotations: {helm.sh/hook: pre-install}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: busybox, args: ["{{ .Values.applet | default "true" }}"]}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: {{ .Release.Name }}}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: {{ .Release.Name }}}}}
---
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations: {helm.sh/hook: test}
spec:
  restartPolicy: Never
  containers: [{name: main, image: busybox, command: [echo, tested, {{ .Release.Name }}]}]
`;
