// Requests over HTTP/2 for tests, with node:http2's client.

import { connect } from "node:http2";
import type {
  ClientHttp2Session,
  ClientHttp2Stream,
  IncomingHttpHeaders,
  IncomingHttpStatusHeader,
  OutgoingHttpHeaders,
} from "node:http2";

import { scheme } from "./variant.ts";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders & IncomingHttpStatusHeader;
  body: string;
  trailers: IncomingHttpHeaders | undefined;
  /** 1xx answers that came before. */
  interim: (IncomingHttpHeaders & IncomingHttpStatusHeader)[];
  rstCode: number;
}

/** The whole answer to a request. `body`: undefined for none. */
export async function ask(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders = {},
  body?: string | Buffer,
  trailers?: OutgoingHttpHeaders,
): Promise<Answer> {
  const options = { endStream: body === undefined && trailers === undefined, waitForTrailers: trailers !== undefined };
  const stream = session.request({ ":authority": "a.test", ...headers }, options);
  if (trailers !== undefined) stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  if (!options.endStream) stream.end(body);
  return answerOf(stream);
}

/** The whole answer on a stream. */
export async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const answer: Answer = { status: 0, headers: {}, body: "", trailers: undefined, interim: [], rstCode: 0 };
  stream.on("error", () => {});
  stream.on("headers", (headers) => answer.interim.push(headers));
  stream.on("response", (headers) => {
    answer.headers = headers;
    answer.status = headers[":status"] ?? 0;
  });
  stream.on("trailers", (trailers) => (answer.trailers = trailers));
  stream.on("data", (bytes: Buffer) => (answer.body += bytes.toString("latin1")));
  await new Promise((resolve) => stream.once("close", resolve));
  answer.rstCode = stream.rstCode;
  return answer;
}

/** Runs `run` with a connection to `port`, by prior knowledge or over TLS. */
export async function withSession(
  port: number,
  run: (session: ClientHttp2Session) => Promise<void>,
  settings: object = {},
): Promise<void> {
  const session = connect(`${scheme()}://127.0.0.1:${port}`, { settings, rejectUnauthorized: false });
  session.on("error", () => {});
  try {
    await run(session);
  } finally {
    session.destroy();
  }
}
