// The ExternalAuth filter of HTTPRoutes (GEP-1494) -> the proxy's. It fails closed: who cannot be asked lets nobody pass.

import type { HTTPExternalAuthFilter } from "@gatehouse/gateway-api/http-filters";
import type { FilterContext, TranslatedFilters } from "./filter-context.ts";
import { type RuleProblem, unsupported } from "./problems.ts";

export function translateExternalAuth(
  auth: HTTPExternalAuthFilter | undefined,
  { field, inRule, references }: FilterContext,
): TranslatedFilters | RuleProblem {
  if (!auth) return unsupported(`${field}.externalAuth is missing: name a backendRef`);
  const { protocol, backendRef, http = {}, grpc = {} } = auth;
  if (protocol !== "HTTP" && protocol !== "GRPC") {
    const what = `${field}.externalAuth.protocol "${String(protocol)}"`;
    return unsupported(`${what} is not supported: use HTTP or GRPC`);
  }
  const isGrpc = protocol === "GRPC";
  const backend = references.resolve(backendRef, `${inRule}.externalAuth.backendRef`, isGrpc ? "grpc" : "http");
  if ("reason" in backend) return { filters: [], refusal: backend.message };
  return {
    filters: [
      {
        type: "externalAuth",
        service: backend.id,
        protocol: isGrpc ? "grpc" : "http",
        path: http.path ?? "",
        allowedHeaders: [...((isGrpc ? grpc : http).allowedHeaders ?? [])],
        allowedResponseHeaders: [...(http.allowedResponseHeaders ?? [])],
        maxBodyBytes: auth.forwardBody?.maxSize ?? 0,
      },
    ],
  };
}
