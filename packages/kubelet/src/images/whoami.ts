// The image traefik/whoami: says who it is and what it was asked. Flags, routes and output follow the original.

import type { IncomingMessage, ServerResponse } from "node:http";
import { parseGoDuration } from "@gatehouse/apimachinery/duration";
import { mountedPath, podEnvironment } from "@gatehouse/apimachinery/pod-environment";
import { print, printError, serveContainer } from "./container-main.ts";
import {
  goHeader,
  goJson,
  parseGoBool,
  queryOf,
  readBody,
  remoteAddress,
  requestURI,
  sortedHeader,
  writeRequest,
} from "./go-http.ts";
import { httpServer } from "./http-server.ts";

interface Flags {
  port: string;
  name: string;
  verbose: boolean;
  cert: string;
  key: string;
  cacert: string;
}

/** Go's flag syntax: `-port 80`, `--port=80`, `-verbose`. Exits with 2, as Go does, on what it does not know. */
function parseFlags(args: string[]): Flags {
  const { WHOAMI_PORT_NUMBER: port, WHOAMI_NAME: name = "" } = process.env;
  const flags: Flags = { port: port || "80", name, verbose: false, cert: "", key: "", cacert: "" };
  const rest = [...args];
  for (let flag = rest.shift(); flag?.startsWith("-"); flag = rest.shift()) {
    const [, key = "", value] = /^--?([^=]+)(?:=(.*))?$/.exec(flag) ?? [];
    if (key === "verbose") flags.verbose = parseGoBool(value ?? "true") ?? false;
    else if (key === "port" || key === "name" || key === "cert" || key === "key" || key === "cacert") {
      flags[key] = value ?? rest.shift() ?? "";
    } else {
      printError(`flag provided but not defined: -${key}`);
      process.exit(2);
    }
  }
  return flags;
}

const flags = parseFlags(process.argv.slice(2));
const hostname = process.env.HOSTNAME ?? "localhost";
const addresses = [process.env[podEnvironment.podIP] ?? "127.0.0.1"];
let healthStatus = 200;

/** Go's default log format, on standard error. */
function log(message: string): void {
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, "0");
  const date = `${now.getFullYear()}/${two(now.getMonth() + 1)}/${two(now.getDate())}`;
  printError(`${date} ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())} ${message}`);
}

function send(response: ServerResponse, body: string | Buffer, contentType = "text/plain; charset=utf-8"): void {
  response.setHeader("Content-Type", contentType);
  response.setHeader("Content-Length", Buffer.byteLength(body));
  response.end(body);
}

async function whoami(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const query = queryOf(request);
  const body = await readBody(request);
  const wait = parseGoDuration(query.get("wait") ?? "");
  if (wait !== undefined && wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  const lines = [
    ...(flags.name ? [`Name: ${flags.name}`] : []),
    `Hostname: ${hostname}`,
    ...addresses.map((address) => `IP: ${address}`),
    `RemoteAddr: ${remoteAddress(request)}`,
  ];
  const environment = parseGoBool(query.get("env"))
    ? Object.entries(process.env).map(([key, value]) => `${key}=${value}\n`)
    : [];
  const text = [Buffer.from(`${lines.join("\n")}\n`), writeRequest(request, body), Buffer.from(environment.join(""))];
  send(response, Buffer.concat(text));
}

function api(request: IncomingMessage, response: ServerResponse): void {
  const environ = parseGoBool(queryOf(request).get("env"))
    ? Object.fromEntries(Object.entries(process.env).sort(([a], [b]) => (a < b ? -1 : 1)))
    : {};
  const data = {
    hostname,
    ip: addresses,
    headers: sortedHeader(goHeader(request)),
    url: requestURI(request),
    host: request.headers.host ?? "",
    method: request.method ?? "GET",
    ...(flags.name ? { name: flags.name } : {}),
    remoteAddr: remoteAddress(request),
    ...(Object.keys(environ).length > 0 ? { environ } : {}),
  };
  send(response, `${goJson(data)}\n`, "application/json");
}

function bench(_request: IncomingMessage, response: ServerResponse): void {
  if (!response.hasHeader("Connection")) response.setHeader("Connection", "keep-alive");
  send(response, "1", "text/plain");
}

async function health(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "POST") {
    response.writeHead(healthStatus, { "Content-Length": 0 }).end();
    return;
  }
  const text = (await readBody(request)).toString().trim();
  if (!/^[1-9]\d\d$/.test(text)) {
    response.statusCode = 400;
    send(response, `"${text}" is not a status code\n`);
    return;
  }
  healthStatus = Number(text);
  print(`Update health check status code [${healthStatus}]`);
  send(response, "");
}

