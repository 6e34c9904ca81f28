// Carries TCP connections from one listening address to a target chosen per connection: what a container runtime's port
// mapping and kube-proxy do in the kernel. Knows nothing of what it carries.

import type { Server, Socket } from "node:net";
import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";

export interface TcpForwarder {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: ListenAddress;
  /** Frees the port at once; the connections there are go on. Resolves when the last of them has ended. */
  stopListening(): Promise<void>;
  /** Frees the port and cuts off the connections there are. */
  destroy(): void;
}

/** Where a connection from this client address may go, best first; a place that cannot be reached is passed over. */
export type ChooseTargets = (clientAddress: string) => Iterable<ListenAddress>;

/** Who may come in: each `enter` that answers true is followed by one `leave` when both of its sockets are closed. */
export interface Admission {
  enter(): boolean;
  leave(): void;
}

/** Loopback answers or refuses at once; only addresses beyond it can keep silent. */
const connectTimeoutMs = 3_000;

/** Resolves when connections are accepted; rejects with the system's error when `listen` cannot be opened. A connection that
 * is not admitted is reset. */
export async function openTcpForwarder(
  listen: ListenAddress,
  targets: ChooseTargets,
  admission?: Admission,
): Promise<TcpForwarder> {
  // See images/container-main.ts for why node:net is not imported.
  const { createServer } = process.getBuiltinModule("node:net");
  const connections = new Set<Socket>();
  const track = (socket: Socket): void => {
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
  };
  // Half-open: an end of one direction is passed on, and the other goes on. Paused: nothing is read that has no taker yet.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
    // Only to have a listener: how it ended is seen in `close`.
    client.on("error", () => undefined);
    if (admission && !admission.enter()) return void client.resetAndDestroy();
    track(client);
    void forward(client, targets, track).then(() => admission?.leave());
  });
  const address = await listening(server, listen);
  // One connection that could not be accepted (no file descriptors left) is no reason to end.
  server.on("error", () => undefined);
  return {
    address,
    stopListening: () => new Promise((resolve) => server.close(() => resolve())),
    destroy: () => {
      server.close();
      for (const socket of connections) socket.resetAndDestroy();
    },
  };
}

function listening(server: Server, { host, port }: ListenAddress): Promise<ListenAddress> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 1024, exclusive: true }, () => {
      server.off("error", reject);
      const address = server.address();
      resolve({ host, port: typeof address === "object" && address ? address.port : port });
    });
  });
}

/** Resolves when both sockets are closed. */
async function forward(client: Socket, targets: ChooseTargets, track: (socket: Socket) => void): Promise<void> {
  const upstream = await firstReached(targets(client.remoteAddress ?? ""), () => client.destroyed);
  if (!upstream || client.destroyed) {
    // A refusal could not be told from silence by an orderly end.
    upstream?.destroy();
    client.resetAndDestroy();
    return closed(client);
  }
  track(upstream);
  join(client, upstream);
  await Promise.all([closed(client), closed(upstream)]);
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", () => resolve());
  });
}

async function firstReached(targets: Iterable<ListenAddress>, givenUp: () => boolean): Promise<Socket | undefined> {
  for (const target of targets) {
    const socket = await reach(target);
    if (socket || givenUp()) return socket;
  }
  return undefined;
}

function reach({ host, port }: ListenAddress): Promise<Socket | undefined> {
  const { connect } = process.getBuiltinModule("node:net");
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const timer = setTimeout(() => socket.destroy(), connectTimeoutMs);
    const settle = (reached: Socket | undefined): void => {
      clearTimeout(timer);
      resolve(reached);
    };
    socket.on("error", () => undefined);
    socket.once("close", () => settle(undefined));
    socket.once("connect", () => settle(socket));
  });
}

/** Both directions, each with its own end and back-pressure. */
function join(client: Socket, upstream: Socket): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.pipe(to);
    from.once("close", () => {
      // Ended in order, what is still to be written goes out first; cut off, the other side is cut off as well.
      if (from.readableEnded && !from.errored) to.destroySoon();
      else to.resetAndDestroy();
    });
  }
}
