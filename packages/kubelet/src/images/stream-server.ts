// Listening on a TCP port for a built-in image, whatever is spoken there.

import type { Server } from "node:net";
import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";
import type { OpenServer } from "./container-main.ts";

/** Key material of a server, PEM. */
export interface TlsFiles {
  cert: Buffer;
  key: Buffer;
  ca?: Buffer;
  requestCert?: boolean;
  rejectUnauthorized?: boolean;
}

/** Opens `server` there. On closing, `quiet` has the connections on which nothing is under way closed. */
export function listenStream(
  server: Server,
  { host, port }: ListenAddress,
  quiet = (): void => {},
): Promise<OpenServer> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off("error", reject);
      const close = (): Promise<void> =>
        new Promise((done) => {
          server.close(() => done());
          quiet();
        });
      resolve({ close });
    });
  });
}
