// An API server in a process of its own, for a test to kill: it loads, waits to be told which state to serve, serves it
// over plain HTTP on a free port, and tells the port.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createApiServer } from "./server.ts";

/** What the test sends. */
export interface ServeOrder {
  statePath: string;
  serviceAccountKey: string;
  token: string;
}

process.once("message", (order) => void serve(order as ServeOrder));
process.once("disconnect", () => process.exit());

async function serve({ token, ...options }: ServeOrder): Promise<void> {
  const tokens = [{ token, user: "administrator", groups: ["system:masters"] }];
  const server = await createApiServer({ ...options, tokens, host: "127.0.0.1", port: 0 });
  const listener = createServer(server.handler);
  listener.listen(0, "127.0.0.1", () => process.send?.({ port: (listener.address() as AddressInfo).port }));
}
