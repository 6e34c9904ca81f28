// ServiceAccount tokens: JWTs signed with ES256, bound to the account (and to a Pod or Secret when asked).

import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomUUID, sign, verify } from "node:crypto";
import type { KubeObject } from "@gatehouse/apimachinery/meta";
import { authenticated, type Identity, serviceAccountUser } from "./identity.ts";
import type { Store } from "../storage/store.ts";

export interface BoundObject {
  kind: string;
  name: string;
  uid: string;
}

export interface TokenRequest {
  namespace: string;
  serviceAccount: KubeObject;
  audiences: string[];
  expirationSeconds: number;
  /** A Pod of the namespace: the token is worth nothing once it is gone. */
  boundTo?: BoundObject;
}

interface Claims {
  iss: string;
  sub: string;
  aud: string[];
  exp: number;
  iat: number;
  nbf: number;
  jti: string;
  "kubernetes.io": {
    namespace: string;
    serviceaccount: { name: string; uid: string };
    pod?: { name: string; uid: string };
    secret?: { name: string; uid: string };
  };
}

interface Verified {
  claims: Claims;
  identity: Identity;
}

const maxCached = 1000;

/** Issues and checks tokens of one cluster. */
export class ServiceAccountTokens {
  /** Audiences of tokens that may call this server. */
  readonly audiences: string[];
  readonly #issuer: string;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #keyId: string;
  readonly #store: Store;
  /** Signatures already checked; expiry and the objects a token is bound to are looked at every time. */
  readonly #verified = new Map<string, Verified>();

  /** `privateKey`: PEM, EC P-256. Throws when it is something else. */
  constructor(store: Store, privateKey: string, issuer: string) {
    this.#store = store;
    this.#issuer = issuer;
    this.audiences = [issuer];
    this.#privateKey = createPrivateKey(privateKey);
    if (this.#privateKey.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
      throw new Error("the ServiceAccount key must be an EC P-256 private key");
    }
    this.#publicKey = createPublicKey(this.#privateKey);
    const der = this.#publicKey.export({ type: "spki", format: "der" });
    this.#keyId = createHash("sha256").update(der).digest("base64url");
  }

  /** Who signs, and the public key to check it with, as a JSON Web Key (RFC 7517). */
  get signer(): { issuer: string; key: Record<string, unknown> } {
    const key = this.#publicKey.export({ format: "jwk" });
    return { issuer: this.#issuer, key: { use: "sig", kid: this.#keyId, alg: "ES256", ...key } };
  }

  /** A new token and when it ends. */
  issue(request: TokenRequest): { token: string; expiresAt: Date } {
    const now = Math.floor(Date.now() / 1000);
    const { name, uid = "" } = request.serviceAccount.metadata;
    const bound = request.boundTo;
    const claims: Claims = {
      iss: this.#issuer,
      sub: serviceAccountUser(request.namespace, name),
      aud: request.audiences.length > 0 ? request.audiences : this.audiences,
      exp: now + request.expirationSeconds,
      iat: now,
      nbf: now,
      jti: randomUUID(),
      "kubernetes.io": {
        namespace: request.namespace,
        serviceaccount: { name, uid },
        ...(bound ? { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } } : {}),
      },
    };
    const signed = `${encode({ alg: "ES256", kid: this.#keyId, typ: "JWT" })}.${encode(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), { key: this.#privateKey, dsaEncoding: "ieee-p1363" });
    return { token: `${signed}.${signature.toString("base64url")}`, expiresAt: new Date(claims.exp * 1000) };
  }

  /** Who a token speaks for, or undefined when it is not (or no longer) good for one of `audiences`. */
  identify(token: string, audiences: string[] = this.audiences): Identity | undefined {
    const key = createHash("sha256").update(token).digest("base64");
    const found = this.#verified.get(key) ?? this.#check(token);
    if (!found) return undefined;
    if (this.#verified.size >= maxCached) this.#verified.clear();
    this.#verified.set(key, found);
    return this.#stillGood(found.claims, audiences) ? found.identity : undefined;
  }

  #check(token: string): Verified | undefined {
    const [header = "", payload = "", signature = "", ...more] = token.split(".");
    if (more.length > 0) return undefined;
    const { alg, kid } = (decode(header) ?? {}) as { alg?: string; kid?: string };
    if (alg !== "ES256" || kid !== this.#keyId) return undefined;
    const key = { key: this.#publicKey, dsaEncoding: "ieee-p1363" as const };
    if (!verify("sha256", Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, "base64url")))
      return undefined;
    const claims = decode(payload) as Claims;
    const { namespace, serviceaccount, pod } = claims["kubernetes.io"];
    const extra: Record<string, string[]> = { "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti}`] };
    if (pod) {
      extra["authentication.kubernetes.io/pod-name"] = [pod.name];
      extra["authentication.kubernetes.io/pod-uid"] = [pod.uid];
    }
    const identity = authenticated({
      user: claims.sub,
      uid: serviceaccount.uid,
      groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`],
      extra,
    });
    return { claims, identity };
  }

  #stillGood(claims: Claims, audiences: string[]): boolean {
    const now = Date.now() / 1000;
    if (claims.iss !== this.#issuer || claims.exp <= now || claims.nbf > now + 60) return false;
    if (!claims.aud.some((audience) => audiences.includes(audience))) return false;
    const { namespace, serviceaccount, pod, secret } = claims["kubernetes.io"];
    const present = (resource: string, bound: { name: string; uid: string }): boolean =>
      this.#store.get(resource, `${namespace}/${bound.name}`)?.metadata.uid === bound.uid;
    if (!present("/serviceaccounts", serviceaccount)) return false;
    return (!pod || present("/pods", pod)) && (!secret || present("/secrets", secret));
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
