// The scalar types of the API: names, hostnames, ports, durations. Each takes the sentence that says what it is for.

import { atomicList, type Definition, integer, mapOf, object, string } from "./schema-builder.ts";

export const GROUP_NAME = "gateway.networking.k8s.io";
/** Group of the kinds that are not yet part of the API proper. */
export const EXPERIMENTAL_GROUP_NAME = "gateway.networking.x-k8s.io";

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
export const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
/** A DNS name whose first label may be `*`. */
export const HOSTNAME_PATTERN = `^(\\*\\.)?${SUBDOMAIN}$`;
const DOMAIN_PREFIXED_PATH = `${SUBDOMAIN}\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+`;
/** RFC 9110 section 5.6.2, `token`; the back quote is escaped because Go could not write it in a tag. */
const TOKEN_PATTERN = "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$";

export function group(description: string): Definition<string> {
  return string(description, { maxLength: 253, pattern: `^$|^${SUBDOMAIN}$` });
}

export function kind(description: string): Definition<string> {
  return string(description, {
    minLength: 1,
    maxLength: 63,
    pattern: "^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$",
  });
}

export function objectName(description: string): Definition<string> {
  return string(description, { minLength: 1, maxLength: 253 });
}

export function namespace(description: string): Definition<string> {
  return string(description, { minLength: 1, maxLength: 63, pattern: `^${LABEL}$` });
}

/** Name of a part of an object: a listener, a Service port, a route rule. */
export function sectionName(description: string): Definition<string> {
  return string(description, { minLength: 1, maxLength: 253, pattern: `^${SUBDOMAIN}$` });
}

/** A hostname, perhaps with `*` as its first label. */
export function hostname(description: string): Definition<string> {
  return string(description, { minLength: 1, maxLength: 253, pattern: HOSTNAME_PATTERN });
}

/** A hostname without wildcard. */
export function preciseHostname(description: string): Definition<string> {
  return string(description, { minLength: 1, maxLength: 253, pattern: `^${SUBDOMAIN}$` });
}

export function portNumber(description: string): Definition<number> {
  return integer(description, { format: "int32", minimum: 1, maximum: 65535 });
}

export function controllerName(description: string): Definition<string> {
  return string(description, {
    minLength: 1,
    maxLength: 253,
    pattern: `^${DOMAIN_PREFIXED_PATH}$`,
  });
}

/** GEP-2257: one to four numbers with a unit, e.g. `1m30s`. */
export function duration(description: string): Definition<string> {
  return string(description, { pattern: "^([0-9]{1,5}(h|m|s|ms)){1,4}$" });
}

/** Type of a Gateway address. The pattern's alternatives are not grouped, as in the official CRDs. */
export function addressType(description: string): Definition<string> {
  const pattern = `^Hostname|IPAddress|NamedAddress|${DOMAIN_PREFIXED_PATH}$`;
  return string(description, { minLength: 1, maxLength: 253, pattern });
}

export function protocol(description: string): Definition<string> {
  const pattern = `^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|${SUBDOMAIN}\\/[A-Za-z0-9]+$`;
  return string(description, { minLength: 1, maxLength: 255, pattern });
}

/** Name of an HTTP header or query parameter. */
export function token(description: string): Definition<string> {
  return string(description, { minLength: 1, maxLength: 256, pattern: TOKEN_PATTERN });
}

/** Free text of at most 4096 characters: annotation values and implementation-specific options. */
export function annotationValue(description: string): Definition<string> {
  return string(description, { minLength: 0, maxLength: 4096 });
}

/** Implementation-specific settings by domain-prefixed name. */
export function options(description: string): Definition<Record<string, string>> {
  return mapOf(description, annotationValue("Value of the option."), { maxProperties: 16 });
}

export const labelSelector = object("Selects objects by their labels; all requirements must hold.", {
  matchLabels: mapOf("Labels with exactly these values.", string("Value of the label.")).optional(),
  matchExpressions: atomicList(
    "Requirements on labels.",
    object("A requirement on one label.", {
      key: string("Label the requirement is about."),
      operator: string("In, NotIn, Exists or DoesNotExist."),
      values: atomicList("Values for In and NotIn; empty otherwise.", string("A label value.")).optional(),
    }),
  ).optional(),
}).when({}, { "x-kubernetes-map-type": "atomic" });
