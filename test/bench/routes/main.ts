// `npm run bench -- routes`: scale and speed of the control plane, seen by a client of the Kubernetes API and of the gateway. By
// default of embedded clusters of its own; with `--context` of any cluster, in namespaces that it deletes at the end.

import { createApiClient } from "@gatehouse/apimachinery/api-client";
import { loadConnection } from "@gatehouse/apimachinery/kubeconfig";
import { pods } from "@gatehouse/apimachinery/types/core-v1";
import { gatewayClasses } from "@gatehouse/gateway-api/gateway-class";
import { join } from "node:path";
import { run as runScript } from "../../../scripts/run-tool.ts";
import { pidOfPod, root, startTestCluster, type TestCluster } from "../../system/test-cluster.ts";
import { describeMachine, load } from "../proxy/machine.ts";
import { attached } from "./attached.ts";
import { flips } from "./flips.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { probe } from "./probe.ts";
import { asData, type Report, renderScenario, type Scenario } from "./report.ts";
import { scale } from "./scale.ts";
import type { ScenarioDefinition } from "./scenario.ts";
import { Site } from "./site.ts";

const scenarios: readonly ScenarioDefinition[] = [attached, probe, scale, flips];

export async function main(args: string[]): Promise<void> {
  const options = parseOptions(args);
  if (options === undefined || typeof options === "string") {
    if (options === undefined) process.stdout.write(usage);
    else process.stderr.write(`error: ${options}\n${usage}`);
    process.exitCode = options === undefined ? 0 : 2;
    return;
  }
  const interrupted = interruption();
  try {
    await bench(options, interrupted);
  } catch (error) {
    if (!interrupted.aborted) process.stderr.write(`error: ${(error as Error).message}\n`);
    process.exitCode = interrupted.aborted ? 130 : 1;
  }
}

/** Aborted by the first ^C, so that everything unwinds and cleans up; the second ends the process as ever. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => {
      process.stderr.write("interrupted: cleaning up\n");
      controller.abort(new Error("interrupted"));
    });
  return controller.signal;
}

interface Reached {
  context: string;
  environment: NodeJS.ProcessEnv;
  pid?: number;
  remove(): Promise<void>;
}

/** The cluster to measure: that of the context, or one of its own for each scenario, as memory remembers what was before. */
async function reach({ context, pid }: Options): Promise<Reached> {
  if (context !== undefined) {
    return { context, environment: process.env, ...(pid === undefined ? {} : { pid }), remove: async () => {} };
  }
  const cluster = await startTestCluster();
  const { environment } = cluster;
  const remove = (): Promise<void> => cluster.remove();
  try {
    const gateway = await gatewayPid(cluster);
    return { context: cluster.context, environment, pid: gateway, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function gatewayPid({ context, environment }: TestCluster): Promise<number> {
  const api = await createApiClient(await loadConnection(context, environment));
  try {
    const [pod] = (await api.list(pods, { namespace: "traefik" })).items;
    // By the whole name: this machine may have other clusters.
    return await pidOfPod(`traefik/${pod?.metadata.name}`);
  } finally {
    api.close();
  }
}

async function bench(options: Options, signal: AbortSignal): Promise<void> {
  const { context } = options;
  if (context === undefined) await runScript(process.execPath, [join(root, "scripts/build.ts")]);
  const report: Report = {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    cluster: context === undefined ? "an embedded cluster for each scenario" : `context ${context}`,
    scenarios: [],
  };
  const print = (text: string): void => void (options.json || process.stdout.write(`${text}\n`));
  for (const definition of scenarios.filter(({ name }) => options.scenarios.includes(name))) {
    const scenario = await inCluster(options, signal, (site, pid) => runScenario(definition, site, options, pid));
    if (report.scenarios.push(scenario) === 1) print(`${report.machine}; ${report.cluster}\n`);
    print(renderScenario(scenario));
  }
  if (options.json) process.stdout.write(`${JSON.stringify(asData(report), null, 2)}\n`);
  if (report.scenarios.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

async function inCluster<T>(
  options: Options,
  signal: AbortSignal,
  work: (site: Site, pid: number | undefined) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const cluster = await reach(options);
  try {
    const { entry, gatewayClass, port } = options;
    const connection = await loadConnection(cluster.context, cluster.environment);
    const site = await Site.open({ connection, gatewayClass, port, signal, ...(entry ? { entry } : {}) });
    await checkClass(site, gatewayClass);
    const result = await work(site, cluster.pid);
    site.api.close();
    return result;
  } finally {
    await cluster.remove();
  }
}

async function checkClass({ api }: Site, wanted: string): Promise<void> {
  const names = (await api.list(gatewayClasses)).items.map(({ metadata }) => metadata.name);
  if (names.includes(wanted)) return;
  const offer = names.length > 0 ? `name one of ${names.join(", ")} by --class` : "install a gateway first";
  throw new Error(`there is no GatewayClass "${wanted}": ${offer}`);
}

async function runScenario(
  { name, title, run }: ScenarioDefinition,
  site: Site,
  { routes, seconds }: Options,
  pid: number | undefined,
): Promise<Report["scenarios"][number]> {
  const scenario: Scenario & { load: number } = { name, title, figures: [], notes: [], load: load() };
  try {
    await run({
      site,
      routes,
      seconds,
      pid,
      tell: (figure) => void scenario.figures.push(figure),
      note: (text) => void scenario.notes.push(text),
    });
  } catch (error) {
    if (site.signal.aborted) throw error;
    // The other scenarios are worth their minutes.
    scenario.failure = (error as Error).message;
  } finally {
    await site.clear();
  }
  return scenario;
}
