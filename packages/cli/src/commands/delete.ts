// `gatehouse delete`: by manifest, by name, by label or all of a type; returns when they are gone.

import type { Command } from "commander";
import type { DeleteOptions } from "@gatehouse/apimachinery/api-client";
import { hasReason } from "@gatehouse/apimachinery/status-error";
import {
  addAllNamespaces,
  addClientOptions,
  type ClientContext,
  type ClientFlags,
  reportFailure,
  withClient,
} from "../client-context.ts";
import type { ResourceType } from "@gatehouse/apimachinery/resource-type";
import { UserError } from "../user-error.ts";
import type { DeletedObject } from "../wait-for-deletion.ts";
import { collectPaths } from "./apply.ts";

interface DeleteFlags extends ClientFlags {
  filename?: string[];
  recursive?: boolean;
  selector?: string;
  fieldSelector?: string;
  all?: boolean;
  gracePeriod?: string;
  force?: boolean;
  now?: boolean;
  cascade: string;
  ignoreNotFound?: boolean;
  wait: string;
  timeout?: string;
  output?: string;
}

/** What is to be deleted; `source` is the manifest that says so. */
interface Target {
  type: ResourceType;
  name: string;
  namespace?: string;
}

const examples = `
Examples:
  gatehouse delete httproute whoami-path -n demo
  gatehouse delete -f manifests/whoami-v2.yaml
  gatehouse delete pods -n demo -l app=whoami-v1
  gatehouse delete pod/whoami-v1-abc --force           kill it at once
  gatehouse delete deployments,services --all -n demo`;

export function registerDelete(program: Command): void {
  const command = program
    .command("delete")
    .description("delete objects by manifest, name, label or type")
    .argument("[type...]", "TYPE[,TYPE] [NAME...] or TYPE/NAME...")
    .option("-f, --filename <file>", "file, directory, URL or - (standard input); may be repeated", collectPaths)
    .option("-R, --recursive", "also read the directories inside directories")
    .option("-l, --selector <labels>", "delete what has these labels")
    .option("--field-selector <fields>", "delete what has these fields")
    .option("--all", "delete every object of the types")
    .option("--grace-period <seconds>", "seconds for pods to end in good order (default: what each pod says)")
    .option("--now", "the same as --grace-period=1")
    .option("--force", "remove at once, without waiting for the pod's process to end (grace period 0)")
    .option("--cascade <how>", "background, foreground or orphan: what becomes of owned objects", "background")
    .option("--ignore-not-found", "succeed when a named object does not exist")
    .option("--wait <true|false>", "return only when the objects are gone", "true")
    .option("--timeout <duration>", "give up waiting after this long, e.g. 30s (default: never)")
    .option("-o, --output <format>", "name: print just the names")
    .addHelpText("after", examples);
  addAllNamespaces(addClientOptions(command)).action(run);
}

async function run(args: string[], flags: DeleteFlags): Promise<void> {
  const options = await deleteOptions(flags);
  checkArguments(args, flags);
  await withClient(flags, async (context) => {
    if (options.gracePeriodSeconds === 0) {
      context.err(
        "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. " +
          "The resource may continue to run on the cluster indefinitely.",
      );
    }
    const targets = flags.filename ? await fromManifests(context, flags) : await fromArguments(context, args, flags);
    const deleted: DeletedObject[] = [];
    for (const target of targets) {
      const gone = await deleteOne(context, target, options, flags);
      if (gone) deleted.push(gone);
    }
    if (targets.length === 0 && process.exitCode !== 1 && !flags.ignoreNotFound) context.err("No resources found");
    if (flags.wait !== "false") await waitForAll(context, deleted, flags.timeout);
  });
}

function checkArguments(args: readonly string[], flags: DeleteFlags): void {
  const byName = args.length > 1 || args.some((arg) => arg.includes("/"));
  const selecting = flags.selector !== undefined || flags.fieldSelector !== undefined;
  const wrong = (message: string): never => {
    throw new UserError(message, 2);
  };
  if (flags.filename && args.length > 0)
    wrong("when paths are provided as input, you may not specify a resource by arguments as well");
  if (!flags.filename && args.length === 0)
    wrong("you must provide one or more resources by argument or filename (-f)");
  if (flags.all && selecting) wrong("setting 'all' parameter but found a non empty selector");
  if (byName && (flags.all || selecting)) wrong("name cannot be provided when a selector or --all is specified");
  if (byName && flags.allNamespaces) wrong("a resource cannot be retrieved by name across all namespaces");
  if (!flags.filename && !byName && !flags.all && !selecting)
    wrong("resource(s) were provided, but no name was specified: name them, or use -l or --all");
  if (flags.output !== undefined && flags.output !== "name")
    wrong(`unexpected -o output mode: ${flags.output}: only 'name' is supported`);
}

const propagation = { background: "Background", foreground: "Foreground", orphan: "Orphan" } as const;

