#!/usr/bin/env -S node --disable-warning=ExperimentalWarning
// Stands in for helm (3.19) where there is no real one, and where the real one would need minutes to fail. What it installs
// is the chart as embedded clusters render it, whatever chart is named.

import { type ApiClient, createApiClient } from "@gatehouse/apimachinery/api-client";
import { loadConnection } from "@gatehouse/apimachinery/kubeconfig";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parse } from "yaml";
import { renderTraefikChart } from "../../../packages/cli/src/providers/embedded/traefik-chart.ts";
import { applyAll } from "../../../packages/cli/src/steps/apply-all.ts";
import { wellKnownType } from "../../../packages/cli/src/well-known-types.ts";
import { engineDirectory, fail, fault, parseFlags, recordCall, refuse, writeWhole } from "./fake-engine.ts";

const all = process.argv.slice(2);
const [command = "", ...args] = all;
const label = "gatehouse.dev/installed-by=up";

interface Release {
  status: string;
  chart: string;
  labels: string;
  revision: number;
}

/** The part of the arguments that every command has: which cluster, which namespace. */
function read(args: string[], known: string[]): { flags: Record<string, string>; words: string[]; record: string } {
  const { flags, words } = parseFlags("helm", args, [...known, "--namespace", "--kube-context"]);
  if (flags["--namespace"] !== "traefik") refuse("helm", all, "another namespace");
  if ("--timeout" in flags && !/^\d+m$/.test(flags["--timeout"] ?? "")) refuse("helm", all, "--timeout is no duration");
  return { flags, words, record: join(engineDirectory, "releases", `${flags["--kube-context"]}.json`) };
}

/** Takes a flag without a value out of the arguments. It has to be there. */
function without(args: string[], flag: string): string[] {
  if (!args.includes(flag)) refuse("helm", all, `${flag} is missing`);
  return args.filter((word) => word !== flag);
}

function releaseOf(record: string): Release | undefined {
  return existsSync(record) ? (JSON.parse(readFileSync(record, "utf8")) as Release) : undefined;
}

function save(record: string, release: Release): void {
  mkdirSync(join(engineDirectory, "releases"), { recursive: true });
  writeWhole(record, JSON.stringify(release));
}

/** In every state, by name: Helm 4 has no --all. */
function list(): void {
  const states = ["--deployed", "--failed", "--pending", "--uninstalling", "--uninstalled"];
  const rest = states.reduce(without, args);
  const { flags, words, record } = read(rest, ["--filter", "--output", "--selector?"]);
  if (words.length > 0 || flags["--filter"] !== "^traefik$" || flags["--output"] !== "json") {
    refuse("helm", all, "unknown filter or output");
  }
  if (!["", label].includes(flags["--selector"] ?? "")) refuse("helm", all, "unknown selector");
  const found = releaseOf(record);
  const shown = found && (flags["--selector"] ?? found.labels) === found.labels ? [found] : [];
  const rows = shown.map(({ status, chart, revision }) => ({
    name: "traefik",
    namespace: "traefik",
    revision: String(revision),
    updated: "2026-01-02 03:04:05.678 +0000 UTC",
    status,
    chart,
    app_version: "v3.6.15",
  }));
  process.stdout.write(`${JSON.stringify(rows)}\n`);
}

async function upgrade(): Promise<void> {
  const plain = ["--install", "--wait", "--skip-crds"].reduce(without, args);
  const known = ["--values", "--labels", "--timeout", "--repo?", "--version?"];
  const { flags, words, record } = read(plain, known);
  if (words[0] !== "traefik" || words.length !== 2) refuse("helm", all, "release and chart are expected");
  if (flags["--labels"] !== label) refuse("helm", all, "unknown labels");
  if ("--repo" in flags !== "--version" in flags) refuse("helm", all, "--repo and --version go together");
  const before = releaseOf(record);
  if (before?.status.startsWith("pending-")) {
    fail(1, "Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress");
  }
  if (!before) process.stdout.write('Release "traefik" does not exist. Installing it now.\n');
  if ("--repo" in flags && fault("repository-unreachable") !== undefined) {
    fail(
      1,
      `Error: looks like "${flags["--repo"]}" is not a valid chart repository or cannot be reached: Get "${flags["--repo"]}/index.yaml": dial tcp: lookup traefik.github.io on 127.0.0.53:53: server misbehaving`,
    );
  }
  const chart = "traefik-39.0.9";
  const revision = (before?.revision ?? 0) + 1;
  save(record, { status: before ? "pending-upgrade" : "pending-install", chart, labels: label, revision });
  // Somebody ends helm while it is at work: the release stays pending.
  if (fault("helm-stuck") !== undefined) await new Promise(() => setInterval(() => {}, 1_000));
  await install(flags);
  if (fault("chart-image") !== undefined) {
    save(record, { status: "failed", chart, labels: label, revision });
    fail(1, "Error: context deadline exceeded");
  }
  save(record, { status: "deployed", chart, labels: label, revision });
  await maybeKillNode(flags);
  const verb = before ? "upgraded" : "deployed";
  process.stdout.write(`NAME: traefik\nNAMESPACE: traefik\nSTATUS: deployed\nREVISION: ${revision}\ntraefik ${verb}\n`);
}

