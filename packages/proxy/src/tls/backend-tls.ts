// TLS towards endpoints: the options a connection is made with, and whose certificate is accepted (Gateway API,
// BackendTLSPolicy, GEP-1897 and GEP-3155).

import { isIP } from "node:net";
import { checkServerIdentity, createSecureContext } from "node:tls";
import type { ConnectionOptions, PeerCertificate } from "node:tls";
import type { BackendTls } from "../routing-table.ts";
import { readAuthorities } from "./pem.ts";

/** Options for `tls.connect` to an endpoint; the caller adds `host` and `port` (or `socket`) and `ALPNProtocols`. Build them
 * once per service: they hold the parsed certificates. Throws when a PEM cannot be read. An endpoint whose certificate is
 * not accepted makes the socket fail with a code of OpenSSL's, or ERR_TLS_CERT_ALTNAME_INVALID for the wrong name. */
export function backendTlsOptions(tls: BackendTls): ConnectionOptions {
  const secureContext = createSecureContext({
    ...(tls.authorities === undefined ? {} : { ca: readAuthorities(tls.authorities, "authorities of a backend") }),
    ...(tls.certificate === undefined ? {} : { cert: tls.certificate, key: tls.key }),
    minVersion: "TLSv1.2",
  });
  return {
    secureContext,
    rejectUnauthorized: true,
    // RFC 6066 section 3: an address is never asked for.
    servername: isIP(tls.serverName) === 0 ? tls.serverName : "",
    checkServerIdentity: (_host, certificate) => checkIdentity(tls, certificate),
  };
}

/** With `subjectAltNames` the certificate must have one of them, and `serverName` does not count (GEP-3155). */
function checkIdentity(tls: BackendTls, certificate: PeerCertificate): Error | undefined {
  const { subjectAltNames } = tls;
  if (subjectAltNames === undefined || subjectAltNames.length === 0) {
    return checkServerIdentity(tls.serverName, certificate);
  }
  const names = parseAltNames(certificate.subjectaltname ?? "");
  if (subjectAltNames.some((wanted) => hasName(wanted, names, certificate))) return undefined;
  const asked = subjectAltNames.map(({ type, value }) => `${type} ${value}`).join(", ");
  const error = new Error(`certificate has none of the names ${asked}, only: ${certificate.subjectaltname ?? "none"}`);
  return Object.assign(error, { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
}

interface AltName {
  /** As OpenSSL prints it: `DNS`, `URI`, `IP Address`, ... */
  type: string;
  value: string;
}

function hasName(
  wanted: { type: "hostname" | "uri"; value: string },
  names: AltName[],
  peer: PeerCertificate,
): boolean {
  if (wanted.type === "uri") return names.some(({ type, value }) => type === "URI" && value === wanted.value);
  const dns = names.filter(({ type }) => type === "DNS");
  const name = wanted.value.toLowerCase();
  if (name.startsWith("*.")) return dns.some(({ value }) => value.toLowerCase() === name);
  // Without a DNS name the common name would be looked at.
  return dns.length > 0 && checkServerIdentity(name, peer) === undefined;
}

/** One name with what separates it from the next. A value with delimiters in it comes as a JSON string (CVE-2021-44532). */
const ALT_NAME = /([^:,"]+):(?:("(?:[^"\\]|\\.)*")|([^,"]*))(?:, |$)/y;

/** Names of a certificate as node:tls prints them; none when that cannot be read whole. */
function parseAltNames(printed: string): AltName[] {
  const names: AltName[] = [];
  const pattern = new RegExp(ALT_NAME);
  while (pattern.lastIndex < printed.length) {
    const found = pattern.exec(printed);
    if (found === null) return [];
    const [, type = "", quoted, plain = ""] = found;
    names.push({ type, value: quoted === undefined ? plain : unquote(quoted) });
  }
  return names;
}

function unquote(json: string): string {
  try {
    return String(JSON.parse(json));
  } catch {
    return "";
  }
}

/** Options by configuration, so that a new table costs what is new in it. */
export class BackendTlsCache {
  #known = new Map<string, ConnectionOptions | Error>();
  #asked = new Map<string, ConnectionOptions | Error>();

  /** An error when a PEM cannot be read. */
  get(tls: BackendTls): ConnectionOptions | Error {
    const key = JSON.stringify(tls);
    const options = this.#asked.get(key) ?? this.#known.get(key) ?? optionsOrError(tls);
    this.#asked.set(key, options);
    return options;
  }

  /** Forgets what was not asked for since the last time. */
  sweep(): void {
    this.#known = this.#asked;
    this.#asked = new Map();
  }
}

function optionsOrError(tls: BackendTls): ConnectionOptions | Error {
  try {
    return backendTlsOptions(tls);
  } catch (error) {
    return error as Error;
  }
}
