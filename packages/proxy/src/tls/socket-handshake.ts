// A client's TLS handshake by node:tls's documented API, for where the runtime's handles are not there.

import type { Socket } from "node:net";
import { createServer } from "node:tls";
import type { SecureContextOptions, Server, TLSSocket } from "node:tls";
import type { ClientCertificate } from "../connection-facts.ts";
import { AcceptedTransport } from "../io/net-transport.ts";
import { alertFor, ALPN_PROTOCOLS, insisting } from "./handshake.ts";
import type { HandshakeSettings, HandshakeUser } from "./handshake.ts";
import { securedAlert, serverTrafficSecret } from "./secured-alert.ts";

interface Handshake {
  /** Under TLS. */
  socket: Socket;
  user: HandshakeUser;
}

/** Handshakes of the same settings; those under way go on when others are made. */
export class SocketHandshakes {
  readonly #server: Server;
  readonly #settings: HandshakeSettings;
  /** By `connectionKey`. */
  readonly #pending = new Map<string, Handshake>();

  /** `options`: of the fallback's context. */
  constructor(options: SecureContextOptions, settings: HandshakeSettings) {
    this.#settings = settings;
    const { contextFor } = settings;
    const server = createServer({
      ...options,
      ...(settings.purpose === "http" && { ALPNProtocols: ALPN_PROTOCOLS }),
      requestCert: settings.clientCertificates !== null,
      // Node would only hang up; `refuse` tells the client why.
      rejectUnauthorized: false,
      SNICallback: (name, done) => done(null, contextFor(name)),
    });
    const secrets = new WeakMap<TLSSocket, Buffer>();
    server.on("secureConnection", (socket) => this.#onHandshake(socket, secrets.get(socket)));
    if (insisting(settings)) {
      server.on("keylog", (line, socket) => {
        const secret = serverTrafficSecret(line);
        if (secret !== null) secrets.set(socket, secret);
      });
    }
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    this.#server = server;
  }

  /** Leads the client through, beginning with what was put back into `socket`. One that fails ends or destroys it. */
  lead(socket: Socket, user: HandshakeUser): void {
    const key = connectionKey(socket);
    const handshake = { socket, user };
    this.#pending.set(key, handshake);
    socket.once("close", () => {
      if (this.#pending.get(key) === handshake) this.#pending.delete(key);
      user.onClosed();
    });
    // Gone already: without addresses it could not be told from others.
    if (socket.remoteAddress === undefined) return void socket.destroy();
    // Who closes its half now is gone, which nobody would hear of otherwise.
    socket.allowHalfOpen = false;
    this.#server.emit("connection", socket);
  }

  /** `secret`: what alerts are encrypted with, where it is known. */
  #onHandshake(socket: TLSSocket, secret: Buffer | undefined): void {
    const key = connectionKey(socket);
    const handshake = this.#pending.get(key);
    this.#pending.delete(key);
    if (handshake === undefined) return void socket.destroy();
    const clientCertificate = this.#settings.clientCertificates === null ? null : shownBy(socket);
    if (insisting(this.#settings) && clientCertificate?.verified !== true) {
      handshake.user.onRefused();
      return refuse(socket, handshake.socket, secret);
    }
    socket.allowHalfOpen = true;
    handshake.user.onSecure({
      transport: new AcceptedTransport(socket, handshake.socket),
      http2: socket.alpnProtocol === "h2",
      clientCertificate,
    });
  }
}

/** Ends a connection whose client has not shown what it has to. */
function refuse(socket: TLSSocket, tcp: Socket, secret: Buffer | undefined): void {
  // What the types call an error is its code.
  const description = alertFor(socket.getPeerX509Certificate(), String(socket.authorizationError));
  const alert = secret === undefined ? null : securedAlert(socket, secret, description);
  socket.on("error", () => socket.destroy());
  // What the client sends is read and dropped, so that no reset eats the alert. Whoever led it here bounds the time.
  socket.resume();
  if (alert === null) return void socket.end();
  // The session tickets are on their way first.
  setImmediate(() => {
    if (!tcp.destroyed) tcp.end(alert);
  });
}

/** What the client has shown and proved to own. A resumed session may count as authorized without one. */
function shownBy(socket: TLSSocket): ClientCertificate | null {
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? null : { certificate, verified: socket.authorized };
}

/** Tells connections apart that one listening socket has accepted, even on several addresses of its own. */
function connectionKey({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
