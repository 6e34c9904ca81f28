// UDP on a port of a built-in image: every datagram may have an answer.

import type { Socket } from "node:dgram";
import { printError, type PortServer } from "./container-main.ts";

/** Where a datagram came from. */
export interface Peer {
  address: string;
  port: number;
}

/** A port whose datagrams are answered with what `answer` returns, or not at all. */
export function datagramServer(port: number, answer: (datagram: Buffer, peer: Peer) => Buffer | undefined): PortServer {
  return {
    port,
    transport: "udp",
    open: (address) =>
      new Promise((resolve, reject) => {
        const type = address.host.includes(":") ? "udp6" : "udp4";
        const socket = process.getBuiltinModule("node:dgram").createSocket(type);
        socket.once("error", reject);
        socket.bind({ port: address.port, address: address.host, exclusive: true }, () => {
          socket.off("error", reject);
          serve(socket, answer);
          resolve({ close: () => new Promise((done) => socket.close(() => done())) });
        });
      }),
  };
}

function serve(socket: Socket, answer: (datagram: Buffer, peer: Peer) => Buffer | undefined): void {
  socket.on("error", (error) => printError(error.message));
  socket.on("message", (datagram, peer) => {
    const reply = answer(datagram, peer);
    // An answer that cannot be sent is lost, as any datagram may be.
    if (reply) socket.send(reply, peer.port, peer.address, (error) => error && printError(error.message));
  });
}
