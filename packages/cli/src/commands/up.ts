// `gatehouse up`: the whole demo with one command, as a list of visible steps, on any provider.

import { type Command, Option } from "commander";
import { changeClusterState, readClusterState } from "../cluster-state.ts";
import { clusterSummary, typedUrls } from "../cluster-summary.ts";
import { askAtTerminal, type Decide } from "../decide.ts";
import type { Progress } from "../progress.ts";
import type { ClusterProvider } from "../providers/provider.ts";
import { shellWord } from "../shell-word.ts";
import { UserError } from "../user-error.ts";
import { changeCluster } from "./change-cluster.ts";
import {
  clusterOption,
  clusterProvider,
  contextOption,
  type InstallOptions,
  nameOption,
  portOption,
  terminalProgress,
} from "./cluster-options.ts";

interface UpOptions extends InstallOptions {
  gatewayApi?: string;
  channel?: string;
  gatewayApiCrds?: string;
  crds?: "keep" | "replace";
  bare?: boolean;
  hosts?: "yes" | "no";
  quiet?: boolean;
  verbose?: boolean;
  output?: "json";
}

const examples = `
Examples:
  gatehouse up
  gatehouse up --http-port 8080 --hosts no
  gatehouse up --name second --http-port 0 --https-port 0   another cluster beside the first
  gatehouse up --quiet -o json                              for scripts
  gatehouse up --bare                                       an empty cluster, for what you install yourself
  gatehouse up --gateway-api v1.6.1 --channel experimental  a newer Gateway API, with all that is being tried out
  gatehouse up --gateway traefik                            the real Traefik, as a process
  gatehouse up --cluster kind                               in Docker, with the real Traefik
  gatehouse up --context my-cluster                         on the cluster of a kubeconfig context`;

export function registerUp(program: Command): void {
  const command = program
    .command("up")
    .description("bring the cluster and the demo up, wait until everything serves, and return")
    .addOption(clusterOption())
    .addOption(contextOption())
    .addOption(nameOption());
  addInstallationOptions(command)
    .addOption(
      new Option(
        "--hosts <choice>",
        "write the demo's hostnames to the hosts file (default: ask at a terminal)",
      ).choices(["yes", "no"]),
    )
    .option("-q, --quiet", "print nothing but errors")
    .option("-v, --verbose", "show the output of the tools that are run")
    .addOption(new Option("-o, --output <format>", "print the result as data").choices(["json"]))
    .addHelpText("after", examples)
    .action(up);
}

function addInstallationOptions(command: Command): Command {
  const http = "port of this machine for the node's port 80 (default: 80, or the next free of 8080...)";
  const https = "port of this machine for the node's port 443 (default: 443, or the next free of 8443...)";
  const crds = new Option(
    "--crds <choice>",
    "what to do with a newer bundle of definitions (default: ask at a terminal)",
  );
  const gateway = new Option(
    "--gateway <implementation>",
    "builtin (embedded clusters' default) or traefik: the real one (all other clusters)",
  );
  return command
    .addOption(portOption("--http-port", http))
    .addOption(portOption("--https-port", https))
    .addOption(gateway.choices(["builtin", "traefik"]))
    .option("--traefik-binary <path>", "the Traefik program for --gateway traefik (default: traefik in PATH)")
    .option("--chart <chart>", "Traefik chart for Helm: a folder, an archive, or a version (default: the pinned one)")
    .option("--gateway-api <version>", "release of the Gateway API: v1.4.0 (default) or v1.6.1")
    .option("--channel <channel>", "its channel: standard (default) or experimental")
    .option(
      "--gateway-api-crds <source>",
      "where its definitions come from: official (real clusters' default), bundled (embedded clusters'), a file, folder or URL",
    )
    .addOption(crds.choices(["keep", "replace"]))
    .option("--bare", "an empty cluster: no definitions, no gateway, no demo");
}

async function up(options: UpOptions): Promise<void> {
  if (options.bare && choosesDefinitions(options)) {
    throw new UserError(
      "--bare installs no Gateway API definitions: leave out --gateway-api, --channel and --gateway-api-crds",
      2,
    );
  }
  if (options.bare && (options.context !== undefined || options.cluster === "current")) {
    throw new UserError("--bare makes a new cluster: leave out --context", 2);
  }
  const progress = terminalProgress({ ...options, quiet: options.quiet === true || options.output === "json" });
  const decide: Decide = options.crds ? () => Promise.resolve(options.crds === "replace") : askAtTerminal;
  const provider = await clusterProvider(options, decide);
  if (choosesDefinitions(options)) {
    const { parseDefinitionsSource } = await import("../steps/definition-bundle.ts");
    parseDefinitionsSource(options.gatewayApiCrds ?? "bundled", options);
  }
  await changeCluster(provider, progress, async () => {
    const phase = await provider.phase();
    const complete = phase === "running" && readClusterState(provider.directory)?.complete === true;
    if (complete && !asksForInstallation(provider, options)) await alreadyUp(provider, options);
    else await bringUp(provider, phase === "absent", options, decide, progress);
  });
}

