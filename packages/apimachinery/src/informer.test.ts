import assert from "node:assert/strict";
import { test } from "node:test";
import type { ApiClient, WatchEvent, WatchOptions } from "./api-client.ts";
import { createInformer, type Informer } from "./informer.ts";
import type { KubeList, KubeObject } from "./meta.ts";
import { StatusError } from "./status-error.ts";
import { pods } from "./types/core-v1.ts";

const pod = (name: string, resourceVersion: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "demo", resourceVersion },
});

type Step = WatchEvent | Error | "end" | "hang";

/** A client whose lists and watches follow a script; every list and watch takes the next entry. */
function scripted(script: { lists: (KubeList | Error)[]; watches: Step[][] }) {
  const watched: (string | undefined)[] = [];
  let listCount = 0;
  const client = {
    list: async () => {
      const next = script.lists[Math.min(listCount++, script.lists.length - 1)];
      if (!next || next instanceof Error) throw next ?? new Error("no list left");
      return next;
    },
    watch: async function* (_: unknown, options: WatchOptions) {
      const steps = script.watches[watched.length] ?? ["hang"];
      watched.push(options.resourceVersion);
      for (const step of steps) {
        if (step === "end") return;
        if (step instanceof Error) throw step;
        if (step === "hang") await new Promise((resolve) => options.signal?.addEventListener("abort", resolve));
        else yield step;
      }
    },
  } as unknown as ApiClient;
  return { client, watched, lists: () => listCount };
}

const list = (resourceVersion: string, ...items: KubeObject[]): KubeList => ({
  apiVersion: "v1",
  kind: "PodList",
  metadata: { resourceVersion },
  items,
});

const event = (type: WatchEvent["type"], object: KubeObject): WatchEvent => ({ type, object });

/** Resolves when the informer's log of changes has `count` lines; the log says `old->current` by name@version. */
function changes(informer: Informer) {
  const log: string[] = [];
  let wake = (): void => {};
  const name = (object?: KubeObject) => (object ? `${object.metadata.name}@${object.metadata.resourceVersion}` : "");
  informer.onChange(({ old, current }) => {
    log.push(`${name(old)}>${name(current)}`);
    wake();
  });
  return {
    log,
    until: async (count: number) => {
      while (log.length < count) await new Promise<void>((resolve) => void (wake = resolve));
    },
  };
}

test("list, then changes in order; bookmarks and repeated versions are silent", async () => {
  const { client, watched } = scripted({
    lists: [list("5", pod("a", "3"), pod("b", "4"))],
    watches: [
      [
        event("MODIFIED", pod("a", "6")),
        event("MODIFIED", pod("a", "6")),
        event("BOOKMARK", pod("", "7")),
        event("ADDED", pod("c", "8")),
        event("DELETED", pod("b", "9")),
        "hang",
      ],
    ],
  });
  const informer = createInformer(client, pods);
  const { log, until } = changes(informer);
  await informer.start();
  await until(5);
  informer.stop();
  assert.deepEqual(log, [">a@3", ">b@4", "a@3>a@6", ">c@8", "b@9>"]);
  assert.deepEqual([...informer.objects.keys()], ["demo/a", "demo/c"]);
  assert.deepEqual(watched, ["5"]);
});

test("list items, which carry no kind, get it; late handlers hear of what is there and removed ones of nothing", async () => {
  const bare = { metadata: { name: "a", namespace: "demo", resourceVersion: "3" } } as KubeObject;
  const { client } = scripted({ lists: [list("5", bare)], watches: [] });
  const informer = createInformer(client, pods);
  await informer.start();
  assert.deepEqual(
    [...informer.objects.values()].map(({ apiVersion, kind }) => [apiVersion, kind]),
    [["v1", "Pod"]],
  );
  const heard: unknown[] = [];
  const remove = informer.onChange((change) => heard.push(change.current?.metadata.name));
  assert.deepEqual(heard, ["a"]);
  remove();
  informer.stop();
});

test("who owns which field is not kept: it is as long as the object", async () => {
  const owned = (name: string, resourceVersion: string): KubeObject => {
    const object = pod(name, resourceVersion);
    return { ...object, metadata: { ...object.metadata, managedFields: [{ manager: "m" }] } };
  };
  const { client } = scripted({ lists: [list("5", owned("a", "3"))], watches: [[event("ADDED", owned("b", "6"))]] });
  const informer = createInformer(client, pods);
  const seen = changes(informer);
  await informer.start();
  await seen.until(2);
  for (const object of informer.objects.values()) assert.equal(Object.hasOwn(object.metadata, "managedFields"), false);
  informer.stop();
});

test("a watch that the server ends is resumed from the last event, bookmarks included", async () => {
  const { client, watched, lists } = scripted({
    lists: [list("5")],
    watches: [
      [event("ADDED", pod("a", "6")), event("BOOKMARK", pod("", "9")), "end"],
      [event("ADDED", pod("b", "10")), "hang"],
    ],
  });
  const informer = createInformer(client, pods);
  const { until } = changes(informer);
  await informer.start();
  await until(2);
  informer.stop();
  assert.deepEqual(watched, ["5", "9"]);
  assert.equal(lists(), 1);
});

