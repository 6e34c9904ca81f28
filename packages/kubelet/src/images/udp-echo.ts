// The echo server's UDP mode: each datagram is answered with what was received and who received it, as JSON.

import { print, serveContainer } from "./container-main.ts";
import { datagramServer } from "./datagram-server.ts";
import type { EchoIdentity } from "./echo-identity.ts";
import { goJson } from "./go-http.ts";

/** The original reads no more of a datagram. */
const maxBytes = 1024;

export async function runUdpEcho(port: number, identity: EchoIdentity): Promise<void> {
  const server = datagramServer(port, (datagram, { address, port: from }) => {
    const request = datagram.subarray(0, maxBytes).toString("utf8");
    print(`Received UDP ${request} from ${address}:${from}`);
    return Buffer.from(goJson({ request, ...identity }));
  });
  await serveContainer([server], () => print(`UDP server listening on :${port} with context: ${goJson(identity)}`));
}
