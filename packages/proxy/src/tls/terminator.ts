// TLS termination of one listening socket: handshakes, certificates by SNI and their replacement, client certificates,
// session tickets. What is replaced serves until what replaces it is loaded; open connections keep what they began with.

import { createHash, createHmac } from "node:crypto";
import type { Socket } from "node:net";
import { createServer } from "node:tls";
import type { SecureContextOptions, Server, TLSSocket } from "node:tls";
import type { ClientCertificate } from "../connection-facts.ts";
import type { ClientCertificates, TlsTermination } from "../routing-table.ts";
import { Alert } from "./alerts.ts";
import { bareHost } from "../match/hostname.ts";
import { loadCertificates, NO_CERTIFICATES } from "./certificates.ts";
import type { Certificates } from "./certificates.ts";
import { readAuthorities } from "./pem.ts";
import { securedAlert, serverTrafficSecret } from "./secured-alert.ts";

/** What HTTP listeners speak, the most wanted first (RFC 7301). */
export const ALPN_PROTOCOLS = ["h2", "http/1.1"];

/** What is read from the decrypted connection. A `stream` is not asked for its protocol, as nobody here knows it. */
export type Purpose = "http" | "stream";

/** A finished handshake. */
export interface SecureConnection {
  socket: TLSSocket;
  serverName: string | null;
  clientCertificate: ClientCertificate | null;
}

interface Handshake {
  /** Under TLS. */
  socket: Socket;
  onSecure: (connection: SecureConnection) => void;
}

export class TlsTerminator {
  readonly #ticketSecret: string;
  #source = "";
  #profile = "";
  #common: SecureContextOptions = {};
  #clientCertificates: ClientCertificates | null = null;
  #certificates: Certificates = NO_CERTIFICATES;
  /** Made when first needed, and anew when the default certificate or what all share changes. */
  readonly #servers = new Map<Purpose, Server>();
  /** Sockets in their handshake, by `connectionKey`. */
  readonly #pending = new Map<string, Handshake>();

  /** Session tickets are good wherever the same secret is used, whatever the certificates. */
  constructor(ticketSecret: string) {
    this.#ticketSecret = ticketSecret;
  }

  /** There is a certificate to show. */
  get usable(): boolean {
    return this.#certificates.fallback !== null;
  }

