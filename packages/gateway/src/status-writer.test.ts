import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { Log } from "@gatehouse/apimachinery/log";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { Gateway } from "@gatehouse/gateway-api/gateway";
import { createStatusWriter } from "./status-writer.ts";
import { fails, holds } from "./translate/conditions.ts";
import type { StatusUpdate } from "./translate/statuses.ts";

const log: Log = {
  info: () => {},
  warn: () => {},
  error: (message, error) => assert.fail(`${message}: ${String(error)}`),
};

const gateway = (resourceVersion = "1"): Gateway => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "Gateway",
  metadata: { name: "one", namespace: "demo", uid: "u", generation: 1, resourceVersion },
  spec: { gatewayClassName: "traefik", listeners: [] },
});

const attached = (attachedRoutes: number, { programmed = true } = {}): StatusUpdate => ({
  type: "gateway",
  object: gateway(),
  addresses: [],
  conditions: [programmed ? holds("Programmed", "Programmed", "") : fails("Programmed", "Invalid", "no")],
  listeners: [{ name: "web", supportedKinds: [], attachedRoutes, conditions: [] }],
});

/** A writer over a server that answers with the next version of what it is given; `meanwhile` happens before it does. */
function start(meanwhile: (written: KubeObject) => void = () => {}) {
  const writes: Gateway[] = [];
  let answered: WeakRef<KubeObject> | undefined;
  const updateStatus: ApiClient["updateStatus"] = async (_, object) => {
    const metadata = { ...object.metadata, resourceVersion: String(writes.length + 2) };
    writes.push({ ...(object as unknown as Gateway), metadata });
    const answer = { ...object, metadata };
    await turn();
    meanwhile({ ...answer });
    answered = new WeakRef(answer);
    return answer;
  };
  const writer = createStatusWriter({ updateStatus } as ApiClient, log);
  return { writer, writes, answer: () => answered?.deref() };
}

const countOf = (object: Gateway | undefined): number | undefined => object?.status?.listeners?.[0]?.attachedRoutes;

test("routes that come one after another are few writes of their Gateway, the last of which counts right", async () => {
  const { writer, writes } = start();
  writer.write([attached(0)]);
  await writer.idle();
  for (let count = 1; count <= 50; count++) writer.write([attached(count)]);
  await writer.idle();
  assert.deepEqual(writes.map(countOf), [0, 50]);
});

test("a count is written without anybody's asking", async () => {
  const { writer, writes } = start();
  writer.write([attached(0)]);
  await writer.idle();
  const { promise, resolve } = Promise.withResolvers<void>();
  const push = writes.push.bind(writes);
  writes.push = (...added) => (resolve(), push(...added));
  writer.write([attached(1)]);
  await promise;
  assert.deepEqual(writes.map(countOf), [0, 1]);
  await writer.stop();
});

test("a condition waits for no count", async () => {
  const { writer, writes } = start();
  writer.write([attached(0)]);
  await writer.idle();
  writer.write([attached(1)]);
  writer.write([attached(1, { programmed: false })]);
  await turn();
  await turn();
  assert.equal(writes.at(-1)?.status?.conditions?.[0]?.status, "False");
  assert.equal(countOf(writes.at(-1)), 1);
  await writer.stop();
});

test("a count that is as it was after all is not written", async () => {
  const { writer, writes } = start();
  writer.write([attached(0)]);
  await writer.idle();
  writer.write([attached(1)]);
  writer.write([attached(0)]);
  await writer.idle();
  assert.deepEqual(writes.map(countOf), [0]);
});

/** Collects garbage, of which nothing may be left on the stack. */
async function collect(): Promise<void> {
  setFlagsFromString("--expose-gc");
  await turn();
  (runInNewContext("gc") as () => void)();
}

test("what the server answered is kept until the informer has it, and no longer", async () => {
  const { writer, writes, answer } = start();
  writer.write([attached(1)]);
  await writer.idle();
  writer.write([attached(1)]);
  await collect();
  assert.equal(answer()?.metadata.resourceVersion, "2");
  await turn();
  writer.write([{ ...attached(1), object: { ...gateway("2"), status: writes[0]?.status } } as StatusUpdate]);
  await collect();
  assert.equal(answer(), undefined);
});

test("what the server answered is not kept when the informer was faster", async () => {
  const { writer, answer } = start((written) => writer.write([{ ...attached(1), object: written } as StatusUpdate]));
  writer.write([attached(1)]);
  await writer.idle();
  await collect();
  assert.equal(answer(), undefined);
});
