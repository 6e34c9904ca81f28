// The command line of the bench.

import { parseArgs } from "node:util";

export const scenarioNames = ["attached", "probe", "scale", "flips"] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface Options {
  scenarios: ScenarioName[];
  /** A kubeconfig's context; absent: an embedded cluster of the bench's own. */
  context?: string;
  /** Where the gateway is asked; absent: at its Gateway's address. */
  entry?: { host: string; port: number };
  gatewayClass: string;
  /** Of the listener. */
  port: number;
  /** The gateway's process on this machine. */
  pid?: number;
  /** No scenario has more. */
  routes: number;
  /** Of each kind of flips. */
  seconds: number;
  json: boolean;
}

export const usage = `npm run bench -- routes [--scenarios ${scenarioNames.join(",")}] [--routes 10000] [--seconds 20] [-o text|json]
  [--context NAME [--entry HOST:PORT] [--class traefik] [--port 8000] [--pid PID]]

attached  1,000 HTTPRoutes attached to one Gateway, and taken away again
probe     3,000 of them, one after another, each asked for until it answers
scale     what one change costs with 10, 100, 1,000 and 10,000 of them in 100 namespaces
flips     a route whose backend changes every 200 ms under continuous requests

--routes   at most so many in each scenario, for clusters that take their time
--seconds  how long each kind of flips goes on
--context  measures the cluster of that kubeconfig context, in namespaces bench-routes-* that are deleted at the end; without it
           embedded clusters are started and ended, one for each scenario
--entry    where its gateway is asked (default: the address in the status of a Gateway); an address that all Gateways share
--class    GatewayClass of the bench's Gateways, --port their listener's port (Traefik: that of an entrypoint)
--pid      the gateway's process when it runs on this machine: its processor time and memory are measured
`;

/** What the command line asks for, or what is wrong with it; undefined: to be told how it is used. */
export function parseOptions(args: string[]): Options | string | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: {
        scenarios: { type: "string", default: scenarioNames.join(",") },
        context: { type: "string" },
        entry: { type: "string" },
        class: { type: "string", default: "traefik" },
        port: { type: "string", default: "8000" },
        pid: { type: "string" },
        routes: { type: "string", default: "10000" },
        seconds: { type: "string", default: "20" },
        output: { type: "string", short: "o", default: "text" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return undefined;
    if (!["text", "json"].includes(values.output)) return `--output: "${values.output}" is neither text nor json`;
    const needsContext = (["entry", "pid"] as const).find((name) => values[name] !== undefined);
    if (needsContext && values.context === undefined) return `--${needsContext} is about a cluster of --context`;
    return {
      scenarios: scenariosOf(values.scenarios),
      ...(values.context === undefined ? {} : { context: values.context }),
      ...(values.entry === undefined ? {} : { entry: entryOf(values.entry) }),
      gatewayClass: values.class,
      port: positive("--port", values.port),
      ...(values.pid === undefined ? {} : { pid: positive("--pid", values.pid) }),
      routes: positive("--routes", values.routes),
      seconds: positive("--seconds", values.seconds),
      json: values.output === "json",
    };
  } catch (error) {
    return (error as Error).message;
  }
}

function scenariosOf(text: string): ScenarioName[] {
  const names = text.split(",").filter((name) => name !== "");
  const unknown = names.find((name) => !scenarioNames.some((known) => known === name));
  if (unknown !== undefined)
    throw new Error(`there is no scenario "${unknown}": there are ${scenarioNames.join(", ")}`);
  return scenarioNames.filter((name) => names.includes(name));
}

function entryOf(text: string): { host: string; port: number } {
  const [, host = "", port = ""] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text) ?? [];
  if (host === "") throw new Error(`--entry: "${text}" is not HOST:PORT`);
  return { host, port: positive("--entry", port) };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name}: "${text}" is not a whole number above 0`);
  return value;
}