  /** Takes over a configuration; handshakes from now on see it. Returns what could not be taken over: a certificate that
   * cannot be read leaves the one it should replace in use, authorities that cannot be read leave everything as it is. */
  update(tls: TlsTermination): Error[] {
    const source = JSON.stringify(tls);
    if (source === this.#source) return [];
    const profile = JSON.stringify([tls.minVersion, tls.clientCertificates]);
    const common = profile === this.#profile ? this.#common : this.#shared(tls);
    if (common instanceof Error) return [common];
    const previous = profile === this.#profile ? this.#certificates : reloaded(this.#certificates, common);
    const { certificates, problems } = loadCertificates(tls.certificates, common, previous);
    if (profile !== this.#profile || certificates.fallback?.context !== this.#certificates.fallback?.context)
      this.#servers.clear();
    this.#profile = profile;
    this.#common = common;
    this.#clientCertificates = tls.clientCertificates ?? null;
    this.#certificates = certificates;
    // What failed is tried again, and reported again, with the next table.
    this.#source = problems.length === 0 ? source : "";
    return problems;
  }

  /** What every certificate's context has. Tickets are of no use where other client certificates are asked for: a session
   * remembers that its client was verified. */
  #shared({ minVersion, clientCertificates }: TlsTermination): SecureContextOptions | Error {
    const asked = JSON.stringify(clientCertificates ?? null);
    try {
      return {
        minVersion: minVersion ?? "TLSv1.2",
        ticketKeys: createHmac("sha384", this.#ticketSecret).update(asked).digest(),
        sessionIdContext: createHash("sha256").update(asked).digest("hex").slice(0, 32),
        ...(clientCertificates && { ca: readAuthorities(clientCertificates.authorities, "authorities of clients") }),
      };
    } catch (error) {
      return error as Error;
    }
  }

  /** Leads an accepted socket, and what was put back into it, through the handshake. One that fails ends or destroys it. Only
   * while `usable`. */
  terminate(socket: Socket, purpose: Purpose, onSecure: (connection: SecureConnection) => void): void {
    const key = connectionKey(socket);
    const handshake = { socket, onSecure };
    this.#pending.set(key, handshake);
    socket.once("close", () => {
      if (this.#pending.get(key) === handshake) this.#pending.delete(key);
    });
    // Who closes its half now is gone, which nobody would hear of otherwise.
    socket.allowHalfOpen = false;
    this.#server(purpose).emit("connection", socket);
  }

  #server(purpose: Purpose): Server {
    let server = this.#servers.get(purpose);
    if (server === undefined) this.#servers.set(purpose, (server = this.#createServer(purpose)));
    return server;
  }

  #createServer(purpose: Purpose): Server {
    const { certificate, key } = this.#certificates.fallback!.pair;
    const clientCertificates = this.#clientCertificates;
    const server = createServer({
      ...this.#common,
      cert: certificate,
      key,
      ...(purpose === "http" && { ALPNProtocols: ALPN_PROTOCOLS }),
      requestCert: clientCertificates !== null,
      // Node would only hang up; `refuse` tells the client why.
      rejectUnauthorized: false,
      SNICallback: (name, done) => {
        const { byName, fallback } = this.#certificates;
        done(null, (byName.find(bareHost(name))?.value ?? fallback ?? undefined)?.context);
      },
    });
    const secrets = new WeakMap<TLSSocket, Buffer>();
    server.on("secureConnection", (socket) => this.#onHandshake(socket, clientCertificates, secrets.get(socket)));
    if (clientCertificates?.insecureFallback === false) {
      server.on("keylog", (line, socket) => {
        const secret = serverTrafficSecret(line);
        if (secret !== null) secrets.set(socket, secret);
      });
    }
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    return server;
  }

  /** `secret`: what alerts are encrypted with, where it is known. */
  #onHandshake(socket: TLSSocket, asked: ClientCertificates | null, secret: Buffer | undefined): void {
    const key = connectionKey(socket);
    const handshake = this.#pending.get(key);
    this.#pending.delete(key);
    if (handshake === undefined) return void socket.destroy();
    const clientCertificate = asked === null ? null : shownBy(socket);
    if (asked?.insecureFallback === false && clientCertificate?.verified !== true)
      return refuse(socket, handshake.socket, secret);
    socket.allowHalfOpen = true;
    const { servername } = socket as { servername?: string | false };
    handshake.onSecure({ socket, serverName: servername ? bareHost(servername) : null, clientCertificate });
  }
}

/** Ends a connection whose client has not shown what it has to. */
function refuse(socket: TLSSocket, tcp: Socket, secret: Buffer | undefined): void {
  const alert = secret === undefined ? null : securedAlert(socket, secret, alertFor(socket));
  socket.on("error", () => socket.destroy());
  // What the client sends is read and dropped, so that no reset eats the alert. Whoever led it here bounds the time.
  socket.resume();
  if (alert === null) return void socket.end();
  // The session tickets are on their way first.
  setImmediate(() => {
    if (!tcp.destroyed) tcp.end(alert);
  });
}

function alertFor(socket: TLSSocket): number {
  if (socket.getPeerX509Certificate() === undefined) return Alert.certificateRequired;
  // What the types call an error is its code.
  const reason = String(socket.authorizationError);
  if (reason === "CERT_HAS_EXPIRED") return Alert.certificateExpired;
  return /ISSUER|LEAF|SELF_SIGNED|UNTRUSTED/.test(reason) ? Alert.unknownCa : Alert.badCertificate;
}

/** The same certificates under other common options. */
function reloaded({ loaded }: Certificates, common: SecureContextOptions): Certificates {
  const pairs = loaded.map(({ pair }) => pair);
  return loadCertificates(pairs, common, NO_CERTIFICATES).certificates;
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
