// Lists and watches: snapshots, pages, selectors, and every change in order.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { ApiClient, WatchEvent, WatchOptions } from "@gatehouse/apimachinery/api-client";
import type { KubeList, KubeObject } from "@gatehouse/apimachinery/meta";
import { type ConfigMap, configMaps, namespaces, pods } from "@gatehouse/apimachinery/types/core-v1";
import { refusedWith, startTestServer, type TestServer } from "./testing.ts";

let cluster: TestServer;
let client: ApiClient;
before(async () => {
  cluster = await startTestServer();
  client = await cluster.client();
});
after(() => cluster.close());

const configMap = (namespace: string, name: string, labels: Record<string, string> = {}, data = {}): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace, labels },
  data,
});

interface Table {
  kind: string;
  rows: { cells: unknown[] }[];
}

async function newNamespace(name: string, ...objects: [string, Record<string, string>?][]): Promise<ConfigMap[]> {
  await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  const created: ConfigMap[] = [];
  for (const [object, labels] of objects)
    created.push(await client.create(configMaps, configMap(name, object, labels)));
  return created;
}

const listed = async (path: string): Promise<KubeList> => client.json<KubeList>({ method: "GET", path });
const namesOf = ({ items }: KubeList): string[] => items.map(({ metadata }) => metadata.name);
const path = (namespace: string, query = ""): string => `/api/v1/namespaces/${namespace}/configmaps${query}`;

/** Collects events as `TYPE name`, until `enough` of them are there. */
function collect(options: WatchOptions, enough: number): Promise<{ seen: string[]; events: WatchEvent[] }> {
  return (async () => {
    const stop = new AbortController();
    const events: WatchEvent[] = [];
    for await (const event of client.watch(configMaps, { ...options, signal: stop.signal })) {
      events.push(event);
      if (events.length === enough) break;
    }
    stop.abort();
    return { events, seen: events.map(({ type, object }) => `${type} ${object.metadata.name ?? ""}`.trim()) };
  })();
}

