// What every built-in image does around its server: open the ports the kubelet planned, say so, and leave well. It imports
// nothing but types from node: importing node:http as a module evaluates all its exports (WebSocket and with it fetch
// included), which doubles the start-up time and adds 14 MB; getBuiltinModule does not.

import { openContainerControl } from "@gatehouse/apimachinery/container-control";
import { type ListenAddress, listenAddresses } from "@gatehouse/apimachinery/pod-environment";

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

/** Served on one address. */
export interface OpenServer {
  /** Accepts no more; resolves when what is under way has ended. */
  close(): Promise<void>;
}

/** A port of the image and what answers there. */
export interface PortServer {
  /** As the real image counts ports: the kubelet may have it opened elsewhere. */
  port: number;
  /** Default `tcp`. */
  transport?: "tcp" | "udp";
  /** Rejects with the system's error when the address cannot be had. `draining` turns true when the program is to end. */
  open(address: ListenAddress, draining: () => boolean): Promise<OpenServer>;
}

/**
 * Serves until SIGTERM or SIGINT, then drains and exits with 0. Exits with 1 and a line on standard error when a port
 * cannot be opened on its first address (the pod's); the further ones, host mappings, are only reported.
 */
export async function serveContainer(servers: PortServer[], onListening = (): void => {}): Promise<void> {
  const control = openContainerControl();
  const running: OpenServer[] = [];
  let draining = false;
  const drain = (): void => {
    if (draining) return;
    draining = true;
    setTimeout(() => void finish(running), lameDuckMs);
  };
  process.on("SIGTERM", drain);
  process.on("SIGINT", drain);
  const open = (server: PortServer, address: ListenAddress): Promise<OpenServer> =>
    server.open(address, () => draining);
  try {
    for (const server of servers) {
      const [first, ...others] = listenAddresses(server.port, server.transport);
      if (first) running.push(await open(server, first));
      const mapped = await Promise.allSettled(others.map((address) => open(server, address)));
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

async function finish(servers: OpenServer[]): Promise<never> {
  await Promise.all(servers.map((server) => server.close()));
  process.exit(0);
}
