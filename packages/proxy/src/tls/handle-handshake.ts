// A client's TLS handshake over the runtime's handles (io/tls-handles.ts): no TLSSocket, no Server, and what has to be said to a
// client that is refused can be said.

import { X509Certificate } from "node:crypto";
import type { ClientCertificate } from "../connection-facts.ts";
import type { HandleTransport } from "../io/handle-transport.ts";
import { tcpHandles } from "../io/tcp-handles.ts";
import type { TcpHandles } from "../io/tcp-handles.ts";
import type { TlsHandle, TlsHandles } from "../io/tls-handles.ts";
import { TlsTransport } from "../io/tls-transport.ts";
import type { TransportHandler } from "../io/transport.ts";
import { plainAlert } from "./alerts.ts";
import { alertFor, ALPN_PROTOCOLS, alpnNames, insisting } from "./handshake.ts";
import type { ClientHello, HandshakeSettings, HandshakeUser } from "./handshake.ts";
import { isMasterSecret, securedAlert, serverTrafficSecret } from "./secured-alert.ts";

const PROTOCOLS = alpnNames(ALPN_PROTOCOLS);

/** Leads the client through, while `tcp` reads. One that fails ends the connection. */
export function handshakeOverHandle(
  runtime: TlsHandles,
  tcp: HandleTransport,
  { unread, serverName }: ClientHello,
  settings: HandshakeSettings,
  user: HandshakeUser,
): void {
  const context = settings.contextFor(serverName ?? "");
  if (insisting(settings)) runtime.reportSecrets(context);
  const handshake = new HandleHandshake(tcp, runtime.serverOver(tcp.handle, context), settings, user);
  if (unread.length > 0) handshake.receive(unread);
}

class HandleHandshake implements TransportHandler {
  readonly #tcp: HandleTransport;
  readonly #tls: TlsHandle;
  readonly #settings: HandshakeSettings;
  readonly #user: HandshakeUser;
  /** What alerts are encrypted with, once it is known. */
  #secret: Buffer | null = null;
  /** Done, failed or refused. */
  #over = false;
  #closed = false;

  constructor(tcp: HandleTransport, tls: TlsHandle, settings: HandshakeSettings, user: HandshakeUser) {
    this.#tcp = tcp;
    this.#tls = tls;
    this.#settings = settings;
    this.#user = user;
    tcp.handler = this;
    Object.assign(tls, { onread: () => this.#onRead(), onerror: () => this.#onError() });
    tls.onhandshakedone = () => this.#onDone();
    if (settings.purpose === "http") tls.setALPNProtocols(PROTOCOLS);
    if (settings.clientCertificates !== null) tls.setVerifyMode(true, insisting(settings));
    if (insisting(settings)) tls.onkeylog = (line) => this.#onSecret(line);
  }

  receive(bytes: Buffer): void {
    this.#tls.receive(bytes);
  }

  /** With TLS 1.2 the keys are agreed on when the client has shown what it has and nothing was answered yet: the last moment for
   * an alert that everybody can read. */
  #onSecret(line: Buffer): void {
    this.#secret ??= serverTrafficSecret(line);
    if (this.#over || !isMasterSecret(line)) return;
    const problem = this.#tls.verifyError();
    if (problem !== null) this.#refuse(plainAlert(alertFor(certificateOf(this.#tls), problem.code)));
  }

  #onDone(): void {
    if (this.#over) return;
    const clientCertificate = this.#settings.clientCertificates === null ? null : shownBy(this.#tls);
    if (insisting(this.#settings) && clientCertificate?.verified !== true) return this.#refuseSecured();
    this.#over = true;
    // The connection outlives all this.
    Object.assign(this.#tls, { onhandshakedone: undefined, onkeylog: undefined });
    this.#user.onSecure({
      transport: new TlsTransport(this.#tcp, this.#tls),
      http2: this.#tls.getALPNNegotiatedProtocol() === "h2",
      clientCertificate,
    });
  }

  #refuseSecured(): void {
    const problem = this.#tls.verifyError()?.code ?? "";
    const description = alertFor(certificateOf(this.#tls), problem);
    const alert = this.#secret === null ? null : securedAlert(this.#tls, this.#secret, description);
    if (alert !== null) {
      this.#over = true;
      // The session tickets are on their way first.
      setImmediate(() => this.#refuse(alert));
    } else this.#refuse(null);
  }

  /** What the client sends from now on is read and dropped, so that no reset eats the alert. */
  #refuse(alert: Buffer | null): void {
    this.#over = true;
    if (this.#closed) return;
    this.#user.onRefused();
    if (alert !== null) this.#tcp.write(alert);
    this.#tcp.end();
  }

  /** OpenSSL has sent its alert. */
  #onError(): void {
    if (!this.#over) this.#refuse(null);
  }

  /** Nothing is read before it is over; and who closes its half before is gone, which nobody would hear of otherwise. */
  #onRead(): void {
    const { state, READ } = tcpHandles as TcpHandles;
    if (state[READ]! < 0) this.#tcp.destroy();
  }

  // What TCP has to tell comes by way of TLS.
  onData(): void {}

  onEnd(): void {}

  onDrain(): void {}

  onClose(): void {
    this.#closed = true;
    this.#tls.destroySSL();
    this.#user.onClosed();
  }
}

/** What the client has shown and proved to own. A resumed session may count as verified without one. */
function shownBy(tls: TlsHandle): ClientCertificate | null {
  const certificate = certificateOf(tls);
  return certificate === undefined ? null : { certificate, verified: tls.verifyError() === null };
}

function certificateOf(tls: TlsHandle): X509Certificate | undefined {
  const shown = tls.getPeerCertificate(false);
  return shown === undefined ? undefined : new X509Certificate(shown.raw);
}
