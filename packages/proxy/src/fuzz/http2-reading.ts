// How a session takes what a client sends, in given pieces and without sockets: which requests it begins, and what it says.

import { newListenerCounters } from "../stats.ts";
import { FrameReader, FrameType, Unit } from "../http2/frames.ts";
import { ClientSession } from "../http2/client-session.ts";
import type { RequestHead } from "../http1/request-head.ts";
import type { Transport, TransportHandler } from "../io/transport.ts";
import { DEFAULT_LIMITS } from "../limits.ts";
import { offlineCompiler } from "../proxy.ts";
import type { AcceptingPort, ServerContext } from "../server-context.ts";
import { listener, route, service, table } from "../testing/tables.ts";
import { TimerWheel } from "../timer-wheel.ts";
import { PLAIN } from "../connection-facts.ts";
import { facts } from "./our-reading.ts";

export interface SaidFrame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

export interface Http2Reading {
  /** `METHOD target host` of each request that was taken, in order. */
  requests: string[];
  frames: SaidFrame[];
  /** The error code of the GOAWAY, 0 for none or a good end. */
  error: number;
  /** What must not be: thrown, or said though it is not well-formed. */
  fault: string;
}

const compiled = offlineCompiler()
  .update(table([listener({ "*": [route("/*", "s", { id: "r" })] })], [service("s", [])]))
  .get("web")!;

/** A connection whose peer takes everything. */
class Tape implements Transport {
  handler!: TransportHandler;
  readonly remoteAddress = "192.0.2.1";
  readonly remotePort = 1;
  readonly local = { address: "192.0.2.1", port: 80 };
  readonly unsent = 0;
  readonly blocked = false;
  readonly peerGone = false;
  written = "";
  ended = false;

  write(data: string | Buffer): void {
    if (!this.ended) this.written += typeof data === "string" ? data : data.toString("latin1");
  }

  writeAll(data: (string | Buffer)[]): void {
    for (const each of data) this.write(each);
  }

  borrow(bytes: Buffer): Buffer {
    return Buffer.from(bytes);
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.ended = true;
  }

  reset(): void {
    this.ended = true;
  }

  keepReadBuffer(): void {}
  releaseReadBuffer(): void {}
  pause(): void {}
  resume(): void {}
  unread(): void {}
}

/** Reads `stream`, which arrives in pieces that end at `cuts`. */
export function readConnection(stream: Buffer, cuts: readonly number[] = []): Http2Reading {
  const requests: string[] = [];
  const context = {
    limits: DEFAULT_LIMITS,
    wheel: new TimerWheel(),
    serverName: "gateway-1",
    openRecord: (_name: string, _address: string, _port: number, head: RequestHead | null) => {
      if (head !== null) requests.push(`${head.method} ${head.target} ${head.host}`);
      return { reason: "", status: 0, bytes: 0 };
    },
    closeRecord: () => {},
  } as unknown as ServerContext;
  const port: AcceptingPort = {
    listener: compiled,
    counters: newListenerCounters(),
    draining: false,
    clientFacts: () => facts,
    serveHttp2: () => {},
    forget: () => {},
  };
  const tape = new Tape();
  const session = new ClientSession(tape, port, context, PLAIN);
  let fault = "";
  try {
    for (let at = 0, piece = 0; at < stream.length; piece++) {
      const end = cuts[piece] ?? stream.length;
      // Around every piece lies what could be taken for more of it.
      const bytes = Buffer.concat([stream.subarray(at, end), Buffer.alloc(16, 0x82)]);
      session.onData(bytes, end - at);
      session.outbox.send();
      at = end;
    }
  } catch (error) {
    fault = `thrown: ${(error as Error).stack}`;
  }
  tape.handler.onClose(null);
  const frames = framesOf(tape.written);
  const goaway = frames?.findLast(({ type }) => type === FrameType.goaway);
  return {
    requests,
    frames: frames ?? [],
    error: goaway?.payload.readUInt32BE(4) ?? 0,
    fault: frames === null ? "no frames" : fault,
  };
}

/** Null when the text is not a sequence of frames. */
function framesOf(text: string): SaidFrame[] | null {
  const bytes = Buffer.from(text, "latin1");
  const reader = new FrameReader();
  const frames: SaidFrame[] = [];
  let payload = "";
  for (let at = 0; at < bytes.length;) {
    at = reader.read(bytes, at, bytes.length);
    const { unit, type, flags, stream } = reader;
    if (unit > Unit.data || unit === Unit.none) return null;
    if (unit === Unit.dataHead) payload = "";
    else payload += bytes.toString("latin1", reader.start, reader.end);
    if (unit === Unit.frame || reader.last) {
      frames.push({ type, flags, stream, payload: Buffer.from(payload, "latin1") });
      payload = "";
      reader.last = false;
    }
  }
  return frames;
}
