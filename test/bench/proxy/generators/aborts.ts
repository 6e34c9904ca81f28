// Clients that go away at every point of a request: each opens a connection, does a part of one and breaks off, again and again.

import { connect, type Socket } from "node:net";
import { Latencies } from "./latencies.ts";
import { requestBytes } from "./requester.ts";

export interface AbortSettings {
  addresses: string[];
  port: number;
  /** At a time. */
  connections: number;
  seconds: number;
}

const head = requestBytes("/");
const upload = Buffer.from("POST /large/up HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1048576\r\n\r\n", "latin1");

/** What is sent, whether a piece of the answer is waited for, and how it ends. */
const ways: { sent: Buffer; reads: boolean; end: (socket: Socket) => void }[] = [
  { sent: Buffer.alloc(0), reads: false, end: (socket) => socket.destroy() },
  { sent: head.subarray(0, 20), reads: false, end: (socket) => socket.resetAndDestroy() },
  { sent: head, reads: false, end: (socket) => socket.resetAndDestroy() },
  { sent: Buffer.concat([head, head, head.subarray(0, 30)]), reads: true, end: (socket) => socket.destroy() },
  { sent: Buffer.concat([upload, Buffer.alloc(100_000)]), reads: false, end: (socket) => socket.destroy() },
  { sent: requestBytes("/large/1m"), reads: true, end: (socket) => socket.resetAndDestroy() },
  { sent: head, reads: true, end: (socket) => socket.end() },
];

/** Counts what was broken off, each with its time; errors are connections refused, and answers that should have come. */
export async function aborts({ addresses, port, connections, seconds }: AbortSettings): Promise<Latencies> {
  const latencies = new Latencies();
  const end = performance.now() + seconds * 1000;
  const client = async (index: number): Promise<void> => {
    for (let turn = index; performance.now() < end; turn++) {
      const started = performance.now();
      if (await abort(addresses[turn % addresses.length] ?? "", port, ways[turn % ways.length]!))
        latencies.add(performance.now() - started);
      else latencies.errors++;
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, index) => client(index)));
  return latencies;
}

/** False when it was refused, or broken off by the other side. */
function abort(host: string, port: number, { sent, reads, end }: (typeof ways)[number]): Promise<boolean> {
  return new Promise((resolve) => {
    let done = false;
    const finish = (socket: Socket): void => {
      done = true;
      end(socket);
    };
    const socket = connect({ host, port, noDelay: true }, () => {
      if (sent.length === 0) return finish(socket);
      socket.write(sent, () => {
        if (!reads && !done) finish(socket);
      });
    });
    socket.on("data", () => {
      if (reads && !done) finish(socket);
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(done));
  });
}
