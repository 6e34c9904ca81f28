// What the kubelet writes: statuses coalesced and retried, events counted, tokens renewed in time.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { createLog } from "@gatehouse/apimachinery/log";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import type { Pod, PodStatus } from "@gatehouse/apimachinery/types/core-v1";
import { createEventRecorder } from "../events.ts";
import { createPodTokens } from "./pod-tokens.ts";
import { createStatusWriter } from "./status-writer.ts";

const log = createLog("test", () => {});
const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "demo", uid: "u" },
  spec: { containers: [] },
  status: { podIP: "127.30.1.1", phase: "Running" },
};

/** Lets everything that is ready to run do so. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

function statusWriter(answer: (patch: unknown) => Promise<unknown> = () => Promise.resolve({})) {
  const written: unknown[] = [];
  const patch = (_type: unknown, _target: unknown, _kind: unknown, body: unknown): Promise<unknown> => {
    written.push(body);
    return answer(body);
  };
  const current: { status: PodStatus } = { status: { phase: "Pending" } };
  const writer = createStatusWriter(
    { patch } as unknown as ApiClient,
    () => pod,
    () => current.status,
    log,
  );
  return { written, current, writer };
}

test("many changes of one turn are one write, of the newest state, with the uid and removals", async () => {
  const { written, current, writer } = statusWriter();
  writer.changed(true);
  writer.changed(true);
  current.status = { phase: "Running" };
  writer.changed(false);
  await turn();
  assert.deepEqual(written, [{ metadata: { uid: "u" }, status: { podIP: null, phase: "Running" } }]);
  writer.changed(true);
  await turn();
  assert.equal(written.length, 1, "an unchanged status is not written");
  writer.stop();
});

test("changes during a write follow it, never beside it", async () => {
  const first = Promise.withResolvers<unknown>();
  const { written, current, writer } = statusWriter(() => first.promise);
  writer.changed(true);
  await turn();
  current.status = { phase: "Failed" };
  writer.changed(true);
  await turn();
  assert.equal(written.length, 1);
  first.resolve({});
  await turn();
  assert.equal(written.length, 2);
  writer.stop();
});

test("what is not urgent waits 100 ms, and goes along with what is", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { written, current, writer } = statusWriter();
  writer.changed(false);
  context.mock.timers.tick(99);
  await turn();
  assert.equal(written.length, 0);
  context.mock.timers.tick(1);
  await turn();
  assert.equal(written.length, 1);
  current.status = { phase: "Running" };
  writer.changed(false);
  writer.changed(true);
  await turn();
  context.mock.timers.tick(1_000);
  await turn();
  assert.equal(written.length, 2);
  writer.stop();
});

test("a failed write is tried again; one for a pod that is gone is not, nor anything after stop", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let failures = 1;
  const { written, writer } = statusWriter(() =>
    failures-- > 0 ? Promise.reject(new Error("down")) : Promise.resolve({}),
  );
  writer.changed(true);
  await turn();
  context.mock.timers.tick(50);
  await turn();
  assert.equal(written.length, 2);
  const gone = statusWriter(() => Promise.reject(new StatusError({ code: 404, reason: "NotFound", message: "gone" })));
  gone.writer.changed(true);
  await turn();
  context.mock.timers.tick(10_000);
  await turn();
  assert.equal(gone.written.length, 1);
  const stopped = statusWriter();
  stopped.writer.changed(true);
  stopped.writer.stop();
  await turn();
  assert.equal(stopped.written.length, 0);
});

test("an event that comes again is counted, another is its own; failures are not fatal", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const calls: string[] = [];
  const client = {
    create: (_type: unknown, event: { reason: string; metadata: { namespace: string } }) => {
      calls.push(`create ${event.metadata.namespace} ${event.reason}`);
      return event.reason === "Bad" ? Promise.reject(new Error("no")) : Promise.resolve(event);
    },
    patch: (_type: unknown, _target: unknown, _kind: unknown, { count }: { count: number }) => {
      calls.push(`count ${count}`);
      return Promise.resolve({});
    },
  } as unknown as ApiClient;
  const recorder = createEventRecorder(client, "node-1", log);
  const about = { kind: "Pod", name: "p", namespace: "demo", uid: "u" };
  for (const reason of ["Bad", "BackOff", "BackOff", "Started", "BackOff"])
    recorder.record(about, "Normal", reason, "m");
  recorder.record({ kind: "Node", name: "n" }, "Normal", "Starting", "m");
  assert.deepEqual(calls, []);
  context.mock.timers.tick(100);
  await turn();
  assert.deepEqual(calls, [
    "create demo Bad",
    "create demo BackOff",
    "count 2",
    "create demo Started",
    "count 3",
    "create default Starting",
  ]);
  recorder.stop();
});

test("tokens are asked for once, bound to the pod, and renewed at four fifths of their life", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const asked: { path: string; spec: { expirationSeconds: number; boundObjectRef: { uid: string } } }[] = [];
  let fails = false;
  const json = ({ path, body }: { path: string; body: string }) => {
    asked.push({ path, ...(JSON.parse(body) as { spec: never }) });
    const expirationTimestamp = new Date(Date.now() + 1_000_000).toISOString();
    return fails
      ? Promise.reject(new Error("down"))
      : Promise.resolve({ status: { token: `t${asked.length}`, expirationTimestamp } });
  };
  let renewed = 0;
  const errors: unknown[] = [];
  const tokens = createPodTokens(
    { json } as unknown as ApiClient,
    pod,
    () => renewed++,
    (error) => errors.push(error),
  );
  assert.equal(tokens.current({}), "");
  await tokens.ensure({});
  await tokens.ensure({});
  assert.equal(tokens.current({}), "t1");
  assert.equal(asked.length, 1);
  assert.equal(asked[0]?.path, "/api/v1/namespaces/demo/serviceaccounts/default/token");
  assert.equal(asked[0]?.spec.boundObjectRef.uid, "u");
  context.mock.timers.tick(799_999);
  await turn();
  assert.equal(renewed, 0);
  context.mock.timers.tick(1);
  await turn();
  assert.deepEqual([renewed, tokens.current({})], [1, "t2"]);
  fails = true;
  context.mock.timers.tick(800_000);
  await turn();
  assert.deepEqual([renewed, tokens.current({}), errors.length], [1, "t2", 1]);
  fails = false;
  context.mock.timers.tick(10_000);
  await turn();
  assert.deepEqual([renewed, tokens.current({})], [2, "t4"]);
  tokens.stop();
  context.mock.timers.tick(10_000_000);
  await turn();
  assert.equal(asked.length, 4);
});
