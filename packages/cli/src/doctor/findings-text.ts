// Findings for people: a line each, remedies indented below, the verdict last.

import type { ProviderKind } from "../cluster-state.ts";
import { obstacles } from "./diagnose.ts";
import type { Finding } from "./finding.ts";

const providers: ProviderKind[] = ["embedded", "kind", "context"];

export interface TextOptions {
  /** Undefined = an overview, judged for the embedded cluster, with a verdict on each. */
  provider?: ProviderKind;
  colour: boolean;
}

/** Ends with a newline. */
export function findingsText(findings: Finding[], { provider, colour }: TextOptions): string {
  const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const line = (finding: Finding): string[] => {
    const concerned = finding.neededFor.includes(provider ?? "embedded");
    const whom = provider === undefined && finding.level !== "ok" ? appliesTo(finding) : "";
    const rest = `${finding.title}: ${finding.message}${whom}`;
    const remedy = (finding.remedy ?? "").split("\n").filter((text) => text !== "");
    return [` ${mark(finding, concerned, paint)} ${rest}`, ...remedy.map((text) => `     ${text}`)];
  };
  const verdicts = (provider === undefined ? providers : [provider]).map((each) => verdict(findings, each));
  return `${[...findings.flatMap(line), "", ...verdicts].join("\n")}\n`;
}

/** A cross only for what stands in the way of the cluster in question. */
function mark({ level }: Finding, concerned: boolean, paint: (code: number, text: string) => string): string {
  switch (level) {
    case "ok":
      return paint(32, "✓");
    case "skipped":
      return paint(2, "-");
    case "warning":
      return paint(33, "!");
    case "problem":
      return concerned ? paint(31, "✗") : paint(33, "!");
  }
}

function appliesTo({ neededFor }: Finding): string {
  return neededFor.length === providers.length ? "" : ` [${neededFor.join(", ")}]`;
}

function verdict(findings: Finding[], provider: ProviderKind): string {
  const inTheWay = obstacles(findings, provider);
  const warnings = findings.filter(({ level, neededFor }) => level === "warning" && neededFor.includes(provider));
  const also = warnings.length === 0 ? "" : `, ${count(warnings.length, "warning")}`;
  if (inTheWay.length === 0) return `${provider}: nothing stands in the way${also}`;
  return `${provider}: ${count(inTheWay.length, "problem")} in the way (${inTheWay.map(({ title }) => title).join(", ")})${also}`;
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;
