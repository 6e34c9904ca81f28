// Backends for tests that care about messages rather than bytes: node:http servers that remember what they were asked.

import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface ReceivedRequest {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  /** Latin-1. */
  body: string;
  trailers: NodeJS.Dict<string>;
}

export interface HttpBackend {
  port: number;
  server: Server;
  /** Complete requests. */
  requests: ReceivedRequest[];
  close(): Promise<void>;
}

/** Hands every complete request to `answer`, with how many there were before it. */
export async function startHttpBackend(
  answer: (response: ServerResponse, request: ReceivedRequest, before: number) => void,
  port = 0,
): Promise<HttpBackend> {
  const requests: ReceivedRequest[] = [];
  const server = createServer({ keepAliveTimeout: 0 }, (incoming, response) => {
    receive(incoming, (request) => answer(response, request, requests.push(request) - 1));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  };
  return { port: (server.address() as AddressInfo).port, server, requests, close };
}

/** Nothing comes of a request that its sender breaks off. */
function receive(incoming: IncomingMessage, done: (request: ReceivedRequest) => void): void {
  let body = "";
  incoming.setEncoding("latin1");
  incoming.on("data", (text: string) => (body += text));
  incoming.on("error", () => {});
  incoming.on("end", () => {
    const { method = "", url = "", headers, trailers } = incoming;
    done({ method, url, headers, body, trailers });
  });
}

/** Ends the connection of a request without an answer, as a crash does. */
export function reset(response: ServerResponse): void {
  response.socket!.resetAndDestroy();
}

export function answerWith(response: ServerResponse, status: number, body = ""): void {
  response.writeHead(status, { "Content-Length": body.length }).end(body);
}
