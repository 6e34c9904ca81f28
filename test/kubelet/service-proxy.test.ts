import assert from "node:assert/strict";
import { connect, createServer, type Server } from "node:net";
import { test, type TestContext } from "node:test";
import { type ApiClient } from "@gatehouse/apimachinery/api-client";
import { createLog } from "@gatehouse/apimachinery/log";
import { type Service, services } from "@gatehouse/apimachinery/types/core-v1";
import { endpointSlices } from "@gatehouse/apimachinery/types/discovery-v1";
import { startTestServer } from "@gatehouse/apiserver/testing";
import { freePort } from "@gatehouse/kubelet/network/bind-probe";
import { type ServiceProxy, startServiceProxy } from "@gatehouse/kubelet/service-proxy/service-proxy";
import { untilObjects } from "../until.ts";

const nodeIP = "127.0.0.1";

interface Bench {
  client: ApiClient;
  /** Lists and writes the proxy sent, e.g. `list endpointslices`. */
  requests: string[];
  /** Messages of Events. */
  events: string[];
  proxy: ServiceProxy;
  until(name: string, holds: (service: Service) => boolean): Promise<void>;
}

async function start(t: TestContext, prepare: (client: ApiClient) => Promise<unknown>): Promise<Bench> {
  const server = await startTestServer();
  const client = await server.client();
  t.after(() => server.close());
  await prepare(client);
  const requests: string[] = [];
  const events: string[] = [];
  const recording: ApiClient = {
    ...client,
    list: (type, ...rest) => {
      requests.push(`list ${type.plural}`);
      return client.list(type, ...rest);
    },
    updateStatus: (type, object) => {
      requests.push(`status ${object.metadata.name}`);
      return client.updateStatus(type, object);
    },
  };
  const proxy = startServiceProxy({
    client: recording,
    log: createLog("proxy", () => {}),
    events: {
      record: (about, _type, _reason, message) => void events.push(`${about.name}: ${message}`),
      stop: () => {},
    },
    nodeIP,
    portMappings: [],
  });
  t.after(() => proxy.stop());
  await proxy.ready;
  const until = async (name: string, holds: (service: Service) => boolean): Promise<void> => {
    await untilObjects(client, services, { fieldSelector: `metadata.name=${name}` }, ([only]) => !!only && holds(only));
  };
  return { client, requests, events, proxy, until };
}

const create = (client: ApiClient, name: string, spec: Service["spec"]): Promise<Service> =>
  client.create(services, { apiVersion: "v1", kind: "Service", metadata: { name, namespace: "default" }, spec });

const hasAddress = ({ status }: Service): boolean => status?.loadBalancer?.ingress?.[0]?.ip === nodeIP;

test("Services that are reached inside the cluster only cost no request", async (t) => {
  const bench = await start(t, async (client) => {
    for (let index = 0; index < 20; index++) await create(client, `inside-${index}`, { ports: [{ port: 80 }] });
  });
  // Made and answered for after all of them: nothing about them is still to come.
  await create(bench.client, "outside", { type: "LoadBalancer", ports: [{ port: await freePort(nodeIP) }] });
  await bench.until("outside", hasAddress);
  assert.deepEqual(bench.requests, ["list services", "list endpointslices", "status outside"]);
  assert.deepEqual(bench.events, []);
});

test("what is there at the start is open when it is ready; connections reach endpoints of hand-made slices", async (t) => {
  const [port, backend] = [await freePort(nodeIP), await listening(t, (server) => server.listen(0, nodeIP))];
  const bench = await start(t, async (client) => {
    await create(client, "web", { type: "LoadBalancer", ports: [{ port }] });
    await client.create(endpointSlices, {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "web-1", namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
      addressType: "IPv4",
      endpoints: [{ addresses: [nodeIP], conditions: { ready: true } }],
      ports: [{ port: backend, protocol: "TCP" }],
    });
  });
  assert.equal(await received(port), "hello");
  await bench.client.delete(endpointSlices, "web-1", "default");
  await untilObjects(bench.client, endpointSlices, {}, (all) => all.length === 0);
  await bench.proxy.stop();
  assert.equal(await received(port), "ECONNREFUSED");
});

test("an address of an earlier life is taken back when the port is somebody else's now", async (t) => {
  const port = await listening(t, (server) => server.listen(0, nodeIP));
  const bench = await start(t, async (client) => {
    const service = await create(client, "web", { type: "LoadBalancer", ports: [{ port }] });
    await client.updateStatus(services, { ...service, status: { loadBalancer: { ingress: [{ ip: nodeIP }] } } });
  });
  await bench.until("web", ({ status }) => (status?.loadBalancer?.ingress ?? []).length === 0);
  assert.match(bench.events.join("\n"), new RegExp(`^web: ${nodeIP}:${port} cannot be opened: .*choose another port`));
});

/** The port of a server that says hello. */
function listening(t: TestContext, listen: (server: Server) => Server): Promise<number> {
  // The proxy cuts connections off when it stops.
  const server = createServer((socket) => void socket.on("error", () => {}).end("hello"));
  t.after(() => server.close());
  return new Promise((resolve) => {
    listen(server).once("listening", () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
}

/** What the server says, or the code of the failure. */
function received(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ host: nodeIP, port });
    socket.setEncoding("utf8").on("data", (data: string) => (text += data));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once("end", () => resolve(text));
  });
}
