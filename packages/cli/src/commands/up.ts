// `gatehouse up`: the whole demo with one command, as a list of visible steps.

import { type Command, Option } from "commander";
import type { ClusterState } from "../cluster-state.ts";
import type { Progress } from "../progress.ts";
import type { EmbeddedProvider } from "../providers/embedded/embedded-provider.ts";
import { lockCluster } from "../cluster-lock.ts";
import { clusterSummary } from "../cluster-summary.ts";
import {
  type ClusterOptions,
  embeddedProvider,
  nameOption,
  portOption,
  terminalProgress,
  waitingNote,
} from "./cluster-options.ts";

interface UpOptions extends ClusterOptions {
  hosts?: "yes" | "no";
  quiet?: boolean;
  output?: "json";
}

export function registerUp(program: Command): void {
  program
    .command("up")
    .description("bring the cluster and the demo up, wait until everything serves, and return")
    .addOption(nameOption())
    .addOption(
      portOption(
        "--http-port",
        "port of this machine for the node's port 80 (default: 80, or the next free of 8080...)",
      ),
    )
    .addOption(
      portOption(
        "--https-port",
        "port of this machine for the node's port 443 (default: 443, or the next free of 8443...)",
      ),
    )
    .addOption(
      new Option(
        "--hosts <choice>",
        "write the demo's hostnames to the hosts file (default: ask at a terminal)",
      ).choices(["yes", "no"]),
    )
    .option("-q, --quiet", "print nothing but errors")
    .addOption(new Option("-o, --output <format>", "print the result as data").choices(["json"]))
    .addHelpText(
      "after",
      `
Examples:
  gatehouse up
  gatehouse up --http-port 8080 --hosts no
  gatehouse up --name second --http-port 0 --https-port 0   another cluster beside the first
  gatehouse up --quiet -o json                              for scripts`,
    )
    .action(up);
}

async function up(options: UpOptions): Promise<void> {
  const provider = await embeddedProvider(options);
  const progress = terminalProgress(options.quiet === true || options.output === "json");
  const unlock = await lockCluster(options.name, waitingNote(progress));
  try {
    if ((await provider.phase()) === "running" && provider.state?.complete) await alreadyUp(provider, options);
    else await bringUp(provider, options, progress);
  } finally {
    unlock();
  }
}

async function bringUp(provider: EmbeddedProvider, options: UpOptions, progress: Progress): Promise<void> {
  const interruption = (await provider.phase()) === "absent" ? removeOnInterrupt(provider, progress) : undefined;
  try {
    await provider.create(progress);
    await addToKubeconfig(provider, progress);
    if (provider.state?.complete) await waitAgain(provider, progress);
    else await runDemoSteps(provider, progress);
    await offerHosts(provider, options, progress);
    await print(provider, options, `Up in ${Math.round(progress.elapsedMs())} ms.`);
  } catch (error) {
    // What fails because the cluster is being taken away is no news.
    await interruption?.ended;
    throw error;
  }
  interruption?.switchOff();
}

async function runDemoSteps(provider: EmbeddedProvider, progress: Progress): Promise<void> {
  const [{ installDemo }, client] = await Promise.all([import("../steps/demo.ts"), provider.connect()]);
  try {
    await installDemo(provider, client, progress);
  } finally {
    client.close();
  }
  provider.remember({ complete: true });
}

/** A cluster that was stopped, or crashed, after its first `up`: what is in it is the user's, and only has to come back. */
async function waitAgain(provider: EmbeddedProvider, progress: Progress): Promise<void> {
  const { waitUntilReady } = await import("../steps/wait-until-ready.ts");
  await waitUntilReady(provider, progress);
}

async function addToKubeconfig(provider: EmbeddedProvider, progress: Progress): Promise<void> {
  const { writeContext } = await import("../steps/write-context.ts");
  await writeContext(provider, progress);
}

