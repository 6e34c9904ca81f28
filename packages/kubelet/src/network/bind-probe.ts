// Finding out whether a port can be opened, by opening it: the only answer that counts firewalls, privileges,
// wildcard listeners of other programs and missing addresses alike.

import { createSocket } from "node:dgram";
import { createServer } from "node:net";

export type Transport = "tcp" | "udp";

/** `undefined` when `host:port` could be opened (and was closed again), else the system's code, e.g. `EACCES`. */
export type BindProbe = (host: string, port: number, transport?: Transport) => Promise<string | undefined>;

export const probeBind: BindProbe = async (host, port, transport = "tcp") => {
  const result = await open[transport](host, port);
  return typeof result === "string" ? result : undefined;
};

/** A port that is free on `host` now. Throws an Error when the host address itself cannot be used. */
export async function freePort(host: string, transport: Transport = "tcp"): Promise<number> {
  const result = await open[transport](host, 0);
  if (typeof result === "string") throw new Error(`no port can be opened on ${host}: ${result}`);
  return result;
}

const open = { tcp: openStream, udp: openDatagrams };

function openStream(host: string, port: number): Promise<number | string> {
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

function openDatagrams(host: string, port: number): Promise<number | string> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.close();
      resolve(error.code ?? error.message);
    });
    socket.bind({ port, address: host, exclusive: true }, () => {
      const opened = socket.address().port;
      socket.close(() => resolve(opened));
    });
  });
}
