// `gatehouse describe`: everything worth knowing about objects, with what hangs on them and their events.

import type { Command } from "commander";
import {
  addAllNamespaces,
  addClientOptions,
  type ClientContext,
  type ClientFlags,
  reportFailure,
  withClient,
} from "../client-context.ts";
import type { FoundObject } from "../get-objects.ts";
import type { ResourceArgument } from "../resource-arguments.ts";
import { UserError } from "../user-error.ts";

interface DescribeFlags extends ClientFlags {
  selector?: string;
}

const examples = `
Examples:
  gatehouse describe httproute whoami-host -n demo     its rules, and what each Gateway says about it
  gatehouse describe gateway -A                        listeners, addresses and the routes on them
  gatehouse describe pods -n demo -l app=whoami-v1
  gatehouse describe pod whoami-v1 -n demo             every pod whose name begins so`;

export function registerDescribe(program: Command): void {
  const command = program
    .command("describe")
    .description("show objects in detail, with their events")
    .argument("<type...>", "TYPE[,TYPE] [NAME or its beginning...] or TYPE/NAME...")
    .option("-l, --selector <labels>", "only objects with these labels")
    .addHelpText("after", examples);
  addAllNamespaces(addClientOptions(command)).action(run);
}

async function run(args: string[], flags: DescribeFlags): Promise<void> {
  await withClient(flags, async (context) => {
    const { parseResourceArguments } = await import("../resource-arguments.ts");
    const { describeObject, surroundingsOf } = await import("../describe/describe-object.ts");
    const { noneFound } = await import("../get-tables.ts");
    const targets = parseResourceArguments(args, await context.mapper());
    if (flags.allNamespaces && targets.some(({ names }) => names.length > 0)) {
      throw new UserError("a resource cannot be retrieved by name across all namespaces", 2);
    }
    const around = surroundingsOf(context);
    let separator = "";
    for (const { object } of await find(context, targets, flags)) {
      context.out(separator + (await describeObject(object, around)));
      separator = "\n\n";
    }
    if (separator === "" && process.exitCode !== 1) context.err(noneFound(context, targets));
  });
}

async function find(
  context: ClientContext,
  targets: readonly ResourceArgument[],
  flags: DescribeFlags,
): Promise<FoundObject[]> {
  const { findObjects } = await import("../get-objects.ts");
  const found: FoundObject[] = [];
  for (const { resource, names } of targets) {
    if (names.length === 0) found.push(...(await findObjects(context, [{ resource, names }], flags)));
    for (const name of names) found.push(...(await byNameOrPrefix(context, resource, name)));
  }
  return found;
}

/** The object of that name; without one, those whose names begin so. Neither is the server's NotFound. */
async function byNameOrPrefix(
  context: ClientContext,
  resource: ResourceArgument["resource"],
  name: string,
): Promise<FoundObject[]> {
  const { findObjects } = await import("../get-objects.ts");
  const exact = await findObjects(context, [{ resource, names: [name] }], { ignoreNotFound: true });
  if (exact.length > 0) return exact;
  const all = await findObjects(context, [{ resource, names: [] }], {});
  const matching = all.filter(({ object }) => object.metadata.name.startsWith(name));
  if (matching.length === 0) {
    const { notFound } = await import("@gatehouse/apimachinery/status-error");
    reportFailure(context, notFound({ group: resource.group, plural: resource.plural, name }));
  }
  return matching;
}
