// Standard streams over SPDY: the client opens a stream for each, named by the header `streamtype`.

import type { Duplex } from "node:stream";
import { outcomeMessage, type Outcome, type RemoteSession, type SessionRequest } from "./remote-session.ts";
import { SpdyConnection, type SpdyStream } from "./spdy-connection.ts";

/** X-Stream-Protocol-Version of exec and attach, best first. Without one, the client speaks the first version. */
export const spdySessionProtocols: readonly string[] = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v3.channel.k8s.io",
  "v2.channel.k8s.io",
  "channel.k8s.io",
];

const creationTimeoutMs = 30_000;
const maxStreams = 8;

/** Resolves when the client has opened all streams; with undefined when it is gone, or too slow (30 s). */
export function spdySession(
  socket: Duplex,
  request: SessionRequest,
  protocol: string,
): Promise<RemoteSession | undefined> {
  const streams = new Map<string, SpdyStream>();
  const expected = expectedStreams(request, protocol);
  const { promise, resolve } = Promise.withResolvers<RemoteSession | undefined>();
  const gone = new AbortController();
  const connection = new SpdyConnection(socket, {
    maxStreams,
    onStream: (stream) => {
      const type = stream.headers.streamtype ?? "";
      if (!expected.includes(type) || streams.has(type)) return false;
      streams.set(type, stream);
      // Sizes mean nothing without a terminal, but the stream has to be read.
      if (type === "resize") stream.resume();
      if (expected.every((name) => streams.has(name))) resolve(session(connection, streams, protocol, gone.signal));
      return true;
    },
  });
  const timer = setTimeout(() => connection.close(), creationTimeoutMs);
  void promise.then(() => clearTimeout(timer));
  const over = (): void => {
    gone.abort();
    resolve(undefined);
  };
  void connection.closed.then(over);
  return promise;
}

/** The first version has no resize stream, the next neither: it came with v3. */
function expectedStreams(request: SessionRequest, protocol: string): string[] {
  const { stdin, stdout, stderr, tty } = request;
  const sizes = tty && /^v[345]\./.test(protocol);
  return [
    "error",
    ...(stdin ? ["stdin"] : []),
    ...(stdout ? ["stdout"] : []),
    ...(stderr ? ["stderr"] : []),
    ...(sizes ? ["resize"] : []),
  ];
}

function session(
  connection: SpdyConnection,
  streams: Map<string, SpdyStream>,
  protocol: string,
  signal: AbortSignal,
): RemoteSession {
  const [stdin, stdout, stderr] = ["stdin", "stdout", "stderr"].map((name) => streams.get(name));
  const finish = (result: Outcome): void => {
    for (const output of [stdout, stderr]) output?.end();
    const message = outcomeMessage(result, protocol);
    const closed = (): void => connection.close();
    const error = streams.get("error");
    if (message === "") error?.end(closed);
    else error?.end(message, closed);
  };
  return { ...(stdin && { stdin }), ...(stdout && { stdout }), ...(stderr && { stderr }), signal, finish };
}
