// The report for people: which clusters, what differs (grouped by object or request), what was noted or left out, verdict.

import { formatColumns } from "../output/columns.ts";
import { printable } from "../printable.ts";
import type { ClusterHeading, Difference, DiffReport, RequestFindings } from "./report.ts";

const shownCharacters = 200;

/** Ends with a newline. */
export function formatReport(report: DiffReport): string {
  const blocks = [
    formatColumns([heading("A", report.a), heading("B", report.b)]),
    ...report.objects.filter(differs).map((each) => block(each.object, each.differences)),
    ...report.requests.filter(differs).map((each) => block(requestLine(each), each.differences)),
    notes(report),
    skipped(report),
    [verdict(report)],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

const differs = ({ differences }: { differences: Difference[] }): boolean => differences.length > 0;

function heading(side: string, cluster: ClusterHeading): string[] {
  const api = cluster.gatewayApi
    ? `Gateway API ${cluster.gatewayApi.version} ${cluster.gatewayApi.channel}`
    : "Gateway API not seen";
  const entries = [...new Set(cluster.entries.map(({ address, how }) => `${address} (${how})`))];
  return [side, cluster.context, `Kubernetes ${cluster.kubernetes}`, api, entries.join(", ")];
}

const requestLine = ({ request, origin, times }: RequestFindings): string =>
  `${request}${times > 1 ? `, ${times} times` : ""}\n  from: ${origin}`;

function block(title: string, differences: readonly Difference[]): string[] {
  return [
    title,
    ...differences.flatMap(({ field, a, b }) => [`  ${field}`, `    A: ${shown(a)}`, `    B: ${shown(b)}`]),
  ];
}

function notes({ objects, requests }: DiffReport): string[] {
  const all = [
    ...objects.flatMap(({ object, notes: list }) => list.map((note) => ({ about: object, ...note }))),
    ...requests.flatMap(({ request, notes: list }) => list.map((note) => ({ about: request, ...note }))),
  ];
  if (all.length === 0) return [];
  return [
    "Noted, not counted:",
    ...all.map(({ about, field, a, b }) => `  ${about}: ${field}: A: ${shown(a)}, B: ${shown(b)}`),
  ];
}

function skipped(report: DiffReport): string[] {
  if (report.skipped.length === 0) return [];
  return ["Not compared:", ...report.skipped.map(({ what, why }) => `  ${what}: ${why}`)];
}

function verdict({ summary, skipped: left }: DiffReport): string {
  const { objects, requests, differences, notes: noted } = summary;
  const found = differences === 0 ? "no differences" : count(differences, "difference");
  const beside = noted === 0 ? "" : `, ${count(noted, "note")}`;
  const leftOut = left.length === 0 ? "" : `, ${left.length} not compared`;
  return `${count(objects, "object")} and ${count(requests, "request")} compared: ${found}${beside}${leftOut}`;
}

const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** One line; what is longer is cut. Whole values are in `-o json`. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return "(not there)";
  if (Array.isArray(value) && value.length === 0) return "(none)";
  const isList = Array.isArray(value) && value.every((member) => typeof member === "string");
  const text = typeof value === "string" ? value : isList ? value.join(", ") : JSON.stringify(value);
  const line = printable(text);
  return line.length > shownCharacters ? `${line.slice(0, shownCharacters)}...` : line;
}
