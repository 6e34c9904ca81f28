// Session persistence (GEP-1619): who has been at an endpoint gets it again, told by a token that the client carries in a
// cookie or a header. Tokens are encrypted: a client can neither read where it was nor ask to be elsewhere.

import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import type { HeaderEdits } from "../filters.ts";
import type { RequestHead } from "../http1/request-head.ts";
import { barePrefix } from "../match/route-conditions.ts";
import type { Route, SessionPersistence } from "../routing-table.ts";
import type { ServiceState } from "../upstream/service-state.ts";
import type { Target } from "../upstream/target.ts";

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NONE: Set<string> = new Set();

/** Makes and reads tokens. Whoever has the same secret understands them: other workers, and this one after a restart. */
export class SessionTokens {
  readonly #key: Buffer;

  /** Without a secret tokens are worth nothing to anybody else. */
  constructor(secret: string | undefined) {
    this.#key = secret === undefined ? randomBytes(32) : createHash("sha256").update(secret).digest();
  }

  /** `purpose` must be the same for reading. */
  seal(text: string, purpose: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.#key, nonce).setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString("base64url");
  }

  /** Null for what `seal` did not make. */
  open(token: string, purpose: string): string | null {
    const bytes = Buffer.from(token, "base64url");
    const head = NONCE_BYTES + TAG_BYTES;
    if (bytes.length <= head) return null;
    try {
      const decipher = createDecipheriv(ALGORITHM, this.#key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(NONCE_BYTES, head));
      return decipher.update(bytes.subarray(head), undefined, "utf8") + decipher.final("utf8");
    } catch {
      return null;
    }
  }
}

/** Where a request's session leads. */
export interface SessionChoice {
  /** Index of the backend, -1 when there is no (valid) session. */
  share: number;
  /** Null likewise. */
  target: Target | null;
  /** The edits of an answer that came from `target`: says so when that is news to the client. */
  edits(base: HeaderEdits | null, service: string, target: Target): HeaderEdits | null;
}

export class SessionPolicy {
  readonly #config: SessionPersistence;
  readonly #tokens: SessionTokens;
  readonly #cookiePath: string;

  /** Null for a name that no cookie or header can have. */
  static of(route: Route, tokens: SessionTokens): SessionPolicy | null {
    const { sessionPersistence } = route;
    if (sessionPersistence === undefined || !NAME.test(sessionPersistence.name)) return null;
    return new SessionPolicy(sessionPersistence, cookiePath(route.match.path), tokens);
  }

  constructor(config: SessionPersistence, cookiePath: string, tokens: SessionTokens) {
    this.#config = config;
    this.#cookiePath = cookiePath;
    this.#tokens = tokens;
  }

  /** `secure`: the client came over TLS. */
  choose(head: RequestHead, backends: { service: ServiceState | null }[], secure: boolean): SessionChoice {
    const edits = (base: HeaderEdits | null, service: string, target: Target): HeaderEdits =>
      withLine(base, this.#line(service, target, secure));
    for (const token of this.#tokensOf(head)) {
      const found = this.#find(token, backends);
      if (found === null) continue;
      const { share, target } = found;
      return { share, target, edits: (base, service, used) => (used === target ? base : edits(base, service, used)) };
    }
    return { share: -1, target: null, edits };
  }

  #tokensOf(head: RequestHead): string[] {
    const { type, name } = this.#config;
    const value = head.get(type === "cookie" ? "cookie" : name.toLowerCase());
    if (value === undefined) return [];
    // Several may have the name: those of other paths, and what the backend sets itself.
    const parts = value.split(/[;,]/).map((part) => part.trim());
    if (type === "header") return parts;
    return parts.filter((part) => part.startsWith(`${name}=`)).map((part) => part.slice(name.length + 1));
  }

  #find(token: string, backends: { service: ServiceState | null }[]): { share: number; target: Target } | null {
    const text = this.#tokens.open(token, this.#config.name);
    if (text === null) return null;
    const [began, id, key] = text.split("\n");
    const { absoluteTimeout } = this.#config;
    if (absoluteTimeout !== undefined && Date.now() >= Number(began) + absoluteTimeout) return null;
    const share = backends.findIndex(({ service }) => service?.id === id);
    const target = backends[share]?.service?.find(key ?? "");
    return target === undefined ? null : { share, target };
  }

  #line(service: string, target: Target, secure: boolean): string {
    const { type, name, permanent, absoluteTimeout } = this.#config;
    const token = this.#tokens.seal(`${Date.now()}\n${service}\n${target.pool.key}`, name);
    if (type === "header") return `${name}: ${token}\r\n`;
    const lasts = permanent === true && absoluteTimeout !== undefined;
    const age = lasts ? `; Max-Age=${Math.ceil(absoluteTimeout / 1000)}` : "";
    const path = `Path=${this.#cookiePath}`;
    return `Set-Cookie: ${name}=${token}; ${path}${age}; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}\r\n`;
  }
}

function withLine(base: HeaderEdits | null, line: string): HeaderEdits {
  return { drop: base?.drop ?? NONE, append: (base?.append ?? "") + line };
}

/** The part of the path that all requests of the route share, as the client sees it (GEP-1619, "Path"). */
function cookiePath({ type, value }: Route["match"]["path"]): string {
  let path = type === "prefix" ? barePrefix(value) : value;
  if (type === "regex") {
    const literal = /^\^?([^\\^$.|?*+()[\]{}]*)/.exec(value)![1]!;
    path = literal === value.replace(/^\^/, "") ? literal : literal.slice(0, Math.max(0, literal.lastIndexOf("/")));
  }
  return path.startsWith("/") && /^[!-:<-~]*$/.test(path) ? path : "/";
}
