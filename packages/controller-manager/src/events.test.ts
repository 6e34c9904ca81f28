import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { notFound } from "@gatehouse/apimachinery/status-error";
import type { Event } from "@gatehouse/apimachinery/types/core-v1";
import { createEventRecorder } from "./events.ts";
import { testPod } from "./testing-objects.ts";

/** Stores Events; `before` may delay or refuse a write. */
function eventStore(before: (write: string) => Promise<void> = async () => undefined) {
  const stored = new Map<string, Event>();
  const writes: string[] = [];
  const client = {
    create: async (_: unknown, event: Event) => {
      await before("create");
      writes.push("create");
      const created = { ...event, metadata: { ...event.metadata, uid: `uid-${stored.size}` } };
      stored.set(event.metadata.name, created);
      return created;
    },
    patch: async (_: unknown, { name }: { name: string }, __: unknown, patch: Partial<Event>) => {
      await before("patch");
      writes.push("patch");
      const present = stored.get(name);
      if (!present) throw notFound({ group: "", plural: "events", name });
      const patched = { ...present, ...patch };
      stored.set(name, patched);
      return patched;
    },
  } as unknown as ApiClient;
  return { client, stored, writes };
}

const pod = testPod("a");

test("repeated Events are counted on one object, and a burst costs two writes", async () => {
  const { client, stored, writes } = eventStore();
  const recorder = createEventRecorder(client);
  for (let index = 0; index < 5; index++) recorder.record("test", pod, "Warning", "Failed", "no");
  recorder.record("test", pod, "Warning", "Failed", "other");
  await recorder.stop();
  const counts = [...stored.values()].map(({ message, count, involvedObject }) => [message, count, involvedObject.uid]);
  assert.deepEqual(counts, [
    ["no", 5, "uid-a"],
    ["other", 1, "uid-a"],
  ]);
  assert.ok(writes.length <= 3, writes.join());
});

test("a series whose Event the server dropped starts over", async () => {
  const { client, stored } = eventStore();
  const recorder = createEventRecorder(client);
  const record = async (): Promise<void> => {
    recorder.record("test", pod, "Normal", "Done", "yes");
    await new Promise(setImmediate);
  };
  await record();
  stored.clear();
  await record();
  await recorder.stop();
  assert.deepEqual(
    [...stored.values()].map(({ count }) => count),
    [1],
  );
});

test("a refused write is forgotten, never thrown, and nothing is recorded after stop", async () => {
  const { client, stored, writes } = eventStore(async () => {
    throw new Error("refused");
  });
  const recorder = createEventRecorder(client);
  recorder.record("test", pod, "Normal", "Done", "yes");
  await recorder.stop();
  recorder.record("test", pod, "Normal", "Done", "yes");
  assert.deepEqual([stored.size, writes.length], [0, 0]);
});