describe("a list", () => {
  it("is sorted, of one namespace or of all, with the snapshot's resourceVersion", async () => {
    const created = await newNamespace("sorted", ["b"], ["a"]);
    const list = await listed(path("sorted"));
    assert.deepEqual([list.kind, list.apiVersion, namesOf(list)], ["ConfigMapList", "v1", ["a", "b"]]);
    assert.equal(list.metadata.resourceVersion, created[1]?.metadata.resourceVersion);
    assert.ok(namesOf(await listed("/api/v1/configmaps")).length >= 2);
    assert.deepEqual(namesOf(await listed(path("nowhere"))), []);
  });

  it("is narrowed by label and field selectors", async () => {
    await newNamespace(
      "selected",
      ["one", { app: "web", tier: "a" }],
      ["two", { app: "web", tier: "b" }],
      ["three", { app: "db" }],
    );
    const cases: [string, string[]][] = [
      ["labelSelector=app%3Dweb", ["one", "two"]],
      ["labelSelector=app!%3Dweb", ["three"]],
      ["labelSelector=tier+in+(a,c)", ["one"]],
      ["labelSelector=tier+notin+(a),app", ["three", "two"]],
      ["labelSelector=!tier", ["three"]],
      ["fieldSelector=metadata.name%3Dtwo", ["two"]],
      ["fieldSelector=metadata.name!%3Dtwo,metadata.namespace%3Dselected", ["one", "three"]],
      ["labelSelector=app%3Dweb&fieldSelector=metadata.name%3D%3Done", ["one"]],
    ];
    for (const [query, names] of cases)
      assert.deepEqual(namesOf(await listed(path("selected", `?${query}`))), names, query);
  });

  for (const query of [
    "fieldSelector=data.a%3Db",
    "fieldSelector=metadata.labels%3Db",
    "labelSelector=a%3D%3D%3D",
    "fieldSelector=metadata.name",
    "fieldSelector=__proto__%3Dx",
    "limit=x",
    "continue=nonsense",
    "resourceVersion=abc",
    "continue=x&resourceVersion=5",
  ]) {
    it(`refuses ${query} as a bad request`, () =>
      assert.rejects(listed(path("default", `?${query}`)), refusedWith(400)));
  }

  for (const query of [
    "resourceVersionMatch=Exact",
    "resourceVersionMatch=Exact&resourceVersion=0",
    "resourceVersionMatch=Other&resourceVersion=1",
    "resourceVersionMatch=Exact&continue=x",
    "sendInitialEvents=true",
  ]) {
    it(`refuses ${query} as invalid options`, () =>
      assert.rejects(
        listed(path("default", `?${query}`)),
        refusedWith(422, /^ListOptions\.meta\.k8s\.io "" is invalid: (resourceVersionMatch|sendInitialEvents): /),
      ));
  }

  it("comes in pages of one snapshot, whatever happens between them", async () => {
    await newNamespace("paged", ["a"], ["b"], ["c"], ["d"], ["e"]);
    const first = await listed(path("paged", "?limit=2"));
    assert.deepEqual([namesOf(first), first.metadata.remainingItemCount], [["a", "b"], 3]);
    await client.delete(configMaps, "c", "paged");
    await client.create(configMaps, configMap("paged", "bb"));
    await client.update(configMaps, configMap("paged", "d", {}, { changed: "yes" }));
    const second = await listed(path("paged", `?limit=2&continue=${first.metadata.continue}`));
    assert.deepEqual(namesOf(second), ["c", "d"]);
    assert.equal(second.items[1]?.data, undefined);
    assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
    const third = await listed(path("paged", `?limit=2&continue=${second.metadata.continue}`));
    assert.deepEqual([namesOf(third), third.metadata.continue], [["e"], undefined]);
    const now = await listed(path("paged"));
    assert.deepEqual(namesOf(now), ["a", "b", "bb", "d", "e"]);
  });

  it("of an exact past version shows it; of the future it is 504 with its cause", async () => {
    const created = await newNamespace("versions", ["a"], ["b"]);
    const version = created[0]?.metadata.resourceVersion;
    const past = await listed(path("versions", `?resourceVersion=${version}&resourceVersionMatch=Exact`));
    assert.deepEqual([namesOf(past), past.metadata.resourceVersion], [["a"], version]);
    for (const query of [
      `resourceVersion=${version}`,
      "resourceVersion=0",
      `resourceVersion=${version}&resourceVersionMatch=NotOlderThan`,
    ]) {
      assert.deepEqual(namesOf(await listed(path("versions", `?${query}`))), ["a", "b"], query);
    }
    await assert.rejects(
      listed(path("versions", "?resourceVersion=999999")),
      (error: { status: { details: object } }) => {
        refusedWith(504, /Too large resource version: 999999, current: \d+/)(error);
        assert.deepEqual(error.status.details, {
          causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
          retryAfterSeconds: 1,
        });
        return true;
      },
    );
  });

  it("is a Table, or metadata alone, for those who ask", async () => {
    await newNamespace("shown", ["a"]);
    const ask = (
      as: string,
    ): Promise<Record<string, unknown> & { rows: { cells: unknown[]; object: KubeObject }[]; items: KubeObject[] }> =>
      client.json({
        method: "GET",
        path: path("shown"),
        headers: { accept: `application/json;as=${as};v=v1;g=meta.k8s.io,application/json` },
      });
    const table = await ask("Table");
    assert.deepEqual(
      [table.kind, table.rows[0]?.cells.slice(0, 2), table.rows[0]?.object.kind],
      ["Table", ["a", 0], "PartialObjectMetadata"],
    );
    const partial = await ask("PartialObjectMetadataList");
    assert.deepEqual(
      [partial.kind, partial.items[0]?.kind, partial.items[0]?.data],
      ["PartialObjectMetadataList", "PartialObjectMetadata", undefined],
    );
  });
});

