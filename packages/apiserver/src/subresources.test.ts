// Logs, bindings, scales and events: what hangs on an object or has two forms.

import assert from "node:assert/strict";
import { createServer, get as httpGet, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { type ApiClient, text } from "@gatehouse/apimachinery/api-client";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { deployments } from "@gatehouse/apimachinery/types/apps-v1";
import { type Event, events, nodes, type Pod, pods } from "@gatehouse/apimachinery/types/core-v1";
import { removeOldEvents } from "./storage/event-expiry.ts";
import { Store } from "./storage/store.ts";
import { refusedWith, startTestServer, type TestServer } from "./testing.ts";

let cluster: TestServer;
let client: ApiClient;
/** A stand-in for a kubelet: answers with what it was asked. */
const kubelet = createServer((request, response) => {
  if (request.url?.includes("broken")) response.writeHead(404).end('container "broken" not found');
  else response.end(`log of ${request.url}\n`);
});

before(async () => {
  await new Promise<void>((resolve) => kubelet.listen(0, "127.0.0.1", resolve));
  const { port } = kubelet.address() as AddressInfo;
  const nodeProxy = (node: KubeObject, path: string, signal: AbortSignal): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      if (node.metadata.name === "down") reject(new Error("connect ECONNREFUSED"));
      else httpGet({ port, path, signal, agent: false }, resolve).on("error", reject);
    });
  cluster = await startTestServer({ nodeProxy });
  client = await cluster.client();
  for (const name of ["up", "down"]) await client.create(nodes, { apiVersion: "v1", kind: "Node", metadata: { name } });
});
after(async () => {
  await cluster.close();
  kubelet.close();
});

const namespace = "default";
const newPod = (name: string, spec: Partial<Pod["spec"]> = {}): Promise<Pod> =>
  client.create(pods, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: { containers: [{ name: "a", image: "b" }], ...spec },
  });
const log = async (name: string, query = ""): Promise<string> =>
  text(await client.stream({ method: "GET", path: `/api/v1/namespaces/default/pods/${name}/log${query}` }));

describe("a Pod's log", () => {
  it("is refused for options that make no sense, before anybody is asked", async () => {
    await newPod("optioned", { nodeName: "down" });
    for (const [query, code, message] of [
      [
        "tailLines=-1",
        422,
        /^PodLogOptions "optioned" is invalid: tailLines: Invalid value: -1: must be greater than or/,
      ],
      ["sinceSeconds=0", 422, /sinceSeconds: Invalid value: 0: must be greater than 0/],
      ["limitBytes=0", 422, /limitBytes: Invalid value: 0/],
      ["sinceSeconds=1&sinceTime=2020-01-01T00:00:00Z", 422, /at most one of `sinceTime` or `sinceSeconds`/],
      ["tailLines=x", 400, /strconv\.ParseInt: parsing "x"/],
      ["sinceTime=now", 400, /parsing time "now"/],
    ] as const) {
      await assert.rejects(log("optioned", `?${query}`), refusedWith(code, message));
    }
  });

  it("comes from its node's kubelet, with what the client asked for", async () => {
    await newPod("logged", { nodeName: "up" });
    assert.equal(await log("logged"), "log of /containerLogs/default/logged/a\n");
    const query = "?container=a&follow=true&tailLines=10&timestamps=true&pretty=true";
    assert.equal(
      await log("logged", query),
      "log of /containerLogs/default/logged/a?follow=true&tailLines=10&timestamps=true\n",
    );
  });

  it("needs a Pod, one container or its name, a node, and a kubelet that answers", async () => {
    await newPod("two", {
      nodeName: "up",
      containers: [
        { name: "a", image: "b" },
        { name: "broken", image: "b" },
      ],
    });
    await newPod("waiting");
    await newPod("unreachable", { nodeName: "down" });
    await assert.rejects(log("absent"), refusedWith(404, /pods "absent" not found/));
    await assert.rejects(
      log("two"),
      refusedWith(400, /a container name must be specified for pod two, choose one of: \[a broken\]/),
    );
    await assert.rejects(log("two", "?container=c"), refusedWith(400, /container c is not valid for pod two/));
    await assert.rejects(log("two", "?container=broken"), refusedWith(404, /container "broken" not found/));
    await assert.rejects(log("waiting"), refusedWith(400, /waiting to start/));
    await assert.rejects(
      log("unreachable"),
      refusedWith(503, /the kubelet of node "down" cannot be reached: connect ECONNREFUSED/),
    );
  });
});

