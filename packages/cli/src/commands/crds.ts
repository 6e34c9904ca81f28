// `gatehouse crds`: the Gateway API's definitions of a release, to be looked at or applied to any cluster.

import { type Command, Option } from "commander";

interface CrdsOptions {
  version?: string;
  channel?: string;
  output: "yaml" | "json";
  fields?: boolean;
}

const examples = `
Examples:
  gatehouse crds | kubectl apply --server-side -f -
  gatehouse crds --version v1.6.1 --channel experimental -o json
  gatehouse crds --fields httproute                which fields only some releases or channels have`;

export function registerCrds(program: Command): void {
  program
    .command("crds")
    .description("print the Gateway API's definitions; needs no cluster")
    .argument("[kind...]", "only these kinds, e.g. httproute gateways")
    .option("--version <version>", "release of the Gateway API: v1.4.0 (default) or v1.6.1")
    .option("--channel <channel>", "its channel: standard (default) or experimental")
    .addOption(new Option("-o, --output <format>", "form of the definitions").choices(["yaml", "json"]).default("yaml"))
    .option("--fields", "list the fields that are not in every release and channel, and where they are")
    .addHelpText("after", examples)
    .action(run);
}

async function run(kinds: string[], options: CrdsOptions): Promise<void> {
  const { bundleObjects, chooseBundle } = await import("../steps/definition-bundle.ts");
  const bundle = chooseBundle({ gatewayApi: options.version, channel: options.channel }, "--version");
  const { definitionsText, fieldsText, selectKinds } = await import("../definitions-text.ts");
  process.stdout.write(
    options.fields
      ? fieldsText(kinds)
      : await definitionsText(selectKinds(bundleObjects(bundle), kinds, bundle), options.output),
  );
}