function choosesDefinitions({ gatewayApi, channel, gatewayApiCrds }: UpOptions): boolean {
  return gatewayApi !== undefined || channel !== undefined || gatewayApiCrds !== undefined;
}

/** Another chart or other definitions are wanted: the steps are gone through again. */
function asksForInstallation({ kind }: ClusterProvider, options: UpOptions): boolean {
  return kind !== "embedded" && (options.chart !== undefined || choosesDefinitions(options));
}

async function bringUp(
  provider: ClusterProvider,
  fresh: boolean,
  options: UpOptions,
  decide: Decide,
  progress: Progress,
): Promise<void> {
  const interruption = fresh && provider.removedOnInterrupt ? removeOnInterrupt(provider, progress) : undefined;
  try {
    await provider.create(progress);
    const complete = readClusterState(provider.directory)?.complete === true;
    if (!fresh) keptAsItIs(provider, options).forEach((kept) => progress.note(kept));
    if (complete && !asksForInstallation(provider, options)) await waitAgain(provider, progress);
    else if (options.bare) changeClusterState(provider.directory, { complete: true, bare: true });
    else {
      await runDemoSteps(provider, options, decide, progress);
      await offerHosts(provider, options, progress);
    }
    await print(provider, options, `Up in ${duration(progress.elapsedMs())}.`);
  } catch (error) {
    // What fails because the cluster is being taken away is no news.
    await interruption?.ended;
    throw error;
  }
  interruption?.switchOff();
}

async function runDemoSteps(
  provider: ClusterProvider,
  options: UpOptions,
  decide: Decide,
  progress: Progress,
): Promise<void> {
  const [{ installDemo }, { parseDefinitionsSource }, client] = await Promise.all([
    import("../steps/demo.ts"),
    import("../steps/definition-bundle.ts"),
    provider.connect(),
  ]);
  const source = parseDefinitionsSource(options.gatewayApiCrds ?? provider.definitionsSource, options);
  try {
    await installDemo(provider, client, progress, { source, decide });
  } finally {
    client.close();
  }
}

/** A cluster that was stopped, or crashed, after its first `up`: what is in it is the user's, and only has to come back. */
async function waitAgain(provider: ClusterProvider, progress: Progress): Promise<void> {
  const { waitUntilReady } = await import("../steps/wait-until-ready.ts");
  await waitUntilReady(provider, progress);
}

async function offerHosts(provider: ClusterProvider, options: UpOptions, progress: Progress): Promise<void> {
  if (options.hosts === "no" || !provider.offersHosts) return;
  const { demoHostnames } = await import("../steps/demo-pages.ts");
  const { editHostsFile, hasHostnames, systemHostsFile, withHostsBlock } = await import("../hosts-file.ts");
  const { readFileSync } = await import("node:fs");
  if (hasHostnames(readFileSync(systemHostsFile, "utf8"), demoHostnames)) return;
  if (options.hosts !== "yes" && !(await askForHosts(demoHostnames, systemHostsFile, options))) return;
  await progress.step(`Write the hostnames to ${systemHostsFile}`, async () => {
    editHostsFile(systemHostsFile, (text) => withHostsBlock(text, provider.context, demoHostnames));
    changeClusterState(provider.directory, { hostsFile: systemHostsFile });
  });
}

/** Only a person at a terminal is asked, and only one who could have the file changed. */
async function askForHosts(hostnames: string[], path: string, options: UpOptions): Promise<boolean> {
  if (!process.stdout.isTTY || options.quiet || options.output) return false;
  const { accessSync, constants } = await import("node:fs");
  try {
    accessSync(path, constants.W_OK);
  } catch {
    return false;
  }
  return askAtTerminal(`Add ${hostnames.join(" ")} to ${path}? Browsers and curl do not need it.`);
}

interface Interruption {
  /** Undefined as long as nobody interrupts; then a promise that the end of this process comes before. */
  readonly ended: Promise<never> | undefined;
  switchOff(): void;
}

