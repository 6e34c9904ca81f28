// Certificates for tests: authorities, and what they sign for servers and clients. ECDSA P-256, PEM.

import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { webcrypto } from "node:crypto";

export interface TestCertificate {
  certificate: string;
  key: string;
}

export interface Authority {
  /** PEM of its own certificate. */
  certificate: string;
  /** A certificate for whoever has these names: a URI has `://`, an address begins with a digit, all others are DNS
   * names. `validUntil`: the end of its validity, default in a day. */
  issue(commonName: string, names?: string[], validUntil?: Date): Promise<TestCertificate>;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY = 24 * 3600 * 1000;

function validity(until = new Date(Date.now() + DAY)): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Math.min(Date.now(), until.getTime()) - DAY), notAfter: until };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function privatePem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
}

/** An authority of its own, trusted by nobody who was not given its certificate. */
export async function createAuthority(commonName = "test authority"): Promise<Authority> {
  const keys = await newKeys();
  const own = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  const issue: Authority["issue"] = async (subject, names = [subject], validUntil) => {
    const its = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity(validUntil),
      subject: [{ CN: [subject] }],
      issuer: own.subject,
      publicKey: its.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names.map(generalName))],
    });
    return { certificate: certificate.toString("pem"), key: await privatePem(its) };
  };
  return { certificate: own.toString("pem"), issue };
}

function generalName(value: string): { type: "url" | "ip" | "dns"; value: string } {
  if (value.includes("://")) return { type: "url", value };
  return { type: /^\d/.test(value) ? "ip" : "dns", value };
}
