// The judgement: every rule over the facts, and what stands in the way of which provider.

import type { ProviderKind } from "../cluster-state.ts";
import { engineRules } from "./engine-rules.ts";
import type { Facts } from "./facts.ts";
import type { Finding, Need, Rule } from "./finding.ts";
import { machineRules } from "./machine-rules.ts";
import { portRules } from "./port-rules.ts";
import { toolRules } from "./tool-rules.ts";

const rules: Rule[] = [toolRules, engineRules, portRules, machineRules];

/** All findings in a fixed order; with a provider, only those that matter to it. Pure. */
export function diagnose(facts: Facts, need: Need): Finding[] {
  const findings = rules.flatMap((rule) => rule(facts, need));
  const { provider } = need;
  return provider === undefined ? findings : findings.filter(({ neededFor }) => neededFor.includes(provider));
}

/** The problems that stand in a provider's way. */
export function obstacles(findings: Finding[], provider: ProviderKind): Finding[] {
  return findings.filter(({ level, neededFor }) => level === "problem" && neededFor.includes(provider));
}
