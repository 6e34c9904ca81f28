// For tests of connections that are carried as they are: backends that keep their halves open, and how a client's
// connection ended.

import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import type { AccessRecord, ListenerState, Proxy, ProxyOptions } from "../proxy.ts";
import { variantProxy } from "./variant.ts";
import type { Listener, RoutingTable, Service, StreamRoute } from "../routing-table.ts";
import { listener, table } from "./tables.ts";

/** What is to be closed when the test is over. */
export interface Resources {
  after(close: () => unknown): void;
}

export interface StreamBackend {
  port: number;
  sockets: Socket[];
  /** The next connection accepted. */
  accepted(): Promise<Socket>;
}

/** A server that hands over each connection (`allowHalfOpen`, errors ignored). */
export async function streamBackend(test: Resources, onConnection: (socket: Socket) => void): Promise<StreamBackend> {
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    onConnection(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const accepted = async (): Promise<Socket> => ((await once(server, "connection")) as [Socket])[0];
  return { port: (server.address() as AddressInfo).port, sockets, accepted };
}

/** Says `name`, then what it hears. */
export function echoing(test: Resources, name: string): Promise<StreamBackend> {
  return streamBackend(test, (socket) => {
    socket.write(`${name}:`);
    socket.pipe(socket);
  });
}

/** A port of 127.0.0.1 where nobody listens. */
export async function deadPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

export function tcpService(id: string, ports: number[], more: Partial<Service> = {}): Service {
  const endpoints = ports.map((port) => ({ host: "127.0.0.1", port, name: `pod-${port}` }));
  return { id, protocol: "tcp", endpoints, ...more };
}

/** A route `s` to services in these shares. */
export function streamTo(shares: Record<string, number>): StreamRoute {
  return { id: "s", backends: Object.entries(shares).map(([service, weight]) => ({ service, weight })) };
}

export function streamListener(stream: StreamRoute, more: Partial<Listener> = {}): Listener {
  return listener({}, { servers: [], stream, ...more });
}

export interface RunningProxy {
  proxy: Proxy;
  records: AccessRecord[];
  port: number;
  states: ListenerState[];
  apply: (listeners: Listener[], services: Service[]) => Promise<ListenerState[]>;
}

export async function startProxy(
  test: Resources,
  configuration: RoutingTable,
  options: ProxyOptions = {},
): Promise<RunningProxy> {
  const records: AccessRecord[] = [];
  const proxy = variantProxy({ serverName: "gateway-1", onAccess: (record) => records.push(record), ...options });
  test.after(() => proxy.close({ graceMs: 0 }));
  const states = await proxy.apply(configuration);
  const apply: RunningProxy["apply"] = (listeners, services) => proxy.apply(table(listeners, services));
  return { proxy, records, port: states[0]!.port, states, apply };
}

/** How the connection ends: `end` with a FIN, or an error's code. */
export async function ending(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on("close", () => resolve("end"));
    socket.on("end", () => resolve("end"));
    socket.resume();
  });
}

/** All that a socket receives until the peer's FIN, as Latin-1. Rejects when it breaks. */
export async function received(socket: Socket): Promise<string> {
  const parts: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => parts.push(bytes)).resume();
  await once(socket, "end");
  return Buffer.concat(parts).toString("latin1");
}

/** Resolves when `holds` does, asked once per turn of the event loop. Rejects when it is plain that it never will. */
export async function eventually(holds: () => boolean): Promise<void> {
  const hopeless = performance.now() + 20_000;
  while (!holds()) {
    if (performance.now() > hopeless) throw new Error(`never came to hold: ${String(holds)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
