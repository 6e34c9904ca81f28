// What is said of kind, kubectl, helm and Node.

import type { ProviderKind } from "../cluster-state.ts";
import type { Facts, ToolFact, ToolName } from "./facts.ts";
import { atLeast, type Finding, judge, type Rule } from "./finding.ts";
import { installLines } from "./install-lines.ts";

interface ToolNeed {
  neededFor: ProviderKind[];
  /** Oldest `major.minor` that works, and why. */
  minimum: string;
  because: string;
  /** Below this it works, with a drawback. */
  better?: { minimum: string; because: string };
  /** What it means when there is none. */
  without: { level: "problem" | "warning"; message: string };
}

const needs: Record<ToolName, ToolNeed> = {
  kind: {
    neededFor: ["kind"],
    minimum: "0.24",
    because: "older ones cannot be relied on for nodes of Kubernetes 1.31 and newer",
    better: {
      minimum: "0.27",
      because: "older ones cannot load images into nodes with containerd 2, which node images since 1.32.1 have",
    },
    without: { level: "problem", message: "not found in PATH" },
  },
  helm: {
    neededFor: ["kind", "context"],
    minimum: "3.13",
    because: "Traefik's release is marked with helm upgrade --labels, which older ones do not have",
    without: { level: "problem", message: "not found in PATH" },
  },
  kubectl: {
    neededFor: ["embedded", "kind", "context"],
    minimum: "1.30",
    because: "kubectl supports servers of one minor version up or down (Kubernetes' version skew policy)",
    without: {
      level: "warning",
      message: "not found in PATH; gatehouse get, describe, apply and logs do without it",
    },
  },
};

export const toolRules: Rule = (facts) => [
  nodeVersion(facts),
  ...(["kind", "helm", "kubectl"] as const).map((name) => toolFinding(name, facts)),
];

function toolFinding(name: ToolName, facts: Facts): Finding {
  const { neededFor, without, minimum, because, better } = needs[name];
  const tool: ToolFact = facts.tools[name];
  const say = judge(`${name}-version`, name, neededFor);
  const install = installLines(name, facts);
  switch (tool.state) {
    case "missing":
      return say[without.level](without.message, install);
    case "hung":
      return say[without.level](
        `did not tell its version within ${tool.limitMs / 1000} s`,
        `Run ${name} version by hand to see what it waits for, or install it anew:\n${install}`,
      );
    case "broken":
      return say[without.level](`did not tell its version: ${tool.message}`, `Install it anew:\n${install}`);
    case "found":
      break;
  }
  if (!atLeast(tool.version, minimum)) {
    return say[without.level](`version ${tool.version} is older than ${minimum}: ${because}`, install);
  }
  if (better && !atLeast(tool.version, better.minimum)) {
    return say.warning(`version ${tool.version}: ${better.because}`, install);
  }
  return say.ok(`version ${tool.version}`);
}

/** The oldest Node that strips types and has node:sqlite without a flag; see docs/decisions/0002. */
function nodeVersion({ nodeVersion }: Facts): Finding {
  const say = judge("node-version", "Node.js", ["embedded", "kind", "context"]);
  if (atLeast(nodeVersion, "22.18")) return say.ok(`version ${nodeVersion}`);
  return say.problem(
    `version ${nodeVersion} is older than 22.18`,
    "npm install   in the checkout brings a Node of its own, or install one:\nhttps://nodejs.org/en/download",
  );
}
