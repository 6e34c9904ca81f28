// What the commands about a whole cluster share: its name, its provider, and how output is shown.

import { Option } from "commander";
import { readFile } from "node:fs/promises";
import { defaultClusterName } from "../home.ts";
import type { PortWish } from "../host-ports.ts";
import { kindConfigFile } from "../program-files.ts";
import { createProgress, type Progress } from "../progress.ts";
import { EmbeddedProvider } from "../providers/embedded/embedded-provider.ts";
import { UserError } from "../user-error.ts";

export interface ClusterOptions {
  name: string;
  httpPort?: number;
  httpsPort?: number;
}

export const nameOption = (): Option =>
  new Option("--name <name>", "which cluster, when there are several").default(defaultClusterName);

export const portOption = (flag: string, what: string): Option =>
  new Option(`${flag} <port>`, `${what}; 0 = any free one`).argParser((text) => {
    const port = Number(text);
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw new UserError(`${flag} ${text}: a port is a number from 0 to 65535`, 2);
    }
    return port;
  });

/** The provider of the named cluster. Ports only matter to a cluster that does not exist yet. */
export async function embeddedProvider(options: ClusterOptions): Promise<EmbeddedProvider> {
  return new EmbeddedProvider({ name: options.name, portWishes: await portWishes(options) });
}

/** The node's ports as kind/cluster.yaml maps them, with the user's choices on top. */
async function portWishes(options: ClusterOptions): Promise<PortWish[]> {
  const { parse } = await import("yaml");
  const config = parse(await readFile(kindConfigFile(), "utf8")) as {
    nodes?: { extraPortMappings?: { containerPort: number; hostPort: number }[] }[];
  };
  const mappings = config.nodes?.[0]?.extraPortMappings ?? [];
  return mappings.map(({ containerPort, hostPort }) => {
    const https = containerPort === 443;
    const chosen = https ? options.httpsPort : options.httpPort;
    return {
      containerPort,
      preferred: hostPort,
      fallback: https ? 8443 : 8080,
      option: https ? "--https-port" : "--http-port",
      ...(chosen === undefined ? {} : { chosen }),
    };
  });
}

export function terminalProgress(quiet: boolean): Progress {
  const terminal = process.stdout.isTTY && !process.env.NO_COLOR;
  return createProgress({ write: (text) => process.stdout.write(text), terminal, quiet });
}

/** What is said while another command holds the cluster. */
export const waitingNote =
  (progress: Progress) =>
  (pid: number): void =>
    progress.note(`another gatehouse command (pid ${pid}) is at work on this cluster: waiting for it`);
