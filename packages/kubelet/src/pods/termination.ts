// How a container instance ended, as its status tells it: exit code, reason, and the message the program left.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { timestamp } from "@gatehouse/apimachinery/meta";
import type { Container, ContainerState } from "@gatehouse/apimachinery/types/core-v1";
import { parseLogLine } from "../logs/log-line.ts";
import type { ProcessExit } from "./container-process.ts";

const maxMessageBytes = 4096;
const fallbackLines = 80;
const fallbackBytes = 2048;

/** Where a program leaves its last words, as the pod spec says it. */
export function terminationMessagePath(container: Container): string {
  return container.terminationMessagePath ?? "/dev/termination-log";
}

/** The real file behind it. */
export function terminationMessageFile(directory: string): string {
  return join(directory, "termination-log");
}

export function terminatedState(
  container: Container,
  directory: string,
  logPath: string,
  exit: ProcessExit,
  startedAt: number,
): NonNullable<ContainerState["terminated"]> {
  const fallback = container.terminationMessagePolicy === "FallbackToLogsOnError" && exit.exitCode !== 0;
  const message = exit.message ?? (lastWords(directory) || (fallback ? lastLines(logPath) : ""));
  return {
    exitCode: exit.exitCode,
    reason: exit.message ? "StartError" : exit.exitCode === 0 ? "Completed" : "Error",
    ...(message ? { message } : {}),
    startedAt: timestamp(new Date(startedAt)),
    finishedAt: timestamp(),
  };
}

function lastWords(directory: string): string {
  const file = terminationMessageFile(directory);
  return existsSync(file) ? readFileSync(file).subarray(0, maxMessageBytes).toString("utf8") : "";
}

function lastLines(logPath: string): string {
  if (!existsSync(logPath)) return "";
  const entries = readFileSync(logPath).toString("latin1").trimEnd().split("\n").slice(-fallbackLines);
  const text = entries.map((entry) => parseLogLine(Buffer.from(entry, "latin1"))?.text.toString() ?? "").join("\n");
  return text.slice(-fallbackBytes);
}
