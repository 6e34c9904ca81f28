// The alert for a client whose certificate is not accepted. Node decides about it when the handshake is over and has no way
// to say more than that the connection ends; so TLS 1.3's alert (RFC 8446 sections 5.2, 6 and 7.3) is put together here, from the
// traffic secret that node:tls reports to whoever asks for its key log.

import { createCipheriv, createHmac } from "node:crypto";
import type { CipherGCMTypes } from "node:crypto";
import type { TLSSocket } from "node:tls";

interface Suite {
  aead: CipherGCMTypes | "chacha20-poly1305";
  keyLength: number;
  hash: string;
}

/** RFC 8446 appendix B.4. */
const SUITES: Record<string, Suite> = {
  TLS_AES_128_GCM_SHA256: { aead: "aes-128-gcm", keyLength: 16, hash: "sha256" },
  TLS_AES_256_GCM_SHA384: { aead: "aes-256-gcm", keyLength: 32, hash: "sha384" },
  TLS_CHACHA20_POLY1305_SHA256: { aead: "chacha20-poly1305", keyLength: 32, hash: "sha256" },
};

/** What can be known of a connection's end. */
type Agreed = Pick<TLSSocket, "getCipher" | "isSessionReused"> & { getProtocol(): string | null };

const MASTER_SECRET = "CLIENT_RANDOM ";
const FATAL = 2;
const ALERT_RECORD = 21;
const DATA_RECORD = 23;
const TAG_LENGTH = 16;
const IV_LENGTH = 12;

/** The secret under which the server writes, if `line` of the key log has it (NSS key log format). */
export function serverTrafficSecret(line: Buffer): Buffer | null {
  const [label, , secret] = line.toString("latin1").trim().split(" ");
  return label === "SERVER_TRAFFIC_SECRET_0" && secret !== undefined ? Buffer.from(secret, "hex") : null;
}

/** Whether `line` of the key log says that the keys of TLS 1.2 are agreed on. */
export function isMasterSecret(line: Buffer): boolean {
  return line.toString("latin1", 0, MASTER_SECRET.length) === MASTER_SECRET;
}

/** A fatal alert as the record that follows the handshake and its session tickets, before anything was written. Null when the
 * connection is not of TLS 1.3. */
export function securedAlert(socket: Agreed, secret: Buffer, description: number): Buffer | null {
  const suite = SUITES[socket.getCipher().standardName];
  if (suite === undefined || socket.getProtocol() !== "TLSv1.3") return null;
  // OpenSSL sends two tickets, or one where a session was resumed, each in a record.
  const sequence = socket.isSessionReused() ? 1 : 2;
  const key = expandLabel(suite.hash, secret, "key", suite.keyLength);
  const nonce = expandLabel(suite.hash, secret, "iv", IV_LENGTH);
  nonce[IV_LENGTH - 1]! ^= sequence;
  const content = Buffer.from([FATAL, description, ALERT_RECORD]);
  const header = Buffer.from([DATA_RECORD, 3, 3, 0, content.length + TAG_LENGTH]);
  const cipher = createCipheriv(suite.aead as CipherGCMTypes, key, nonce, { authTagLength: TAG_LENGTH });
  cipher.setAAD(header);
  return Buffer.concat([header, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/** HKDF-Expand-Label without context (RFC 8446 section 7.1), for results not longer than the hash. */
function expandLabel(hash: string, secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, length, name.length]), name, Buffer.from([0, 1])]);
  return createHmac(hash, secret).update(info).digest().subarray(0, length);
}
