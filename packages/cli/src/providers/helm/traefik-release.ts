// Traefik on a real cluster: the official Helm chart, installed by the user's own helm. Idempotent, and able to go on after
// an installation that was cut off.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { changeClusterState, readClusterState } from "../../cluster-state.ts";
import type { Step } from "../../progress.ts";
import { installedMark, installedSelector } from "../../installed-mark.ts";
import { traefikValuesFile } from "../../program-files.ts";
import { commandLine, type ProgramResult, runSuccessfully } from "../../tools/run-program.ts";
import { UserError } from "../../user-error.ts";
import { helmFailures } from "./helm-failures.ts";

export interface ReleaseOptions {
  /** The kubeconfig context. */
  context: string;
  /** The cluster's state directory. */
  directory: string;
  /** `--chart`: a chart's folder or archive, or a version of the official one. */
  chart?: string;
  /** Values over those of manifests/traefik-values.yaml. */
  values?: Record<string, unknown>;
}

/** The line of charts whose Traefik (3.6) goes with Gateway API v1.4.0. */
const chartVersion = "39.0.9";
const chartRepository = "https://traefik.github.io/charts";
const release = "traefik";
const namespace = "traefik";
const waitTimeout = "5m";
const longestWaitMs = 600_000;
const clockStepMs = 5_000;
/** Helm 3 leaves pending releases out by default; its --all is gone in Helm 4. */
const everyState = ["--deployed", "--failed", "--pending", "--uninstalling", "--uninstalled"];

/** Installs or upgrades the release, and waits until its pods are ready. Throws a UserError with helm's words. */
export async function installRelease(options: ReleaseOptions, step: Step): Promise<void> {
  await recoverRelease(options, step);
  changeClusterState(options.directory, { installingSince: new Date().toISOString() });
  try {
    await upgradeRelease(options, step);
  } finally {
    changeClusterState(options.directory, { installingSince: undefined });
  }
}

async function upgradeRelease(options: ReleaseOptions, step: Step): Promise<void> {
  const chart = chartArguments(options.chart);
  const labels = Object.entries(installedMark).flatMap((pair) => ["--labels", pair.join("=")]);
  // Definitions are a step of their own, and the chart's others are for providers that are off here.
  const rest = [...labels, "--skip-crds", "--wait", "--timeout", waitTimeout];
  await withValues(options.values, async (more) => {
    const values = [traefikValuesFile(), ...more].flatMap((file) => ["--values", file]);
    await helm(["upgrade", "--install", release, ...chart, ...values, ...rest], options, step);
  });
}

/** Removes the release when it is ours. */
export async function uninstallRelease(options: ReleaseOptions, step: Step): Promise<boolean> {
  const found = await releaseStatus(options);
  if (found?.ours !== true) return false;
  await helm(["uninstall", release, "--wait", "--timeout", waitTimeout], options, step);
  return true;
}

/** A release of this name that `up` did not install, as the sentence to refuse it with. */
export async function foreignRelease(options: ReleaseOptions): Promise<string | undefined> {
  const found = await releaseStatus(options);
  if (!found || found.ours) return undefined;
  return `Helm release ${namespace}/${release} (${found.chart}) is there already, and not from here: uninstall it with helm uninstall ${release} -n ${namespace}`;
}

interface FoundRelease {
  status: string;
  chart: string;
  /** Milliseconds since the epoch. */
  updated: number;
  ours: boolean;
}

interface ListedRelease {
  status: string;
  chart: string;
  /** `2026-11-23 03:35:17.123456 +0000 UTC`. */
  updated: string;
}

/** In a form that everybody parses. */
const timeOf = (text: string): string => text.replace(/^(\S+) (\S+?)(\.\d{3})?\d* ([+-]\d\d)(\d\d).*$/, "$1T$2$3$4:$5");

/** Undefined when there is none. */
async function releaseStatus({ context }: ReleaseOptions): Promise<FoundRelease | undefined> {
  const list = async (...selector: string[]): Promise<ListedRelease[]> => {
    const args = ["list", ...everyState, "--filter", `^${release}$`, "--output", "json", ...selector];
    const { stdout } = await runSuccessfully(command(args, context), helmFailures);
    return JSON.parse(stdout || "[]") as ListedRelease[];
  };
  const [found] = await list();
  if (!found) return undefined;
  const ours = (await list("--selector", installedSelector)).length > 0;
  return { status: found.status, chart: found.chart, updated: Date.parse(timeOf(found.updated)), ours };
}

/**
 * What a killed helm leaves behind blocks the next one ("another operation is in progress"). That it was killed is known
 * when it was ours, or when it began longer ago than any waits.
 */
async function recoverRelease(options: ReleaseOptions, step: Step): Promise<void> {
  const found = await releaseStatus(options);
  if (!found) return;
  if (!found.ours) throw new UserError((await foreignRelease(options)) ?? "");
  const since = readClusterState(options.directory)?.installingSince;
  const cutOff = since !== undefined && found.updated >= Date.parse(since) - clockStepMs;
  if (found.status.startsWith("pending-") && !cutOff && Date.now() - found.updated < longestWaitMs) {
    throw new UserError(
      `another helm is at work on release ${namespace}/${release} (${found.status}): wait for it, then run it again (if it was killed, ten minutes from its start it is begun anew)`,
    );
  }
  if (found.status === "pending-install" || found.status === "uninstalling") {
    step.detail("an earlier installation was cut off: beginning anew");
    await helm(["uninstall", release, "--wait", "--timeout", waitTimeout], options, step);
  } else if (found.status.startsWith("pending-")) {
    step.detail("an earlier upgrade was cut off: going back to what was there before");
    await helm(["rollback", release, "--wait", "--timeout", waitTimeout], options, step);
  }
}

function chartArguments(chart: string | undefined): string[] {
  if (chart !== undefined && isPath(chart)) return [chart];
  return [release, "--repo", chartRepository, "--version", chart ?? chartVersion];
}

function isPath(chart: string): boolean {
  return existsSync(chart) || chart.startsWith("oci://") || /^https?:/.test(chart);
}

/** Throws a UserError for what is neither a chart nor a version. */
export function checkChart(chart: string): string {
  if (isPath(chart) || /^\^?~?v?\d+(\.(\d+|x))*([-+][\w.]+)?$/.test(chart)) return chart;
  throw new UserError(
    `--chart ${chart}: there is no such folder or archive, and it is no version such as ${chartVersion}`,
    2,
  );
}

function command(args: string[], context: string) {
  return { program: "helm", args: [...args, "--namespace", namespace, "--kube-context", context] };
}

async function helm(args: string[], { context }: ReleaseOptions, step: Step): Promise<ProgramResult> {
  const run = command(args, context);
  step.output(`$ ${commandLine(run.program, run.args)}`);
  return runSuccessfully({ ...run, onLine: step.output }, helmFailures);
}

/** Values as a file for the time of `work`. */
async function withValues<T>(
  values: Record<string, unknown> | undefined,
  work: (files: string[]) => Promise<T>,
): Promise<T> {
  if (!values) return work([]);
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-values-"));
  try {
    const file = join(directory, "values.json");
    writeFileSync(file, JSON.stringify(values), { mode: 0o600 });
    return await work([file]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
