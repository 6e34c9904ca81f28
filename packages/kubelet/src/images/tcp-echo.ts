// The echo server's TCP mode: a banner, then an answer to each line it knows (TEST, IS_TLS, PING), plain and over TLS.

import type { Server, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { type PortServer, print, printError, serveContainer } from "./container-main.ts";
import type { EchoIdentity } from "./echo-identity.ts";
import { goJson } from "./go-http.ts";
import { listenStream, type TlsFiles } from "./stream-server.ts";
import { tlsFacts } from "./tls-facts.ts";

const banner = "Gateway API Test TCP Server\n";
/** A longer line ends the connection, as Go's bufio.Scanner does. */
const maxLineBytes = 64 * 1024;

export interface TcpEchoOptions {
  identity: EchoIdentity;
  tcpPort: number;
  tlsPort: number;
  tls: TlsFiles | undefined;
}

export async function runTcpEcho({ identity, tcpPort, tlsPort, tls }: TcpEchoOptions): Promise<void> {
  const context = { ...identity, tcpport: String(tcpPort), tlsport: String(tlsPort) };
  const servers = [streamServer(tcpPort, undefined, context), ...(tls ? [streamServer(tlsPort, tls, context)] : [])];
  await serveContainer(servers, () => {
    print(`INFO Starting server (tcp) protocol=tcp port=${tcpPort}`);
    if (tls) print(`INFO Starting server (tcp) protocol=tls port=${tlsPort}`);
  });
}

function streamServer(port: number, tls: TlsFiles | undefined, context: Record<string, string>): PortServer {
  return {
    port,
    open: (address) => {
      const connections = new Set<Socket>();
      const serve = (socket: Socket): void => {
        connections.add(socket);
        socket.once("close", () => connections.delete(socket));
        answerLines(socket, payloadOf(context, tls && (socket as TLSSocket)), tls !== undefined);
      };
      // A connection has no end of its own: those who are still there when the program ends are told so.
      return listenStream(createServer(tls, serve), address, () => connections.forEach((socket) => socket.end()));
    },
  };
}

function createServer(tls: TlsFiles | undefined, serve: (socket: Socket) => void): Server {
  // allowHalfOpen: a client may send its lines, end its side, and read the answers.
  const options = { allowHalfOpen: true, noDelay: true };
  if (!tls) return process.getBuiltinModule("node:net").createServer(options, serve);
  const server = process
    .getBuiltinModule("node:tls")
    .createServer({ ...options, ...tls, minVersion: "TLSv1.2" }, serve);
  server.on("tlsClientError", (error, socket) => {
    printError(`ERROR TLS Handshake failed error=${JSON.stringify(error.message)}`);
    socket.destroy();
  });
  return server;
}

function payloadOf(context: Record<string, string>, socket: TLSSocket | undefined): string {
  if (!socket) return goJson({ ...context, isTLS: false });
  const { serverName, negotiatedProtocol, cipherSuite } = tlsFacts(socket);
  const tls = {
    // Go's tls.VersionName.
    version: (socket.getProtocol() ?? "").replace("TLSv", "TLS "),
    serverName,
    ...(negotiatedProtocol ? { negotiatedProtocol } : {}),
    cipherSuite,
  };
  return goJson({ ...context, isTLS: true, tls });
}

function answerLines(socket: Socket, payload: string, isTls: boolean): void {
  const answers: Record<string, string> = { TEST: `${payload}\n`, IS_TLS: `${isTls}\n`, PING: "PONG\n" };
  let rest = "";
  const answer = (line: string): void => {
    const text = answers[line.replace(/\r$/, "")];
    if (text !== undefined) socket.write(text);
  };
  socket.on("error", () => socket.destroy());
  socket.write(banner);
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(answer);
    if (rest.length > maxLineBytes) socket.end();
  });
  // The last line needs no newline.
  socket.on("end", () => {
    answer(rest);
    socket.end();
  });
}