describe("a watch", () => {
  it("from a version shows what came after it, then what comes", async () => {
    const [first] = await newNamespace("watched", ["a"], ["b"]);
    const watching = collect({ namespace: "watched", resourceVersion: first?.metadata.resourceVersion ?? "" }, 4);
    await client.update(configMaps, configMap("watched", "a", {}, { x: "1" }));
    await newNamespace("not-watched", ["z"]);
    await client.delete(configMaps, "b", "watched");
    await client.create(configMaps, configMap("watched", "c"));
    const { seen, events } = await watching;
    assert.deepEqual(seen, ["ADDED b", "MODIFIED a", "DELETED b", "ADDED c"]);
    const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
    assert.deepEqual(
      versions,
      versions.toSorted((x, y) => x - y),
      "a deletion carries its own version",
    );
    assert.equal(new Set(versions).size, 4);
  });

  it("without a version begins with what is there", async () => {
    await newNamespace("present", ["a"], ["b"]);
    assert.deepEqual((await collect({ namespace: "present" }, 2)).seen, ["ADDED a", "ADDED b"]);
  });

  it("follows its selector: what enters is ADDED, what leaves is DELETED as it last was", async () => {
    const [created] = await newNamespace("selecting", ["a", { app: "web" }], ["b"]);
    const options = {
      namespace: "selecting",
      labelSelector: "app=web",
      resourceVersion: created?.metadata.resourceVersion ?? "",
    };
    const watching = collect(options, 3);
    await client.update(configMaps, configMap("selecting", "b", { app: "web" }));
    await client.update(configMaps, configMap("selecting", "a", { app: "db" }));
    await client.update(configMaps, configMap("selecting", "a", { app: "queue" }));
    await client.delete(configMaps, "b", "selecting");
    const { seen, events } = await watching;
    assert.deepEqual(seen, ["ADDED b", "DELETED a", "DELETED b"]);
    assert.deepEqual(events[1]?.object.metadata.labels, { app: "web" });
    assert.ok(Number(events[1]?.object.metadata.resourceVersion) > Number(events[0]?.object.metadata.resourceVersion));
  });

  it("with sendInitialEvents marks the end of the state by an annotated bookmark", async () => {
    await newNamespace("streamed", ["a"], ["b"]);
    const { seen, events } = await collect({ namespace: "streamed", sendInitialEvents: true }, 3);
    assert.deepEqual(seen, ["ADDED a", "ADDED b", "BOOKMARK"]);
    const { kind, apiVersion, metadata } = (events[2] as WatchEvent).object;
    assert.deepEqual(
      [kind, apiVersion, metadata.annotations],
      ["ConfigMap", "v1", { "k8s.io/initial-events-end": "true" }],
    );
    assert.ok(Number(metadata.resourceVersion) >= Number(events[1]?.object.metadata.resourceVersion));
    const empty = await collect({ namespace: "nowhere", sendInitialEvents: true }, 1);
    assert.deepEqual(empty.seen, ["BOOKMARK"]);
  });

  const refused = (query: string, code: number): Promise<void> =>
    assert.rejects(listed(path("default", `?watch=1&${query}`)), refusedWith(code));
  it("refuses parameters that make no sense, and a version of the future", async () => {
    await refused("sendInitialEvents=true", 422);
    await refused("resourceVersionMatch=Exact&resourceVersion=1", 422);
    await refused("timeoutSeconds=x", 400);
    await refused("fieldSelector=a%3Db", 400);
    await refused("resourceVersion=999999", 504);
  });

  it("ends after timeoutSeconds", async () => {
    const types: string[] = [];
    for await (const { type } of client.watch(configMaps, { namespace: "nowhere", timeoutSeconds: 1 }))
      types.push(type);
    assert.deepEqual(types, []);
  });

  it("shows Tables to those who ask, bookmarks without a row", async () => {
    await newNamespace("tabled", ["a"]);
    const first = async (url: string) => {
      const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
      const stream = await client.stream({ method: "GET", path: url, headers: { accept } });
      const [chunk] = (await stream.take(1).toArray()) as Buffer[];
      const { type, object } = JSON.parse(String(chunk).split("\n")[0] ?? "") as { type: string; object: Table };
      return [type, object.kind, object.rows.map(({ cells }) => cells[0])];
    };
    assert.deepEqual(await first(path("tabled", "?watch=1")), ["ADDED", "Table", ["a"]]);
    const marked = "watch=1&allowWatchBookmarks=1&sendInitialEvents=1&resourceVersionMatch=NotOlderThan";
    assert.deepEqual(await first(`/api/v1/namespaces/tabled/pods?${marked}`), ["BOOKMARK", "Table", []]);
  });

  it("from a version that is forgotten ends with an ERROR event, 410 Expired", async () => {
    await newNamespace("noisy", ["a"]);
    const worker = async (id: number): Promise<void> => {
      for (let index = 0; index < 220; index++)
        await client.update(configMaps, configMap("noisy", "a", {}, { x: `${id}-${index}` }));
    };
    await Promise.all(Array.from({ length: 10 }, (_, id) => worker(id)));
    const events: WatchEvent[] = [];
    for await (const event of client.watch(configMaps, { namespace: "noisy", resourceVersion: "1" }))
      events.push(event);
    assert.equal(events.length, 1);
    const status = events[0]?.object as unknown as { code: number; reason: string; message: string };
    assert.deepEqual([events[0]?.type, status.code, status.reason], ["ERROR", 410, "Expired"]);
    assert.match(status.message, /too old resource version: 1 \(\d+\)/);
  });

  it("by many at once shows all of them the same", async () => {
    await newNamespace("shared");
    const { metadata } = await listed(path("shared"));
    const watchers = Array.from({ length: 20 }, () =>
      collect({ namespace: "shared", resourceVersion: metadata.resourceVersion }, 10),
    );
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => client.create(configMaps, configMap("shared", `c${index}`))),
    );
    const results = await Promise.all(watchers);
    for (const { seen } of results) assert.deepEqual(seen, results[0]?.seen);
    assert.equal(results[0]?.seen.length, 10);
  });
});

describe("a get", () => {
  it("of what is not there is 404 in Kubernetes' words", async () => {
    await assert.rejects(
      client.get(configMaps, "absent", "default"),
      refusedWith(404, /^configmaps "absent" not found$/),
    );
    await assert.rejects(client.get(pods, "absent", "default"), refusedWith(404, /^pods "absent" not found$/));
  });
});
