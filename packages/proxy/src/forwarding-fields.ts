// The X-Forwarded-* fields and X-Real-Ip: what backends are told about the client. Only believed peers may say it for
// somebody else; everybody else's claims are dropped and replaced.

import type { ClientCertificate } from "./connection-facts.ts";
import type { RequestHead } from "./http1/request-head.ts";
import { FieldId } from "./http1/tokens.ts";

/** What a connection knows about its client. */
export interface ClientFacts {
  address: string;
  /** The peer is one of the listener's trusted proxies. */
  trusted: boolean;
  tls: boolean;
  /** What its TLS connection asked for (SNI), lower case; null without. */
  serverName: string | null;
  clientCertificate: ClientCertificate | null;
  /** Port the client reached, on this side. */
  localPort: number;
}

/** `X-Forwarded-Proto` as it goes to the backend: the connection's own unless a believed peer says otherwise. */
export function forwardedScheme(head: RequestHead, client: ClientFacts): "http" | "https" {
  const claimed = client.trusted ? head.getById(FieldId.xForwardedProto)?.toLowerCase() : undefined;
  if (claimed === "https" || claimed === "wss") return "https";
  if (claimed === "http" || claimed === "ws") return "http";
  return client.tls ? "https" : "http";
}

/** Port for redirects: the one the client reached, at a believed proxy in front of us if it says so. */
export function reachedPort(head: RequestHead, client: ClientFacts): number {
  const claimed = client.trusted ? Number(head.getById(FieldId.xForwardedPort)) : Number.NaN;
  return Number.isInteger(claimed) && claimed > 0 && claimed < 65536 ? claimed : client.localPort;
}

/** Builds the lines for one connection's requests; remembers the last, as most requests of a connection are for one host. */
export class ForwardingFields {
  readonly #client: ClientFacts;
  readonly #serverName: string;
  #host = "";
  #lines = "";

  constructor(client: ClientFacts, serverName: string) {
    this.#client = client;
    this.#serverName = serverName;
  }

  /** Lines with CRLF to add; the client's own must have been dropped (trusted or not, they are repeated here). */
  lines(head: RequestHead): string {
    if (this.#client.trusted) return this.#trustedLines(head);
    if (this.#lines === "" || this.#host !== head.host) {
      this.#host = head.host;
      this.#lines = this.#format(this.#client.address, head.host, this.#scheme, this.#portOf(head.host, this.#scheme));
    }
    return this.#lines;
  }

  get #scheme(): "http" | "https" {
    return this.#client.tls ? "https" : "http";
  }

  #trustedLines(head: RequestHead): string {
    const { address } = this.#client;
    const chain = head.getById(FieldId.xForwardedFor);
    const scheme = forwardedScheme(head, this.#client);
    return this.#format(
      chain === undefined || chain === "" ? address : `${chain}, ${address}`,
      head.getById(FieldId.xForwardedHost) ?? head.host,
      scheme,
      head.getById(FieldId.xForwardedPort) ?? this.#portOf(head.host, scheme),
      head.getById(FieldId.xRealIp) ?? address,
    );
  }

  /** As Traefik does: the port of the Host, else the scheme's own. */
  #portOf(host: string, scheme: string): string {
    return /:(\d+)$/.exec(host)?.[1] ?? (scheme === "https" ? "443" : "80");
  }

  #format(chain: string, host: string, scheme: string, port: string, realIp: string = chain): string {
    return (
      `X-Forwarded-For: ${chain}\r\nX-Forwarded-Host: ${host}\r\nX-Forwarded-Port: ${port}\r\n` +
      `X-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Server: ${this.#serverName}\r\nX-Real-Ip: ${realIp}\r\n`
    );
  }
}
