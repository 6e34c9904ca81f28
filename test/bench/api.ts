// The API server under load: durable writes of 32 clients, reads of 10,000 objects, watches meanwhile, memory, and the
// start with all of that in its state. A bare cluster, clients over TLS with a certificate, all on this machine's cores.
// `npm run bench -- api --context NAME` asks the server of a kubeconfig context the same, without its memory and its start: that is
// how another API server is compared. It leaves namespaces n0 to n49 and the Gateway API's definitions behind.

import { customResourceDefinitions } from "@gatehouse/gateway-api/custom-resource-definitions";
import { loadConnection } from "@gatehouse/apimachinery/kubeconfig";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { run as runScript } from "../../scripts/run-tool.ts";
import { root, startTestCluster, type TestCluster } from "../system/test-cluster.ts";
import { apiServerTarget, RawClient, type Target } from "./raw-client.ts";

const clientsCount = 32;
const namespacesCount = 50;
const watchersCount = 200;
const objectsCount = 10_000;
const routesCount = 5_000;

type Row = [name: string, figure: string];

/** Prints one table. */
export async function main(args: string[]): Promise<void> {
  const { context } = parseArgs({ args, options: { context: { type: "string" } } }).values;
  if (context !== undefined) return print(await measureServer(await targetOf({ context, environment: process.env })));
  await runScript(process.execPath, [join(root, "scripts/build.ts")]);
  const cluster = await startTestCluster("--bare");
  try {
    print(await measure(cluster));
  } finally {
    await cluster.remove();
  }
}

function print(rows: Row[]): void {
  process.stdout.write(
    `${cpus().length} cores (${cpus()[0]?.model}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}\n\n`,
  );
  for (const [name, figure] of rows) process.stdout.write(`${name.padEnd(70)} ${figure}\n`);
}

/** What any API server can be asked. */
async function measureServer(target: Target): Promise<Row[]> {
  const rows: Row[] = [];
  const clients = await Promise.all(Array.from({ length: clientsCount }, () => RawClient.open(target)));
  const [first] = clients as [RawClient];
  await prepare(first);
  rows.push(...(await writes(clients)), ...(await reads(first)), ...(await watched(target, clients)));
  rows.push(["HTTPRoutes created", await throughput(clients, routesCount, createRoute)]);
  for (const client of clients) client.close();
  return rows;
}

async function writes(clients: RawClient[]): Promise<Row[]> {
  return [
    ["ConfigMaps created", await throughput(clients, objectsCount, create("c"))],
    ["ConfigMaps changed (merge patch)", await throughput(clients, objectsCount, change)],
    ["ConfigMaps replaced (PUT)", await throughput(clients, objectsCount, replace)],
  ];
}

async function measure(cluster: TestCluster): Promise<Row[]> {
  const target = await targetOf(cluster);
  const rows: Row[] = [["memory of the empty cluster (PSS)", await memory(cluster)]];
  const connected = async (work: (clients: RawClient[]) => Promise<void>): Promise<void> => {
    const clients = await Promise.all(Array.from({ length: clientsCount }, () => RawClient.open(target)));
    await work(clients);
    for (const client of clients) client.close();
  };
  await connected(async (clients) => {
    const [first] = clients as [RawClient];
    await prepare(first);
    rows.push(...(await writes(clients)), ...(await reads(first)));
  });
  rows.push([`memory with ${objectsCount} objects, after all of this (PSS)`, await memory(cluster)]);
  rows.push(...(await boots(cluster)));
  await connected(async (clients) => {
    rows.push(...(await watched(target, clients)));
    rows.push(["HTTPRoutes created", await throughput(clients, routesCount, createRoute)]);
  });
  rows.push([`memory with ${2 * objectsCount + routesCount} objects (PSS)`, await memory(cluster)]);
  return rows;
}

async function targetOf({ context, environment }: Pick<TestCluster, "context" | "environment">): Promise<Target> {
  return apiServerTarget(await loadConnection(context, environment));
}

