// What a command that changes a cluster failed with, as its user reads it: one line with the remedy, and the log.

import { StatusError } from "@gatehouse/apimachinery/status-error";
import { unreachable } from "./client-context.ts";
import type { Progress } from "./progress.ts";
import type { ClusterProvider } from "./providers/provider.ts";
import { UserError } from "./user-error.ts";

/** The error to throw instead: a UserError for all that is not our own fault. A log that is kept is named below it. */
export function clusterFailure(
  error: unknown,
  { context }: Pick<ClusterProvider, "context">,
  { log }: Pick<Progress, "log">,
): unknown {
  const told = error instanceof UserError ? error : ofServer(error, context);
  if (told === undefined || log === undefined) return told ?? error;
  return new UserError(`${told.message}\nlog: ${log}`, told.exitCode, { cause: error });
}

function ofServer(error: unknown, context: string): UserError | undefined {
  const server = `the API server of context "${context}"`;
  if (error instanceof StatusError) {
    return new UserError(`${server} refused (${error.reason}): ${error.message}`, 1, { cause: error });
  }
  const code = (error as Partial<NodeJS.ErrnoException>).code ?? "";
  if (!unreachable.has(code)) return undefined;
  return new UserError(
    `${server} does not answer any more (${code}): see whether the cluster runs, then run it again`,
    1,
    { cause: error },
  );
}
