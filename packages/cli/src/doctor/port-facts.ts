// Whether the host ports of a new cluster can be had, and who holds them: a process, a container, or a cluster of ours.

import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { readClusterRuntime, readClusterState } from "../cluster-state.ts";
import { clustersDirectory } from "../home.ts";
import { portHolder, type PortWish, whyRefused } from "../host-ports.ts";
import { isClusterProcess } from "../providers/embedded/processes.ts";
import type { EngineName, PortFact, PortHolder } from "./facts.ts";
import type { PublishedPorts } from "./published-ports.ts";

const connectLimitMs = 500;

/** One fact per wish, in their order. Never rejects. */
export function portFacts(
  wishes: PortWish[],
  engine: EngineName,
  containers: PublishedPorts[],
  environment: NodeJS.ProcessEnv,
): Promise<PortFact[]> {
  return Promise.all(
    wishes.map(async (wish) => {
      const port = wish.chosen ?? wish.preferred;
      const code = port === 0 ? undefined : await refusalCode(port);
      if (code !== "EADDRINUSE") return { wish, port, ...(code === undefined ? {} : { refusal: code }) };
      const holder =
        embeddedHolder(port, environment) ?? containerHolder(port, engine, containers) ?? (await processHolder(port));
      return { wish, port, refusal: code, ...(holder ? { holder } : {}) };
    }),
  );
}

/** A privileged port is refused before anybody looks whether it is free; who answers there holds it. */
async function refusalCode(port: number): Promise<string | undefined> {
  const code = (await whyRefused(port))?.code;
  return code === "EACCES" && (await answers(port)) ? "EADDRINUSE" : code;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: connectLimitMs });
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}

function embeddedHolder(port: number, environment: NodeJS.ProcessEnv): PortHolder | undefined {
  const directory = clustersDirectory(environment);
  const holds = (name: string): boolean => {
    try {
      const cluster = join(directory, name);
      const mapped = readClusterState(cluster)?.portMappings.some(({ hostPort }) => hostPort === port) === true;
      const pid = mapped ? readClusterRuntime(cluster)?.pid : undefined;
      return pid !== undefined && isClusterProcess(pid, cluster);
    } catch {
      // A damaged state: the commands about that cluster say so.
      return false;
    }
  };
  const name = namesIn(directory).find(holds);
  return name === undefined ? undefined : { what: "cluster", name, provider: "embedded" };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function containerHolder(port: number, engine: EngineName, containers: PublishedPorts[]): PortHolder | undefined {
  const found = containers.find(({ ranges }) => ranges.some(([first, last]) => first <= port && port <= last));
  if (!found) return undefined;
  return found.kindCluster === undefined
    ? { what: "container", name: found.container, engine }
    : { what: "cluster", name: found.kindCluster, provider: "kind" };
}

async function processHolder(port: number): Promise<PortHolder | undefined> {
  const name = await portHolder(port);
  return name === undefined ? undefined : { what: "process", name };
}
