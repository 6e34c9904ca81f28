// What Go's crypto/tls would say of a connection.

import type { DetailedPeerCertificate, TLSSocket } from "node:tls";

/** Version as the echo server names it, e.g. `TLSv1.3`, and the cipher suite by its IANA name. */
export interface TlsFacts {
  version: string;
  /** PEM, in the order in which the client sent them. */
  peerCertificates: string[];
  serverName: string;
  negotiatedProtocol: string;
  cipherSuite: string;
}

export function tlsFacts(socket: TLSSocket): TlsFacts {
  return {
    version: socket.getProtocol() ?? "",
    peerCertificates: pemChain(socket),
    serverName: socket.servername || "",
    negotiatedProtocol: socket.alpnProtocol || "",
    cipherSuite: socket.getCipher()?.standardName ?? "",
  };
}

/** Node completes the chain from the authorities it trusts; a root that signed itself is taken to be one of those, not sent. */
function pemChain(socket: TLSSocket): string[] {
  const chain: string[] = [];
  for (let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true); next?.raw;) {
    chain.push(pem(next.raw));
    const issuer: DetailedPeerCertificate | undefined = next.issuerCertificate;
    next = issuer && !signedItself(issuer) ? issuer : undefined;
  }
  return chain;
}

const signedItself = ({ fingerprint256, issuerCertificate }: DetailedPeerCertificate): boolean =>
  issuerCertificate === undefined || issuerCertificate.fingerprint256 === fingerprint256;

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
