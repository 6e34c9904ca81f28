import assert from "node:assert/strict";
import { test } from "node:test";
import type { Informer, InformerHandler } from "@gatehouse/apimachinery/informer";
import { objectKey } from "@gatehouse/apimachinery/meta";
import { type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import { createObjectView } from "./object-view.ts";
import { testPod } from "./testing-objects.ts";

/** An informer that is told by hand what the server sends. */
function fakeInformer() {
  const objects = new Map<string, Pod>();
  const handlers: InformerHandler<Pod>[] = [];
  const informer: Informer<Pod> = {
    type: pods,
    objects,
    onChange: (handler) => {
      handlers.push(handler);
      return () => undefined;
    },
    start: async () => undefined,
    stop: () => undefined,
  };
  const sends = (pod: Pod): void => {
    const old = objects.get(objectKey(pod));
    objects.set(objectKey(pod), pod);
    for (const handler of handlers) handler(old ? { old, current: pod } : { current: pod });
  };
  const sendsDeletion = (pod: Pod): void => {
    objects.delete(objectKey(pod));
    for (const handler of handlers) handler({ old: pod });
  };
  return { view: createObjectView(informer), sends, sendsDeletion };
}

const at = (version: number, name = "a", change: Partial<Pod["metadata"]> = {}): Pod =>
  testPod(name, { metadata: { resourceVersion: String(version), ...change } });
const version = (pod: Pod | undefined): string | undefined => pod?.metadata.resourceVersion;

test("what was written is there at once, is told once, and an older event does not undo it", () => {
  const { view, sends } = fakeInformer();
  const told: (string | undefined)[] = [];
  view.onChange(({ current }) => told.push(version(current)));
  sends(at(1));
  view.wrote(at(5));
  assert.equal(version(view.get("demo/a")), "5");
  sends(at(3));
  assert.equal(version(view.get("demo/a")), "5");
  sends(at(5));
  assert.deepEqual(told, ["1", "5"]);
});

test("an answer that comes after its own events changes nothing", () => {
  const { view, sends, sendsDeletion } = fakeInformer();
  sends(at(5));
  sendsDeletion(at(6));
  view.wrote(at(5));
  assert.equal(view.get("demo/a"), undefined);
});

test("a written object that the server no longer has is dropped with the next event", () => {
  const { view, sends } = fakeInformer();
  view.wrote(at(5));
  sends(at(4, "b"));
  assert.equal(version(view.get("demo/a")), "5");
  sends(at(7, "b"));
  assert.equal(view.get("demo/a"), undefined);
});

test("a deleted object counts as terminating until the server confirms, whatever events were under way", () => {
  const { view, sends, sendsDeletion } = fakeInformer();
  sends(at(1));
  view.deleted(at(1));
  assert.ok(view.get("demo/a")?.metadata.deletionTimestamp);
  sends(at(2));
  assert.ok(view.get("demo/a")?.metadata.deletionTimestamp, "an update from before the deletion");
  sends(at(3, "a", { deletionTimestamp: "2026-01-01T00:00:00Z" }));
  assert.equal(view.get("demo/a")?.metadata.deletionTimestamp, "2026-01-01T00:00:00Z");
  sendsDeletion(at(4));
  assert.equal(view.get("demo/a"), undefined);
  sends(at(5, "a", { uid: "another" }));
  assert.equal(view.get("demo/a")?.metadata.deletionTimestamp, undefined);
});

test("indexes follow namespaces and controllers", () => {
  const { view, sends } = fakeInformer();
  const controlled = (uid: string) => ({
    ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: uid, uid, controller: true }],
  });
  sends(at(1, "a", controlled("one")));
  sends(at(2, "b", { namespace: "other" }));
  assert.deepEqual(
    view.inNamespace("demo").map(({ metadata }) => metadata.name),
    ["a"],
  );
  assert.equal(view.controlledBy("one").length, 1);
  sends(at(3, "a", controlled("two")));
  assert.deepEqual([view.controlledBy("one").length, view.controlledBy("two").length], [0, 1]);
});
