// What exec and attach talk to, whatever carries it: the client's standard streams, and how the command ended.

import type { Readable, Writable } from "node:stream";

/** What a client asked to be connected to. */
export interface SessionRequest {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
}

/** How a command ended: by its exit code, or not at all for a reason of ours. */
export type Outcome = { exitCode: number } | { error: string };

export interface RemoteSession {
  stdin?: Readable;
  stdout?: Writable;
  stderr?: Writable;
  /** Aborts when the client is gone. */
  signal: AbortSignal;
  /** Tells the outcome and closes the connection, after what was written before. */
  finish(outcome: Outcome): void;
}

/** The outcome for clients of protocol v4 and later: a Status. Before, success was silence and failure a text. */
export function outcomeMessage(outcome: Outcome, protocol: string): string {
  if (!/^v[45]\./.test(protocol)) return outcomeText(outcome) ?? "";
  const text = outcomeText(outcome);
  if (text === undefined) return JSON.stringify({ metadata: {}, status: "Success" });
  const failure =
    "exitCode" in outcome
      ? {
          reason: "NonZeroExitCode",
          details: { causes: [{ reason: "ExitCode", message: String(outcome.exitCode) }] },
        }
      : { reason: "InternalError", details: { causes: [{ message: text }] }, code: 500 };
  const message = "exitCode" in outcome ? text : `Internal error occurred: ${text}`;
  return JSON.stringify({ metadata: {}, status: "Failure", message, ...failure });
}

function outcomeText(outcome: Outcome): string | undefined {
  if ("error" in outcome) return outcome.error;
  return outcome.exitCode === 0
    ? undefined
    : `command terminated with non-zero exit code: exit status ${outcome.exitCode}`;
}

/** Reads a query as PodExecOptions spells it on the kubelet's side, or says what is wrong with it. */
export function parseSessionRequest(query: URLSearchParams): SessionRequest | string {
  const wants = (name: string): boolean => ["1", "true"].includes(query.get(name) ?? "");
  const request = { stdin: wants("input"), stdout: wants("output"), stderr: wants("error"), tty: wants("tty") };
  // A terminal has one stream for both.
  if (request.tty) request.stderr = false;
  if (request.stdin || request.stdout || request.stderr) return request;
  return "you must specify at least 1 of stdin, stdout, stderr";
}
