// The versions of kind, kubectl and helm, asked of the tools themselves.

import { devNull } from "node:os";
import type { ToolFact, ToolName } from "./facts.ts";
import { type Probe, type ProbeOptions, probeProgram } from "./probe-program.ts";

interface Question {
  args: string[];
  /** The version stands in its first group. */
  answer: RegExp;
}

const questions: Record<ToolName, Question> = {
  // kind v0.30.0 go1.24.6 linux/amd64
  kind: { args: ["version"], answer: /^kind v?(\d+\.\d+\S*)/m },
  kubectl: { args: ["version", "--client", "--output=json"], answer: /"gitVersion":\s*"v?(\d+\.\d+[^"]*)"/ },
  // v3.19.0+g3d8990f, v4.0.0; Helm 2 says "Client: v2.17.0+gbf9d1c6" before it looks for its server.
  helm: { args: ["version", "--short"], answer: /^(?:Client: )?v?(\d+\.\d+\S*)/m },
};

/** Never rejects. */
export async function toolVersion(name: ToolName, options: ProbeOptions): Promise<ToolFact> {
  const { args, answer } = questions[name];
  // Some kubectls (gcloud's dispatcher) ask a cluster even for their own version, and keep a cache of its answer.
  const environment = { ...options.environment, KUBECONFIG: devNull, KUBECACHEDIR: devNull };
  const probe = await probeProgram(name, args, { ...options, environment });
  if (probe.outcome === "missing") return { state: "missing" };
  if (probe.outcome === "hung") return { state: "hung", limitMs: probe.limitMs };
  const version = probe.outcome === "ended" ? answer.exec(probe.stdout)?.[1] : undefined;
  return version === undefined ? { state: "broken", message: complaint(probe) } : { state: "found", version };
}

/** One line on what went wrong: the tool's own last words, else how it ended. */
export function complaint(probe: Probe): string {
  if (probe.outcome === "refused") return `the system does not run it (${probe.code})`;
  if (probe.outcome !== "ended") return "it did not answer";
  const text = probe.stderr.trim() || probe.stdout.trim();
  const last = text.split("\n").at(-1)?.trim() ?? "";
  if (last === "") {
    return `${probe.code === null ? "a signal ended it" : `it ended with exit code ${probe.code}`} and it printed nothing`;
  }
  return last.length > 300 ? `${last.slice(0, 300)}…` : last;
}
