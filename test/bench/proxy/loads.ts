// The load generators, each run for a while against one address: what they counted, and the times they saw.

import { join } from "node:path";
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
  ports: { http: number; https: number };
  seconds: number;
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
  /** Asks that many hosts in turn. */
  hosts?: number;
  /** Client threads, each towards an address of its own. */
  threads?: number;
}

const commonHeaders = { "User-Agent": "gatehouse-bench/1.0", Accept: "*/*" };

export function wrk(options: WrkOptions): Load {
  const { connections, path = "/", tls = false, bodyBytes = 0, hosts = 0, threads = 1 } = options;
  const headers = Object.entries({ ...commonHeaders, ...options.headers });
  return {
    description: `wrk -t${threads} -c${connections}`,
    lacks: () => (findProgram("wrk") ? undefined : "wrk is not installed"),
    run: async (stage, { ports, seconds }) => {
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
