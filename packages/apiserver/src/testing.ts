// An API server for tests of any package: in memory, over streams, and on request over TLS on a free port.

import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes, type webcrypto } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type ApiClient, createApiClient } from "@gatehouse/apimachinery/api-client";
import { StatusError } from "@gatehouse/apimachinery/status-error";
import type { Identity } from "./auth/identity.ts";
import { type ApiServer, type ApiServerOptions, createApiServer, type ServingTls } from "./server.ts";

export interface TestServer {
  server: ApiServer;
  /** `https://127.0.0.1:port`; empty without `tls`. */
  url: string;
  /** PEM of the CA; empty without `tls`. */
  ca: string;
  /** Bearer token of a member of system:masters. */
  token: string;
  /** A client in this process, as `identity` (default: an administrator). Closed with the server. */
  client(identity?: Identity): Promise<ApiClient>;
  /** The stream under such a client. */
  connect(identity?: Identity): Duplex;
  close(): Promise<void>;
}

export const testAdministrator: Identity = { user: "administrator", groups: ["system:masters"] };

/** PEM of a fresh EC P-256 key. */
export function newServiceAccountKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** Starts a server with its own empty state in a temporary directory. `tls` (true: fresh certificates) also opens a port. */
export async function startTestServer(
  options: { tls?: boolean | ServingTls } & Partial<Omit<ApiServerOptions, "tls">> = {},
): Promise<TestServer> {
  const { tls, ...others } = options;
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-apiserver-"));
  const token = randomBytes(16).toString("hex");
  const serving = tls === true ? await testCertificates() : tls || undefined;
  const server = await createApiServer({
    statePath: join(directory, "state.db"),
    tls: serving,
    host: "127.0.0.1",
    port: 0,
    tokens: [{ token, user: testAdministrator.user, groups: testAdministrator.groups }],
    serviceAccountKey: newServiceAccountKey(),
    ...others,
  });
  const clients: ApiClient[] = [];
  const connect = (identity: Identity = testAdministrator): Duplex => server.connectInProcess(identity);
  return {
    server,
    url: server.address,
    ca: serving?.ca ?? "",
    token,
    connect,
    client: async (identity) => {
      const client = await createApiClient({ connect: () => connect(identity) });
      clients.push(client);
      return client;
    },
    close: async () => {
      for (const client of clients) client.close();
      await server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export interface TestCertificates extends ServingTls {
  /** A client certificate of the same CA. */
  client(user: string, groups: string[]): Promise<{ cert: string; key: string }>;
}

/** A CA, a serving certificate for 127.0.0.1 and localhost, and client certificates on demand; all PEM. */
export async function testCertificates(): Promise<TestCertificates> {
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const newKeys = () => crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const pemOf = async (key: webcrypto.CryptoKey): Promise<string> =>
    x509.PemConverter.encode(await crypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
  const caKeys = await newKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=test-ca",
    keys: caKeys,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const issue = async (subject: string, usage: string, names: string[] = []) => {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject,
      issuer: ca.subject,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.ExtendedKeyUsageExtension([usage]),
        new x509.SubjectAlternativeNameExtension([
          { type: "dns", value: "localhost" },
          ...names.map((value) => ({ type: "ip" as const, value })),
        ]),
      ],
    });
    return { cert: certificate.toString("pem"), key: await pemOf(keys.privateKey) };
  };
  const serverAuth = "1.3.6.1.5.5.7.3.1";
  const clientAuth = "1.3.6.1.5.5.7.3.2";
  return {
    ca: ca.toString("pem"),
    ...(await issue("CN=apiserver", serverAuth, ["127.0.0.1"])),
    client: (user, groups) => issue([`CN=${user}`, ...groups.map((group) => `O=${group}`)].join(","), clientAuth),
  };
}

/** For assert.rejects: the StatusError has this code, and a message that matches. */
export function refusedWith(code: number, message: RegExp = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StatusError, `expected a StatusError, got ${String(error)}`);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}
