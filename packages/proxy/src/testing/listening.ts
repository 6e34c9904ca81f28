// A listener by itself, for tests of the connections that it accepts.

import assert from "node:assert/strict";
import type { Io } from "../io/network.ts";
import { createTcpListener } from "../io/tcp-listener.ts";
import type { TcpListener } from "../io/tcp-listener.ts";
import type { Transport } from "../io/transport.ts";

/** Listens on any free port of 127.0.0.1 and takes every connection; whoever asks closes it. */
export async function listening(io: Io, onAccept: (client: Transport) => void): Promise<TcpListener> {
  const server = createTcpListener(io, {
    host: "127.0.0.1",
    port: 0,
    reusePort: false,
    boundSocket: () => undefined,
    admits: () => true,
    onError: assert.fail,
    onAccept,
  });
  await server.open();
  return server;
}
