// The certificate of all TLS rows: P-256, self-signed.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram, type Stage } from "./stage.ts";

export interface CertificateFiles {
  certificate: string;
  key: string;
  /** Both in one file, as HAProxy wants it. */
  both: string;
}

/** Undefined when the machine has no openssl. */
export async function makeCertificate(stage: Stage): Promise<CertificateFiles | undefined> {
  if (!findProgram("openssl")) return undefined;
  const directory = stage.makeDirectory("tls");
  const [certificate, key, both] = ["cert.pem", "key.pem", "both.pem"].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  const name = ["-subj", "/CN=bench.test", "-addext", "subjectAltName=DNS:bench.test,IP:127.0.0.1"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
  const args = ["req", "-x509", ...curve, "-nodes", "-keyout", key, "-out", certificate, ...name];
  await stage.run("openssl", args, { cores: stage.cores.load });
  writeFileSync(both, readFileSync(certificate, "utf8") + readFileSync(key, "utf8"));
  return { certificate, key, both };
}
