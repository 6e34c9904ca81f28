// Ours, as the gateway runs it: the proxy with its counters, and an access log in Traefik's common format into a file. A
// program of its own, bundled by `ours.ts`; its one argument is a `Serving` as JSON. On SIGUSR2 it prints a `HeapReport` as JSON.

import { startAccessLog } from "@gatehouse/gateway/start-access-log";
import { createProxy } from "@gatehouse/proxy/proxy";
import type { Listener, Route, RoutingTable } from "@gatehouse/proxy/routing-table";
import { createWorkerGroup } from "@gatehouse/proxy/workers/worker-group";
import { createLog } from "@gatehouse/apimachinery/log";
import { readFileSync } from "node:fs";

export interface Serving {
  addresses: string[];
  ports: { http: number; https: number };
  backend: number;
  echo: number;
  accessLog: string;
  /** 0: one virtual host `*`; else that many, named `host-0.bench.test` and on. */
  hosts: number;
  /** How many processes carry traffic; of more than one each runs `workerProgram`. */
  workers: number;
  workerProgram: string;
  /** Files; absent without a TLS listener. */
  tls?: { certificate: string; key: string };
}

export type HeapReport = Pick<NodeJS.MemoryUsage, "heapUsed">;

const serving = JSON.parse(process.argv[2] ?? "") as Serving;

function routesOf(host: string): Route[] {
  const forward = (service: string, path: string, order: number): Route => ({
    id: `httproute/bench/${host}/rule/${order}/match/0`,
    match: { path: { type: "prefix", value: path }, headers: [], query: [] },
    order,
    filters: [],
    action: { type: "forward", backends: [{ service, weight: 1, filters: [] }] },
  });
  return [forward("bench/app:80", "/", 1), forward("bench/echo:80", "/echo", 0)];
}

function tableOf({ addresses, ports, hosts, tls, backend, echo }: Serving): RoutingTable {
  const names = hosts === 0 ? ["*"] : Array.from({ length: hosts }, (_, index) => `host-${index}.bench.test`);
  const virtualHosts = names.map((hostname) => ({ hostname, routes: routesOf(hostname) }));
  const listener = (name: string, port: number): Listener => ({
    name,
    addresses: addresses.map((host) => ({ host, port })),
    servers: [{ hostname: "*", virtualHosts }],
  });
  const listeners = [listener("web", ports.http)];
  if (tls) {
    const [certificate, key] = [tls.certificate, tls.key].map((path) => readFileSync(path, "utf8")) as [string, string];
    const certificates = [{ hostnames: ["*"], certificate, key }];
    listeners.push({ ...listener("websecure", ports.https), tls: { certificates } });
  }
  const service = (id: string, port: number) => ({
    id,
    protocol: "http" as const,
    endpoints: [{ host: "127.0.0.1", port, name: `pod-${port}` }],
  });
  const services = [service("bench/app:80", backend), service("bench/echo:80", echo)];
  return { listeners, services };
}

/** Names are made once and looked up for every line, as the gateway does. */
function createRouterOf(): (listener: string, route: string) => string {
  const known = new Map<string, Map<string, string>>();
  return (listener, route) => {
    const present = known.get(route)?.get(listener);
    if (present !== undefined) return present;
    const name = `httproute-${route.replaceAll("/", "-")}-ep-${listener}@kubernetesgateway`;
    known.set(route, (known.get(route) ?? new Map<string, string>()).set(listener, name));
    return name;
  };
}

const log = createLog("bench");
const access = startAccessLog(
  {
    format: "common",
    filePath: serving.accessLog,
    fields: { defaultMode: "keep", names: new Map() },
    filters: { statusCodes: [], retryAttempts: false },
  },
  createRouterOf(),
  log,
);
if (!access) throw new Error(`no access log at ${serving.accessLog}`);
const { workers, workerProgram: program } = serving;
const proxy =
  workers > 1
    ? createWorkerGroup({ log: (line) => log.warn(line), workers, program, accessLog: access.ofWorkers })
    : createProxy({ log: (line) => log.warn(line), onAccess: (record) => access.write(record) });
const failed = (await proxy.apply(tableOf(serving))).filter(({ error }) => error);
if (failed.length > 0) throw new Error(`cannot listen: ${JSON.stringify(failed)}`);
process.on("SIGUSR2", () => {
  const report: HeapReport = { heapUsed: process.memoryUsage().heapUsed };
  process.stdout.write(`${JSON.stringify(report)}\n`);
});
process.on("SIGTERM", () => {
  void proxy
    .close({ graceMs: 0 })
    .then(() => access.close())
    .then(() => process.exit(0));
});
