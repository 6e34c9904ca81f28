// `wget` and `curl`, one GET or so over plain HTTP: to the pod itself as `localhost`, or to an address of this cluster. Nowhere
// else: whoever may exec must not reach what only this host can.

import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { listenAddresses, podEnvironment } from "@gatehouse/apimachinery/pod-environment";
import { parseOptions, type Program, type Toolbox, UsageError } from "./program.ts";

interface Fetch {
  url: URL;
  method: string;
  headers: OutgoingHttpHeaders;
  timeoutMs: number;
}

const defaultTimeoutMs = 30_000;

export const wget: Program = async (args, box) => {
  // `--spider` and the like are not done; `-qO-` is how it is used in containers.
  const { flags, values, operands } = parseOptions(longOptions(args), "qSs", "OTH");
  if (values.has("O") && values.get("O") !== "-") throw new UsageError("only -O - is done: the answer is printed");
  const fetch = fetchOf(operands, values.get("H"), seconds(values.get("T")), "GET");
  const answer = await request(fetch, box).catch((error: Error) => error);
  if (answer instanceof Error) return report(`wget: ${answer.message}`, 1, box);
  if (flags.has("S")) await box.err(headText(answer, "  "));
  const { statusCode = 0 } = answer;
  if (statusCode >= 400) {
    answer.resume();
    return report(`wget: server returned error: HTTP/1.1 ${statusCode} ${answer.statusMessage}`, 1, box);
  }
  for await (const chunk of answer) await box.out(chunk as Buffer);
  return 0;
};

export const curl: Program = async (args, box) => {
  const { flags, values, operands } = parseOptions(longOptions(args), "sSifI", "XHmo");
  if (values.has("o") && values.get("o") !== "-") throw new UsageError("only -o - is done: the answer is printed");
  const method = values.get("X") ?? (flags.has("I") ? "HEAD" : "GET");
  const answer = await request(fetchOf(operands, values.get("H"), seconds(values.get("m")), method), box).catch(
    (error: Error) => error,
  );
  if (answer instanceof Error) return report(`curl: (7) ${answer.message}`, 7, box);
  const { statusCode = 0 } = answer;
  if (flags.has("f") && statusCode >= 400) {
    answer.resume();
    return report(`curl: (22) The requested URL returned error: ${statusCode}`, 22, box);
  }
  if (flags.has("i") || flags.has("I")) await box.out(`${headText(answer, "").replaceAll("\n", "\r\n")}\r\n\r\n`);
  for await (const chunk of answer) await box.out(chunk as Buffer);
  return 0;
};

const longNames: Record<string, string> = {
  "--quiet": "-q",
  "--silent": "-s",
  "--fail": "-f",
  "--include": "-i",
  "--head": "-I",
  "--header": "-H",
  "--request": "-X",
  "--max-time": "-m",
  "--timeout": "-T",
};

function longOptions(args: string[]): string[] {
  return args.flatMap((arg) => {
    if (!arg.startsWith("--") || arg === "--") return [arg];
    const [name = "", ...value] = arg.split("=");
    const short = longNames[name];
    if (!short) throw new UsageError(`unrecognized option: ${name}; there are ${Object.keys(longNames).join(" ")}`);
    return [short, ...(value.length > 0 ? [value.join("=")] : [])];
  });
}

function fetchOf(operands: string[], header: string | undefined, timeoutMs: number, method: string): Fetch {
  const [target, ...more] = operands;
  if (target === undefined || more.length > 0) throw new UsageError("one URL is needed");
  const text = target.includes("://") ? target : `http://${target}`;
  if (!URL.canParse(text)) throw new UsageError(`bad address '${target}'`);
  const url = new URL(text);
  if (url.protocol !== "http:") throw new UsageError(`${url.protocol} is not done here, only http:`);
  const [, name = "", value = ""] = /^([\w-]+):\s*(.*)$/.exec(header ?? "") ?? [];
  return { url, method, timeoutMs, headers: { "user-agent": "gatehouse-toolbox", ...(name ? { [name]: value } : {}) } };
}

function seconds(text: string | undefined): number {
  if (text === undefined) return defaultTimeoutMs;
  if (!/^\d+(?:\.\d+)?$/.test(text)) throw new UsageError(`invalid number '${text}'`);
  return Number(text) * 1000;
}

function request({ url, method, headers, timeoutMs }: Fetch, box: Toolbox): Promise<IncomingMessage> {
  const place = placeOf(url, box.hostEnvironment);
  const signal = AbortSignal.timeout(timeoutMs);
  const { request: send } = process.getBuiltinModule("node:http");
  const path = url.pathname + url.search;
  return new Promise((resolve, reject) => {
    const outgoing = send({ ...place, method, path, headers: { host: url.host, ...headers }, signal, agent: false });
    outgoing.on("response", resolve);
    outgoing.on("error", (error: NodeJS.ErrnoException) => reject(new Error(failure(url, error))));
    outgoing.end();
  });
}

function failure({ host }: URL, { code, name, message }: NodeJS.ErrnoException): string {
  if (code === "ECONNREFUSED") return `can't connect to remote host (${host}): Connection refused`;
  return name === "AbortError" || name === "TimeoutError" ? "download timed out" : `${host}: ${message}`;
}

/** Throws a UsageError for what is neither the pod nor an address of its cluster (127.N.0.0/16, docs/decisions/0003). */
function placeOf({ hostname, port }: URL, environment: NodeJS.ProcessEnv): { host: string; port: number } {
  const number = Number(port || 80);
  const podIP = environment[podEnvironment.podIP] ?? "";
  const [, subnet = "0"] = podIP.split(".");
  const own = ["localhost", "127.0.0.1", "[::1]", podIP, environment.HOSTNAME?.toLowerCase()].includes(hostname);
  if (own) {
    const declared = environment[podEnvironment.listen] ?? "{}";
    const [place] = listenAddresses(number, "tcp", environment);
    // Where pods share 127.0.0.1, other ports are somebody else's.
    if (place && (subnet !== "0" || `${number}/tcp` in (JSON.parse(declared) as object))) return place;
  } else if (subnet !== "0" && hostname.startsWith(`127.${subnet}.`)) return { host: hostname, port: number };
  throw new UsageError(
    `bad address '${hostname}': there is no cluster DNS here; use localhost, or a pod's address (kubectl get pods -o wide)`,
  );
}

function headText(answer: IncomingMessage, indent: string): string {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2)
    lines.push(`${answer.rawHeaders[at]}: ${answer.rawHeaders[at + 1]}`);
  return lines.map((line) => indent + line).join("\n");
}

async function report(line: string, code: number, { err }: Toolbox): Promise<number> {
  await err(line);
  return code;
}
