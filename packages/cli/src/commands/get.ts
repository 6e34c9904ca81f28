// `gatehouse get`: what is in the cluster, as tables or whole objects.

import type { Command } from "commander";
import { addAllNamespaces, addClientOptions, type ClientFlags, withClient } from "../client-context.ts";
import { UserError } from "../user-error.ts";

interface GetFlags extends ClientFlags {
  output?: string;
  selector?: string;
  fieldSelector?: string;
  watch?: boolean;
  watchOnly?: boolean;
  showLabels?: boolean;
  labelColumns?: string;
  headers: boolean;
  ignoreNotFound?: boolean;
  showManagedFields?: boolean;
}

const examples = `
Examples:
  gatehouse get gatewayclass,gateway,httproute -A      every Gateway API object
  gatehouse get pods -n demo -o wide                   with addresses and nodes
  gatehouse get httproute whoami-host -n demo -o yaml
  gatehouse get pods -n traefik -l app.kubernetes.io/name=traefik -w
  gatehouse get gateway/traefik-gateway -n traefik -o jsonpath='{.status.addresses[*].value}'`;

export function registerGet(program: Command): void {
  const command = program
    .command("get")
    .description("show resources")
    .argument("<type...>", "TYPE[,TYPE] [NAME...] or TYPE/NAME...")
    .option("-o, --output <format>", "wide, json, yaml, name or jsonpath=TEMPLATE")
    .option("-l, --selector <labels>", "only objects with these labels, e.g. -l app=whoami,tier!=old")
    .option("--field-selector <fields>", "only objects with these fields, e.g. status.phase=Running")
    .option("-w, --watch", "go on showing what changes")
    .option("--watch-only", "show only what changes from now on")
    .option("--show-labels", "add a column with all labels")
    .option("-L, --label-columns <labels>", "add a column for each of these labels")
    .option("--no-headers", "leave out the header line")
    .option("--ignore-not-found", "say nothing, and succeed, when a named object does not exist")
    .option("--show-managed-fields", "keep managedFields in json and yaml")
    .addHelpText("after", examples);
  addAllNamespaces(addClientOptions(command)).action(run);
}

async function run(args: string[], flags: GetFlags): Promise<void> {
  const { parseOutputFormat } = await import("../object-printer.ts");
  const { parseResourceArguments } = await import("../resource-arguments.ts");
  const format = parseOutputFormat(flags.output);
  await withClient(flags, async (context) => {
    const targets = parseResourceArguments(args, await context.mapper());
    checkNames(flags, targets);
    const watching = flags.watch || flags.watchOnly;
    if (watching && (targets.length !== 1 || (targets[0]?.names.length ?? 0) > 1)) {
      throw new UserError("you may only specify a single resource type, and at most one name, with --watch", 2);
    }
    if (format.kind === "table") {
      const { getTables, watchTable } = await import("../get-tables.ts");
      const options = {
        wide: format.wide,
        noHeaders: !flags.headers,
        showLabels: flags.showLabels ?? false,
        labelColumns: flags.labelColumns?.split(",") ?? [],
        watchOnly: flags.watchOnly ?? false,
      };
      await (watching && targets[0]
        ? watchTable(context, targets[0], flags, options)
        : getTables(context, targets, flags, options));
      return;
    }
    const { getObjects, watchObjects } = await import("../get-objects.ts");
    await (watching && targets[0]
      ? watchObjects(context, targets[0], flags, format, flags)
      : getObjects(context, targets, flags, format, flags));
  });
}

function checkNames(flags: GetFlags, targets: { names: string[]; resource: { namespaced: boolean } }[]): void {
  const named = targets.filter(({ names }) => names.length > 0);
  if (flags.allNamespaces && named.some(({ resource }) => resource.namespaced)) {
    throw new UserError("a resource cannot be retrieved by name across all namespaces", 2);
  }
  if (named.length > 0 && (flags.selector || (flags.fieldSelector && !flags.watch))) {
    throw new UserError("name cannot be provided when a selector is specified", 2);
  }
}
