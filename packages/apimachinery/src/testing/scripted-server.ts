// A small HTTP server for tests of clients: it records what was asked and answers as each test says.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { text } from "../api-client.ts";

export interface RecordedRequest {
  method: string;
  /** Decoded query parameters included in `url` as sent. */
  url: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: string;
}

/** Answers with `[status, JSON body]`, or writes to `response` itself and returns undefined. */
export type Answer = (
  request: RecordedRequest,
  response: ServerResponse,
) => [number, unknown] | undefined | Promise<[number, unknown] | undefined>;

export interface ScriptedServer extends AsyncDisposable {
  url: string;
  requests: RecordedRequest[];
  /** Serves one in-memory stream as a connection. */
  accept(stream: Duplex): void;
}

/** Listens on a free port of 127.0.0.1 until disposed. */
export async function startScriptedServer(answer: Answer): Promise<ScriptedServer> {
  const requests: RecordedRequest[] = [];
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = incoming.url ?? "";
    const { pathname, searchParams } = new URL(url, "http://scripted.invalid");
    const { method = "", headers } = incoming;
    const request = { method, url, path: pathname, query: searchParams, headers, body: await text(incoming) };
    requests.push(request);
    const answered = await answer(request, response);
    if (!answered) return;
    response.writeHead(answered[0], { "content-type": "application/json" }).end(JSON.stringify(answered[1]));
  };
  const server = createServer((incoming, response) => {
    handle(incoming, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    accept: (stream) => void server.emit("connection", stream),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