async function expectOk(
  client: RawClient,
  method: string,
  path: string,
  body: unknown,
  type?: string,
): Promise<string> {
  const answer = await client.request(method, path, body === undefined ? "" : JSON.stringify(body), type);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 500)}`);
  return answer.body;
}

async function prepare(client: RawClient): Promise<void> {
  for (let index = 0; index < namespacesCount; index++) {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: `n${index}` } };
    await expectOk(client, "POST", "/api/v1/namespaces", namespace);
  }
  const definitions = customResourceDefinitions({ version: "v1.4.0", channel: "standard" });
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  for (const definition of definitions) await expectOk(client, "POST", path, definition);
}

type Write = (client: RawClient, index: number) => Promise<unknown>;

const namespaceOf = (index: number): string => `n${index % namespacesCount}`;
const configMapsOf = (index: number): string => `/api/v1/namespaces/${namespaceOf(index)}/configmaps`;
const payload = "x".repeat(200);

const configMap = (prefix: string, index: number, value: string): unknown => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: `${prefix}${index}`, labels: { app: `app-${index % 20}`, tier: "backend" } },
  data: { value, payload },
});

const create =
  (prefix: string): Write =>
  (client, index) =>
    expectOk(client, "POST", configMapsOf(index), configMap(prefix, index, String(performance.now())));

const change: Write = (client, index) =>
  expectOk(
    client,
    "PATCH",
    `${configMapsOf(index)}/c${index}`,
    { data: { value: String(performance.now()) } },
    "application/merge-patch+json",
  );

const replace: Write = (client, index) =>
  expectOk(client, "PUT", `${configMapsOf(index)}/c${index}`, configMap("c", index, `replaced ${index}`));

const createRoute: Write = (client, index) =>
  expectOk(client, "POST", `/apis/gateway.networking.k8s.io/v1/namespaces/${namespaceOf(index)}/httproutes`, {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: `route-${index}` },
    spec: {
      parentRefs: [{ name: "gateway", namespace: "n0", sectionName: "web" }],
      hostnames: [`host-${index}.localhost`],
      rules: [
        {
          matches: [{ path: { type: "PathPrefix", value: "/v1" } }, { headers: [{ name: "x-version", value: "1" }] }],
          backendRefs: [{ name: "whoami", port: 80 }],
        },
      ],
    },
  });

/** All clients work through `count` writes together, each sending its next when the last was answered. */
async function throughput(clients: RawClient[], count: number, write: Write): Promise<string> {
  let next = 0;
  const latencies: number[] = [];
  const started = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      for (let index = next++; index < count; index = next++) {
        const sent = performance.now();
        await write(client, index);
        latencies.push(performance.now() - sent);
      }
    }),
  );
  const perSecond = Math.round((count / (performance.now() - started)) * 1000);
  return `${String(perSecond).padStart(6)}/s   answered after ${spread(latencies)}`;
}

async function reads(client: RawClient): Promise<Row[]> {
  const time = async (path: string, rounds: number): Promise<string> => {
    const latencies: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const sent = performance.now();
      await expectOk(client, "GET", path, undefined);
      latencies.push(performance.now() - sent);
    }
    return spread(latencies);
  };
  return [
    [`list of all ${objectsCount} ConfigMaps`, await time("/api/v1/configmaps", 9)],
    ["list of the first 500", await time("/api/v1/configmaps?limit=500", 50)],
    [`list of one namespace (${objectsCount / namespacesCount})`, await time("/api/v1/namespaces/n1/configmaps", 50)],
    ["get of one", await time("/api/v1/namespaces/n1/configmaps/c1", 500)],
  ];
}

/** 200 watches, four of each namespace, while 32 clients create. Events and answers leave together: an event may come first. */
async function watched(target: Target, clients: RawClient[]): Promise<Row[]> {
  const sent = new Map<string, number>();
  const answered = new Map<string, number>();
  const arrived: { name: string; at: number }[] = [];
  const watchers = await Promise.all(Array.from({ length: watchersCount }, () => RawClient.open(target)));
  const version = /"resourceVersion":"(\d+)"/.exec(
    await expectOk(clients[0] as RawClient, "GET", "/api/v1/configmaps?limit=1", undefined),
  )?.[1];
  watchers.forEach((watcher, index) => {
    let rest = "";
    watcher.watch(`${configMapsOf(index)}?watch=true&resourceVersion=${version}`, (chunk) => {
      const at = performance.now();
      const lines = (rest + chunk.toString("latin1")).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const name = /"name":"(w\d+)"/.exec(line)?.[1];
        if (name) arrived.push({ name, at });
      }
    });
  });
  const write = async (client: RawClient, index: number): Promise<void> => {
    sent.set(`w${index}`, performance.now());
    await create("w")(client, index);
    answered.set(`w${index}`, performance.now());
  };
  const created = await throughput(clients, objectsCount, write);
  const deliveries = (objectsCount * watchersCount) / namespacesCount;
  while (arrived.length < deliveries) await new Promise((resolve) => setImmediate(resolve));
  for (const watcher of watchers) watcher.close();
  const after = (moments: Map<string, number>): number[] =>
    arrived.map(({ name, at }) => at - (moments.get(name) ?? at));
  return [
    [`ConfigMaps created, each watched by ${watchersCount / namespacesCount} of ${watchersCount} watchers`, created],
    [`- event at the watcher after the answer to the create (${deliveries} events)`, spread(after(answered))],
    ["- event at the watcher after the create was sent", spread(after(sent))],
  ];
}

async function memory(cluster: TestCluster): Promise<string> {
  const { stdout } = await cluster.gatehouse("status", "-o", "json");
  const { memory: used } = JSON.parse(stdout) as { memory: { mebibytes: number; processes: number } };
  return `${used.mebibytes} MiB`;
}

async function boots(cluster: TestCluster): Promise<Row[]> {
  const starts: number[] = [];
  const serving: number[] = [];
  for (let round = 0; round < 5; round++) {
    await cluster.gatehouse("stop");
    const started = performance.now();
    const { code, stdout, stderr } = await cluster.gatehouse("start");
    if (code !== 0) throw new Error(`gatehouse start failed: ${stderr}`);
    starts.push(performance.now() - started);
    serving.push(Number(/Start the cluster again.*\((\d+) ms\)/.exec(stdout)?.[1] ?? Number.NaN));
  }
  return [
    [`gatehouse start with ${objectsCount} objects`, spread(starts)],
    ["- of which until the API server answers", spread(serving)],
    ["- memory after it (PSS)", await memory(cluster)],
  ];
}

function spread(values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.round((sorted.length - 1) * share)] ?? 0).toFixed(1);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}
