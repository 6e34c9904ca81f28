// The pure parts of a pod's life: environment, back-off, status, refusals.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, ContainerStatus, EnvVar, Pod } from "@gatehouse/apimachinery/types/core-v1";
import { createImageCatalog } from "../images/catalog.ts";
import { createBackOff } from "./back-off.ts";
import { argvOf, handlerRefusal, imageOf, isRefusal } from "./container-start.ts";
import { containerEnvironment, type EnvironmentSources, expandVariables } from "./environment.ts";
import { resourceField } from "./field-reference.ts";
import { referencesOf } from "./pod-objects.ts";
import { podStatus, type PodView, qosClass } from "./pod-status.ts";
import { parseQuantity } from "@gatehouse/apimachinery/quantity";

const metadata = { name: "p", namespace: "demo", uid: "u", labels: { app: "x" }, annotations: { b: '"q"', a: "1" } };

function podOf(container: Partial<Container> = {}, spec: Partial<Pod["spec"]> = {}): Pod {
  const containers = [{ name: "c", image: "traefik/whoami", ...container }];
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { nodeName: "n", containers, ...spec } };
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const object = (kind: string, data: Record<string, string>) => ({
  apiVersion: "v1",
  kind,
  metadata: { name: "o" },
  data,
});

function sources(pod: Pod): EnvironmentSources {
  return {
    pod,
    facts: { podIP: "127.30.1.4", nodeIP: "127.30.0.1" },
    configMap: (name) => (name === "map" ? object("ConfigMap", { key: "from map", other: "2" }) : undefined),
    secret: (name) => (name === "sec" ? object("Secret", { key: base64("from secret") }) : undefined),
  };
}

function environmentOf(container: Partial<Container>): Record<string, string> {
  const pod = podOf(container);
  return containerEnvironment(pod.spec.containers[0] as Container, sources(pod), { BASE: "base" });
}

test("$(VAR) references expand as in Kubernetes", () => {
  const cases: [string, string][] = [
    ["$(A)", "1"],
    ["x$(A)y$(B)", "x1y2"],
    ["$$(A)", "$(A)"],
    ["$$$(A)", "$1"],
    ["$(NO)", "$(NO)"],
    ["$(A", "$(A"],
    ["$A ${A} $", "$A ${A} $"],
    ["$(B)$(A)", "21"],
  ];
  for (const [text, expected] of cases) assert.equal(expandVariables(text, { A: "1", B: "2" }), expected, text);
});

