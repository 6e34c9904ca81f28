// What both ways of leading a client through the TLS handshake share: what they are told, what they tell, and which alert a client
// is owed that has not shown what it has to.

import type { X509Certificate } from "node:crypto";
import type { SecureContext } from "node:tls";
import type { ClientCertificate } from "../connection-facts.ts";
import type { Transport } from "../io/transport.ts";
import type { ClientCertificates } from "../routing-table.ts";
import { Alert } from "./alerts.ts";

/** What HTTP listeners speak, the most wanted first (RFC 7301). */
export const ALPN_PROTOCOLS = ["h2", "http/1.1"];

/** Names as they are sent: each after a byte with its length. */
export function alpnNames(names: readonly string[]): Buffer {
  return Buffer.from(names.map((name) => String.fromCharCode(name.length) + name).join(""), "latin1");
}

/** What is read from the decrypted connection. A `stream` is not asked for its protocol, as nobody here knows it. */
export type Purpose = "http" | "stream";

/** A finished handshake. */
export interface SecureConnection {
  transport: Transport;
  /** Agreed on by ALPN. */
  http2: boolean;
  clientCertificate: ClientCertificate | null;
}

/** Hears of a handshake; before one of the first two the connection may just go, which only `onClosed` tells. */
export interface HandshakeUser {
  /** Sets the transport's handler before it returns. */
  onSecure(connection: SecureConnection): void;
  /** The client is being told why not, and given time to read it. */
  onRefused(): void;
  onClosed(): void;
}

/** What a client begins with. */
export interface ClientHello {
  /** What was read of the message, and behind it. */
  unread: Buffer;
  /** In lower case; null when it names none. */
  serverName: string | null;
}

export interface HandshakeSettings {
  purpose: Purpose;
  /** What is in force when it is asked; "" for who asks for no name. */
  contextFor: (serverName: string) => SecureContext;
  clientCertificates: ClientCertificates | null;
}

/** A client without the certificate it needs is refused. */
export function insisting({ clientCertificates }: HandshakeSettings): boolean {
  return clientCertificates?.insecureFallback === false;
}

/** `reason`: OpenSSL's code for what is wrong. */
export function alertFor(certificate: X509Certificate | undefined, reason: string): number {
  if (certificate === undefined) return Alert.certificateRequired;
  if (reason === "CERT_HAS_EXPIRED") return Alert.certificateExpired;
  return /ISSUER|LEAF|SELF_SIGNED|UNTRUSTED/.test(reason) ? Alert.unknownCa : Alert.badCertificate;
}
