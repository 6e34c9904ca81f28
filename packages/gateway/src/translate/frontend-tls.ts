// How a Gateway checks the certificates of its clients (GEP-91): its default, or what it says for a port.

import type { Gateway } from "@gatehouse/gateway-api/gateway";
import type { ClientCertificates } from "@gatehouse/proxy/routing-table";
import { type AuthorityProblem, resolveAuthorities } from "./ca-certificates.ts";
import type { ObjectIndex } from "./gateway-objects.ts";

export interface FrontendValidation {
  /** Absent when no authority can be used: then no client may be served at all. */
  clientCertificates?: ClientCertificates;
  problems: AuthorityProblem[];
}

type Settings = NonNullable<NonNullable<NonNullable<Gateway["spec"]["tls"]>["frontend"]>["default"]>;

/** The settings in force for a port of a Gateway, as they were written. Undefined: clients are not asked. */
export function validationOf(
  gateway: Gateway,
  port: number,
): { validation: NonNullable<Settings["validation"]>; field: string } | undefined {
  const { frontend } = gateway.spec.tls ?? {};
  const position = (frontend?.perPort ?? []).findIndex((each) => each.port === port);
  const own = frontend?.perPort?.[position];
  const validation = own ? own.tls?.validation : frontend?.default?.validation;
  const place = own ? `perPort[${position}].tls` : "default";
  return validation && { validation, field: `spec.tls.frontend.${place}.validation.caCertificateRefs` };
}

export function frontendValidation(gateway: Gateway, port: number, index: ObjectIndex): FrontendValidation | undefined {
  const settings = validationOf(gateway, port);
  if (!settings) return undefined;
  const { caCertificateRefs, mode } = settings.validation;
  const from = { kind: "Gateway", namespace: gateway.metadata.namespace ?? "" };
  const { bundle, problems } = resolveAuthorities(caCertificateRefs, from, settings.field, index);
  if (bundle === "") return { problems };
  return {
    clientCertificates: { authorities: bundle, insecureFallback: mode === "AllowInsecureFallback" },
    problems,
  };
}

/** Whether clients without a valid certificate are served somewhere. */
export function allowsInsecureFallback({ spec: { tls } }: Gateway): boolean {
  const settings = [tls?.frontend?.default, ...(tls?.frontend?.perPort ?? []).map((each) => each.tls)];
  return settings.some((each) => each?.validation?.mode === "AllowInsecureFallback");
}
