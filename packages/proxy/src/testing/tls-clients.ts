// TLS clients for tests: what they are shown, what they are told, and what they get.

import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:tls";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { GET, GET_CLOSE } from "./sockets.ts";
import { eventually } from "./streams.ts";

/** A connection whose handshake is done. Rejects when that fails. */
export async function secureConnection(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect");
  return socket;
}

/** The common name of the certificate that a client asking for `servername` is shown. */
export async function shownName(port: number, servername: string, more: ConnectionOptions = {}): Promise<string> {
  const socket = await secureConnection(port, { servername, ...more });
  const { CN } = socket.getPeerCertificate().subject;
  // In good order, so that the server gets to the end of the handshake, too.
  socket.end().resume();
  await once(socket, "close");
  return String(CN);
}

/** What comes back for `text` until the end, as Latin-1; the error's code and message when the
 * connection breaks. */
export async function secureExchange(port: number, options: ConnectionOptions = {}, text = GET_CLOSE): Promise<string> {
  return answerTo(connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options }), text);
}

async function answerTo(socket: Socket, text: string): Promise<string> {
  socket.write(text, "latin1");
  let answer = "";
  try {
    for await (const bytes of socket) answer += String(bytes);
    return answer;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return `${code} ${message}`;
  } finally {
    socket.destroy();
  }
}

/** A session to resume, as an HTTP server gives it out. */
export async function tlsSession(port: number, options: ConnectionOptions): Promise<Buffer> {
  const socket = await secureConnection(port, options);
  let latest: Buffer | undefined = options.maxVersion === "TLSv1.2" ? socket.getSession() : undefined;
  socket.on("session", (given) => (latest = given));
  socket.write(GET);
  await once(socket, "data");
  await eventually(() => latest !== undefined);
  socket.destroy();
  return latest!;
}

/** Whether the server takes up the session that is offered. */
export async function isResumed(port: number, options: ConnectionOptions & { session?: Buffer }): Promise<boolean> {
  const socket = await secureConnection(port, options);
  const reused = socket.isSessionReused();
  socket.destroy();
  return reused;
}