async function offerHosts(provider: EmbeddedProvider, options: UpOptions, progress: Progress): Promise<void> {
  if (options.hosts === "no") return;
  const { demoHostnames } = await import("../steps/demo-hostnames.ts");
  const { editHostsFile, hasHostnames, systemHostsFile, withHostsBlock } = await import("../hosts-file.ts");
  const { readFileSync } = await import("node:fs");
  if (hasHostnames(readFileSync(systemHostsFile, "utf8"), demoHostnames)) return;
  if (options.hosts !== "yes" && !(await askForHosts(demoHostnames, systemHostsFile, options))) return;
  await progress.step(`Write the hostnames to ${systemHostsFile}`, async () => {
    editHostsFile(systemHostsFile, (text) => withHostsBlock(text, provider.context, demoHostnames));
    provider.remember({ hostsFile: systemHostsFile });
  });
}

/** Only a person at a terminal is asked, and only one who could have the file changed. */
async function askForHosts(hostnames: string[], path: string, options: UpOptions): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY || options.quiet || options.output) return false;
  const [{ accessSync, constants }, { createInterface }] = await Promise.all([
    import("node:fs"),
    import("node:readline/promises"),
  ]);
  try {
    accessSync(path, constants.W_OK);
  } catch {
    return false;
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question(
    `   Add ${hostnames.join(" ")} to ${path}? Browsers and curl do not need it. [y/N] `,
  );
  prompt.close();
  return /^y(es)?$/i.test(answer.trim());
}

interface Interruption {
  /** Undefined as long as nobody interrupts; then a promise that the end of this process comes before. */
  readonly ended: Promise<never> | undefined;
  switchOff(): void;
}

/** Ctrl-C while a new cluster comes up takes away what there is of it. */
function removeOnInterrupt(provider: EmbeddedProvider, progress: Progress): Interruption {
  let ended: Promise<never> | undefined;
  const interrupted = (): void => {
    if (ended) return;
    ended = new Promise(() => {});
    progress.silence();
    process.stderr.write("\ninterrupted: removing what was started\n");
    void import("../remove-cluster.ts")
      .then(({ removeCluster }) => removeCluster(provider))
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

async function alreadyUp(provider: EmbeddedProvider, options: UpOptions): Promise<void> {
  const ignored = [options.httpPort, options.httpsPort].some(
    (port) => port !== undefined && !hasPort(provider.state, port),
  );
  if (ignored && !options.quiet) {
    process.stderr.write(
      "note: the ports of a running cluster stay as they are: gatehouse down first to change them\n",
    );
  }
  await noteMissing(provider, options);
  await print(provider, options, `Already up: nothing to do.`);
}

/** What was deleted on purpose is not brought back unasked, but its URLs would give 404 without a word. */
async function noteMissing(provider: EmbeddedProvider, options: UpOptions): Promise<void> {
  if (options.quiet) return;
  const [{ missingDemoObjects }, client] = await Promise.all([import("../steps/demo-objects.ts"), provider.connect()]);
  try {
    const missing = await missingDemoObjects(client);
    if (missing.length === 0) return;
    process.stderr.write(
      `note: deleted since: ${missing.join(", ")}; gatehouse apply -f manifests/ brings them back\n`,
    );
  } finally {
    client.close();
  }
}

function hasPort(state: ClusterState | undefined, port: number): boolean {
  return port === 0 || state?.portMappings.some((mapping) => mapping.hostPort === port) === true;
}

async function print(provider: EmbeddedProvider, options: UpOptions, headline: string): Promise<void> {
  const summary = clusterSummary(provider);
  if (options.output === "json") process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
  else if (!options.quiet) {
    const urls = summary.urls.map((url) => `  ${url}`).join("\n");
    process.stdout.write(
      `\n${headline}\n\n${urls}\n\n  kubectl --context ${summary.context} get gatewayclass,gateway,httproute -A\n`,
    );
  }
}
