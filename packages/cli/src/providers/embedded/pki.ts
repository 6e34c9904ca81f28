// The cluster's own certificate authority and what it signs: the API server's certificate, the kubelet's, and the
// administrator's client certificate (CN = user, O = group, as Kubernetes reads them). ECDSA P-256, PEM.

import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { generateKeyPairSync, webcrypto } from "node:crypto";
import { kubeletServerName } from "./kubelet-server-name.ts";

export interface Pki {
  ca: string;
  server: KeyPair;
  admin: KeyPair;
  /** Signs ServiceAccount tokens (ES256). */
  serviceAccountKey: string;
}

export interface KeyPair {
  certificate: string;
  key: string;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const tenYearsMs = 10 * 365 * 24 * 3600 * 1000;
const clockSkewMs = 3600 * 1000;

/** Makes everything anew. The authority's key is forgotten afterwards: nothing more is ever signed with it. */
export async function createPki(clusterName: string): Promise<Pki> {
  const [authority, server, admin] = await Promise.all([newKeys(), newKeys(), newKeys()]);
  const validity = {
    notBefore: new Date(Date.now() - clockSkewMs),
    notAfter: new Date(Date.now() + tenYearsMs),
    signingAlgorithm: algorithm,
  };
  const caCertificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: serialNumber(),
    name: [{ CN: [`gatehouse-${clusterName}-ca`] }],
    keys: authority,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
      await x509.SubjectKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  const sign = async (subject: x509.JsonName, keys: webcrypto.CryptoKeyPair, extensions: x509.Extension[]) => {
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity,
      serialNumber: serialNumber(),
      subject,
      issuer: caCertificate.subject,
      publicKey: keys.publicKey,
      signingKey: authority.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        await x509.AuthorityKeyIdentifierExtension.create(caCertificate),
        ...extensions,
      ],
    });
    return { certificate: certificate.toString("pem"), key: await privatePem(keys) };
  };
  return {
    ca: caCertificate.toString("pem"),
    server: await sign([{ CN: ["kube-apiserver"] }], server, [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(serverNames()),
    ]),
    admin: await sign([{ O: ["system:masters"] }, { CN: ["kubernetes-admin"] }], admin, [
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
    ]),
    serviceAccountKey: generateKeyPairSync("ec", {
      namedCurve: "P-256",
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    }).privateKey,
  };
}

function serverNames(): x509.JsonGeneralNames {
  const dns = [
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    kubeletServerName,
  ];
  return [
    ...dns.map((value) => ({ type: "dns" as const, value })),
    ...["127.0.0.1", "::1", "10.96.0.1"].map((value) => ({ type: "ip" as const, value })),
  ];
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function privatePem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return x509.PemConverter.encode(pkcs8, "PRIVATE KEY");
}

function serialNumber(): string {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)));
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString("hex");
}
