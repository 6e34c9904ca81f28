// How Node's own HTTP/1.1 parser reads the same streams, in its strict mode. It is reached by documented ways: a server that is
// handed a stream instead of a socket, and a client request that is given one.

import { createServer, METHODS, request } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { Duplex } from "node:stream";

export interface OracleMessage {
  /** Method and request target, or the status. */
  start: string;
  body: string;
  complete: boolean;
  /** Names and values in turns. */
  fields: string[];
  trailers: string[];
}

export interface OracleReading {
  messages: OracleMessage[];
  /** Code of the parser's error, empty without. */
  error: string;
}

export const KNOWN_METHODS: ReadonlySet<string> = new Set(METHODS);

/** Says what it was made with, keeps nothing of what it hears. */
class Replay extends Duplex {
  readonly reading: OracleReading = { messages: [], error: "" };

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }

  // What node:http expects of a socket.
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

/** A message while its body is read. */
class Collected implements OracleMessage {
  readonly start: string;
  body = "";
  readonly #message: IncomingMessage;

  constructor(message: IncomingMessage, start: string) {
    this.#message = message;
    this.start = start;
    message.on("data", (bytes: Buffer) => (this.body += bytes.toString("latin1")));
    message.on("error", () => {});
  }

  get complete(): boolean {
    return this.#message.complete;
  }

  get fields(): string[] {
    return this.#message.rawHeaders;
  }

  get trailers(): string[] {
    return this.#message.rawTrailers;
  }
}

function strictServer(): Server {
  const options = {
    insecureHTTPParser: false,
    requireHostHeader: false,
    maxHeaderSize: 1024 * 1024,
    keepAliveTimeout: 0,
  };
  const server = createServer({ ...options, connectionsCheckingInterval: 0x7fffffff }, (incoming) => {
    // Nothing is answered: the requests behind are read all the same.
    const { reading } = incoming.socket as unknown as Replay;
    reading.messages.push(new Collected(incoming, `${incoming.method} ${incoming.url}`));
  });
  server.on("checkContinue", (incoming, response) => server.emit("request", incoming, response));
  server.on("checkExpectation", (incoming, response) => server.emit("request", incoming, response));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const { reading } = socket as unknown as Replay;
    reading.error ||= error.code ?? error.message;
  });
  return server;
}

const server = strictServer();

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Every stream as requests on a connection of its own. */
export async function requestsByLlhttp(streams: readonly Buffer[]): Promise<OracleReading[]> {
  const replays = streams.map((bytes) => {
    const replay = new Replay();
    replay.on("error", () => {});
    server.emit("connection", replay);
    replay.push(bytes);
    return replay;
  });
  // The events of a message follow one another in turns of the event loop.
  for (let turns = 0; turns < 4; turns++) await turn();
  for (const replay of replays) replay.destroy();
  return replays.map(({ reading }) => reading);
}

/** Every stream as the answer to a request of `method`, and the end of the connection behind it. */
export async function answersByLlhttp(streams: readonly Buffer[], method: string): Promise<OracleReading[]> {
  const replays = streams.map((bytes) => {
    const replay = new Replay();
    replay.on("error", () => {});
    const { reading } = replay;
    const asked = request({
      method,
      createConnection: () => replay,
      insecureHTTPParser: false,
      maxHeaderSize: 1024 * 1024,
    });
    asked.on("response", (answer) => reading.messages.push(new Collected(answer, String(answer.statusCode))));
    asked.on("upgrade", () =>
      reading.messages.push({ start: "101", body: "", complete: true, fields: [], trailers: [] }),
    );
    asked.on("error", (error: NodeJS.ErrnoException) => (reading.error ||= error.code ?? error.message));
    asked.end();
    setImmediate(() => {
      replay.push(bytes);
      replay.push(null);
    });
    return replay;
  });
  for (let turns = 0; turns < 5; turns++) await turn();
  for (const replay of replays) replay.destroy();
  return replays.map(({ reading }) => reading);
}
