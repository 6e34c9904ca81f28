// Claims a /16 of the loopback network for this cluster: whoever listens on 127.N.0.1:10250 owns 127.N.0.0/16.
// The listening socket is the kubelet's own API, so the claim ends exactly when its holder does.

import type { Server } from "node:net";

export interface SubnetClaim {
  /** Undefined where the host has only 127.0.0.1 (macOS). */
  subnet: number | undefined;
  host: string;
  port: number;
}

/** Opens the server; answers the bound port, or the system's code when that is impossible. */
export type Listen = (host: string, port: number) => Promise<number | string>;

export const kubeletPort = 10250;
// Taken when something holds 10250 on every address, e.g. the kubelet of a real cluster on this machine.
const otherPorts = [10260, 10270, 10280];
const firstSubnet = 16;
const lastSubnet = 239;

/** Takes the first subnet that is free, beginning with `preferred`. Throws an Error when nothing can be opened. */
export async function claimSubnet(listen: Listen, preferred?: number): Promise<SubnetClaim> {
  for (const port of [kubeletPort, ...otherPorts]) {
    for (const subnet of candidates(preferred)) {
      const host = `127.${subnet}.0.1`;
      const result = await listen(host, port);
      if (result === "EADDRNOTAVAIL") return onlyAddress(listen);
      if (typeof result === "number") return { subnet, host, port: result };
      if (result !== "EADDRINUSE") throw new Error(`the kubelet cannot listen on ${host}:${port}: ${result}`);
    }
  }
  throw new Error(
    `the kubelet found no free network: ports ${kubeletPort}, ${otherPorts.join(", ")} are taken everywhere`,
  );
}

async function onlyAddress(listen: Listen): Promise<SubnetClaim> {
  const host = "127.0.0.1";
  const result = await listen(host, 0);
  if (typeof result === "number") return { subnet: undefined, host, port: result };
  throw new Error(`the kubelet cannot listen on ${host}: ${result}`);
}

function* candidates(preferred: number | undefined): Generator<number> {
  if (preferred !== undefined && preferred >= firstSubnet && preferred <= lastSubnet) yield preferred;
  for (let subnet = firstSubnet; subnet <= lastSubnet; subnet++) if (subnet !== preferred) yield subnet;
}

/** `Listen` for a node server. */
export function listenWith(server: Server): Listen {
  return (host, port) =>
    new Promise((resolve) => {
      const failed = (error: NodeJS.ErrnoException): void => resolve(error.code ?? error.message);
      server.once("error", failed);
      server.listen({ host, port, exclusive: true }, () => {
        server.off("error", failed);
        const address = server.address();
        resolve(typeof address === "object" && address ? address.port : port);
      });
    });
}
