// A pod's life as processes: start, crash, restart, stop, and what the API server sees of it.

import { kubernetesVersion } from "@gatehouse/apimachinery/kubernetes-version";
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { events, type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import { type Cluster, findProcess, httpGet, isReady, nodeName, startCluster, testNamespace } from "./harness.ts";

let cluster: Cluster;
let podsDirectory: string;
before(async () => {
  const extraImages = [
    { name: "script", repositories: ["test/script"], entry: [process.execPath, "-e"] },
    { name: "missing", repositories: ["test/missing"], entry: ["/nowhere/program"] },
  ];
  cluster = await startCluster({ extraImages });
  podsDirectory = join(cluster.directory, "pods");
});
after(() => cluster.close());

const main = (pod: Pod | undefined) => pod?.status?.containerStatuses?.[0];
const waitingReason = (pod: Pod | undefined) => main(pod)?.state?.waiting?.reason;
/** A container that runs this JavaScript. */
const program = (code: string) => ({ name: "main", image: "test/script", args: [code] });
const running = "setInterval(() => {}, 1e6); setTimeout(() => {}, 0)";

async function eventsOf(name: string, wanted: string): Promise<string[]> {
  const reasons = async () => {
    const { items } = await cluster.client.list(events, {
      namespace: testNamespace,
      fieldSelector: `involvedObject.name=${name}`,
    });
    return items;
  };
  let present = await reasons();
  // Events are written a moment after what they tell of.
  for await (const { type, object } of cluster.client.watch(events, {
    namespace: testNamespace,
    sendInitialEvents: true,
    timeoutSeconds: 5,
  })) {
    if (type === "ADDED" && object.involvedObject.name === name && object.reason === wanted) break;
  }
  present = await reasons();
  return present.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

test("a pod becomes ready with its address, answers there, and costs few status writes", async () => {
  await cluster.createPod("whoami", {});
  const pod = await cluster.until(pods, "whoami", isReady);
  const { phase, podIP = "", hostIP, qosClass, startTime } = pod?.status ?? {};
  assert.deepEqual([phase, hostIP, qosClass], ["Running", cluster.kubelet.nodeIP, "BestEffort"]);
  assert.ok(startTime);
  assert.equal(main(pod)?.started, true);
  assert.match(await httpGet(podIP, 80), /^Hostname: whoami\nIP: 127\./);
  assert.ok(await findProcess(`whoami ${testNamespace}/whoami`), "ps shows the pod");
  const writes = cluster.requests.filter((line) => line === "PATCH pods/whoami/status");
  assert.ok(writes.length <= 2, `${writes.length} status writes`);
  const told = await eventsOf("whoami", "Started");
  assert.ok(told.includes("Normal Created: Created container: main"));
});

test("pods have addresses of their own, so the same port opens twice", async () => {
  await Promise.all(["twin-a", "twin-b"].map((name) => cluster.createPod(name, {})));
  const twins = await Promise.all(["twin-a", "twin-b"].map((name) => cluster.until(pods, name, isReady)));
  const [a = "", b = ""] = twins.map((pod) => pod?.status?.podIP);
  assert.notEqual(a, b);
  assert.match(await httpGet(a, 80), /Hostname: twin-a/);
  assert.match(await httpGet(b, 80), /Hostname: twin-b/);
});

test("a killed process is started again at once; the next time it waits in CrashLoopBackOff", async () => {
  await cluster.createPod("killed", {});
  await cluster.until(pods, "killed", isReady);
  const kill = async (): Promise<void> => {
    process.kill((await findProcess(`whoami ${testNamespace}/killed`)) ?? 0, "SIGKILL");
  };
  const killedAt = Date.now();
  await kill();
  const again = await cluster.until(pods, "killed", (pod) => isReady(pod) && main(pod)?.restartCount === 1);
  assert.ok(Date.now() - killedAt < 2_000);
  assert.equal(main(again)?.lastState?.terminated?.exitCode, 137);
  assert.equal(main(again)?.lastState?.terminated?.reason, "Error");
  await kill();
  const looping = await cluster.until(pods, "killed", (pod) => waitingReason(pod) === "CrashLoopBackOff");
  assert.match(
    main(looping)?.state?.waiting?.message ?? "",
    /^back-off 10s restarting failed container=main pod=killed_demo\(/,
  );
  assert.equal(looping?.status?.phase, "Running");
  assert.equal(isReady(looping), false);
});

test("exit codes and restart policies decide the phase", async () => {
  const cases: [string, Pod["spec"]["restartPolicy"], string, string][] = [
    ["never-ok", "Never", "", "Succeeded"],
    ["never-fails", "Never", "process.exit(3)", "Failed"],
    ["on-failure-ok", "OnFailure", "", "Succeeded"],
  ];
  for (const [name, restartPolicy = "Never", code, phase] of cases) {
    await cluster.createPod(name, { restartPolicy, containers: [program(code)] });
    const pod = await cluster.until(pods, name, (current) => current?.status?.phase === phase);
    assert.equal(main(pod)?.restartCount, 0, name);
    assert.equal(main(pod)?.state?.terminated?.exitCode, phase === "Failed" ? 3 : 0, name);
  }
  await cluster.createPod("on-failure-fails", { restartPolicy: "OnFailure", containers: [program("process.exit(1)")] });
  await cluster.until(pods, "on-failure-fails", (pod) => waitingReason(pod) === "CrashLoopBackOff");
});

test("last words: the termination message, or the end of the log", async () => {
  const write =
    "const m = JSON.parse(process.env.GATEHOUSE_MOUNTS); require('fs').writeFileSync(m['/dev/termination-log'], 'bye')";
  await cluster.createPod("last-words", { restartPolicy: "Never", containers: [program(write)] });
  const said = await cluster.until(pods, "last-words", (pod) => pod?.status?.phase === "Succeeded");
  assert.equal(main(said)?.state?.terminated?.message, "bye");
  const containers = [
    { ...program("console.error('broken'); process.exitCode = 1"), terminationMessagePolicy: "FallbackToLogsOnError" },
  ];
  await cluster.createPod("last-lines", { restartPolicy: "Never", containers });
  const logged = await cluster.until(pods, "last-lines", (pod) => pod?.status?.phase === "Failed");
  assert.equal(main(logged)?.state?.terminated?.message, "broken");
});

test("init containers run one after the other, before the rest; a failing one keeps the rest from starting", async () => {
  const mark = (name: string) => ({
    ...program(
      `const m = JSON.parse(process.env.GATEHOUSE_MOUNTS); require('fs').appendFileSync(m['/shared'] + '/order', '${name}')`,
    ),
    name,
    volumeMounts: [{ name: "shared", mountPath: "/shared" }],
  });
  const volumes = [{ name: "shared", emptyDir: {} }];
  const pod = await cluster.createPod("init", {
    volumes,
    restartPolicy: "Never",
    initContainers: [mark("a"), mark("b")],
    containers: [mark("c")],
  });
  const done = await cluster.until(pods, "init", (current) => current?.status?.phase === "Succeeded");
  assert.equal(done?.status?.initContainerStatuses?.length, 2);
  const { readFileSync } = await import("node:fs");
  assert.equal(readFileSync(join(podsDirectory, pod.metadata.uid ?? "", "volumes/shared/order"), "utf8"), "abc");
  await cluster.createPod("init-fails", {
    restartPolicy: "Never",
    initContainers: [{ ...program("process.exit(1)"), name: "a" }],
  });
  const failed = await cluster.until(pods, "init-fails", (current) => current?.status?.phase === "Failed");
  assert.equal(waitingReason(failed), "PodInitializing");
});

test("deletion: not ready at once, requests under way finish, the object goes, nothing stays", async () => {
  const pod = await cluster.createPod("deleted", {});
  const ready = await cluster.until(pods, "deleted", isReady);
  const slow = httpGet(ready?.status?.podIP ?? "", 80, "/?wait=400ms");
  await cluster.client.delete(pods, "deleted", testNamespace);
  const leaving = await cluster.until(
    pods,
    "deleted",
    (current) => current?.metadata.deletionTimestamp !== undefined && !isReady(current),
  );
  assert.ok(leaving);
  assert.match(await slow, /Hostname: deleted/);
  await cluster.until(pods, "deleted", (current) => current === undefined);
  assert.equal(await findProcess(`whoami ${testNamespace}/deleted`), undefined);
  assert.equal(existsSync(join(podsDirectory, pod.metadata.uid ?? "")), false);
  assert.ok(cluster.requests.includes("DELETE pods/deleted"));
});

test("a process that ignores SIGTERM is killed when its grace is over", async () => {
  await cluster.createPod("stubborn", {
    terminationGracePeriodSeconds: 1,
    containers: [program(`process.on('SIGTERM', () => {}); console.log('deaf'); ${running}`)],
  });
  await cluster.until(pods, "stubborn", (pod) => main(pod)?.state?.running !== undefined);
  // Running is what the kubelet says of a process that may not have got as far as its first line.
  const log = await cluster.kubeletGet(`/containerLogs/${testNamespace}/stubborn/main?follow=true`);
  await once(log, "data");
  const begun = Date.now();
  await cluster.client.delete(pods, "stubborn", testNamespace);
  await cluster.until(pods, "stubborn", (pod) => pod === undefined);
  assert.ok(Date.now() - begun >= 900);
});

test("a forced deletion kills at once", async () => {
  await cluster.createPod("forced", { containers: [program(`process.on('SIGTERM', () => {}); ${running}`)] });
  await cluster.until(pods, "forced", (pod) => main(pod)?.state?.running !== undefined);
  const pid = await findProcess(`script ${testNamespace}/forced`);
  assert.ok(pid);
  await cluster.client.delete(pods, "forced", testNamespace, { gracePeriodSeconds: 0 });
  await cluster.until(pods, "forced", (pod) => pod === undefined);
  while (existsSync(`/proc/${pid}`)) await new Promise(setImmediate);
});

test("preStop comes before SIGTERM", async () => {
  const lifecycle = { preStop: { httpGet: { path: "/?pre=stop", port: 80 } } };
  await cluster.createPod("pre-stop", {
    containers: [{ name: "main", image: "traefik/whoami", args: ["-verbose"], lifecycle }],
  });
  await cluster.until(pods, "pre-stop", isReady);
  const following = await cluster.kubeletGet(`/containerLogs/${testNamespace}/pre-stop/main?follow=true`);
  await cluster.client.delete(pods, "pre-stop", testNamespace);
  following.setEncoding("utf8");
  let log = "";
  for await (const chunk of following as AsyncIterable<string>) log += chunk;
  assert.match(log, /"GET \/ HTTP\/1\.1"/);
});

test("a failing liveness probe restarts the container; readiness only takes it out", async () => {
  const httpProbe = { httpGet: { path: "/health", port: 80 }, periodSeconds: 1, failureThreshold: 1 };
  const container = { name: "main", image: "traefik/whoami" };
  await cluster.createPod("unready", { containers: [{ ...container, readinessProbe: httpProbe }] });
  await cluster.createPod("dead", { containers: [{ ...container, livenessProbe: httpProbe }] });
  const fail = async (name: string): Promise<void> => {
    const pod = await cluster.until(pods, name, isReady);
    const sent = request({ host: pod?.status?.podIP ?? "", port: 80, path: "/health", method: "POST" });
    sent.end("500");
    await once(sent, "response");
  };
  await Promise.all([fail("unready"), fail("dead")]);
  const restarted = cluster.until(pods, "dead", (pod) => main(pod)?.restartCount === 1 && isReady(pod));
  const unready = await cluster.until(pods, "unready", (pod) => pod !== undefined && !isReady(pod));
  assert.equal(main(unready)?.restartCount, 0);
  assert.equal(main(unready)?.started, true);
  assert.equal(main(await restarted)?.lastState?.terminated?.exitCode, 0);
  assert.ok(
    (await eventsOf("dead", "Unhealthy")).some((line) =>
      /Liveness probe failed: HTTP probe failed with statuscode: 500/.test(line),
    ),
  );
});

test("images that are not built in, and commands, are refused with the way out", async () => {
  await cluster.createPod("unknown", { containers: [{ name: "main", image: "nginx:1.27" }] });
  const refused = await cluster.until(pods, "unknown", (pod) => waitingReason(pod) === "ErrImagePull");
  assert.match(main(refused)?.state?.waiting?.message ?? "", /"nginx:1\.27" is not built in.*traefik\/whoami/);
  const backedOff = await cluster.until(pods, "unknown", (pod) => waitingReason(pod) === "ImagePullBackOff");
  assert.equal(backedOff?.status?.phase, "Pending");
  await cluster.createPod("command", {
    containers: [{ name: "main", image: "traefik/whoami", command: ["sh", "-c", "id"] }],
  });
  const command = await cluster.until(pods, "command", (pod) => waitingReason(pod) === "CreateContainerError");
  assert.match(main(command)?.state?.waiting?.message ?? "", /host programs are not run/);
  const told = await eventsOf("unknown", "BackOff");
  assert.ok(told.some((line) => line.startsWith("Warning Failed: Failed to pull image")));
  // A new image name is the remedy.
  await cluster.client.patch(pods, { name: "unknown", namespace: testNamespace }, "strategic-merge", {
    spec: { containers: [{ name: "main", image: "traefik/whoami" }] },
  });
  await cluster.until(pods, "unknown", isReady);
});

test("pods of an earlier life start anew; directories nobody owns go", async () => {
  const pod = await cluster.createPod("kept", { restartPolicy: "Always" });
  const never = await cluster.createPod("lost", { restartPolicy: "Never" });
  await cluster.until(pods, "kept", isReady);
  await cluster.until(pods, "lost", isReady);
  writeFileSync(join(podsDirectory, "stale"), "");
  const before = await findProcess(`whoami ${testNamespace}/kept`);
  await cluster.restartKubelet();
  const told = await cluster.until(pods, "kept", () => true);
  assert.equal(main(told)?.restartCount, 1, "once the kubelet is ready, nothing is said of the earlier life");
  const again = await cluster.until(pods, "kept", (current) => main(current)?.restartCount === 1 && isReady(current));
  assert.equal(main(again)?.lastState?.terminated?.exitCode, 255);
  assert.notEqual(await findProcess(`whoami ${testNamespace}/kept`), before);
  const failed = await cluster.until(pods, "lost", (current) => current?.status?.phase === "Failed");
  assert.equal(main(failed)?.state?.terminated?.reason, "Unknown");
  const directories = readdirSync(podsDirectory);
  assert.ok(directories.includes(pod.metadata.uid ?? "") && directories.includes(never.metadata.uid ?? ""));
  assert.ok(!directories.includes("stale"));
});

test("a hostPort opens on the node; a taken one is a warning, and the pod runs", async () => {
  const ports = [{ containerPort: 8000, hostPort: 8000 }];
  const container = { name: "main", image: "traefik/whoami", args: ["-port=8000"], ports };
  await cluster.createPod("host-port", { containers: [container] });
  await cluster.until(pods, "host-port", isReady);
  assert.match(await httpGet(cluster.kubelet.nodeIP, 8000), /Hostname: host-port/);
  await cluster.createPod("host-port-2", { containers: [container] });
  const second = await cluster.until(pods, "host-port-2", isReady);
  assert.match(await httpGet(second?.status?.podIP ?? "", 8000), /Hostname: host-port-2/);
  const told = await eventsOf("host-port-2", "HostPortUnavailable");
  assert.ok(told.some((line) => /host port 8000 is not open on .*: another program holds it/.test(line)));
});

test("a port that cannot be opened on the pod's address moves, and the annotation tells where", async () => {
  const everywhere = createServer().listen(0, "0.0.0.0");
  await once(everywhere, "listening");
  const { port } = everywhere.address() as AddressInfo;
  const container = {
    name: "main",
    image: "traefik/whoami",
    args: [`-port=${port}`],
    ports: [{ containerPort: port }],
  };
  const probed = { ...container, readinessProbe: { httpGet: { path: "/health", port } } };
  await cluster.createPod("moved", { containers: [probed] });
  const pod = await cluster.until(pods, "moved", isReady);
  const moved = JSON.parse(pod?.metadata.annotations?.["gatehouse.dev/port-map"] ?? "{}") as Record<string, number>;
  assert.deepEqual(Object.keys(moved), [`${port}/tcp`]);
  assert.match(await httpGet(pod?.status?.podIP ?? "", moved[`${port}/tcp`] ?? 0), /Hostname: moved/);
  everywhere.close();
});

test("a program that cannot be started says so", async () => {
  await cluster.createPod("no-program", {
    restartPolicy: "Never",
    containers: [{ name: "main", image: "test/missing" }],
  });
  const pod = await cluster.until(pods, "no-program", (current) => current?.status?.phase === "Failed");
  const { exitCode, reason, message = "" } = main(pod)?.state?.terminated ?? {};
  assert.deepEqual([exitCode, reason], [128, "StartError"]);
  assert.match(message, /ENOENT/);
});

test("a sidecar starts before the rest, does not hold up the end of the pod, and ends with it", async () => {
  const sidecar = { name: "side", image: "traefik/whoami", restartPolicy: "Always" as const };
  const containers = [program("setTimeout(() => {}, 50)")];
  await cluster.createPod("sidecar", { restartPolicy: "Never", initContainers: [sidecar], containers });
  const pod = await cluster.until(pods, "sidecar", (current) => current?.status?.phase === "Succeeded");
  assert.equal(pod?.status?.initContainerStatuses?.[0]?.restartCount, 0);
  await cluster.until(
    pods,
    "sidecar",
    (current) => current?.status?.initContainerStatuses?.[0]?.state?.terminated !== undefined,
  );
  assert.equal(await findProcess(`whoami ${testNamespace}/sidecar`), undefined);
});

test("a pod deleted while it waits leaves nothing behind", async () => {
  const volumes = [{ name: "v", secret: { secretName: "never" } }];
  const pod = await cluster.createPod("abandoned", { volumes });
  await eventsOf("abandoned", "FailedMount");
  await cluster.client.delete(pods, "abandoned", testNamespace);
  await cluster.until(pods, "abandoned", (current) => current === undefined);
  while (existsSync(join(podsDirectory, pod.metadata.uid ?? ""))) await new Promise(setImmediate);
});

test("no pod outlives its cluster process", async () => {
  const { spawn } = await import("node:child_process");
  const orphanage = join(import.meta.dirname, "orphan-parent.ts");
  const parent = spawn(process.execPath, [orphanage, cluster.directory], { stdio: ["ignore", "pipe", "inherit"] });
  const [address] = (await once(parent.stdout, "data")) as [Buffer];
  const [host = "", port] = address.toString().trim().split(" ");
  const socket = connect(Number(port), host);
  await once(socket, "connect");
  parent.kill("SIGKILL");
  await once(socket.resume(), "close");
});

test("the node tells what it is", async () => {
  const { nodes } = await import("@gatehouse/apimachinery/types/core-v1");
  const node = await cluster.until(
    nodes,
    nodeName,
    (current) =>
      current?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") === true,
  );
  assert.equal(node?.status?.nodeInfo?.kubeletVersion, kubernetesVersion.gitVersion, "no skew");
  assert.equal(node?.status?.daemonEndpoints?.kubeletEndpoint?.Port, cluster.kubelet.port);
  assert.equal(node?.status?.addresses?.[0]?.address, cluster.kubelet.nodeIP);
  assert.equal(node?.metadata.labels?.["kubernetes.io/hostname"], nodeName);
  assert.ok(cluster.requests.includes(`PATCH leases/${nodeName}`));
});
