import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { podColumns } from "./pod-columns.ts";

// Ages are told from a clock that stands still.
mock.timers.enable({ apis: ["Date"], now: Date.parse("2024-05-01T12:00:00Z") });

const ago = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

/** Column names and cells of one pod, as `kubectl get pods -o wide` shows them. */
function row(fields: Record<string, unknown>): Record<string, unknown> {
  const { metadata, ...rest } = fields;
  const own = { name: "x", creationTimestamp: ago(90), ...(metadata as object) };
  const pod: KubeObject = { apiVersion: "v1", kind: "Pod", metadata: own, ...rest };
  return Object.fromEntries(podColumns.map(({ name, cell }) => [name, cell(pod)]));
}

const container = (state: object, extra: object = {}) => ({
  name: "web",
  ready: false,
  restartCount: 0,
  state,
  ...extra,
});
const running = { running: { startedAt: ago(60) } };
const ended = (terminated: object) => ({ terminated: { finishedAt: ago(5), ...terminated } });
const spec = { containers: [{ name: "web" }] };
const ready = [{ type: "Ready", status: "True" }];

test("ready, status and restarts", () => {
  const sidecar = { ...spec, initContainers: [{ name: "side", restartPolicy: "Always" }] };
  const init = { ...spec, initContainers: [{ name: "a" }, { name: "b" }] };
  const deleted = { metadata: { deletionTimestamp: ago(1) } };
  const cases: [string, object, [string, string, string]][] = [
    ["no status", { spec }, ["0/1", "", "0"]],
    ["pending", { spec, status: { phase: "Pending" } }, ["0/1", "Pending", "0"]],
    [
      "creating",
      {
        spec,
        status: { phase: "Pending", containerStatuses: [container({ waiting: { reason: "ContainerCreating" } })] },
      },
      ["0/1", "ContainerCreating", "0"],
    ],
    [
      "image missing",
      { spec, status: { phase: "Pending", containerStatuses: [container({ waiting: { reason: "ErrImagePull" } })] } },
      ["0/1", "ErrImagePull", "0"],
    ],
    [
      "running",
      {
        spec,
        status: { phase: "Running", conditions: ready, containerStatuses: [container(running, { ready: true })] },
      },
      ["1/1", "Running", "0"],
    ],
    [
      "not ready",
      { spec, status: { phase: "Running", containerStatuses: [container(running)] } },
      ["0/1", "Running", "0"],
    ],
    [
      "crash loop",
      {
        spec,
        status: {
          phase: "Running",
          containerStatuses: [
            container(
              { waiting: { reason: "CrashLoopBackOff" } },
              { restartCount: 2, lastState: ended({ exitCode: 1 }) },
            ),
          ],
        },
      },
      ["0/1", "CrashLoopBackOff", "2 (5s ago)"],
    ],
    [
      "failed",
      { spec, status: { phase: "Failed", containerStatuses: [container(ended({ exitCode: 1, reason: "Error" }))] } },
      ["0/1", "Error", "0"],
    ],
    [
      "failed without reason",
      { spec, status: { phase: "Failed", containerStatuses: [container(ended({ exitCode: 3 }))] } },
      ["0/1", "ExitCode:3", "0"],
    ],
    [
      "killed",
      { spec, status: { phase: "Failed", containerStatuses: [container(ended({ exitCode: 137, signal: 9 }))] } },
      ["0/1", "Signal:9", "0"],
    ],
    [
      "completed",
      {
        spec,
        status: { phase: "Succeeded", containerStatuses: [container(ended({ exitCode: 0, reason: "Completed" }))] },
      },
      ["0/1", "Completed", "0"],
    ],
    [
      "one of two completed",
      {
        spec: { containers: [{ name: "web" }, { name: "job" }] },
        status: {
          phase: "Running",
          conditions: ready,
          containerStatuses: [
            container(ended({ exitCode: 0, reason: "Completed" })),
            container(running, { ready: true }),
          ],
        },
      },
      ["1/2", "Running", "0"],
    ],
    [
      "one of two completed, pod not ready",
      {
        spec: { containers: [{ name: "web" }, { name: "job" }] },
        status: {
          phase: "Running",
          containerStatuses: [
            container(ended({ exitCode: 0, reason: "Completed" })),
            container(running, { ready: true }),
          ],
        },
      },
      ["1/2", "NotReady", "0"],
    ],
    [
      "terminating",
      { ...deleted, spec, status: { phase: "Running", containerStatuses: [container(running, { ready: true })] } },
      ["1/1", "Terminating", "0"],
    ],
    ["node lost", { ...deleted, spec, status: { phase: "Running", reason: "NodeLost" } }, ["0/1", "Unknown", "0"]],
    ["evicted", { spec, status: { phase: "Failed", reason: "Evicted" } }, ["0/1", "Evicted", "0"]],
    [
      "gated",
      { spec, status: { phase: "Pending", conditions: [{ type: "PodScheduled", reason: "SchedulingGated" }] } },
      ["0/1", "SchedulingGated", "0"],
    ],
    [
      "init 1 of 2",
      {
        spec: init,
        status: { phase: "Pending", initContainerStatuses: [container(ended({ exitCode: 0 })), container(running)] },
      },
      ["0/1", "Init:1/2", "0"],
    ],
    [
      "init failed",
      {
        spec: init,
        status: { phase: "Pending", initContainerStatuses: [container(ended({ exitCode: 2 }), { restartCount: 3 })] },
      },
      ["0/1", "Init:ExitCode:2", "3"],
    ],
    [
      "init crash loop",
      {
        spec: init,
        status: { phase: "Pending", initContainerStatuses: [container({ waiting: { reason: "CrashLoopBackOff" } })] },
      },
      ["0/1", "Init:CrashLoopBackOff", "0"],
    ],
    [
      "sidecar",
      {
        spec: sidecar,
        status: {
          phase: "Running",
          conditions: ready,
          initContainerStatuses: [{ ...container(running, { ready: true, started: true }), name: "side" }],
          containerStatuses: [container(running, { ready: true })],
        },
      },
      ["2/2", "Running", "0"],
    ],
  ];
  for (const [name, pod, [readiness, status, restarts]] of cases) {
    const cells = row(pod as Record<string, unknown>);
    assert.deepEqual([cells["Ready"], cells["Status"], cells["Restarts"]], [readiness, status, restarts], name);
  }
});

test("wide columns", () => {
  const cells = row({
    spec: { ...spec, nodeName: "node-1", readinessGates: [{ conditionType: "a" }, { conditionType: "b" }] },
    status: { podIPs: [{ ip: "127.30.1.1" }], conditions: [{ type: "a", status: "True" }] },
  });
  assert.deepEqual(cells, {
    Name: "x",
    Ready: "0/1",
    Status: "",
    Restarts: "0",
    Age: "90s",
    IP: "127.30.1.1",
    Node: "node-1",
    "Nominated Node": "<none>",
    "Readiness Gates": "1/2",
  });
});
