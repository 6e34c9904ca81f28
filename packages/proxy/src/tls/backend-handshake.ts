// TLS towards an endpoint over the runtime's handles (io/tls-handles.ts), as `tls.connect` would do it with the same options.

import { X509Certificate } from "node:crypto";
import type { ConnectionOptions } from "node:tls";
import type { HandleTransport } from "../io/handle-transport.ts";
import { systemError, tcpHandles } from "../io/tcp-handles.ts";
import type { TcpHandles } from "../io/tcp-handles.ts";
import type { TlsHandle, TlsHandles } from "../io/tls-handles.ts";
import { TlsTransport } from "../io/tls-transport.ts";
import type { TransportHandler } from "../io/transport.ts";
import { alpnNames } from "./handshake.ts";

export interface BackendHandshakeUser {
  /** The certificate was accepted. Sets the transport's handler before it returns. `protocol`: agreed on by ALPN. */
  onSecure(transport: TlsTransport, protocol: string | null): void;
  /** `error`: OpenSSL's or the system's, null when the endpoint just went. The connection is closed. */
  onFailed(error: NodeJS.ErrnoException | null): void;
}

/** Begins TLS on a connection that stands; `options` as backendTlsOptions makes them, `protocols` are offered by ALPN. */
export function secureBackend(
  runtime: TlsHandles,
  tcp: HandleTransport,
  options: ConnectionOptions,
  protocols: readonly string[],
  user: BackendHandshakeUser,
): void {
  new BackendHandshake(tcp, runtime.clientOver(tcp.handle, options.secureContext!), options, user).start(protocols);
}

class BackendHandshake implements TransportHandler {
  readonly #tcp: HandleTransport;
  readonly #tls: TlsHandle;
  readonly #options: ConnectionOptions;
  readonly #user: BackendHandshakeUser;
  #over = false;

  constructor(tcp: HandleTransport, tls: TlsHandle, options: ConnectionOptions, user: BackendHandshakeUser) {
    this.#tcp = tcp;
    this.#tls = tls;
    this.#options = options;
    this.#user = user;
    tcp.handler = this;
    Object.assign(tls, { onread: () => this.#onRead(), onerror: (error: NodeJS.ErrnoException) => tcp.fail(error) });
    tls.onhandshakedone = () => this.#onDone();
  }

  start(protocols: readonly string[]): void {
    if (protocols.length > 0) this.#tls.setALPNProtocols(alpnNames(protocols));
    const { servername = "" } = this.#options;
    if (servername !== "") this.#tls.setServername(servername);
    this.#tls.start();
  }

  #onDone(): void {
    if (this.#over) return;
    this.#over = true;
    Object.assign(this.#tls, { onhandshakedone: undefined });
    const problem = this.#problem();
    if (problem !== null) {
      // Told when it is closed, as every failure.
      this.#tcp.fail(problem);
      return;
    }
    const protocol = this.#tls.getALPNNegotiatedProtocol();
    this.#user.onSecure(new TlsTransport(this.#tcp, this.#tls), protocol === false ? null : protocol);
  }

  /** What is wrong with the endpoint's certificate. */
  #problem(): NodeJS.ErrnoException | null {
    const problem = this.#tls.verifyError();
    if (problem !== null) return problem;
    const shown = new X509Certificate(this.#tls.getPeerCertificate(false)!.raw).toLegacyObject();
    const { servername = "", checkServerIdentity } = this.#options;
    try {
      return checkServerIdentity!(servername, shown) ?? null;
    } catch (error) {
      // Names that cannot be read (ERR_TLS_CERT_ALTNAME_FORMAT).
      return error as Error;
    }
  }

  #onRead(): void {
    const { state, READ, EOF } = tcpHandles as TcpHandles;
    const count = state[READ]!;
    if (count === EOF) this.#tcp.destroy();
    else if (count < 0) this.#tcp.fail(systemError(count, "read"));
  }

  // What TCP has to tell comes by way of TLS.
  onData(): void {}

  onEnd(): void {}

  onDrain(): void {}

  onClose(error: NodeJS.ErrnoException | null): void {
    this.#tls.destroySSL();
    this.#user.onFailed(error);
  }
}
