// `gatehouse diff`: do two clusters treat the same routes alike? Objects, statuses, and real answers.

import { type Command, Option } from "commander";
import { setTimeout as delay } from "node:timers/promises";
import type { PlannedRequest } from "../diff/planned-request.ts";
import type { DiffReport } from "../diff/report.ts";
import { UserError } from "../user-error.ts";

/** Between two comparisons of `--wait`. */
const retryMs = 500;

interface DiffFlags {
  context?: string[];
  kubeconfig?: string;
  namespace?: string;
  allNamespaces?: boolean;
  entry?: string[];
  /** False for `--no-requests`. */
  requests?: string | boolean;
  derive: boolean;
  unsafeMethods?: boolean;
  messages?: boolean;
  all?: boolean;
  ignoreBody?: boolean;
  timeout: number;
  wait?: number;
  parallel: number;
  output?: "json" | "yaml";
}

const examples = `
Compared are GatewayClasses, Gateways, routes, policies and grants (spec and status, conditions by status and reason),
the Services that routes name (whether anything is ready behind them), and the answers to requests, which are sent to both
clusters over real connections. Without --requests they come from the routes: one that hits each match, one beside it, and
one for an unknown host; only GET, HEAD and OPTIONS. Times, addresses, generated names and the order of things never count.

Exit code: 0 no differences, 1 differences, 2 not compared.

Examples:
  gatehouse diff --context gatehouse --context kind-demo
  gatehouse diff --context gatehouse --context prod --entry prod=203.0.113.7:80 -n shop
  gatehouse diff --context gatehouse --context kind-demo --requests requests.yaml --no-derive
  gatehouse diff --context gatehouse --context kind-demo --no-requests -o json
  gatehouse diff --context gatehouse --context kind-demo --wait 60        in CI, while statuses settle

A request file is a list; only the url is needed:
  - url: http://demo.localhost/v1
  - name: sign in
    method: POST
    url: http://demo.localhost/session
    headers: { content-type: application/json }
    body: '{"user": "ann"}'
    times: 1
    ignoreBody: true`;

export function registerDiff(program: Command): void {
  const collect = (value: string, before: string[] = []): string[] => [...before, value];
  program
    .command("diff")
    .description("compare the statuses and answers of two clusters; exit code 1 when they differ")
    .option("--context <context>", "kubeconfig context; give it twice", collect)
    .option("--kubeconfig <file>", "kubeconfig file to use (default: KUBECONFIG, else ~/.kube/config)")
    .option("-n, --namespace <namespace>", "compare this namespace only, with the Gateways its routes attach to")
    .option("-A, --all-namespaces", "compare all namespaces (default)")
    .option("--entry <context=host:port>", "where requests enter that cluster (default: looked up)", collect)
    .option("--requests <file>", "send these requests too; - reads standard input")
    .option("--no-requests", "send no requests: compare objects and statuses alone")
    .option("--no-derive", "do not make requests from the routes")
    .option("--unsafe-methods", "also make requests with methods that may change something, where a route asks for one")
    .option("--messages", "compare the messages of conditions too")
    .option("--all", "compare the features that GatewayClasses claim too")
    .option("--ignore-body", "do not compare bodies")
    .addOption(
      numberOption(
        "--wait <seconds>",
        "compare (and ask) again until there is no difference, so long at most",
        1,
        3600,
      ),
    )
    .addOption(numberOption("--timeout <seconds>", "for one request, to an API server or an entry", 1, 600).default(10))
    .addOption(numberOption("--parallel <number>", "requests under way at a time", 1, 256).default(8))
    .addOption(new Option("-o, --output <format>", "print as data").choices(["json", "yaml"]))
    .addHelpText("after", examples)
    .action(run);
}

function numberOption(flags: string, what: string, least: number, most: number): Option {
  return new Option(flags, what).argParser((text) => {
    const number = Number(text);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw new UserError(`${flags.split(" ")[0]} ${text}: must be a whole number from ${least} to ${most}`, 2);
  });
}

async function run(flags: DiffFlags): Promise<void> {
  const [a, b] = twoContexts(flags);
  if (flags.requests === false && flags.entry) {
    throw new UserError("--entry is of no use with --no-requests", 2);
  }
  const [{ parseEntries }, { diffClusters }, own] = await Promise.all([
    import("../diff/cluster-entries.ts"),
    import("../diff/diff-clusters.ts"),
    ownRequests(flags),
  ]);
  const options = {
    contexts: [a, b] as const,
    ...(flags.kubeconfig === undefined ? {} : { kubeconfig: flags.kubeconfig }),
    ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
    entries: parseEntries(flags.entry ?? [], [a, b]),
    requests: flags.requests === false ? undefined : own,
    derive: flags.derive,
    unsafeMethods: flags.unsafeMethods ?? false,
    messages: flags.messages ?? false,
    all: flags.all ?? false,
    ignoreBody: flags.ignoreBody ?? false,
    timeoutMs: flags.timeout * 1_000,
    parallel: flags.parallel,
  };
  const giveUpAt = Date.now() + (flags.wait ?? 0) * 1_000;
  let report = await diffClusters(options);
  while (!report.summary.equal && Date.now() < giveUpAt) {
    await delay(retryMs);
    report = await diffClusters(options);
  }
  process.stdout.write(await printed(report, flags.output));
  process.exitCode = report.summary.equal ? 0 : 1;
}

function twoContexts({ context = [], namespace, allNamespaces }: DiffFlags): [string, string] {
  const [a, b, ...more] = context;
  if (a === undefined || b === undefined || more.length > 0) {
    const given = context.length === 0 ? "none" : context.join(", ");
    throw new UserError(`diff compares two clusters: give --context twice (given: ${given})`, 2);
  }
  if (a === b) throw new UserError(`both contexts are "${a}": a cluster is no different from itself`, 2);
  if (namespace !== undefined && allNamespaces) throw new UserError("give -n or -A, not both", 2);
  return [a, b];
}

async function ownRequests({ requests, derive }: DiffFlags): Promise<PlannedRequest[]> {
  if (typeof requests === "string") {
    const { readRequestFile } = await import("../diff/request-file.ts");
    return readRequestFile(requests);
  }
  if (!derive && requests !== false) {
    throw new UserError("--no-derive leaves no requests: give some with --requests FILE, or say --no-requests", 2);
  }
  return [];
}

async function printed(report: DiffReport, output: DiffFlags["output"]): Promise<string> {
  if (output === "json") return `${JSON.stringify(report, null, 2)}\n`;
  if (output === "yaml")
    return (await import("yaml")).stringify(report, { lineWidth: 0, aliasDuplicateObjects: false });
  return (await import("../diff/report-text.ts")).formatReport(report);
}
