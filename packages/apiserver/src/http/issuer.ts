// How others check ServiceAccount tokens: the OpenID Connect discovery document and the keys (KEP-1393).

import type { ServiceAccountTokens } from "../auth/service-account-tokens.ts";
import type { DocumentAnswer } from "../discovery.ts";

export const issuerPath = "/.well-known/openid-configuration";
export const keysPath = "/openid/v1/jwks";

/** The answer for one of both paths. */
export function issuerAnswer(path: string, { signer }: ServiceAccountTokens): DocumentAnswer {
  const { issuer, key } = signer;
  if (path === keysPath) return { contentType: "application/jwk-set+json", body: JSON.stringify({ keys: [key] }) };
  const configuration = {
    issuer,
    jwks_uri: `${issuer}${keysPath}`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [key["alg"]],
  };
  return { contentType: "application/json", body: JSON.stringify(configuration) };
}