/** Ctrl-C while a new cluster comes up takes away what there is of it. */
function removeOnInterrupt(provider: ClusterProvider, progress: Progress): Interruption {
  let ended: Promise<never> | undefined;
  const interrupted = (): void => {
    if (ended) return;
    ended = new Promise(() => {});
    progress.silence();
    process.stderr.write("\ninterrupted: removing what was started\n");
    void import("../remove-cluster.ts")
      .then(({ removeCluster }) => removeCluster(provider, progress))
      .catch((error: unknown) => process.stderr.write(`error: ${(error as Error).message}\n`))
      .finally(() => process.exit(130));
  };
  process.on("SIGINT", interrupted);
  process.on("SIGTERM", interrupted);
  return {
    get ended() {
      return ended;
    },
    switchOff: () => {
      process.off("SIGINT", interrupted);
      process.off("SIGTERM", interrupted);
    },
  };
}

async function alreadyUp(provider: ClusterProvider, options: UpOptions): Promise<void> {
  if (!options.quiet) {
    for (const kept of keptAsItIs(provider, options)) process.stderr.write(`note: ${kept}\n`);
    await noteMissing(provider);
    if (provider.kind === "embedded" && choosesDefinitions(options)) await noteOtherDefinitions(provider, options);
  }
  await print(provider, options, `Already up: nothing to do.`);
}

/** What was asked for that only a new cluster could have, a sentence each. */
function keptAsItIs({ directory, kind, flags }: ClusterProvider, options: UpOptions): string[] {
  const state = readClusterState<{ gateway?: unknown } & NonNullable<ReturnType<typeof readClusterState>>>(directory);
  const has = (port: number): boolean => state?.portMappings.some(({ hostPort }) => hostPort === port) === true;
  const otherPort = [options.httpPort, options.httpsPort].some(
    (port) => port !== undefined && port !== 0 && !has(port),
  );
  const gateway = state?.gateway ? "traefik" : "builtin";
  const otherGateway = kind === "embedded" && options.gateway !== undefined && options.gateway !== gateway;
  const first = `gatehouse down${flags} first`;
  const notes = [...(otherPort ? ["port mapping"] : []), ...(otherGateway ? ["gateway"] : [])].map(
    (what) => `the ${what} of a cluster that is there stays as it is: ${first}`,
  );
  if (options.bare && state?.complete && !state.bare)
    notes.push(`the cluster is there with the demo: ${first} for a bare one`);
  if (!options.bare && state?.bare) notes.push(`the cluster is bare, as it was made: ${first} for one with the demo`);
  return notes;
}

/** What was deleted on purpose is not brought back unasked, but its URLs would give 404 without a word. */
async function noteMissing(provider: ClusterProvider): Promise<void> {
  if (readClusterState(provider.directory)?.bare) return;
  const [{ missingDemoObjects }, client] = await Promise.all([import("../steps/demo-objects.ts"), provider.connect()]);
  try {
    const missing = await missingDemoObjects(client, provider.exposesDashboard);
    if (missing.length === 0) return;
    process.stderr.write(
      `note: deleted since: ${missing.join(", ")}; gatehouse apply --context ${shellWord(provider.context)} -f manifests/ brings them back\n`,
    );
  } finally {
    client.close();
  }
}

/** Other definitions than those that are there take a step of its own: what they lack would be lost. */
async function noteOtherDefinitions(provider: ClusterProvider, options: UpOptions): Promise<void> {
  const [{ otherDefinitions }, { parseDefinitionsSource }, client] = await Promise.all([
    import("../steps/definitions.ts"),
    import("../steps/definition-bundle.ts"),
    provider.connect(),
  ]);
  try {
    const present = await otherDefinitions(
      client,
      parseDefinitionsSource(options.gatewayApiCrds ?? "bundled", options),
    );
    if (present === undefined) return;
    process.stderr.write(
      `note: the Gateway API definitions of a running cluster stay as they are, ${present}: gatehouse down${provider.flags} first, or gatehouse crds | kubectl apply --server-side -f -\n`,
    );
  } finally {
    client.close();
  }
}

async function print(provider: ClusterProvider, options: UpOptions, headline: string): Promise<void> {
  const summary = await clusterSummary(provider);
  if (options.output === "json") process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
  else if (!options.quiet) {
    const urls = typedUrls(provider, summary).map((url) => `  ${url}\n`);
    const look = urls.length > 0 ? "get gatewayclass,gateway,httproute -A" : "get nodes,namespaces";
    process.stdout.write(
      `\n${headline}\n\n${urls.join("")}${urls.length > 0 ? "\n" : ""}  kubectl --context ${shellWord(summary.context)} ${look}\n`,
    );
  }
}

function duration(milliseconds: number): string {
  return milliseconds < 10_000 ? `${Math.round(milliseconds)} ms` : `${Math.round(milliseconds / 1000)} s`;
}
