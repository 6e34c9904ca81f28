// The X-Forwarded-* fields and X-Real-Ip: what backends are told about the client. Only believed peers may say it for
// somebody else; everybody else's claims are dropped and replaced.

import type { ClientCertificate } from "./connection-facts.ts";
import type { RequestHead } from "./http1/request-head.ts";
import { FieldId } from "./http1/tokens.ts";
import { latin1Copy } from "./io/latin1.ts";

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

/** The latest lines by client address: kept here and not by each connection, of which many may idle. */
const recent = new Map<string, RecentLines>();
const MOST_RECENT = 1024;

interface RecentLines {
  address: string;
  host: string;
  tls: boolean;
  serverName: string;
  lines: string;
  /** The lines have been put together for good, as who asks twice asks more often. */
  whole: boolean;
}

/** Consecutive requests mostly come from the same client. */
let last: RecentLines = { address: "", host: "", tls: false, serverName: "", lines: "", whole: true };

/** Builds the lines for one connection's requests. */
export class ForwardingFields {
  readonly #client: ClientFacts;
  readonly #serverName: string;

  constructor(client: ClientFacts, serverName: string) {
    this.#client = client;
    this.#serverName = serverName;
  }

  /** Lines with CRLF to add; the client's own must have been dropped (trusted or not, they are repeated here). */
  lines(head: RequestHead): string {
    if (this.#client.trusted) return this.#trustedLines(head);
    const memory = head.known === null ? null : head.known.memory;
    const known = memory === null ? null : (memory.forwarded as RecentLines | null);
    if (known !== null && this.#fit(known, head.host)) return known.lines;
    const lines = this.#recentLines(head.host);
    if (memory !== null) memory.forwarded = lines;
    return lines.lines;
  }

  #fit({ address, host, tls, serverName }: RecentLines, asked: string): boolean {
    const same = address === this.#client.address && host === asked && tls === this.#client.tls;
    return same && serverName === this.#serverName;
  }

  #recentLines(host: string): RecentLines {
    const { address, tls } = this.#client;
    const known = last.address === address ? last : recent.get(address);
    if (known !== undefined && this.#fit(known, host)) {
      if (!known.whole) {
        known.lines = latin1Copy(known.lines);
        known.whole = true;
      }
      last = known;
      return known;
    }
    const lines = this.#format(address, host, this.#scheme, this.#portOf(host, this.#scheme));
    last = { address, host, tls, serverName: this.#serverName, lines, whole: false };
    if (recent.size >= MOST_RECENT) recent.clear();
    recent.set(address, last);
    return last;
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
    const own = host.includes(":") ? /:(\d+)$/.exec(host)?.[1] : undefined;
    return own ?? (scheme === "https" ? "443" : "80");
  }

  #format(chain: string, host: string, scheme: string, port: string, realIp: string = chain): string {
    return (
      `X-Forwarded-For: ${chain}\r\nX-Forwarded-Host: ${host}\r\nX-Forwarded-Port: ${port}\r\n` +
      `X-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Server: ${this.#serverName}\r\nX-Real-Ip: ${realIp}\r\n`
    );
  }
}
