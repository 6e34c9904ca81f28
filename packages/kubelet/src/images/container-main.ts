// What every built-in image does around its request handler: open the ports the kubelet planned, say so, and leave
// well. It imports nothing but types from node: importing node:http as a module evaluates all its exports (WebSocket
// and with it fetch included), which doubles the start-up time and adds 14 MB; getBuiltinModule does not.

import type { IncomingMessage, RequestListener, Server } from "node:http";
import { openContainerControl } from "@gatehouse/apimachinery/container-control";
import { type ListenAddress, listenAddresses } from "@gatehouse/apimachinery/pod-environment";
import type { Duplex } from "node:stream";

/** How long a program told to stop goes on accepting, until routes to it are gone everywhere. */
const lameDuckMs = 150;

/** A line on standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A line on standard error. */
export function printError(line: string): void {
  process.stderr.write(`${line}\n`);
}

export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface ContainerServer {
  /** As the real image counts ports: the kubelet may have it opened elsewhere. */
  port: number;
  handler: RequestListener;
  /** Takes the upgrade requests of this path; all others are requests like any (RFC 9110, 7.8: Upgrade may be ignored). */
  upgrade?: { path: string; listener: UpgradeListener };
  /** Given for HTTPS. */
  tls?: { cert: Buffer; key: Buffer; ca?: Buffer; requestCert?: boolean; rejectUnauthorized?: boolean };
}

/**
 * Serves until SIGTERM or SIGINT, then drains and exits with 0. Exits with 1 and a line on standard error when a port
 * cannot be opened on its first address (the pod's); the further ones, host mappings, are only reported.
 */
export async function serveContainer(servers: ContainerServer[], onListening = (): void => {}): Promise<void> {
  const control = openContainerControl();
  const running: Server[] = [];
  let draining = false;
  const drain = (): void => {
    if (draining) return;
    draining = true;
    setTimeout(() => finish(running), lameDuckMs);
  };
  process.on("SIGTERM", drain);
  process.on("SIGINT", drain);
  try {
    for (const server of servers) {
      const wrapped = closingWhen(() => draining, server.handler);
      const [first, ...others] = listenAddresses(server.port);
      if (first) running.push(await listen(createServer(server, wrapped), first));
      const mapped = await Promise.allSettled(others.map((address) => listen(createServer(server, wrapped), address)));
      for (const result of mapped) {
        if (result.status === "fulfilled") running.push(result.value);
        else printError(`host port not opened: ${(result.reason as Error).message}`);
      }
    }
  } catch (error) {
    printError((error as Error).message);
    process.exit(1);
  }
  onListening();
  control.listening();
}

function createServer({ tls, upgrade }: ContainerServer, handler: RequestListener): Server {
  // keepAliveTimeout: longer than a proxy keeps idle connections, so that it is never the backend that closes first.
  const options = {
    keepAliveTimeout: 95_000,
    headersTimeout: 60_000,
    requestTimeout: 0,
    ...acceptUpgrades(upgrade?.path),
  };
  const server = tls
    ? (process.getBuiltinModule("node:https").createServer({ ...options, ...tls }, handler) as Server)
    : process.getBuiltinModule("node:http").createServer(options, handler);
  if (upgrade) server.on("upgrade", upgrade.listener);
  return server;
}

function acceptUpgrades(path: string | undefined): { shouldUpgradeCallback?: (request: IncomingMessage) => boolean } {
  return path ? { shouldUpgradeCallback: (request) => request.url?.split("?", 1)[0] === path } : {};
}

function listen(server: Server, { host, port }: ListenAddress): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off("error", reject);
      resolve(server);
    });
  });
}

/** While draining, each answer asks its client to come back over another connection (RFC 9112, 9.6). */
function closingWhen(draining: () => boolean, handler: RequestListener): RequestListener {
  return (request, response) => {
    if (draining()) response.setHeader("connection", "close");
    handler(request, response);
  };
}

function finish(servers: Server[]): void {
  let open = servers.length;
  if (open === 0) process.exit(0);
  for (const server of servers) {
    server.close(() => {
      if (--open === 0) process.exit(0);
    });
    server.closeIdleConnections();
  }
}
