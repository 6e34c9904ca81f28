// EndpointSlices and Endpoints over a real API server.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { deployments } from "@gatehouse/apimachinery/types/apps-v1";
import { endpoints, type Pod, pods, type Service, services } from "@gatehouse/apimachinery/types/core-v1";
import { type EndpointSlice, endpointSlices } from "@gatehouse/apimachinery/types/discovery-v1";
import { deployment, labelsOf, startTestCluster, type TestCluster, sorted } from "./cluster.ts";

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await startTestCluster();
});
afterEach(() => cluster.close());

const service = (name: string, spec: Partial<Service["spec"]> = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "demo" },
  spec: { selector: labelsOf("web"), ports: [{ name: "http", port: 80, targetPort: "http" }], ...spec },
});

const of = (name: string, all: EndpointSlice[]): EndpointSlice[] =>
  all.filter((slice) => slice.metadata.labels?.["kubernetes.io/service-name"] === name);

async function runningPods(count: number): Promise<Pod[]> {
  await cluster.client.create(deployments, deployment("web", { replicas: count }));
  const bound = await cluster.until(pods, (all) => all.filter((pod) => pod.spec.nodeName).length === count, "demo");
  const running: Pod[] = [];
  for (const pod of bound) running.push(await cluster.setReady(pod));
  return running;
}

const readyCount = (slices: EndpointSlice[]): number =>
  slices.flatMap((slice) => slice.endpoints ?? []).filter(({ conditions }) => conditions?.ready).length;

test("a Service's slice follows its pods: ready, not ready, terminating, gone", async () => {
  const { client, until } = cluster;
  await client.create(services, service("web"));
  const [empty] = await until(endpointSlices, (all) => of("web", all).length === 1, "demo");
  assert.deepEqual(empty?.endpoints ?? [], []);
  const [first, second] = (await runningPods(2)) as [Pod, Pod];
  const full = await until(endpointSlices, (all) => readyCount(of("web", all)) === 2, "demo");
  assert.equal(of("web", full).length, 1);
  assert.deepEqual(
    full[0]?.ports?.map(({ name, port, protocol }) => ({ name, port, protocol })),
    [{ name: "http", port: 80, protocol: "TCP" }],
  );
  assert.equal(full[0]?.metadata.labels?.["endpointslice.kubernetes.io/managed-by"], "endpointslice-controller.k8s.io");
  assert.equal(full[0]?.metadata.ownerReferences?.[0]?.kind, "Service");
  const endpoint = full[0]?.endpoints.find(({ targetRef }) => targetRef?.name === first.metadata.name);
  assert.deepEqual(endpoint?.addresses, [first.status?.podIP]);
  assert.equal(endpoint?.nodeName, "node");

  await cluster.setReady(first, false);
  const [partly] = await until(endpointSlices, (all) => readyCount(all) === 1, "demo");
  const notReady = partly?.endpoints.find(({ targetRef }) => targetRef?.uid === first.metadata.uid);
  assert.deepEqual(notReady?.conditions, { ready: false, serving: false, terminating: false });

  await client.delete(pods, second.metadata.name, "demo");
  const [ending] = await until(
    endpointSlices,
    ([only]) => only?.endpoints.some(({ conditions }) => conditions?.terminating) === true,
    "demo",
  );
  const terminating = ending?.endpoints.find(({ targetRef }) => targetRef?.uid === second.metadata.uid);
  assert.deepEqual(terminating?.conditions, { ready: false, serving: true, terminating: true });
  await cluster.finishPod(second);
  await until(
    endpointSlices,
    ([only]) => only?.endpoints.every(({ targetRef }) => targetRef?.uid !== second.metadata.uid) === true,
    "demo",
  );
});

test("pods whose ports lie elsewhere get a slice of their own, and lose it again", async () => {
  const { client, until } = cluster;
  await client.create(services, service("web"));
  const [first] = (await runningPods(2)) as [Pod, Pod];
  const target = { name: first.metadata.name, namespace: "demo" };
  const annotate = (value: string | null) =>
    client.patch(pods, target, "merge", { metadata: { annotations: { "gatehouse.dev/port-map": value } } });
  await annotate('{"80/tcp":34567}');
  const two = await until(endpointSlices, (all) => of("web", all).length === 2 && readyCount(all) === 2, "demo");
  assert.deepEqual(sorted(two.map(({ ports }) => ports?.[0]?.port)), [34567, 80]);
  assert.equal(two.find(({ ports }) => ports?.[0]?.port === 34567)?.endpoints[0]?.targetRef?.name, first.metadata.name);
  await annotate(null);
  await until(endpointSlices, (all) => of("web", all).length === 1 && readyCount(all) === 2, "demo");
});

test("headless Services, published addresses and ExternalName", async () => {
  const { client, until } = cluster;
  const [pod] = (await runningPods(1)) as [Pod];
  await cluster.setReady(pod, false);
  await client.create(services, service("headless", { clusterIP: "None" }));
  await client.create(services, service("eager", { publishNotReadyAddresses: true }));
  await client.create(services, service("outside", { type: "ExternalName", externalName: "example.com" }));
  const all = await until(
    endpointSlices,
    (found) => of("headless", found).length === 1 && readyCount(of("eager", found)) === 1,
    "demo",
  );
  const [headless] = of("headless", all);
  assert.equal(headless?.metadata.labels?.["service.kubernetes.io/headless"], "");
  assert.equal(readyCount(of("headless", all)), 0);
  assert.deepEqual(of("outside", all), []);
});

test("slices of a Service without selector are left alone; those of a deleted Service go", async () => {
  const { client, until } = cluster;
  const { selector: _, ...manual } = service("manual").spec;
  await client.create(services, { ...service("manual"), spec: manual });
  const own: EndpointSlice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "manual-1", namespace: "demo", labels: { "kubernetes.io/service-name": "manual" } },
    addressType: "IPv4",
    endpoints: [{ addresses: ["192.0.2.1"] }],
    ports: [{ name: "http", port: 80, protocol: "TCP" }],
  };
  await client.create(endpointSlices, own);
  await client.create(services, service("web"));
  await until(endpointSlices, (all) => of("web", all).length === 1, "demo");
  await client.delete(services, "web", "demo");
  const rest = await until(endpointSlices, (all) => of("web", all).length === 0, "demo");
  assert.deepEqual(
    rest.map(({ metadata }) => metadata.name),
    ["manual-1"],
  );
});

test("Endpoints show the same, and go with their Service", async () => {
  const { client, until } = cluster;
  await client.create(services, service("web"));
  const [first, second] = (await runningPods(2)) as [Pod, Pod];
  await cluster.setReady(first, false);
  const both = await until(
    endpoints,
    (all) =>
      all.some(
        ({ metadata, subsets }) =>
          metadata.name === "web" &&
          subsets?.[0]?.notReadyAddresses?.length === 1 &&
          subsets[0].addresses?.length === 1,
      ),
    "demo",
  );
  const [subset] = both.find(({ metadata }) => metadata.name === "web")?.subsets ?? [];
  assert.deepEqual(
    subset?.addresses?.map(({ ip }) => ip),
    [second.status?.podIP],
  );
  assert.deepEqual(
    subset?.notReadyAddresses?.map(({ ip }) => ip),
    [first.status?.podIP],
  );
  await client.delete(services, "web", "demo");
  await until(endpoints, (all) => all.length === 0, "demo");
});
