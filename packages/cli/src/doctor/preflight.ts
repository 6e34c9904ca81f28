// Doctor before a cluster is made: what would fail later, and less clearly, is refused now.

import type { ProviderKind } from "../cluster-state.ts";
import { defaultClusterName } from "../home.ts";
import type { PortWish } from "../host-ports.ts";
import { UserError } from "../user-error.ts";
import { collectFacts } from "./collect-facts.ts";
import { diagnose, obstacles } from "./diagnose.ts";
import type { Finding } from "./finding.ts";

export interface PreflightOptions {
  /** The cluster: a port that it holds itself is not in its way. */
  name?: string;
  /** None for a cluster that has its ports already. */
  portWishes?: PortWish[];
  environment?: NodeJS.ProcessEnv;
}

/** An engine that wakes up takes a while; refusing a cluster for that would be worse than waiting. */
const limitMs = 15_000;

/** Notes are one warning each, with its remedy. Throws a UserError with all problems and their remedies. */
export async function preflight(provider: ProviderKind, options: PreflightOptions): Promise<{ notes: string[] }> {
  const { name = defaultClusterName, portWishes = [], environment = process.env } = options;
  const facts = await collectFacts({ portWishes, environment, limitMs });
  return preflightResult(diagnose(facts, { provider, name }), provider);
}

/** The same for findings that are there already. */
export function preflightResult(findings: Finding[], provider: ProviderKind): { notes: string[] } {
  const inTheWay = obstacles(findings, provider);
  if (inTheWay.length > 0) {
    const flag = provider === "embedded" ? "" : ` --cluster ${provider === "context" ? "current" : provider}`;
    const list = inTheWay.map((finding) => `  ✗ ${withRemedy(finding, "\n      ")}`).join("\n");
    throw new UserError(`this machine is not ready (gatehouse doctor${flag} shows everything):\n${list}`);
  }
  return {
    notes: findings
      // Which other port is taken is said by whoever takes it.
      .filter(
        ({ id, level, neededFor }) => level === "warning" && neededFor.includes(provider) && !id.startsWith("port-"),
      )
      .map((finding) => withRemedy(finding, "\n     ")),
  };
}

function withRemedy({ title, message, remedy = "" }: Finding, separator: string): string {
  return [`${title}: ${message}`, ...remedy.split("\n").filter((line) => line !== "")].join(separator);
}
