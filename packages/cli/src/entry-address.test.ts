import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import type { KubeList, KubeObject } from "@gatehouse/apimachinery/meta";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { findEntry } from "./entry-address.ts";

const home = mkdtempSync(join(tmpdir(), "gatehouse-entry-"));
const environment = { GATEHOUSE_HOME: home };
before(() => writeCluster("clusters/a", { context: "gatehouse-a" }, { nodeIP: "127.77.0.1" }));
after(() => rmSync(home, { recursive: true }));

/** The port mapping of such a cluster is set per test, in this map. */
function writeCluster(path: string, state: object, runtime?: object): void {
  mkdirSync(join(home, path), { recursive: true });
  writeFileSync(join(home, path, "cluster.json"), JSON.stringify({ name: "a", portMappings: [], ...state }));
  if (runtime) writeFileSync(join(home, path, "runtime.json"), JSON.stringify(runtime));
}

/** A port of this host that takes connections, and one that does not. */
async function openPort(t: TestContext, host = "127.0.0.1"): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, host, resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A cluster that lists these objects; a plural without any is not served, and `forbidden` ones may not be listed. */
function clientOf(objects: Record<string, object[]>, forbidden: string[] = []): ApiClient {
  const list = async (type: ResourceType): Promise<KubeList> => {
    const code = forbidden.includes(type.plural) ? 403 : type.plural in objects ? 200 : 404;
    if (code !== 200) {
      throw new StatusError({ code, reason: code === 403 ? "Forbidden" : "NotFound", message: "no" });
    }
    return {
      apiVersion: "v1",
      kind: "List",
      metadata: { resourceVersion: "1" },
      items: objects[type.plural] as KubeObject[],
    };
  };
  return { list } as unknown as ApiClient;
}

const gateway = (host: string, port: number) => ({
  metadata: { name: "web", namespace: "infra" },
  spec: { listeners: [{ name: "web", protocol: "HTTP", port }] },
  status: { addresses: [{ value: host }] },
});
const node = { metadata: { name: "n" }, status: { addresses: [{ type: "InternalIP", address: "127.77.0.1" }] } };

test("a Gateway's address that takes a connection", async (t) => {
  const port = await openPort(t);
  assert.deepEqual(await findEntry(clientOf({ gateways: [gateway("127.0.0.1", port)] }), { environment }), {
    host: "127.0.0.1",
    port,
    how: "status address of Gateway infra/web",
  });
});

test("IPv6, where this machine has it", async (t) => {
  const port = await openPort(t, "::1").catch((error: NodeJS.ErrnoException) => error.code);
  if (typeof port !== "number") return t.skip(`no IPv6 here (${port})`);
  const found = await findEntry(clientOf({ gateways: [gateway("::1", port)] }), { environment });
  assert.deepEqual([(found as { host: string }).host, (found as { port: number }).port], ["::1", port]);
});

test("the next best one when the best does not answer, and what was tried when none does", async (t) => {
  const [open, closed] = [await openPort(t), await closedPort()];
  const service = {
    metadata: { name: "traefik", namespace: "infra", labels: { "app.kubernetes.io/name": "traefik" } },
    spec: { type: "NodePort", ports: [{ port: 80, targetPort: closed, nodePort: open }] },
  };
  const nodes = [{ ...node, status: { addresses: [{ type: "InternalIP", address: "127.0.0.1" }] } }];
  const gateways = [gateway("127.0.0.1", closed)];
  const found = await findEntry(clientOf({ gateways, services: [service], nodes }), { environment });
  assert.deepEqual(found, { host: "127.0.0.1", port: open, how: "node port of Service infra/traefik" });
  const none = await findEntry(clientOf({ gateways, services: [] }, ["nodes"]), { environment });
  assert.deepEqual(none, {
    tried: [
      `status address of Gateway infra/web: 127.0.0.1:${closed} (ECONNREFUSED)`,
      "nodes may not be listed with these credentials",
    ],
  });
});

test("a cluster without Gateways, Services and nodes has no entry", async () => {
  assert.deepEqual(await findEntry(clientOf({}), { environment }), {
    tried: ["no address of a Gateway, load balancer, node port or host port was found"],
  });
});

test("other failures of the API are thrown", async () => {
  const client = { list: () => Promise.reject(new Error("gone")) } as unknown as ApiClient;
  await assert.rejects(findEntry(client, { environment }), /gone/);
});

test("the port mapping of our own cluster comes first, if it is this very cluster", async (t) => {
  const [mapped, other] = [await openPort(t), await openPort(t)];
  const portMappings = [{ containerPort: 80, hostPort: mapped }];
  writeCluster("clusters/a", { context: "gatehouse-a", portMappings }, { nodeIP: "127.77.0.1" });
  const gateways = [gateway("127.0.0.1", other)];
  const find = async (nodes: object[], context: string): Promise<number> => {
    const found = await findEntry(clientOf({ gateways, nodes }), { context, environment });
    return (found as { port: number }).port;
  };
  assert.equal(await find([node], "gatehouse-a"), mapped);
  assert.equal(await find([node], "gatehouse-b"), other, "another context");
  const foreign = { ...node, status: { addresses: [{ type: "InternalIP", address: "10.0.0.1" }] } };
  assert.equal(await find([foreign], "gatehouse-a"), other, "a context of that name that leads to another cluster");
  writeCluster("kind/demo", { name: "demo", context: "kind-demo", portMappings });
  assert.equal(await find([foreign], "kind-demo"), mapped, "a kind cluster of ours");
});

test("a listener that the mapping does not lead to is reached elsewhere", async (t) => {
  const [mapped, other] = [await openPort(t), await openPort(t)];
  writeCluster("clusters/a", { context: "gatehouse-a", portMappings: [{ containerPort: 80, hostPort: mapped }] });
  const labels = { "app.kubernetes.io/name": "traefik" };
  const services = [
    { metadata: { name: "t", namespace: "infra", labels }, spec: { selector: { app: "t" }, ports: [] } },
  ];
  const ports = [{ containerPort: 8000, hostPort: 80 }];
  const pods = [{ metadata: { name: "p", namespace: "infra" }, spec: { containers: [{ name: "c", ports }] } }];
  const client = clientOf({ gateways: [gateway("127.0.0.1", other)], services, pods, nodes: [] });
  const find = async (listenerPort: number): Promise<number> => {
    const found = await findEntry(client, { context: "gatehouse-a", listenerPort, environment });
    return (found as { port: number }).port;
  };
  assert.equal(await find(8000), mapped);
  assert.equal(await find(other), other);
});