test("env comes from values, fields, maps and secrets, in order, over envFrom", () => {
  const environment = environmentOf({
    envFrom: [
      { prefix: "P_", configMapRef: { name: "map" } },
      { secretRef: { name: "sec" } },
      { configMapRef: { name: "no", optional: true } },
    ],
    env: [
      { name: "A", value: "1" },
      { name: "B", value: "$(A)-$(BASE)-$(LATER)" },
      { name: "LATER", value: "x" },
      { name: "P_other", value: "overridden" },
      { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "APP", valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      { name: "MAP", valueFrom: { configMapKeyRef: { name: "map", key: "key" } } },
      { name: "SECRET", valueFrom: { secretKeyRef: { name: "sec", key: "key" } } },
      { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
      { name: "ABSENT", valueFrom: { secretKeyRef: { name: "no", key: "key", optional: true } } },
    ],
    resources: { limits: { cpu: "1500m" } },
  });
  assert.deepEqual(environment, {
    BASE: "base",
    P_key: "from map",
    P_other: "overridden",
    key: "from secret",
    A: "1",
    B: "1-base-$(LATER)",
    LATER: "x",
    IP: "127.30.1.4",
    APP: "x",
    MAP: "from map",
    SECRET: "from secret",
    CPU: "2",
  });
});

test("what is missing is named", () => {
  const cases: [EnvVar["valueFrom"], RegExp][] = [
    [{ configMapKeyRef: { name: "no", key: "k" } }, /^configmap "no" not found$/],
    [{ secretKeyRef: { name: "no", key: "k" } }, /^secret "no" not found$/],
    [{ configMapKeyRef: { name: "map", key: "no" } }, /^couldn't find key no in configmap demo\/map$/],
    [{ fieldRef: { fieldPath: "spec.containers" } }, /unsupported fieldPath spec\.containers/],
    [{ resourceFieldRef: { resource: "limits.gpu" } }, /unsupported resource limits\.gpu/],
  ];
  for (const [valueFrom, message] of cases) {
    assert.throws(() => environmentOf({ env: [{ name: "X", ...(valueFrom ? { valueFrom } : {}) }] }), { message });
  }
  assert.throws(() => environmentOf({ envFrom: [{ secretRef: { name: "no" } }] }), /secret "no" not found/);
});

test("quantities and their divisors", () => {
  const cases: [string, number | undefined][] = [
    ["500m", 0.5],
    ["128Mi", 134_217_728],
    ["1e3", 1000],
    ["1.5G", 1.5e9],
    ["2", 2],
    [".5", 0.5],
    ["", undefined],
    ["1 Mi", undefined],
    ["1KiB", undefined],
  ];
  for (const [text, expected] of cases) assert.equal(parseQuantity(text), expected, text);
  const container: Container = { name: "c", image: "i", resources: { requests: { memory: "100Mi" } } };
  assert.equal(resourceField(container, "requests.memory", "1Mi"), "100");
  assert.equal(resourceField(container, "requests.memory", "1G"), "1");
  assert.equal(resourceField(container, "limits.cpu"), "0");
});

test("restarts: at once, then 10 s doubling to 5 min, forgotten after 10 min of running", () => {
  const backOff = createBackOff();
  const waits = Array.from({ length: 8 }, () => backOff.next(0) / 1000);
  assert.deepEqual(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
  assert.equal(backOff.next(599_999), 300_000);
  assert.equal(backOff.next(600_000), 0);
  assert.equal(backOff.next(0), 10_000);
});

test("only built-in images run, and a command only when it is the image's own", () => {
  const catalog = createImageCatalog();
  const refusal = (container: Partial<Container>): string => {
    const found = imageOf(podOf(container).spec.containers[0] as Container, catalog);
    return isRefusal(found) ? `${found.reason}: ${found.message}` : found.name;
  };
  assert.equal(refusal({}), "whoami");
  assert.equal(refusal({ command: ["/whoami", "-verbose"] }), "whoami");
  assert.equal(refusal({ command: [] }), "whoami");
  assert.match(refusal({ image: "nginx:1" }), /^ErrImagePull: image "nginx:1" is not built in.*traefik\/whoami/);
  assert.match(refusal({ image: "Not An Image" }), /^InvalidImageName: .*couldn't parse image name/);
  assert.match(
    refusal({ command: ["sh", "-c", "id"] }),
    /^CreateContainerError: command \["sh","-c","id"\] is refused/,
  );
});

test("args follow the image's entry and the command's own arguments", () => {
  const image = { name: "x", entry: ["node", "x.js"] };
  const container = { name: "c", image: "x", command: ["x", "-a"], args: ["-b"] };
  assert.deepEqual(argvOf(container, image, {}), ["node", "x.js", "-a", "-b"]);
  const variable = { name: "c", image: "x", command: ["x", "$(A)"], args: ["$(B)", "$$(A)"] };
  assert.deepEqual(argvOf(variable, image, { A: "1" }), ["node", "x.js", "1", "$(B)", "$(A)"]);
  assert.deepEqual(argvOf(container, { ...image, namesApplet: true }, {}), ["node", "x.js", "x", "-a", "-b"]);
});

test("probes and hooks that cannot be carried out are refused by field", () => {
  const refusal = (container: Partial<Container>) =>
    handlerRefusal({ name: "c", image: "i", ...container })?.message ?? "";
  assert.match(refusal({ livenessProbe: { exec: { command: ["x"] } } }), /^livenessProbe: exec is not supported/);
  assert.match(refusal({ readinessProbe: { grpc: { port: 1 } } }), /^readinessProbe: grpc/);
  assert.match(refusal({ lifecycle: { preStop: { exec: {} } } }), /^lifecycle\.preStop: exec/);
  assert.match(refusal({ lifecycle: { postStart: { httpGet: { port: 1 } } } }), /^lifecycle\.postStart/);
  assert.equal(
    refusal({ readinessProbe: { httpGet: { port: 1 } }, lifecycle: { preStop: { sleep: { seconds: 1 } } } }),
    "",
  );
});

test("every reference of a pod is found", () => {
  const pod = podOf(
    {
      envFrom: [{ configMapRef: { name: "m1" } }, { secretRef: { name: "s1" } }],
      env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "m2", key: "k" } } }],
    },
    {
      volumes: [
        { name: "a", secret: { secretName: "s2" } },
        { name: "b", projected: { sources: [{ configMap: { name: "m3" } }, { secret: { name: "s3" } }] } },
        { name: "c", emptyDir: {} },
      ],
      initContainers: [
        { name: "i", image: "x", env: [{ name: "B", valueFrom: { secretKeyRef: { name: "s4", key: "k" } } }] },
      ],
    },
  );
  const { configMaps, secrets } = referencesOf(pod);
  assert.deepEqual(
    [[...configMaps].sort(), [...secrets].sort()],
    [
      ["m1", "m2", "m3"],
      ["s1", "s2", "s3", "s4"],
    ],
  );
});

type Shape = "waiting" | "running" | "ready" | "crashloop" | "ok" | "failed";

function containerView(shape: Shape, done = false) {
  const terminated = (exitCode: number) => ({ terminated: { exitCode, reason: "x" } });
  const states: Record<Shape, Partial<ContainerStatus>> = {
    waiting: { state: { waiting: { reason: "ContainerCreating" } } },
    running: { state: { running: { startedAt: "t" } }, started: true },
    ready: { state: { running: { startedAt: "t" } }, started: true, ready: true },
    crashloop: { state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: terminated(1) },
    ok: { state: terminated(0) },
    failed: { state: terminated(1) },
  };
  const status = { name: "c", image: "i", imageID: "", ready: false, restartCount: 0, ...states[shape] };
  return { status, done, sidecar: false };
}

function statusOf(apps: PodView["apps"], view: Partial<PodView> = {}) {
  return podStatus({
    pod: podOf(),
    init: [],
    apps,
    podIP: "127.30.1.4",
    nodeIP: "127.30.0.1",
    startTime: "t",
    before: [],
    terminating: false,
    ...view,
  });
}

test("phases follow the containers", () => {
  const cases: [string, PodView["apps"], PodView["init"], string][] = [
    ["nothing yet", [containerView("waiting")], [], "Pending"],
    ["one of two", [containerView("ready"), containerView("waiting")], [], "Pending"],
    ["running", [containerView("running")], [], "Running"],
    ["crash loop", [containerView("crashloop")], [], "Running"],
    ["about to restart", [containerView("failed")], [], "Running"],
    ["all done", [containerView("ok", true), containerView("ok", true)], [], "Succeeded"],
    ["one done", [containerView("ok", true), containerView("ready")], [], "Running"],
    ["one failed", [containerView("ok", true), containerView("failed", true)], [], "Failed"],
    ["init runs", [containerView("waiting")], [containerView("running")], "Pending"],
    ["init failed, restarts", [containerView("waiting")], [containerView("failed")], "Pending"],
    ["init failed", [containerView("waiting")], [containerView("failed", true)], "Failed"],
    ["init done", [containerView("ready")], [containerView("ok", true)], "Running"],
    ["sidecar", [containerView("ready")], [{ ...containerView("running"), sidecar: true }], "Running"],
  ];
  for (const [name, apps, init, phase] of cases) assert.equal(statusOf(apps, { init }).phase, phase, name);
});

test("Ready needs every container, and ends with the pod's deletion", () => {
  const ready = (status: ReturnType<typeof statusOf>) => status.conditions?.find(({ type }) => type === "Ready");
  assert.equal(ready(statusOf([containerView("ready")]))?.status, "True");
  const half = ready(statusOf([containerView("ready"), containerView("running")]));
  assert.deepEqual(
    [half?.status, half?.reason, half?.message],
    ["False", "ContainersNotReady", "containers with unready status: [c]"],
  );
  const leaving = statusOf([containerView("ready")], { terminating: true });
  assert.equal(ready(leaving)?.status, "False");
  assert.equal(leaving.containerStatuses?.[0]?.ready, false);
  assert.equal(ready(statusOf([containerView("ok", true)]))?.reason, "PodCompleted");
});

test("transition times move with the status only; readiness gates and foreign conditions are honoured", () => {
  const before = [{ type: "Ready", status: "True" as const, lastTransitionTime: "then" }];
  const find = (status: ReturnType<typeof statusOf>, type: string) =>
    status.conditions?.find((one) => one.type === type);
  assert.equal(find(statusOf([containerView("ready")], { before }), "Ready")?.lastTransitionTime, "then");
  assert.notEqual(find(statusOf([containerView("running")], { before }), "Ready")?.lastTransitionTime, "then");
  const gated = podOf({}, { readinessGates: [{ conditionType: "g" }] } as Partial<Pod["spec"]>);
  assert.equal(find(statusOf([containerView("ready")], { pod: gated }), "Ready")?.reason, "ReadinessGatesNotReady");
  const open = { ...gated, status: { conditions: [{ type: "g", status: "True" as const }] } };
  const status = statusOf([containerView("ready")], { pod: open });
  assert.equal(find(status, "Ready")?.status, "True");
  assert.equal(find(status, "g")?.status, "True");
});

test("QoS classes", () => {
  const full = { cpu: "1", memory: "1Gi" };
  assert.equal(qosClass(podOf()), "BestEffort");
  assert.equal(qosClass(podOf({ resources: { limits: full } })), "Guaranteed");
  assert.equal(qosClass(podOf({ resources: { limits: full, requests: { cpu: "0.5" } } })), "Burstable");
  assert.equal(qosClass(podOf({ resources: { requests: { memory: "1Mi" } } })), "Burstable");
});

test("variables that change how the program itself is run on the host are refused, from envFrom too", () => {
  for (const name of [
    "NODE_OPTIONS",
    "LD_PRELOAD",
    "DYLD_INSERT_LIBRARIES",
    "GATEHOUSE_LISTEN",
    "KUBECONFIG",
    "HOME",
  ]) {
    assert.throws(() => environmentOf({ env: [{ name, value: "x" }] }), new RegExp(`env ${name} is refused`));
  }
  assert.throws(
    () => environmentOf({ envFrom: [{ prefix: "LD_", configMapRef: { name: "map" } }] }),
    /env LD_key is refused/,
  );
  assert.equal(environmentOf({ env: [{ name: "NODE_NAME", value: "n" }] }).NODE_NAME, "n");
});

test("inherited names are nobody's variables, keys or labels", () => {
  assert.equal(expandVariables("$(constructor)", {}), "$(constructor)");
  const configMapKeyRef = { name: "map", key: "constructor" };
  assert.throws(() => environmentOf({ env: [{ name: "X", valueFrom: { configMapKeyRef } }] }), /couldn't find key/);
  const fieldRef = { fieldPath: "metadata.labels['constructor']" };
  assert.equal(environmentOf({ env: [{ name: "X", valueFrom: { fieldRef } }] }).X, "");
});
