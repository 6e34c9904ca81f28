// Reading PEM as given by people: node:tls passes over what it cannot read among authorities, and would trust nobody, or
// whom the system trusts, without a word.

import { X509Certificate } from "node:crypto";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The certificates of a bundle, each as PEM. Throws when one cannot be read or there is none; `what` is named then. */
export function readAuthorities(pem: string, what: string): string[] {
  const certificates = pem.match(CERTIFICATE);
  if (certificates === null) throw new Error(`${what}: no PEM certificate in it`);
  return certificates.map((certificate, index) => {
    try {
      return new X509Certificate(certificate).toString();
    } catch (error) {
      throw new Error(`${what}: certificate ${index + 1} cannot be read: ${(error as Error).message}`, {
        cause: error,
      });
    }
  });
}
