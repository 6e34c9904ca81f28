// `gatehouse doctor`: whether this machine can do it, and where not, the line that mends it.

import { type Command, Option } from "commander";
import type { ProviderKind } from "../cluster-state.ts";
import { defaultClusterName } from "../home.ts";
import { type InstallOptions, nameOption, portOption, portWishes } from "./cluster-options.ts";

interface DoctorOptions extends InstallOptions {
  output?: "json";
}

/** Milliseconds each tool may take to answer. */
const limitMs = 10_000;

export function registerDoctor(program: Command): void {
  program
    .command("doctor")
    .description(
      "check this machine for what a cluster needs, with the remedy for each fault; exit code 1 for a problem",
    )
    .addOption(
      new Option(
        "--cluster <kind>",
        "judge for this kind of cluster only (default: show all, fail for embedded)",
      ).choices(["embedded", "kind", "current"]),
    )
    .addOption(nameOption())
    .addOption(portOption("--http-port", "port of this machine that is wanted for HTTP"))
    .addOption(portOption("--https-port", "port of this machine that is wanted for HTTPS"))
    .addOption(new Option("-o, --output <format>", "print as data").choices(["json"]))
    .addHelpText(
      "after",
      "\nExamples:\n  gatehouse doctor\n  gatehouse doctor --cluster kind\n  gatehouse doctor --cluster kind --http-port 8080 -o json",
    )
    .action(doctor);
}

async function doctor(options: DoctorOptions): Promise<void> {
  const [{ collectFacts }, { diagnose, obstacles }, { findingsText }] = await Promise.all([
    import("../doctor/collect-facts.ts"),
    import("../doctor/diagnose.ts"),
    import("../doctor/findings-text.ts"),
  ]);
  const provider: ProviderKind | undefined = options.cluster === "current" ? "context" : options.cluster;
  const facts = await collectFacts({ portWishes: await portWishes(options), environment: process.env, limitMs });
  const findings = diagnose(facts, { name: options.name ?? defaultClusterName, ...(provider ? { provider } : {}) });
  const ready = obstacles(findings, provider ?? "embedded").length === 0;
  if (options.output === "json") {
    process.stdout.write(`${JSON.stringify({ cluster: provider ?? "embedded", ready, findings }, null, 2)}\n`);
  } else {
    const colour = process.stdout.isTTY && !process.env.NO_COLOR;
    process.stdout.write(findingsText(findings, { colour, ...(provider ? { provider } : {}) }));
  }
  if (!ready) process.exitCode = 1;
}