/** Docker ends the node's container (it is out of memory, say), just when helm is done. */
async function maybeKillNode(flags: Record<string, string>): Promise<void> {
  if (fault("node-dies") === undefined) return;
  const [{ containers, saveContainer }, { stopNode }] = await Promise.all([
    import("./fake-engine.ts"),
    import("./fake-node.ts"),
  ]);
  const node = containers().find(({ cluster }) => `kind-${cluster}` === flags["--kube-context"]);
  if (!node) throw new Error("no such node");
  await stopNode(node);
  saveContainer({ ...node, status: "Exited (137) 2 minutes ago" });
}

/** With an image that nobody can pull, the pods get as far as saying so. */
async function install(flags: Record<string, string>): Promise<void> {
  await withClient(flags, async (client) => {
    const objects = chartObjects(flags);
    const image = fault("chart-image");
    await applyAll(client, image === undefined ? objects : (JSON.parse(withImage(objects, image)) as KubeObject[]));
    if (image !== undefined) await untilPodWaits(client);
  });
}

const withImage = (objects: KubeObject[], image: string): string =>
  JSON.stringify(objects).replaceAll(/"image":"[^"]*"/g, `"image":${JSON.stringify(image)}`);

function chartObjects(flags: Record<string, string>): KubeObject[] {
  const file = flags["--values"] ?? "";
  return renderTraefikChart(parse(readFileSync(file, "utf8")), { name: "traefik", namespace: "traefik" }, file);
}

async function untilPodWaits(client: ApiClient): Promise<void> {
  const type = wellKnownType("v1", "Pod");
  if (!type) throw new Error("no pods");
  for (;;) {
    const { items } = await client.list(type, { namespace: "traefik" });
    if (/"reason":"(ErrImagePull|ImagePullBackOff|InvalidImageName)"/.test(JSON.stringify(items))) return;
    await delay(50);
  }
}

async function uninstall(): Promise<void> {
  const { flags, words, record } = read(without(args, "--wait"), ["--timeout"]);
  if (words.join(" ") !== "traefik") refuse("helm", all, "a release is expected");
  if (!releaseOf(record)) fail(1, "Error: uninstall: Release not loaded: traefik: release: not found");
  const values = join(import.meta.dirname, "../../../manifests/traefik-values.yaml");
  await withClient(flags, async (client) => {
    for (const { apiVersion, kind, metadata } of chartObjects({ "--values": values })) {
      const type = wellKnownType(apiVersion, kind);
      if (!type) continue;
      await client.delete(type, metadata.name, metadata.namespace).catch(() => {});
    }
  });
  rmSync(record);
  process.stdout.write('release "traefik" uninstalled\n');
}

function rollback(): void {
  const { words, record } = read(without(args, "--wait"), ["--timeout"]);
  const found = releaseOf(record);
  if (words.join(" ") !== "traefik" || !found) refuse("helm", all, "a release is expected");
  save(record, { ...found, status: "deployed" });
  process.stdout.write("Rollback was a success! Happy Helming!\n");
}

async function withClient(flags: Record<string, string>, work: (client: ApiClient) => Promise<void>): Promise<void> {
  const client = await createApiClient(await loadConnection(flags["--kube-context"] ?? ""));
  try {
    await work(client);
  } finally {
    client.close();
  }
}

recordCall("helm", all);
switch (command) {
  case "version":
    process.stdout.write("v3.19.0+g3d8990f\n");
    break;
  case "list":
    list();
    break;
  case "upgrade":
    await upgrade();
    break;
  case "uninstall":
    await uninstall();
    break;
  case "rollback":
    rollback();
    break;
  default:
    refuse("helm", all, "unknown command");
}
