// The sockets of the internal entrypoints. They open before the first configuration is there, so that a probe gets an
// honest 503 instead of a refused connection.

import type { Server } from "node:http";
import type { Log } from "@gatehouse/apimachinery/log";
import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";
import type { EntryPointPlan } from "./entry-points.ts";
import { createTraefikApi, type TraefikApiSource } from "./traefik-api.ts";

export interface InternalServers {
  /** Lets requests finish for at most `graceMs` milliseconds. */
  close(graceMs: number): Promise<void>;
}

/** An address that cannot be opened is reported and left out. */
export async function startInternalServers(
  entryPoints: EntryPointPlan["internal"],
  source: TraefikApiSource,
  log: Log,
): Promise<InternalServers> {
  const servers: Server[] = [];
  const opening = entryPoints.flatMap(({ name, addresses, parts }) =>
    addresses.map(async (address) => {
      const server = createTraefikApi(source, parts);
      try {
        await listen(server, address);
        servers.push(server);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        log.error(`entrypoint ${name} cannot be opened on ${address.host}:${address.port}: ${why}`);
      }
    }),
  );
  await Promise.all(opening);
  return {
    close: async (graceMs) => {
      const cut = setTimeout(() => servers.forEach((server) => server.closeAllConnections()), graceMs);
      await Promise.all(servers.map(closed));
      clearTimeout(cut);
    },
  };
}

function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
