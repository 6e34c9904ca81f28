// Finding out whether a port can be opened, by opening it: the only answer that counts firewalls, privileges,
// wildcard listeners of other programs and missing addresses alike.

import { createServer } from "node:net";

/** `undefined` when `host:port` could be opened (and was closed again), else the system's code, e.g. `EACCES`. */
export type BindProbe = (host: string, port: number) => Promise<string | undefined>;

export const probeBind: BindProbe = async (host, port) => {
  const result = await openAndClose(host, port);
  return typeof result === "string" ? result : undefined;
};

/** A port that is free on `host` now. Throws an Error when the host address itself cannot be used. */
export async function freePort(host: string): Promise<number> {
  const result = await openAndClose(host, 0);
  if (typeof result === "string") throw new Error(`no port can be opened on ${host}: ${result}`);
  return result;
}

function openAndClose(host: string, port: number): Promise<number | string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const opened = typeof address === "object" && address ? address.port : port;
      server.close(() => resolve(opened));
    });
  });
}