const units: Record<string, number> = { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 };
const letters = "-ABCDEFGHIJKLMNOPQRSTUVWXYZ";
// A whole number of alphabets, so that each block continues where the one before ended.
const block = Buffer.from(letters.repeat(2400));

/** `|ABC...|`: `size` bytes of a repeating alphabet between two bars (none at all for a size below two). */
function data(request: IncomingMessage, response: ServerResponse): void {
  const query = queryOf(request);
  const asked = /^[+-]?\d+$/.test(query.get("size") ?? "") ? Number(query.get("size")) : 1;
  const size = Math.max(0, asked) * (units[query.get("unit")?.toLowerCase() ?? ""] ?? 1);
  if (parseGoBool(query.get("attachment"))) response.setHeader("Content-Disposition", "Attachment");
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.setHeader("Content-Length", size < 2 ? 0 : size);
  if (size < 2 || request.method === "HEAD") return void response.end();
  let sent = 0;
  const pump = (): void => {
    while (sent < size && !response.destroyed) {
      const chunk = Buffer.from(block.subarray(0, Math.min(block.length, size - sent)));
      if (sent === 0) chunk[0] = 0x7c;
      sent += chunk.length;
      if (sent === size) chunk[chunk.length - 1] = 0x7c;
      if (!response.write(chunk)) return void response.once("drain", pump);
    }
    response.end();
  };
  pump();
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;
const routes: Record<string, Handler> = { "/data": data, "/bench": bench, "/api": api, "/health": health };

function handle(request: IncomingMessage, response: ServerResponse): void {
  const path = requestURI(request).split("?", 1)[0] ?? "/";
  if (flags.verbose) response.on("close", () => logRequest(request, path));
  const handler = path === "/echo" ? upgradeRequired : (routes[path] ?? whoami);
  void (async () => handler(request, response))().catch(() => response.destroy());
}

function upgradeRequired(_request: IncomingMessage, response: ServerResponse): void {
  response.statusCode = 400;
  send(response, "Bad Request\n");
}

function logRequest(request: IncomingMessage, path: string): void {
  const [, day, month, year, time, zone] =
    /^\w+ (\w+) (\d+) (\d+) ([\d:]+) GMT([+-]\d+)/.exec(new Date().toString()) ?? [];
  const when = `${month}/${day}/${year}:${time} ${zone}`;
  log(`${remoteAddress(request)} - - [${when}] "${request.method} ${path} HTTP/${request.httpVersion}" - -`);
}

const tls = (() => {
  if (!flags.cert || !flags.key) return undefined;
  const { readFileSync } = process.getBuiltinModule("node:fs");
  const read = (path: string): Buffer => readFileSync(mountedPath(path));
  const ca = flags.cacert ? { ca: read(flags.cacert), requestCert: true, rejectUnauthorized: true } : {};
  return { cert: read(flags.cert), key: read(flags.key), ...ca };
})();

log(`Starting up${tls ? " with TLS" : ""} on port ${flags.port}`);
await serveContainer([
  httpServer({
    port: Number(flags.port),
    // HTTP/1.1 only: the requests are node:http's.
    handler: (request, response) => handle(request as IncomingMessage, response as ServerResponse),
    upgrade: {
      path: "/echo",
      listener: (request, socket, head) => {
        // Loaded at the first upgrade: most pods never see one.
        void import("./websocket-echo.ts").then(({ echoWebSocket }) =>
          echoWebSocket(request, socket, head, (payload) => print(`Received b:${[...payload].join(",")},`)),
        );
      },
    },
    ...(tls ? { tls } : {}),
  }),
]);