async function deleteOptions(flags: DeleteFlags): Promise<DeleteOptions> {
  const propagationPolicy = propagation[flags.cascade as keyof typeof propagation];
  if (!propagationPolicy)
    throw new UserError(`invalid cascade value (${flags.cascade}): must be "background", "foreground", or "orphan"`, 2);
  if (flags.gracePeriod !== undefined && !/^-?\d+$/.test(flags.gracePeriod)) {
    throw new UserError(`invalid --grace-period "${flags.gracePeriod}": a whole number of seconds`, 2);
  }
  let seconds = flags.gracePeriod === undefined ? -1 : Number(flags.gracePeriod);
  if (flags.now && seconds !== -1) throw new UserError("--now and --grace-period cannot be specified together", 2);
  if (flags.force && seconds > 0)
    throw new UserError("--force and --grace-period greater than 0 cannot be specified together", 2);
  if (flags.now) seconds = 1;
  if (flags.force && seconds < 0) seconds = 0;
  // Without --force, 0 is taken as "as soon as it can be done in good order".
  if (!flags.force && seconds === 0) seconds = 1;
  return { propagationPolicy, ...(seconds >= 0 ? { gracePeriodSeconds: seconds } : {}) };
}

async function fromManifests(context: ClientContext, flags: DeleteFlags): Promise<Target[]> {
  const { collectManifests, notAManifest } = await import("../manifest-files.ts");
  const { wellKnownType } = await import("../well-known-types.ts");
  const { manifests, problems, leftOut } = await collectManifests(flags.filename ?? [], {
    recursive: flags.recursive ?? false,
  });
  const targets: Target[] = [];
  for (const { object, path } of manifests) {
    const { apiVersion, kind, metadata } = object;
    const type = wellKnownType(apiVersion, kind) ?? (await context.mapper()).byKind(apiVersion, kind);
    if (type) targets.push(targetOf(type, metadata.name, metadata.namespace ?? context.namespace));
    else if (!flags.ignoreNotFound) {
      problems.push(
        new UserError(
          `resource mapping not found for name: "${metadata.name}" from "${path}": no matches for kind "${kind}" in version "${apiVersion}"`,
        ),
      );
    }
  }
  for (const path of leftOut) context.err(notAManifest(path));
  for (const problem of problems) reportFailure(context, problem);
  // A namespace or a definition takes its objects along: first what is in it, then itself.
  return [...targets.filter((target) => !holdsOthers(target)), ...targets.filter(holdsOthers)];
}

const holdsOthers = ({ type }: Target): boolean => ["namespaces", "customresourcedefinitions"].includes(type.plural);

async function fromArguments(context: ClientContext, args: string[], flags: DeleteFlags): Promise<Target[]> {
  const { parseResourceArguments } = await import("../resource-arguments.ts");
  const resources = parseResourceArguments(args, await context.mapper());
  const targets: Target[] = [];
  for (const { resource, names } of resources) {
    if (names.length > 0) targets.push(...names.map((name) => targetOf(resource, name, context.namespace)));
    else if (resource.verbs.includes("delete")) {
      const list = await context.client.list(resource, {
        ...(context.allNamespaces ? {} : { namespace: context.namespace }),
        ...(flags.selector ? { labelSelector: flags.selector } : {}),
        ...(flags.fieldSelector ? { fieldSelector: flags.fieldSelector } : {}),
      });
      targets.push(...list.items.map(({ metadata }) => targetOf(resource, metadata.name, metadata.namespace)));
    }
  }
  return targets;
}

const targetOf = (type: ResourceType, name: string, namespace: string | undefined): Target => ({
  type,
  name,
  ...(type.namespaced && namespace ? { namespace } : {}),
});

/** Undefined when it could not be deleted (reported) or is not there (with --ignore-not-found). */
async function deleteOne(
  context: ClientContext,
  { type, name, namespace }: Target,
  options: DeleteOptions,
  flags: DeleteFlags,
): Promise<DeletedObject | undefined> {
  const { objectRef, qualifiedKind } = await import("../resource-arguments.ts");
  try {
    const { metadata } = await context.client.get(type, name, namespace);
    await context.client.delete(type, name, namespace, options);
    const how = options.gracePeriodSeconds === 0 ? "force deleted" : "deleted";
    context.out(flags.output === "name" ? `${objectRef(type, name)}\n` : `${qualifiedKind(type)} "${name}" ${how}\n`);
    return { type, name, ...(namespace ? { namespace } : {}), ...(metadata.uid ? { uid: metadata.uid } : {}) };
  } catch (error) {
    if (!(flags.ignoreNotFound && hasReason(error, "NotFound"))) reportFailure(context, error);
    return undefined;
  }
}

async function waitForAll(
  context: ClientContext,
  deleted: readonly DeletedObject[],
  timeout: string | undefined,
): Promise<void> {
  const { untilGone } = await import("../wait-for-deletion.ts");
  const { parseGoDuration } = await import("@gatehouse/apimachinery/duration");
  const milliseconds = timeout === undefined ? 0 : parseGoDuration(/^\d+$/.test(timeout) ? `${timeout}s` : timeout);
  if (milliseconds === undefined)
    throw new UserError(`invalid --timeout "${timeout}": a duration such as 30s or 2m`, 2);
  const signal = milliseconds > 0 ? AbortSignal.timeout(milliseconds) : new AbortController().signal;
  const gone = await Promise.all(deleted.map((each) => untilGone(context.client, each, signal)));
  for (const [index, each] of deleted.entries()) {
    if (gone[index]) continue;
    const { qualifiedKind } = await import("../resource-arguments.ts");
    reportFailure(
      context,
      new UserError(`timed out waiting for the condition on ${qualifiedKind(each.type)}/${each.name}`),
    );
  }
}