describe("a Binding", () => {
  const bind = (name: string, node: string) =>
    client.json({
      method: "POST",
      path: `/api/v1/namespaces/default/pods/${name}/binding`,
      body: JSON.stringify({
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name },
        target: { kind: "Node", name: node },
      }),
      headers: { "content-type": "application/json" },
    });

  it("gives a Pod its node, once", async () => {
    await newPod("bound");
    await bind("bound", "up");
    const { spec, status } = await client.get(pods, "bound", namespace);
    assert.deepEqual(
      [spec.nodeName, status?.conditions?.map(({ type, status: value }) => `${type}=${value}`)],
      ["up", ["PodScheduled=True"]],
    );
    await assert.rejects(bind("bound", "down"), refusedWith(409, /pod bound is already assigned to node "up"/));
    await assert.rejects(bind("absent", "up"), refusedWith(404));
    await newPod("aimless");
    await assert.rejects(bind("aimless", ""), refusedWith(400, /target must name a Node/));
  });
});

describe("a Scale", () => {
  it("reads and writes a workload's replicas", async () => {
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "a", image: "b" }] } };
    await client.create(deployments, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "scaled", namespace },
      spec: { selector: { matchLabels: { a: "b" } }, template },
    });
    const path = "/apis/apps/v1/namespaces/default/deployments/scaled/scale";
    const scale = await client.json<KubeObject>({ method: "GET", path });
    assert.deepEqual(
      [scale.kind, scale.apiVersion, scale.spec, scale.status],
      ["Scale", "autoscaling/v1", { replicas: 1 }, { replicas: 0, selector: "a=b" }],
    );
    const send = (method: string, body: object, type = "application/json") =>
      client.json<KubeObject>({ method, path, body: JSON.stringify(body), headers: { "content-type": type } });
    assert.deepEqual((await send("PATCH", { spec: { replicas: 3 } }, "application/merge-patch+json")).spec, {
      replicas: 3,
    });
    assert.deepEqual((await client.get(deployments, "scaled", namespace)).metadata.generation, 2);
    await assert.rejects(
      send("PUT", { ...scale, spec: { replicas: 5 } }),
      refusedWith(409, /the object has been modified/),
    );
    await assert.rejects(
      send("PATCH", { spec: { replicas: -1 } }, "application/merge-patch+json"),
      refusedWith(422, /greater than or equal to 0/),
    );
    await assert.rejects(
      client.json({ method: "GET", path: "/api/v1/namespaces/default/pods/bound/scale" }),
      refusedWith(404),
    );
  });
});

describe("Events", () => {
  const newEvents: ResourceType = {
    group: "events.k8s.io",
    version: "v1",
    plural: "events",
    kind: "Event",
    namespaced: true,
  };
  const event = (name: string): Event => ({
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, namespace },
    involvedObject: { kind: "Pod", name: "p", namespace },
    reason: "Testing",
    message: "it works",
    type: "Normal",
  });

  it("of both API groups are the same objects", async () => {
    await client.create(events, event("shared"));
    const modern = await client.get<KubeObject>(newEvents, "shared", namespace);
    assert.deepEqual(
      [modern.apiVersion, modern.note, modern.regarding, modern.message],
      ["events.k8s.io/v1", "it works", { kind: "Pod", name: "p", namespace }, undefined],
    );
    const changed = await client.patch<KubeObject>(newEvents, { name: "shared", namespace }, "merge", {
      note: "it still works",
    });
    assert.equal(changed.note, "it still works");
    const core = await client.get(events, "shared", namespace);
    assert.deepEqual([core.apiVersion, core.message, core.note], ["v1", "it still works", undefined]);
    const selected = await client.list(events, { namespace, fieldSelector: "involvedObject.name=p,reason=Testing" });
    assert.equal(selected.items.length, 1);
  });

  it("go after an hour without news", async () => {
    const store = new Store(":memory:");
    const at = (name: string, time: string): void => {
      const seen = { ...event(name), lastTimestamp: time };
      seen.metadata.creationTimestamp = "2026-01-01T00:00:00Z";
      store.write("/events", `default/${name}`, seen);
    };
    at("old", "2026-01-01T10:59:59Z");
    at("recent", "2026-01-01T11:00:01Z");
    assert.equal(removeOldEvents(store, Date.parse("2026-01-01T12:00:00Z")), 1);
    assert.deepEqual(
      [...store.scan("/events")].map(([key]) => key),
      ["default/recent"],
    );
    await store.committed();
    store.close();
  });
});
