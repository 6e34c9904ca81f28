// The gateway as a program: Traefik's flags in, a proxy steered by the Gateway API out.

import { type ApiClient, createApiClient } from "@gatehouse/apimachinery/api-client";
import { openContainerControl } from "@gatehouse/apimachinery/container-control";
import { createLog, type Log } from "@gatehouse/apimachinery/log";
import { podEnvironment } from "@gatehouse/apimachinery/pod-environment";
import { createProxy } from "@gatehouse/proxy/proxy";
import type { Proxy } from "@gatehouse/proxy/proxy";
import { createWorkerGroup, type ProxyGroup } from "@gatehouse/proxy/workers/worker-group";
import { startController } from "./controller.ts";
import { planEntryPoints } from "./entry-points.ts";
import { findApiServer } from "./find-api-server.ts";
import { parseAddressPool } from "./gateway-addresses.ts";
import { startInternalServers } from "./internal-servers.ts";
import { filterLog } from "./log-level.ts";
import { sharedAddresses } from "./shared-addresses.ts";
import { type AccessLog, startAccessLog } from "./start-access-log.ts";
import { parseStaticConfiguration } from "./parse-static-configuration.ts";
import type { StaticConfiguration } from "./static-configuration.ts";
import { createViewCache } from "./view-cache.ts";
import { wantedWorkers } from "./wanted-workers.ts";
import type { TraefikApiSource } from "./traefik-api.ts";

export interface GatewayOptions {
  /** The built dashboard: index.html, app.js, style.css. */
  dashboardDirectory: string;
  /** Shown by /api/version. */
  version?: string;
  /** The program of a proxy's worker. */
  workerProgram: string;
}

/**
 * Runs until SIGTERM or SIGINT, then drains and exits with 0. Resolves when the first complete configuration is being
 * served. Exits with 1 when the API server cannot be found at all; one that does not answer yet is waited for.
 */
export async function runGateway(argv: readonly string[], options: GatewayOptions): Promise<void> {
  const startDate = new Date();
  const control = openContainerControl();
  const { configuration, warnings } = parseStaticConfiguration(argv);
  const log = filterLog(createLog("gateway"), configuration.logLevel);
  for (const warning of warnings) log.warn(warning);
  const client = await connect(configuration, (message) => log.error(message));

  const plan = planEntryPoints(configuration);
  const views = createViewCache(() => controller);
  const access = startAccessLog(configuration.accessLog, views.routerOf, log);
  const proxy = startProxy(options.workerProgram, log, access);
  const cidr = process.env[podEnvironment.gatewayCIDR];
  const controller = startController({
    client,
    proxy,
    log,
    entryPoints: plan.public,
    reservedPorts: plan.reservedPorts,
    ...(cidr ? { pool: parseAddressPool(cidr) } : {}),
    sharedAddresses: (index) => sharedAddresses(configuration, index),
    namespaces: configuration.kubernetesGateway.namespaces,
    labelSelector: configuration.kubernetesGateway.labelSelector,
  });
  let draining = false;
  const source: TraefikApiSource = {
    configuration,
    version: options.version ?? "dev",
    startDate,
    view: () => views.view(),
    stats: () => proxy.stats(),
    isReady: () => controller.isReady && !draining,
    addressesOf: plan.addressesOf,
    dashboardDirectory: options.dashboardDirectory,
  };
  const internal = await startInternalServers(plan.internal, source, log);

  const stop = async (): Promise<void> => {
    if (draining) return;
    draining = true;
    log.info("stopping: still accepting until routes to this pod are gone");
    const { acceptMs, graceMs } = configuration.shutdown;
    await new Promise((resolve) => setTimeout(resolve, acceptMs));
    await Promise.all([controller.stop(), proxy.close({ graceMs }), internal.close(graceMs)]);
    await access?.close();
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop());
  process.on("SIGINT", () => void stop());

  await controller.ready;
  control.listening();
  log.info(`serving on ${plan.public.map(({ name, port }) => `${name} (port ${port})`).join(", ")}`);
}

/** In this process, or in as many as GOMAXPROCS says: that is how many cores Traefik uses, and Helm values set it for either
 * (`env`). */
function startProxy(program: string, log: Log, access: AccessLog | undefined): Proxy | ProxyGroup {
  const workers = wantedWorkers(process.env.GOMAXPROCS);
  const options = { log: (line: string) => log.warn(line) };
  return workers > 1
    ? createWorkerGroup({ ...options, workers, program, ...(access && { accessLog: access.ofWorkers }) })
    : createProxy({ ...options, ...(access && { onAccess: (record) => access.write(record) }) });
}

async function connect(configuration: StaticConfiguration, fail: (message: string) => void): Promise<ApiClient> {
  try {
    return await createApiClient({ ...(await findApiServer(configuration)), userAgent: "gatehouse-gateway" });
  } catch (error) {
    fail(`no API server to talk to: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
}
