// Who is calling: a client certificate of the cluster's CA, a bearer token, or the stream itself for callers inside the process.

import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { asksForWebSocket, offeredProtocols } from "@gatehouse/apimachinery/websocket-server";
import { authenticated, type Identity } from "./identity.ts";
import type { ServiceAccountTokens } from "./service-account-tokens.ts";
import { tokenAmong } from "./websocket-token.ts";

export interface StaticToken {
  token: string;
  user: string;
  groups: string[];
}

/** Finds a request's identity. */
export class Authenticator {
  readonly #tokens: ServiceAccountTokens;
  /** By the token's SHA-256: neither kept in clear nor compared byte by byte. */
  readonly #static = new Map<string, Identity>();
  readonly #streams = new WeakMap<Duplex, Identity>();
  readonly #certificates = new WeakMap<Duplex, Identity>();

  constructor(tokens: ServiceAccountTokens, staticTokens: StaticToken[]) {
    this.#tokens = tokens;
    for (const { token, user, groups } of staticTokens) {
      if (token === "") throw new Error(`the token of ${user} is empty`);
      this.#static.set(digest(token), authenticated({ user, groups }));
    }
  }

  /** Every request on this stream is from `identity`. */
  trust(stream: Duplex, identity: Identity): void {
    this.#streams.set(stream, authenticated(identity));
  }

  /** Undefined for strangers. A bad token is never made good by a certificate. */
  identify(request: IncomingMessage): Identity | undefined {
    const inProcess = this.#streams.get(request.socket);
    if (inProcess) return inProcess;
    const { authorization } = request.headers;
    if (authorization !== undefined) {
      const token = /^bearer +([^\s]+)$/i.exec(authorization)?.[1];
      return token === undefined ? undefined : this.identifyToken(token);
    }
    const offered = asksForWebSocket(request) ? tokenAmong(offeredProtocols(request)) : undefined;
    if (offered !== undefined) return offered === "" ? undefined : this.identifyToken(offered);
    return this.#certificateOf(request.socket);
  }

  identifyToken(token: string): Identity | undefined {
    return this.#static.get(digest(token)) ?? this.#tokens.identify(token);
  }

  #certificateOf(socket: Duplex): Identity | undefined {
    const known = this.#certificates.get(socket);
    if (known) return known;
    const tls = socket as Partial<TLSSocket>;
    if (!tls.authorized || !tls.getPeerCertificate) return undefined;
    const { CN: user, O: organizations } = (tls.getPeerCertificate().subject ?? {}) as { CN?: unknown; O?: unknown };
    if (typeof user !== "string" || user === "") return undefined;
    const groups = Array.isArray(organizations)
      ? organizations.map(String)
      : organizations
        ? [String(organizations)]
        : [];
    const identity = authenticated({ user, groups });
    this.#certificates.set(socket, identity);
    return identity;
  }
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