test("a cut connection is resumed from the last event, so that nothing goes back in time", async () => {
  const { client, watched, lists } = scripted({
    lists: [list("5", pod("a", "3"))],
    watches: [
      [event("MODIFIED", pod("a", "6")), event("MODIFIED", pod("a", "7")), new Error("cut")],
      [event("ADDED", pod("b", "8")), "hang"],
    ],
  });
  const errors: unknown[] = [];
  const informer = createInformer(client, pods, { onError: (error) => errors.push(error) });
  const { until } = changes(informer);
  await informer.start();
  await until(4);
  informer.stop();
  assert.deepEqual(watched, ["5", "7"]);
  assert.equal(lists(), 1);
  assert.equal(errors.length, 1);
});

for (const [how, step] of [
  ["an ERROR event", event("ERROR", { kind: "Status", code: 410, reason: "Expired", message: "old" } as never)],
  ["an answer", new StatusError({ code: 410, reason: "Gone", message: "old" })],
] as [string, Step][]) {
  test(`410 as ${how} lists again at once and tells what vanished meanwhile`, async () => {
    const { client, watched } = scripted({
      lists: [list("5", pod("a", "3"), pod("b", "4")), list("20", pod("b", "15"))],
      watches: [[step], ["hang"]],
    });
    const errors: unknown[] = [];
    const informer = createInformer(client, pods, { onError: (error) => errors.push(error) });
    const { log, until } = changes(informer);
    await informer.start();
    await until(4);
    informer.stop();
    assert.deepEqual(log.slice(2), ["a@3>", "b@4>b@15"]);
    assert.deepEqual(errors, []);
    assert.equal(watched[0], "5");
  });
}

test("start waits through failing lists and tells of each", async () => {
  const { client } = scripted({ lists: [new Error("refused"), list("5", pod("a", "3"))], watches: [] });
  const errors: string[] = [];
  const informer = createInformer(client, pods, { onError: (error) => errors.push((error as Error).message) });
  await informer.start();
  assert.deepEqual([errors, informer.objects.size], [["refused"], 1]);
  informer.stop();
});

test("a server that ends every watch at once is not asked in a tight loop", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { client, watched } = scripted({ lists: [list("5")], watches: Array.from({ length: 50 }, () => ["end"]) });
  const told = Promise.withResolvers<unknown>();
  const informer = createInformer(client, pods, { onError: told.resolve });
  await informer.start();
  await told.promise;
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  assert.equal(watched.length, 1);
  informer.stop();
});

test("a handler that fails keeps neither the store nor the other handlers from a change", async () => {
  const { client } = scripted({ lists: [list("5", pod("a", "3"))], watches: [] });
  const errors: unknown[] = [];
  const informer = createInformer(client, pods, { onError: (error) => errors.push(error) });
  informer.onChange(() => {
    throw new Error("broken handler");
  });
  const heard: unknown[] = [];
  informer.onChange(({ current }) => heard.push(current?.metadata.name));
  await informer.start();
  informer.stop();
  assert.deepEqual([heard, errors.length, informer.objects.size], [["a"], 1, 1]);
});

test("stop while the first list is under way resolves start and changes nothing after", async () => {
  const gate = Promise.withResolvers<KubeList>();
  const client = { list: () => gate.promise } as unknown as ApiClient;
  const informer = createInformer(client, pods);
  const started = informer.start();
  informer.stop();
  await started;
  gate.resolve(list("5", pod("a", "3")));
  await gate.promise;
  await new Promise(setImmediate);
  assert.equal(informer.objects.size, 0);
});

test("a version of the same spec has the very object of the one before; another generation or object has its own", async () => {
  const route = (resourceVersion: string, generation: number, uid = "one"): KubeObject => ({
    ...pod("a", resourceVersion),
    metadata: { ...pod("a", resourceVersion).metadata, generation, uid },
    spec: { at: resourceVersion },
    status: { at: resourceVersion },
  });
  const { client } = scripted({
    lists: [list("3", route("3", 1))],
    watches: [
      [
        event("MODIFIED", route("4", 1)),
        event("MODIFIED", route("5", 2)),
        event("MODIFIED", route("6", 2, "two")),
        event("MODIFIED", { ...pod("a", "7"), spec: { at: "7" } }),
        event("MODIFIED", { ...pod("a", "8"), spec: { at: "8" } }),
        "hang",
      ],
    ],
  });
  const informer = createInformer(client, pods);
  const specs: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  informer.onChange(({ current }) => {
    specs.push([current?.spec, current?.status]);
    if (specs.length === 6) resolve();
  });
  await informer.start();
  await promise;
  informer.stop();
  const said = (spec: string, status?: string) => [{ at: spec }, status && { at: status }];
  assert.deepEqual(specs, [said("3", "3"), said("3", "4"), said("5", "5"), said("6", "6"), said("7"), said("8")]);
});

test("equal statuses of several objects are one object; others, and what else is equal, are not", async () => {
  const route = (name: string, phase: string): KubeObject => ({
    ...pod(name, "3"),
    spec: { same: true },
    status: { phase },
  });
  const { client } = scripted({
    lists: [list("3", route("a", "Ready"), route("b", "Ready"), route("c", "Failed"), pod("d", "3"))],
    watches: [],
  });
  const informer = createInformer(client, pods);
  await informer.start();
  const [a, b, c, d] = [...informer.objects.values()];
  informer.stop();
  assert.equal(a?.["status"], b?.["status"]);
  assert.notEqual(a?.["spec"], b?.["spec"]);
  assert.deepEqual(c?.["status"], { phase: "Failed" });
  assert.equal(d && "status" in d, false);
});
