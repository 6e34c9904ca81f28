// `kubectl port-forward`: connections to the ports of a pod, each over a stream for its bytes and one for what goes wrong.

import { connect, type Socket } from "node:net";
import type { Duplex, Readable, Writable } from "node:stream";
import type { ListenAddress } from "@gatehouse/apimachinery/pod-environment";
import type { WebSocket } from "@gatehouse/apimachinery/websocket-server";
import { SpdyConnection, type SpdyStream } from "./spdy-connection.ts";
import { WebSocketChannels } from "./websocket-channels.ts";

/** X-Stream-Protocol-Version, and after `SPDY/3.1+` the WebSocket subprotocol of a tunnel (KEP-4006). */
export const portForwardProtocol = "portforward.k8s.io";

/** WebSocket subprotocols that carry channels instead: two per port of the query. */
export const portForwardChannelProtocols: readonly string[] = ["v4.channel.k8s.io", "v4.base64.channel.k8s.io", ""];

/** The pod whose ports are wanted. */
export interface ForwardTarget {
  /** Name and uid for messages. */
  name: string;
  uid: string;
  /** Where a port of the pod is open on this host, or why it cannot be known. */
  locate: (port: number) => ListenAddress | string;
  /** Resolves when the pod is gone; its containers may come and go. */
  ended: Promise<unknown>;
}

const maxStreams = 512;
const pairTimeoutMs = 30_000;

/** Serves the client until it leaves or the pod ends. */
export async function forwardOverSpdy(socket: Duplex, target: ForwardTarget): Promise<void> {
  const waiting = new Map<string, SpdyStream>();
  const connection = new SpdyConnection(socket, {
    maxStreams,
    onStream: (stream) => {
      const { streamtype: type, port: text = "", requestid } = stream.headers;
      const port = portNumber(text);
      if (port === undefined || (type !== "error" && type !== "data")) return false;
      // Clients older than request ids open the streams of one connection in a row.
      const key = `${requestid ?? ""}/${text}`;
      const other = waiting.get(key);
      if (!other) {
        waiting.set(key, stream);
        const timer = setTimeout(() => stream.destroy(), pairTimeoutMs);
        stream.on("close", () => {
          clearTimeout(timer);
          if (waiting.get(key) === stream) waiting.delete(key);
        });
        return true;
      }
      if (other.headers.streamtype === type) return false;
      waiting.delete(key);
      const [data, error] = type === "data" ? [stream, other] : [other, stream];
      // Nobody writes there, but its end has to be read.
      error.resume();
      carry({ input: data, output: data, error, port, target });
      return true;
    },
  });
  void target.ended.then(() => connection.close());
  await connection.closed;
}

/** The ports are those of the query; `channels` 2n and 2n+1 are the data and the errors of the n-th. */
export async function forwardOverChannels(webSocket: WebSocket, ports: number[], target: ForwardTarget): Promise<void> {
  const channels = new WebSocketChannels(webSocket);
  for (const [index, port] of ports.entries()) {
    const number = Buffer.alloc(2);
    number.writeUInt16LE(port);
    channels.send(2 * index, number);
    channels.send(2 * index + 1, number);
    const [input, output] = [channels.readable(2 * index), channels.writable(2 * index)];
    carry({ input, output, error: channels.writable(2 * index + 1), port, target });
  }
  void target.ended.then(() => webSocket.close(1000));
  await new Promise<void>((resolve) => webSocket.on("close", () => resolve()));
}

/** The ports a query asks for, or what is wrong with it. */
export function queryPorts(query: URLSearchParams): number[] | string {
  const texts = query.getAll("ports").flatMap((list) => list.split(","));
  if (texts.length === 0) return 'query parameter "ports" is required';
  const ports = texts.map(portNumber);
  const bad = texts.find((_text, index) => ports[index] === undefined);
  return bad === undefined ? (ports as number[]) : `invalid port "${bad}": must be 1 to 65535`;
}

interface Forwarding {
  input: Readable;
  output: Writable;
  error: Writable;
  port: number;
  target: ForwardTarget;
}

/** One connection to the pod, from the first byte to the last, each direction closed on its own. */
function carry({ input, output, error, port, target }: Forwarding): void {
  const place = target.locate(port);
  const fail = (reason: string): void => {
    error.end(`error forwarding port ${port} to pod ${target.name}, uid ${target.uid}: ${reason}`);
    output.end();
    input.resume();
  };
  if (typeof place === "string") return fail(place);
  const socket: Socket = connect({ ...place, allowHalfOpen: true, noDelay: true });
  socket.once("connect", () => {
    input.pipe(socket);
    socket.pipe(output);
  });
  socket.on("error", (problem: NodeJS.ErrnoException) => {
    if (socket.connecting || problem.syscall === "connect") fail(dialError(place, problem));
    else output.destroy();
  });
  socket.once("close", () => {
    // The error stream's end, without a word, tells the client that all went well.
    if (!error.writableEnded) error.end();
    // What is still sent must not hold up the other connections of this client.
    input.unpipe(socket);
    input.resume();
  });
  // Whoever loses its client lets go of the pod.
  input.once("close", () => {
    if (!input.readableEnded) socket.destroy();
  });
  output.once("close", () => {
    if (!output.writableFinished) socket.destroy();
  });
}

/** As Go puts it. */
function dialError({ host, port }: ListenAddress, { code, message }: NodeJS.ErrnoException): string {
  const reason = code === "ECONNREFUSED" ? "connection refused" : message;
  return `dial tcp ${host}:${port}: connect: ${reason}`;
}

function portNumber(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port > 0 && port < 65_536 ? port : undefined;
}
