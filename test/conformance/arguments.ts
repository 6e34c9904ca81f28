// What `npm run conformance` is asked to do.

import { parseArgs } from "node:util";

export const suiteVersions = ["v1.4.0", "v1.6.1"] as const;
export type SuiteVersion = (typeof suiteVersions)[number];

/** The conformance profiles for Gateways that a version's suite has. */
export const profilesOf: Record<SuiteVersion, readonly string[]> = {
  "v1.4.0": ["GATEWAY-HTTP", "GATEWAY-TLS", "GATEWAY-GRPC"],
  "v1.6.1": ["GATEWAY-HTTP", "GATEWAY-TLS", "GATEWAY-GRPC", "GATEWAY-TCP", "GATEWAY-UDP"],
};

export interface ConformanceArguments {
  version: SuiteVersion;
  /** All of the version's, unless some were chosen. */
  profiles: readonly string[];
  /** Empty: all. */
  tests: string[];
  /** Where report and summary are written; undefined: they are printed only. */
  output: string | undefined;
}

/** Text for people: what is wrong with the command line. */
export class UsageError extends Error {}

export const usage = `npm run conformance -- --version v1.4.0|v1.6.1 [--profile NAME ...] [--test NAME ...] [--output DIRECTORY]

  --version   release of the Gateway API whose suite runs
  --profile   only this conformance profile, e.g. GATEWAY-HTTP; may be repeated
  --test      only this test, whether its features are claimed or not, and no report; may be repeated
  --output    where report and summary go (default: docs/conformance, for a run of everything)`;

/** Throws a UsageError. `directory` is where the report of a whole run goes unless another place is named. */
export function parseArguments(args: string[], directory: string): ConformanceArguments {
  const { version, profile = [], test = [], output } = parse(args);
  const known = suiteVersions.find((each) => each === version);
  if (!known)
    throw new UsageError(`--version must be ${suiteVersions.join(" or ")}${version ? `, not ${version}` : ""}`);
  for (const name of profile) {
    if (profilesOf[known].includes(name)) continue;
    throw new UsageError(`--profile ${name}: ${known} has ${profilesOf[known].join(", ")}`);
  }
  if (test.length > 0 && profile.length > 0)
    throw new UsageError("--test runs without a profile: leave one of them out");
  const whole = test.length === 0 && profile.length === 0;
  if (test.length > 0 && output !== undefined) throw new UsageError("--test makes no report: leave out --output");
  return {
    version: known,
    profiles: profile.length > 0 ? profile : profilesOf[known],
    tests: test,
    output: output ?? (whole ? directory : undefined),
  };
}

function parse(args: string[]): { version?: string; profile?: string[]; test?: string[]; output?: string } {
  const several = { type: "string", multiple: true } as const;
  const single = { type: "string" } as const;
  try {
    const options = { version: single, profile: several, test: several, output: single };
    return parseArgs({ args: repeated(args), options, strict: true }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** `--test A B` is `--test A --test B`. */
function repeated(args: string[]): string[] {
  let last = "";
  return args.flatMap((word, index) => {
    if (word.startsWith("--")) last = word;
    const another = !word.startsWith("-") && !args[index - 1]?.startsWith("--") && /^--(test|profile)$/.test(last);
    return another ? [last, word] : [word];
  });
}
