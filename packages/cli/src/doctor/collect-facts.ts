// Gathers what doctor judges: everything at once, each question with a limit of its own, so that it is quick and ends.

import { statfs } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { totalmem } from "node:os";
import { dirname } from "node:path";
import { gatehouseHome } from "../home.ts";
import type { PortWish } from "../host-ports.ts";
import { demoHostnames } from "../steps/demo-pages.ts";
import { type EngineProbe, probeEngine } from "./container-engine.ts";
import type { DiskFact, EngineFact, Facts, NamesFact } from "./facts.ts";
import { portFacts } from "./port-facts.ts";
import { type ProbeOptions, probeProgram } from "./probe-program.ts";
import { proxyFact } from "./proxy-fact.ts";
import { publishedPorts } from "./published-ports.ts";
import { toolVersion } from "./tool-versions.ts";

export interface CollectOptions {
  portWishes: PortWish[];
  /** Milliseconds each tool may take to answer one question. */
  limitMs: number;
  environment: NodeJS.ProcessEnv;
}

/** Looks at this machine and changes nothing. Never rejects; what cannot be found out is left out, or says so. */
export async function collectFacts(options: CollectOptions): Promise<Facts> {
  const { environment, limitMs, portWishes } = options;
  const ask: ProbeOptions = { environment, limitMs };
  const engineProbe = probeEngine(ask);
  const [kind, kubectl, helm, engine, ports, names, loopbackRefusal, disk] = await Promise.all([
    toolVersion("kind", ask),
    toolVersion("kubectl", ask),
    toolVersion("helm", ask),
    engineProbe.then(withDisk),
    engineProbe.then(async ({ fact }) => portFacts(portWishes, fact.name, await containersOf(fact, ask), environment)),
    resolveNames(demoHostnames, ask),
    loopbackCode(),
    diskOf(gatehouseHome(environment)),
  ]);
  const inotify = inotifyLimits();
  return {
    platform: process.platform,
    architecture: process.arch,
    nodeVersion: process.versions.node,
    tools: { kind, kubectl, helm },
    engine,
    ports,
    names,
    memory: memory(),
    proxy: proxyFact(environment),
    ...(loopbackRefusal === undefined ? {} : { loopbackRefusal }),
    ...(disk === undefined ? {} : { disk }),
    ...(inotify === undefined ? {} : { inotify }),
  };
}

async function containersOf(engine: EngineFact, ask: ProbeOptions): ReturnType<typeof publishedPorts> {
  return engine.answer.state === "ready" ? publishedPorts(engine.name, ask) : [];
}

/** The engine's own directory is this machine's only where it is no virtual machine's and no other machine's. */
async function withDisk({ fact, rootDirectory }: EngineProbe): Promise<EngineFact> {
  if (fact.answer.state !== "ready" || rootDirectory === undefined || process.platform !== "linux") return fact;
  const { info } = fact.answer;
  const local = (fact.endpoint ?? "unix:").startsWith("unix:") && info.operatingSystem !== "Docker Desktop";
  const disk = local ? await diskOf(rootDirectory) : undefined;
  return disk ? { ...fact, answer: { state: "ready", info: { ...info, disk } } } : fact;
}

/** Of the nearest directory that exists. */
async function diskOf(path: string): Promise<DiskFact | undefined> {
  try {
    const { bavail, bsize } = await statfs(path);
    return { path, freeBytes: bavail * bsize };
  } catch (error) {
    const parent = dirname(path);
    return (error as NodeJS.ErrnoException).code === "ENOENT" && parent !== path ? diskOf(parent) : undefined;
  }
}

/** The limits of the process's cgroup count too. macOS says only what nobody has touched, which is always little. */
function memory(): Facts["memory"] {
  const totalBytes = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  return process.platform === "darwin" ? { totalBytes } : { totalBytes, availableBytes: process.availableMemory() };
}

function inotifyLimits(): Facts["inotify"] {
  if (process.platform !== "linux") return undefined;
  const read = (name: string): number => Number(readFileSync(`/proc/sys/fs/inotify/${name}`, "utf8"));
  try {
    return { watches: read("max_user_watches"), instances: read("max_user_instances") };
  } catch {
    return undefined;
  }
}

/** The last of the addresses that clusters use, so that no cluster is in the way. */
function loopbackCode(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host: "127.239.255.254", port: 0 }, () => server.close(() => resolve(undefined)));
  });
}

/** Asks the system's resolver, as most programs do, in a process of its own: getaddrinfo cannot be called off. */
async function resolveNames(hostnames: string[], ask: ProbeOptions): Promise<NamesFact> {
  const script = `
    const { lookup } = require("node:dns/promises");
    const one = (name) => lookup(name, { all: true }).then((found) => found.map((each) => each.address), (error) => error.code);
    const names = process.argv.slice(1);
    Promise.all(names.map(one)).then((answers) => console.log(JSON.stringify(answers)));`;
  const answer = await probeProgram(process.execPath, ["-e", script, "--", ...hostnames], ask);
  if (answer.outcome !== "ended" || answer.code !== 0) return undefined;
  const answers = JSON.parse(answer.stdout) as (string[] | string)[];
  return Object.fromEntries(hostnames.map((name, index) => [name, answers[index] ?? []]));
}
