// The options that choose a cluster and its provider, and the terminal's list of steps: shared by the commands on clusters.

import { Option } from "commander";
import { readFile } from "node:fs/promises";
import { askAtTerminal, type Decide } from "../decide.ts";
import { defaultClusterName } from "../home.ts";
import type { PortWish } from "../host-ports.ts";
import { kindConfigFile } from "../program-files.ts";
import { createProgress, type Progress } from "../progress.ts";
import type { ClusterProvider } from "../providers/provider.ts";
import { UserError } from "../user-error.ts";

/** The options that say which cluster. */
export interface ClusterOptions {
  cluster?: "embedded" | "kind" | "current";
  context?: string;
  name?: string;
}

/** What only `up` says of it. */
export interface InstallOptions extends ClusterOptions {
  httpPort?: number;
  httpsPort?: number;
  gateway?: "builtin" | "traefik";
  traefikBinary?: string;
  chart?: string;
}

export const clusterOption = (): Option =>
  new Option(
    "--cluster <kind>",
    "embedded: in this program (default); kind: in Docker, made by kind; current: the one kubectl talks to",
  ).choices(["embedded", "kind", "current"]);

export const contextOption = (): Option =>
  new Option("--context <name>", "the cluster of this kubeconfig context").conflicts(["cluster", "name"]);

export const nameOption = (): Option =>
  new Option(
    "--name <name>",
    `which embedded or kind cluster, when there are several (default: "${defaultClusterName}")`,
  );

export const portOption = (flag: string, what: string): Option =>
  new Option(`${flag} <port>`, `${what}; 0 = any free one`).argParser((text) => {
    const port = Number(text);
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw new UserError(`${flag} ${text}: a port is a number from 0 to 65535`, 2);
    }
    return port;
  });

/** The provider of the chosen cluster. Ports and gateway only matter to a cluster that does not exist yet. */
export async function clusterProvider(
  options: InstallOptions,
  decide: Decide = askAtTerminal,
): Promise<ClusterProvider> {
  const { cluster, context, name = defaultClusterName, gateway, traefikBinary } = options;
  if (cluster === "current" || context !== undefined) {
    refuse(options, ["name", "httpPort", "httpsPort"], "a cluster that is not made here");
    refuseBuiltin(options);
    const { ContextProvider, currentContext } = await import("../providers/context/context-provider.ts");
    return new ContextProvider({ context: context ?? (await currentContext()), decide, ...(await chartOf(options)) });
  }
  if (cluster === "kind") {
    refuseBuiltin(options);
    const { KindProvider } = await import("../providers/kind/kind-provider.ts");
    return new KindProvider({ name, portWishes: await portWishes(options), ...(await chartOf(options)) });
  }
  refuse(options, ["chart"], "an embedded cluster, which renders the chart itself");
  if (traefikBinary !== undefined && gateway !== "traefik") {
    throw new UserError("--traefik-binary goes with --gateway traefik", 2);
  }
  const { EmbeddedProvider } = await import("../providers/embedded/embedded-provider.ts");
  const traefik = async () => {
    const { findTraefik } = await import("../providers/embedded/traefik-binary-check.ts");
    return findTraefik(traefikBinary);
  };
  return new EmbeddedProvider({
    name,
    portWishes: await portWishes(options),
    ...(gateway === "traefik" ? { traefik } : {}),
  });
}

async function chartOf({ chart }: InstallOptions): Promise<{ chart?: string }> {
  if (chart === undefined) return {};
  const { checkChart } = await import("../providers/helm/traefik-release.ts");
  return { chart: checkChart(chart) };
}

const flagOf = {
  name: "--name",
  httpPort: "--http-port",
  httpsPort: "--https-port",
  chart: "--chart",
} as const;

function refuse(options: InstallOptions, names: (keyof typeof flagOf)[], what: string): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given) throw new UserError(`${flagOf[given]} makes no sense for ${what}: leave it out`, 2);
}

function refuseBuiltin({ gateway, traefikBinary }: InstallOptions): void {
  if (gateway === "builtin") {
    throw new UserError(
      "--gateway builtin runs in embedded clusters only: on a real cluster the gateway is Traefik",
      2,
    );
  }
  if (traefikBinary !== undefined) {
    throw new UserError("--traefik-binary is for embedded clusters: a real cluster runs Traefik's image (--chart)", 2);
  }
}

/** The node's ports as kind/cluster.yaml maps them, with the user's choices on top. */
export async function portWishes(options: InstallOptions): Promise<PortWish[]> {
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

export function terminalProgress(options: { quiet?: boolean; verbose?: boolean }): Progress {
  const terminal = process.stdout.isTTY && !process.env.NO_COLOR;
  return createProgress({
    write: (text) => process.stdout.write(text),
    terminal,
    quiet: options.quiet === true,
    verbose: options.verbose === true,
  });
}
