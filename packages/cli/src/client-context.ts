// What every client verb (get, describe, apply, delete, logs) starts from: which cluster, which namespace, a client,
// and where to print. Connection failures become one line with the remedy.

import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { ApiClient } from "@gatehouse/apimachinery/api-client";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import { defaultClusterName } from "./home.ts";
import type { ResourceMapper } from "./resource-mapper.ts";
import { UserError } from "./user-error.ts";

/** The options that `addClientOptions` and `addAllNamespaces` declare. */
export interface ClientFlags {
  context?: string;
  kubeconfig?: string;
  namespace?: string;
  allNamespaces?: boolean;
}

export interface ClientContext {
  client: ApiClient;
  /** The kubeconfig context in use. */
  context: string;
  /** That of `--namespace`, else of the context. Not to be used when `allNamespaces`. */
  namespace: string;
  namespaceIsExplicit: boolean;
  allNamespaces: boolean;
  /** What the server serves, asked for once. */
  mapper(): Promise<ResourceMapper>;
  /** Writes to standard output as it is. */
  out(text: string): void;
  /** Writes one line to standard error. */
  err(line: string): void;
}

export function addClientOptions(command: Command): Command {
  return command
    .option("-n, --namespace <namespace>", "namespace to work in (default: the context's)")
    .option("--context <context>", "kubeconfig context to use (default: the current one)")
    .option("--kubeconfig <file>", "kubeconfig file to use (default: KUBECONFIG, else ~/.kube/config)");
}

export function addAllNamespaces(command: Command): Command {
  return command.option("-A, --all-namespaces", "work across all namespaces");
}

/** Runs `work` with a client; afterwards the client is closed. Throws UserError or StatusError. */
export async function withClient(
  flags: ClientFlags,
  work: (context: ClientContext) => Promise<void>,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const connection = await connectionOf(flags, environment);
  const { createApiClient } = await import("@gatehouse/apimachinery/api-client");
  const client = await createApiClient(connection);
  let mapper: Promise<ResourceMapper> | undefined;
  const context: ClientContext = {
    client,
    context: connection.context,
    namespace: flags.namespace ?? connection.namespace,
    namespaceIsExplicit: flags.namespace !== undefined,
    allNamespaces: flags.allNamespaces ?? false,
    mapper: () => (mapper ??= import("./resource-mapper.ts").then(({ discover }) => discover(client))),
    out: (text) => void process.stdout.write(text),
    err: (line) => void process.stderr.write(`${line}\n`),
  };
  endQuietly();
  try {
    await work(context);
  } catch (error) {
    throw explained(error, connection.context, connection.server ?? "");
  } finally {
    client.close();
  }
}

/** Prints one failure of several, after which the verb goes on; the exit code will be 1. */
export function reportFailure(context: Pick<ClientContext, "err">, error: unknown, doing = ""): void {
  // What is wrong with the connection is wrong for every object: not one line each.
  if (!(error instanceof StatusError) && !(error instanceof UserError)) throw error;
  process.exitCode = 1;
  const prefix = error instanceof StatusError ? `Error from server (${error.reason})` : "error";
  context.err(`${prefix}: ${doing ? `${doing}: ` : ""}${error.message}`);
}

async function connectionOf(flags: ClientFlags, environment: NodeJS.ProcessEnv) {
  if (flags.kubeconfig && !existsSync(flags.kubeconfig)) {
    throw new UserError(`kubeconfig file ${flags.kubeconfig} does not exist`);
  }
  const { loadConnection } = await import("@gatehouse/apimachinery/kubeconfig");
  const effective = flags.kubeconfig ? { ...environment, KUBECONFIG: flags.kubeconfig } : environment;
  try {
    return await loadConnection(flags.context, effective);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (!message.startsWith("no current context")) throw new UserError(message, 1, { cause: error });
    throw new UserError(await withoutCurrentContext(message, effective), 1, { cause: error });
  }
}

/** A context that is not current is never taken by guess: deleting in the wrong cluster cannot be undone. */
async function withoutCurrentContext(message: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const { contextNames } = await import("@gatehouse/apimachinery/kubeconfig");
  const names = await contextNames(environment);
  const ours = names.filter((name) => name === defaultClusterName || name.startsWith(`${defaultClusterName}-`));
  const offered = ours.length > 0 ? ours : names;
  const [where] = message.split(": start a cluster");
  if (offered.length === 0) return `${where}: bring a cluster up with \`gatehouse up\``;
  return `${where}: choose a cluster with ${offered.map((name) => `--context ${name}`).join(" or ")}`;
}

/** Codes of connections whose certificate is not trusted. */
export const untrusted = /^(ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;
/** Codes of connections that nobody takes, or that were lost. */
export const unreachable: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
]);

function explained(error: unknown, context: string, server: string): unknown {
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? "") : "";
  if (untrusted.test(code)) {
    const remedy = "the context is of another cluster than the one that answers there";
    return new UserError(
      `certificate at ${server} is not the one that context "${context}" trusts (${code}): ${remedy}`,
      1,
      {
        cause: error,
      },
    );
  }
  if (!unreachable.has(code)) return error;
  return new UserError(
    `cluster of context "${context}" does not answer at ${server} (${code}): ${remedyFor(context)}`,
    1,
    {
      cause: error,
    },
  );
}

function remedyFor(context: string): string {
  if (context === defaultClusterName) return "start it with `gatehouse start`, or make one with `gatehouse up`";
  const prefix = `${defaultClusterName}-`;
  if (!context.startsWith(prefix)) return "see whether it runs, or choose another with --context";
  const name = context.slice(prefix.length);
  return `start it with \`gatehouse start --name ${name}\`, or make one with \`gatehouse up --name ${name}\``;
}

let endsQuietly = false;

/** Ctrl-C is 130 without a word; a reader that went away (`| head`) is no failure. */
function endQuietly(): void {
  if (endsQuietly) return;
  endsQuietly = true;
  process.once("SIGINT", () => process.exit(130));
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") process.exit(0);
      throw error;
    });
  }
}
