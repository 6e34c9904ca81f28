// A certificate authority for tests, made by openssl and gone with the test.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface KeyPair {
  /** PEM. */
  certificate: string;
  key: string;
}

export interface TestAuthority {
  /** PEM. */
  certificate: string;
  /** A certificate for a DNS name, good for servers and clients. */
  issue(name: string): KeyPair;
}

export function testAuthority(name: string): TestAuthority {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-authority-"));
  const own = selfSigned(directory, name);
  rmSync(directory, { recursive: true });
  return { certificate: own.certificate, issue: (subject) => issue(own, subject) };
}

const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

function selfSigned(directory: string, name: string): KeyPair {
  const [key, certificate] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  openssl(["req", "-x509", ...curve, "-keyout", key, "-out", certificate, "-subj", `/CN=${name}`, "-days", "2"]);
  return { certificate: readFileSync(certificate, "utf8"), key: readFileSync(key, "utf8") };
}

function issue(authority: KeyPair, name: string): KeyPair {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-authority-"));
  const at = (file: string): string => join(directory, file);
  writeFileSync(at("ca.pem"), authority.certificate);
  writeFileSync(at("ca-key.pem"), authority.key);
  writeFileSync(at("extensions"), `subjectAltName=DNS:${name}\nextendedKeyUsage=serverAuth,clientAuth\n`);
  openssl(["req", ...curve, "-keyout", at("key.pem"), "-out", at("request.pem"), "-subj", `/CN=${name}`]);
  const signing = ["-CA", at("ca.pem"), "-CAkey", at("ca-key.pem"), "-CAcreateserial", "-days", "2"];
  openssl(["x509", "-req", "-in", at("request.pem"), ...signing, "-extfile", at("extensions"), "-out", at("cert.pem")]);
  const pair = { certificate: readFileSync(at("cert.pem"), "utf8"), key: readFileSync(at("key.pem"), "utf8") };
  rmSync(directory, { recursive: true });
  return pair;
}

function openssl(args: string[]): void {
  execFileSync("openssl", args, { stdio: "pipe" });
}
