// `gatehouse logs`: what containers have written.

import type { Command } from "commander";
import { addClientOptions, type ClientFlags, withClient } from "../client-context.ts";
import { UserError } from "../user-error.ts";

interface LogFlags extends ClientFlags {
  selector?: string;
  container?: string;
  allContainers?: boolean;
  follow?: boolean;
  previous?: boolean;
  timestamps?: boolean;
  tail?: string;
  since?: string;
  sinceTime?: string;
  limitBytes?: string;
  prefix?: boolean;
  maxLogRequests: string;
}

const examples = `
Examples:
  gatehouse logs -n traefik -l app.kubernetes.io/name=traefik -f
  gatehouse logs -n demo deployment/whoami-v1 --tail=20
  gatehouse logs -n demo whoami-v1-abc --since=5m --timestamps
  gatehouse logs -n demo -l app=whoami-v1 --prefix     which pod said it
  gatehouse logs -n demo whoami-v1-abc -p              of the container before its restart`;

export function registerLogs(program: Command): void {
  const command = program
    .command("logs")
    .description("print the logs of containers")
    .argument("[target]", "POD or TYPE/NAME")
    .argument("[container]", "the same as --container")
    .option("-l, --selector <labels>", "of all pods with these labels")
    .option("-c, --container <name>", "of this container")
    .option("--all-containers", "of all containers of the pods")
    .option("-f, --follow", "go on as more is written")
    .option("-p, --previous", "of the container's previous run")
    .option("--timestamps", "begin each line with its time")
    .option("--tail <lines>", "only the last lines (default: all, with a selector 10)")
    .option("--since <duration>", "only what is newer, e.g. 5s, 2m, 3h")
    .option("--since-time <time>", "only what was written since this time (RFC 3339)")
    .option("--limit-bytes <bytes>", "at most this much of each log")
    .option("--prefix", "begin each line with its pod and container")
    .option("--max-log-requests <count>", "how many logs may be followed at once", "5")
    .addHelpText("after", examples);
  addClientOptions(command).action(run);
}

async function run(target: string | undefined, container: string | undefined, flags: LogFlags): Promise<void> {
  const wrong = (message: string): never => {
    throw new UserError(message, 2);
  };
  if (target === undefined && flags.selector === undefined) wrong("expected a POD, a TYPE/NAME or a selector (-l)");
  if (target !== undefined && flags.selector !== undefined) wrong("only a selector (-l) or a POD name is allowed");
  if (container !== undefined && flags.container !== undefined)
    wrong("only one of -c or an inline container may be given");
  const parameters = await logParameters(flags);
  const most = wholeNumber("--max-log-requests", flags.maxLogRequests) ?? 5;

  await withClient(flags, async (context) => {
    const { findLogSources } = await import("../log-sources.ts");
    const { writeLogs } = await import("../log-streams.ts");
    const chosen = container ?? flags.container;
    const sources = await findLogSources(context, target, {
      ...(flags.selector === undefined ? {} : { selector: flags.selector }),
      ...(chosen === undefined ? {} : { container: chosen }),
      allContainers: flags.allContainers ?? false,
    });
    if (sources.length === 0) context.err(`No resources found in ${context.namespace} namespace.`);
    if (flags.follow && sources.length > most) {
      throw new UserError(
        `you are attempting to follow ${sources.length} log streams, but maximum allowed concurrency is ${most}: ` +
          `use --max-log-requests=${sources.length}`,
      );
    }
    await writeLogs(context, sources, parameters, flags.prefix ?? false);
  });
}

async function logParameters(flags: LogFlags) {
  if (flags.since !== undefined && flags.sinceTime !== undefined) {
    throw new UserError("at most one of `sinceTime` or `sinceSeconds` may be specified", 2);
  }
  const { parseGoDuration } = await import("@gatehouse/apimachinery/duration");
  const since = flags.since === undefined ? undefined : parseGoDuration(flags.since);
  if (flags.since !== undefined && (since === undefined || since <= 0)) {
    throw new UserError(`invalid --since "${flags.since}": a duration such as 5s, 2m or 3h`, 2);
  }
  if (flags.sinceTime !== undefined && Number.isNaN(Date.parse(flags.sinceTime))) {
    throw new UserError(`invalid --since-time "${flags.sinceTime}": a time such as 2026-01-31T12:00:00Z`, 2);
  }
  const tail = wholeNumber("--tail", flags.tail) ?? (flags.selector === undefined ? -1 : 10);
  const limitBytes = wholeNumber("--limit-bytes", flags.limitBytes);
  return {
    follow: flags.follow ?? false,
    previous: flags.previous ?? false,
    timestamps: flags.timestamps ?? false,
    ...(tail >= 0 ? { tailLines: tail } : {}),
    ...(since === undefined ? {} : { sinceSeconds: Math.ceil(since / 1000) }),
    ...(flags.sinceTime === undefined ? {} : { sinceTime: flags.sinceTime }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?\d+$/.test(text)) throw new UserError(`invalid ${option} "${text}": a whole number`, 2);
  return Number(text);
}
