// TLS termination of one listening socket: handshakes, certificates by SNI and their replacement, client certificates,
// session tickets. What is replaced serves until what replaces it is loaded; open connections keep what they began with.

import { constants, createHash, createHmac } from "node:crypto";
import type { SecureContext, SecureContextOptions } from "node:tls";
import { HandleTransport } from "../io/handle-transport.ts";
import { tlsHandles } from "../io/tls-handles.ts";
import type { AcceptedTransport } from "../io/net-transport.ts";
import type { Transport } from "../io/transport.ts";
import { bareHost } from "../match/hostname.ts";
import type { ClientCertificates, TlsTermination } from "../routing-table.ts";
import { loadCertificates, NO_CERTIFICATES } from "./certificates.ts";
import type { Certificates } from "./certificates.ts";
import { handshakeOverHandle } from "./handle-handshake.ts";
import type { ClientHello, HandshakeSettings, HandshakeUser, Purpose } from "./handshake.ts";
import { readAuthorities } from "./pem.ts";
import { SocketHandshakes } from "./socket-handshake.ts";

export class TlsTerminator {
  readonly #ticketSecret: string;
  #source = "";
  #profile = "";
  #common: SecureContextOptions = {};
  #clientCertificates: ClientCertificates | null = null;
  #certificates: Certificates = NO_CERTIFICATES;
  /** Made when first needed, and anew when the default certificate or what all share changes. */
  readonly #sockets = new Map<Purpose, SocketHandshakes>();
  /** While `usable`. */
  readonly #contextFor = (serverName: string): SecureContext => {
    const { byName, fallback } = this.#certificates;
    return (byName.find(bareHost(serverName))?.value ?? fallback!).context;
  };

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
      this.#sockets.clear();
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
        secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
        ticketKeys: createHmac("sha384", this.#ticketSecret).update(asked).digest(),
        sessionIdContext: createHash("sha256").update(asked).digest("hex").slice(0, 32),
        ...(clientCertificates && { ca: readAuthorities(clientCertificates.authorities, "authorities of clients") }),
      };
    } catch (error) {
      return error as Error;
    }
  }

  /** Leads the client of an accepted connection through the handshake that `hello` begins. Only while `usable`. */
  terminate(transport: Transport, hello: ClientHello, purpose: Purpose, user: HandshakeUser): void {
    if (transport instanceof HandleTransport && tlsHandles !== null)
      return handshakeOverHandle(tlsHandles, transport, hello, this.#settings(purpose), user);
    let sockets = this.#sockets.get(purpose);
    if (sockets === undefined) {
      const { certificate: cert, key } = this.#certificates.fallback!.pair;
      sockets = new SocketHandshakes({ ...this.#common, cert, key }, this.#settings(purpose));
      this.#sockets.set(purpose, sockets);
    }
    sockets.lead((transport as AcceptedTransport).detach(hello.unread), user);
  }

  #settings(purpose: Purpose): HandshakeSettings {
    return {
      purpose,
      contextFor: this.#contextFor,
      clientCertificates: this.#clientCertificates,
    };
  }
}

/** The same certificates under other common options. */
function reloaded({ loaded }: Certificates, common: SecureContextOptions): Certificates {
  const pairs = loaded.map(({ pair }) => pair);
  return loadCertificates(pairs, common, NO_CERTIFICATES).certificates;
}
