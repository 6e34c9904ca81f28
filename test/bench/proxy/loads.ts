// The load generators, each run for a while against one address: what they counted, and the times they saw.

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Ports } from "./contestant.ts";
import { addresses, findProgram, type Stage } from "./stage.ts";

export interface LoadResult {
  requests: number;
  /** How long it really ran. */
  seconds: number;
  errors: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  p999: number;
}

export interface Aim {
  ports: Ports;
  /** Hosts to ask in turn, 0 for none in particular. */
  hosts: number;
  seconds: number;
  /** Requests per second, for loads that keep a pace. */
  rate: number;
}

export interface Load {
  /** For people: the command in short. */
  description: string;
  /** What is missing on this machine, if anything. */
  lacks(): string | undefined;
  run(stage: Stage, aim: Aim): Promise<LoadResult>;
}

export interface WrkOptions {
  connections: number;
  path?: string;
  tls?: boolean;
  headers?: Record<string, string>;
  /** POSTs of that many bytes. */
  bodyBytes?: number;
  /** No two requests are alike: each has a target below `path`, and an X-Request-Id, of its own. */
  varied?: true;
  /** Client threads, each towards an address of its own. */
  threads?: number;
}

const commonHeaders = { "User-Agent": "gatehouse-bench/1.0", Accept: "*/*" };

export function wrk(options: WrkOptions): Load {
  const { connections, path = "/", tls = false, bodyBytes = 0, threads = 1 } = options;
  const headers = Object.entries({ ...commonHeaders, ...options.headers });
  return {
    description: `wrk -t${threads} -c${connections}`,
    lacks: () => lacking("wrk"),
    run: async (stage, { ports, hosts, seconds }) => {
      const url = tls ? `https://127.0.0.1:${ports.https}${path}` : `http://127.0.0.1:${ports.http}${path}`;
      const script = join(import.meta.dirname, "wrk.lua");
      const args = ["-t", threads, "-c", connections, "-d", seconds, "--timeout", "10s", "-s", script];
      args.push(...headers.flatMap(([name, value]) => ["-H", `${name}: ${value}`]), url);
      const output = await stage.run("wrk", args.map(String), {
        cores: stage.cores.load,
        environment: {
          BENCH_ADDRESSES: addresses.slice(0, threads).join(" "),
          BENCH_BODY_BYTES: String(bodyBytes),
          BENCH_HOSTS: String(hosts),
          BENCH_VARIED: options.varied === true ? path : "",
        },
      });
      return parseLine(output);
    },
  };
}

/** The last line that starts with `json `. */
function parseLine(output: string): LoadResult {
  const line = output.split("\n").findLast((each) => each.startsWith("json "));
  if (line === undefined) throw new Error(`the load generator printed no figures: ${output.slice(-1000)}`);
  return JSON.parse(line.slice(5)) as LoadResult;
}

const lacking = (program: string): string | undefined =>
  findProgram(program) ? undefined : `${program} is not installed`;

/** HTTP/2 clients over TLS, `streams` requests at a time on each connection. */
export function h2load({ connections, streams }: { connections: number; streams: number }): Load {
  return {
    description: `h2load -c${connections} -m${streams}`,
    lacks: () => lacking("h2load"),
    run: async (stage, { ports, seconds }) => {
      const log = stage.path("h2load.log");
      const args = ["-c", connections, "-m", streams, "-D", seconds, `--log-file=${log}`];
      const url = `https://127.0.0.1:${ports.https}/`;
      const output = await stage.run("h2load", [...args.map(String), url], { cores: stage.cores.load });
      const result = parseH2load(output, readFileSync(log, "latin1"));
      rmSync(log);
      return result;
    },
  };
}

/** The log has a line per request: when it was sent, status, microseconds. */
function parseH2load(output: string, log: string): LoadResult {
  if (!output.includes("Application protocol: h2")) throw new Error("HTTP/2 was not agreed on");
  const seconds = Number(/^finished in ([\d.]+)s/m.exec(output)?.[1]);
  const [, succeeded, failed] = /(\d+) succeeded, (\d+) failed/.exec(output) ?? [];
  const lines = log.trimEnd().split("\n");
  const times = Float64Array.from(lines, (line) => Number(line.slice(line.lastIndexOf("\t") + 1)) / 1000).sort();
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return {
    requests: Number(succeeded),
    seconds,
    errors: Number(failed),
    p50: at(0.5),
    p99: at(0.99),
    p999: at(0.999),
  };
}

export interface GeneratorOptions {
  connections: number;
  path?: string;
  tls?: boolean;
}

/** A generator of ours, see generators/. */
export function generator(kind: "aborts" | "echo" | "handshakes" | "paced", options: GeneratorOptions): Load {
  const { connections, path = "/", tls = false } = options;
  return {
    description: `generators/${kind}.ts, ${connections} connections`,
    // wrk finds out what half the load is.
    lacks: () => (kind === "paced" ? lacking("wrk") : undefined),
    run: async (stage, { ports, seconds, rate }) => {
      const settings = { addresses, port: tls ? ports.https : ports.http, path, rate, connections, seconds };
      const args = [generatorProgram, kind, JSON.stringify(settings)];
      return parseLine(await stage.run(process.execPath, args, { cores: stage.cores.load }));
    },
  };
}

export const generatorProgram = join(import.meta.dirname, "generators/main.ts");
