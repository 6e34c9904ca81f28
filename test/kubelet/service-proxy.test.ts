import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { type ApiClient } from "@gatehouse/apimachinery/api-client";
import { createLog } from "@gatehouse/apimachinery/log";
import { type Service, services } from "@gatehouse/apimachinery/types/core-v1";
import { type EndpointSlice, endpointSlices } from "@gatehouse/apimachinery/types/discovery-v1";
import { startTestServer } from "@gatehouse/apiserver/testing";
import { freePort } from "@gatehouse/kubelet/network/bind-probe";
import { serviceLimits } from "@gatehouse/kubelet/service-proxy/limits";
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

/** Endpoints of a Service's only port. */
const lead = (client: ApiClient, name: string, port: number, addresses = [nodeIP]): Promise<EndpointSlice> =>
  client.create(endpointSlices, {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: `${name}-1`, namespace: "default", labels: { "kubernetes.io/service-name": name } },
    addressType: addresses[0]?.includes(":") ? "IPv6" : "IPv4",
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ port, protocol: "TCP" }],
  });

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
    await lead(client, "web", backend);
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

test("a Service whose endpoint is its own port, as a pod on the host's network that does not listen, is not dialled", async (t) => {
  const port = await freePort(nodeIP);
  const bench = await start(t, async (client) => {
    await create(client, "web", { type: "LoadBalancer", ports: [{ port }] });
    await lead(client, "web", port);
  });
  for (let index = 0; index < 3; index++) assert.equal(await received(port), "ECONNRESET");
  assert.equal(bench.events.length, 1, bench.events.join("\n"));
  assert.match(
    bench.events[0] ?? "",
    new RegExp(`^web: endpoint ${nodeIP}:${port} is not used: .*default/web has this`),
  );
});

test("Services that lead to each other are not dialled, however the address is spelled; other endpoints are", async (t) => {
  const [one, other] = [await freePort(nodeIP), await freePort(nodeIP)];
  const bench = await start(t, async (client) => {
    await create(client, "one", { type: "LoadBalancer", ports: [{ port: one }] });
    await lead(client, "one", other, ["::ffff:7f00:1"]);
    await create(client, "other", { type: "LoadBalancer", ports: [{ port: other }] });
    await lead(client, "other", one, ["0.0.0.0"]);
  });
  assert.deepEqual([await received(one), await received(other)], ["ECONNRESET", "ECONNRESET"]);
  assert.deepEqual(
    bench.events.map((event) => /^(\w+): .* Service (\S+) has/.exec(event)?.slice(1)),
    [
      ["one", "default/other"],
      ["other", "default/one"],
    ],
  );
});

test("a port that a Service wants and a pod has is dialled all the same", async (t) => {
  const [held, port] = [await listening(t, (server) => server.listen(0, nodeIP)), await freePort(nodeIP)];
  await start(t, async (client) => {
    await create(client, "refused", { type: "LoadBalancer", ports: [{ port: held }] });
    await create(client, "web", { type: "LoadBalancer", ports: [{ port }] });
    await lead(client, "web", held);
  });
  assert.equal(await received(port), "hello");
});

test("more connections than a Service may have are reset, and said once; another Service goes on", async (t) => {
  const [busy, idle] = [await freePort(nodeIP), await freePort(nodeIP)];
  const silent = createServer((socket) => void socket.on("error", () => {}).resume());
  t.after(() => silent.close());
  const quiet = await new Promise<number>((resolve) => {
    silent.listen(0, nodeIP, () => resolve((silent.address() as AddressInfo).port));
  });
  const backend = await listening(t, (server) => server.listen(0, nodeIP));
  const bench = await start(t, async (client) => {
    for (const [name, port] of [
      ["busy", busy],
      ["idle", idle],
    ] as const)
      await create(client, name, { type: "LoadBalancer", ports: [{ port }] });
    await lead(client, "busy", quiet);
    await lead(client, "idle", backend);
  });
  const opened: Socket[] = [];
  t.after(() => opened.forEach((socket) => socket.destroy()));
  for (let index = 0; index < serviceLimits.connectionsPerService; index++) {
    const socket = connect({ host: nodeIP, port: busy }).on("error", () => {});
    opened.push(socket);
    await once(socket, "connect");
  }
  assert.deepEqual([await received(busy), await received(busy)], ["ECONNRESET", "ECONNRESET"]);
  assert.equal(await received(idle), "hello");
  assert.equal(bench.events.length, 1, bench.events.join("\n"));
  assert.match(bench.events[0] ?? "", /^busy: connections are reset: more than 512 at once to a Service/);
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
