import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { forbidden, StatusError } from "@gatehouse/apimachinery/status-error";
import type { Pod } from "@gatehouse/apimachinery/types/core-v1";
import type { ControllerContext } from "./controller.ts";
import { createPods, deletePods, podFromTemplate } from "./pod-control.ts";
import { testPod, testReplicaSet } from "./testing-objects.ts";

const owner = testReplicaSet("web", 3);

/** A context whose API refuses the writes that `refuse` says, and what was asked for and said. */
function contextRefusing(refuse: (count: number) => Error | undefined) {
  const asked: string[] = [];
  const said: string[] = [];
  const write = async (name: string): Promise<void> => {
    asked.push(name);
    const refusal = refuse(asked.length);
    if (refusal) throw refusal;
  };
  const client = {
    create: async (_: unknown, pod: Pod) => (await write(pod.metadata.name), pod),
    delete: async (_: unknown, name: string) => write(name),
  } as unknown as ApiClient;
  const view = { pods: { wrote: (pod: Pod) => pod, deleted: () => undefined } };
  const recorder = { record: (...[, , type, reason]: string[]) => said.push(`${type} ${reason}`) };
  return { context: { client, view, recorder } as unknown as ControllerContext, asked, said };
}

const many = (count: number): Pod[] => Array.from({ length: count }, () => podFromTemplate(owner, owner.spec.template));

test("pods are named after and owned by their owner, and share nothing with the template", () => {
  const [pod] = many(1);
  assert.match(pod?.metadata.name ?? "", /^web-.{5}$/);
  assert.equal(pod?.metadata.ownerReferences?.[0]?.controller, true);
  assert.notEqual(pod?.spec, owner.spec.template.spec);
  assert.deepEqual(pod?.spec, owner.spec.template.spec);
});

test("creations go out together, in growing rounds; a refusal ends them with its round", async () => {
  const fine = contextRefusing(() => undefined);
  await createPods(fine.context, "test", owner, many(40));
  assert.equal(fine.asked.length, 40);
  assert.deepEqual(new Set(fine.said), new Set(["Normal SuccessfulCreate"]));

  const quota = contextRefusing((count) => (count >= 5 ? forbidden("exceeded quota") : undefined));
  await assert.rejects(createPods(quota.context, "test", owner, many(100)), /exceeded quota/);
  assert.equal(quota.asked.length, 16);
  assert.ok(quota.said.includes("Warning FailedCreate"));
});

test("a namespace that is going takes no pods, and nothing is said about it", async () => {
  const causes = [{ reason: "NamespaceTerminating", message: "", field: "metadata.namespace" }];
  const going = new StatusError({ code: 403, reason: "Forbidden", message: "forbidden", details: { causes } });
  const { context, said, asked } = contextRefusing(() => going);
  await createPods(context, "test", owner, many(100));
  assert.deepEqual([said, asked.length], [[], 16]);
});

test("pods already gone are deleted well enough; other refusals are thrown and said", async () => {
  const gone = contextRefusing(() => new StatusError({ code: 404, reason: "NotFound", message: "gone" }));
  await deletePods(gone.context, "test", owner, [testPod("a")]);
  assert.deepEqual(gone.said, []);
  const refused = contextRefusing((count) => (count === 1 ? forbidden("no") : undefined));
  await assert.rejects(deletePods(refused.context, "test", owner, [testPod("a"), testPod("b")]), /no/);
  assert.deepEqual([refused.asked.length, refused.said], [2, ["Warning FailedDelete", "Normal SuccessfulDelete"]]);
});
