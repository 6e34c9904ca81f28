// Real proxies in front of a server that says what it was asked: how they read the same streams as ours does. Those that the machine
// has are started in a temporary directory, in their default strictness and with short timeouts.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { connect, createServer as createTcpServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** How a stream of requests was read: the answers in their order. Each is the request that reached the server (method, length and
 * digest of the body), or `!` and the status that somebody on the way answered instead. */
export type PeerReading = string[];

export interface Running {
  name: string;
  port: number;
  close(): Promise<void>;
}

/** Answers each request with what it was. */
export async function startRecorder(): Promise<Running> {
  const server: Server = createServer((request, response) => {
    const hash = createHash("sha1");
    let length = 0;
    request.on("data", (bytes: Buffer) => {
      hash.update(bytes);
      length += bytes.length;
    });
    request.on("end", () => {
      response.setHeader("X-Asked", `${request.method} ${length} ${hash.digest("hex").slice(0, 12)}`);
      response.end("x");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { name: "recorder", port: (server.address() as AddressInfo).port, close };
}

interface Program {
  name: string;
  file: string;
  configuration(directory: string, port: number, backend: number): string;
  args(path: string, directory: string): string[];
}

const PROGRAMS: readonly Program[] = [
  {
    name: "nginx",
    file: "nginx.conf",
    args: (path, directory) => ["-p", directory, "-c", path, "-e", "stderr"],
    configuration: (directory, port, backend) => `
daemon off; master_process off; pid ${directory}/pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off; client_header_timeout 1s; client_body_timeout 1s; keepalive_timeout 1s;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((each) => `${each}_temp_path ${directory}/${each};`).join(" ")}
  upstream backend { server 127.0.0.1:${backend}; keepalive 16; }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}`,
  },
  {
    name: "haproxy",
    file: "haproxy.cfg",
    args: (path) => ["-db", "-f", path],
    configuration: (_directory, port, backend) => `
global
  nbthread 1
defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 5s
  timeout http-request 1s
frontend web
  bind 127.0.0.1:${port}
  default_backend app
backend app
  server app 127.0.0.1:${backend}
`,
  },
  {
    name: "caddy",
    file: "caddy.json",
    args: (path) => ["run", "--config", path],
    configuration: (_directory, port, backend) => {
      const handler = { handler: "reverse_proxy", upstreams: [{ dial: `127.0.0.1:${backend}` }] };
      const timeouts = { read_timeout: "1s", read_header_timeout: "1s", idle_timeout: "1s" };
      const web = {
        listen: [`127.0.0.1:${port}`],
        ...timeouts,
        automatic_https: { disable: true },
        routes: [{ handle: [handler] }],
      };
      return JSON.stringify({
        admin: { disabled: true },
        logging: { logs: { default: { level: "PANIC" } } },
        apps: { http: { servers: { web } } },
      });
    },
  },
];

function findProgram(name: string): string | undefined {
  const places = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return places
    .map((place) => join(place, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Names of the proxies that this machine has. */
export const peerNames: readonly string[] = PROGRAMS.map(({ name }) => name).filter(
  (name) => findProgram(name) !== undefined,
);

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a proxy in front of `backend`; rejects with what it printed when it ends before it listens. */
export async function startPeer(name: string, backend: number): Promise<Running> {
  const program = PROGRAMS.find((each) => each.name === name)!;
  const directory = mkdtempSync(join(tmpdir(), `gatehouse-fuzz-${name}-`));
  const port = await freePort();
  const path = join(directory, program.file);
  writeFileSync(path, program.configuration(directory, port, backend));
  const environment = { ...process.env, HOME: directory, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory };
  const child: ChildProcess = spawn(findProgram(name)!, program.args(path, directory), {
    stdio: ["ignore", "ignore", "pipe"],
    env: environment,
  });
  let printed = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => (printed += text));
  const exited = once(child, "exit");
  const close = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
    rmSync(directory, { recursive: true, force: true });
  };
  while (!(await listens(port))) {
    if (child.exitCode !== null) throw new Error(`${name} does not start: ${printed}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { name, port, close };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

/** Longer than any proxy here waits for the rest of a request, in milliseconds. */
const PATIENCE = 4000;

/** Sends a stream on a connection of its own and reads the answers until the other side closes, or has nothing more to say. */
export function readBy(port: number, stream: string): Promise<PeerReading> {
  return new Promise((resolve) => {
    let answers = "";
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const done = (): void => {
      socket.destroy();
      const heads = answers.split(/(?=HTTP\/1\.[01] [2-5]\d\d )/).filter((each) => /^HTTP\/1\.[01] [2-5]/.test(each));
      resolve(heads.map((head) => /\r\nx-asked: ([^\r]*)/i.exec(head)?.[1] ?? `!${head.slice(9, 12)}`));
    };
    socket.setTimeout(PATIENCE, done);
    socket.on("data", (bytes) => (answers += bytes.toString("latin1")));
    socket.on("error", () => {});
    socket.on("end", done);
    socket.on("close", done);
    socket.write(stream, "latin1");
  });
}
