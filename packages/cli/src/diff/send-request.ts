// One request over a socket of its own to a cluster's entry: the Host is the request's, the address the entry's, so no
// name is looked up. Redirects are answers like any other.

import { type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
import { isIP } from "node:net";
import type { PlannedRequest } from "./planned-request.ts";

export interface Answer {
  status: number;
  /** Lower-case names; repeated fields joined with a comma. */
  headers: Record<string, string>;
  body: Buffer;
  /** The body was longer than what is kept of it. */
  truncated: boolean;
}

/** Why there was no answer: `ECONNREFUSED`, or words. */
export interface NoAnswer {
  failure: string;
  /** The address itself did not take a connection. */
  unreachable: boolean;
}

/** Bodies are compared up to this size. */
export const mostBodyBytes = 64 * 1024;

const unreachable = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"]);

/** Never rejects: that there is no answer is an answer too. */
export async function sendRequest(
  planned: PlannedRequest,
  entry: { host: string; port: number },
  timeoutMs: number,
): Promise<Answer | NoAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    return await read(await send(planned, entry, timeout));
  } catch (error) {
    if (timeout.aborted) return { failure: `none within ${timeoutMs / 1_000} s`, unreachable: false };
    const { code, message } = error as NodeJS.ErrnoException;
    return { failure: code ?? message, unreachable: unreachable.has(code ?? "") };
  }
}

async function send(
  planned: PlannedRequest,
  { host, port }: { host: string; port: number },
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { method, path, headers, body } = planned;
  const options: RequestOptions = {
    host,
    port,
    method,
    path,
    // One connection each: what a kept-alive one met before must not count.
    agent: false,
    signal,
    headers: {
      host: planned.host,
      "user-agent": "gatehouse-diff",
      // Else a gateway may ask for compression by itself, as Go's HTTP client does.
      "accept-encoding": "identity",
      ...lowerCase(headers),
      ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
    },
  };
  const start = planned.scheme === "https" ? await secureRequest(planned.host) : httpRequest;
  return new Promise((resolve, reject) => {
    const outgoing = start(options, resolve);
    // A protocol switch is an answer; nothing is said on the connection afterwards.
    outgoing.once("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response);
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

/** So that a request's own header takes the place of ours. */
const lowerCase = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

/** What is compared is what the two clusters answer; whether their certificates are trusted here is another question. */
async function secureRequest(hostHeader: string): Promise<typeof httpRequest> {
  const { request } = await import("node:https");
  const hostname = hostHeader.replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  // RFC 6066 section 3: an address is no server name.
  const servername = isIP(hostname) === 0 ? hostname : "";
  return ((options: RequestOptions, callback: (response: IncomingMessage) => void) =>
    request({ ...options, servername, rejectUnauthorized: false }, callback)) as typeof httpRequest;
}

function read(response: IncomingMessage): Promise<Answer> {
  const headers = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [name, [value ?? ""].flat().join(", ")]),
  );
  const answer = (parts: Buffer[], truncated: boolean): Answer => ({
    status: response.statusCode ?? 0,
    headers,
    body: Buffer.concat(parts).subarray(0, mostBodyBytes),
    truncated,
  });
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    response.on("data", (part: Buffer) => {
      parts.push(part);
      size += part.length;
      if (size <= mostBodyBytes) return;
      resolve(answer(parts, true));
      response.destroy();
    });
    response.once("end", () => resolve(answer(parts, false)));
    response.once("error", reject);
    // Switched protocols: there is no body to come.
    if (response.statusCode === 101) resolve(answer([], false));
  });
}
