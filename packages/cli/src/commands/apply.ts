// `gatehouse apply`: make the cluster say what the manifests say.

import type { Command } from "commander";
import {
  addClientOptions,
  type ClientContext,
  type ClientFlags,
  reportFailure,
  withClient,
} from "../client-context.ts";
import type { Manifest } from "../manifest-files.ts";
import { UserError } from "../user-error.ts";

interface ApplyFlags extends ClientFlags {
  filename: string[];
  recursive?: boolean;
  dryRun: string;
  output?: string;
}

const examples = `
Examples:
  gatehouse apply -f manifests/                        every .yaml, .yml and .json in the directory
  gatehouse apply -f route.yaml -f service.yaml
  cat route.yaml | gatehouse apply -f -
  gatehouse apply -f route.yaml --dry-run=server       let the server check it, and keep nothing`;

export function registerApply(program: Command): void {
  const command = program
    .command("apply")
    .description("create or update objects from manifests")
    .requiredOption(
      "-f, --filename <file>",
      "file, directory, URL or - (standard input); may be repeated",
      collectPaths,
    )
    .option("-R, --recursive", "also read the directories inside directories")
    .option("--dry-run <how>", "none, client (send nothing) or server (check, but keep nothing)", "none")
    .option("-o, --output <format>", "name, json or yaml instead of a line for each object")
    .addHelpText("after", examples);
  addClientOptions(command).action(run);
}

/** `-f a -f b,c`. */
export function collectPaths(value: string, previous: string[] = []): string[] {
  return [...previous, ...value.split(",").filter((path) => path !== "")];
}

async function run(flags: ApplyFlags): Promise<void> {
  const dryRun = checkedDryRun(flags.dryRun);
  if (flags.output !== undefined && !["name", "json", "yaml"].includes(flags.output)) {
    throw new UserError(`apply prints -o name, json or yaml, not "${flags.output}"`, 2);
  }
  const { collectManifests, notAManifest } = await import("../manifest-files.ts");
  const { manifests, problems, leftOut } = await collectManifests(flags.filename, {
    recursive: flags.recursive ?? false,
  });
  if (manifests.length === 0 && problems.length === 0) throw new UserError("no objects passed to apply");
  await withClient(flags, async (context) => {
    const usable = manifests.filter((manifest) => {
      const problem = namespaceMismatch(manifest, context);
      if (problem) problems.push(problem);
      return !problem;
    });
    await applyManifests(context, usable, dryRun, flags.output);
    for (const path of leftOut) context.err(notAManifest(path));
    // At the end, where they are not scrolled away by what went well.
    for (const problem of problems) reportFailure(context, problem);
  });
}

function checkedDryRun(how: string): "none" | "client" | "server" {
  if (how === "none" || how === "client" || how === "server") return how;
  throw new UserError(`invalid dry-run value (${how}): must be "none", "server", or "client"`, 2);
}

function namespaceMismatch({ object, path }: Manifest, context: ClientContext): UserError | undefined {
  const { namespace } = object.metadata;
  if (!context.namespaceIsExplicit || !namespace || namespace === context.namespace) return undefined;
  return new UserError(
    `the namespace from the provided object "${namespace}" (${path}) does not match the namespace "${context.namespace}": ` +
      `pass --namespace=${namespace}, or leave it out`,
  );
}

async function applyManifests(
  context: ClientContext,
  manifests: readonly Manifest[],
  dryRun: "none" | "client" | "server",
  output: string | undefined,
): Promise<void> {
  const { applyObjects } = await import("../apply-objects.ts");
  const { createObjectPrinter, parseOutputFormat, withoutManagedFields } = await import("../object-printer.ts");
  const format = parseOutputFormat(output);
  const print = format.kind === "table" ? undefined : await createObjectPrinter(format);
  const suffix = dryRun === "none" ? "" : dryRun === "server" ? " (server dry run)" : " (dry run)";
  const objects = manifests.map(({ object }) => object);
  const outcomes = applyObjects(context.client, objects, {
    namespace: context.namespace,
    dryRun,
    mapper: () => context.mapper(),
    onWarning: (warning) => context.err(`Warning: ${warning}`),
  });
  for await (const { ref, index, result, object, error } of outcomes) {
    if (result === "failed") reportFailure(context, error, `error when applying "${manifests[index]?.path}" (${ref})`);
    else if (print) context.out(print(withoutManagedFields(object), typeOf(object.kind, object.apiVersion)));
    else context.out(`${ref} ${result}${suffix}\n`);
  }
}

function typeOf(kind: string, apiVersion: string) {
  const [group = "", version] = apiVersion.split("/");
  return { kind, group: version ? group : "", version: version ?? group, plural: "", namespaced: true };
}
