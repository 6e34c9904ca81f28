// Names inside objects: what Kubernetes says of a bad one (apimachinery util/validation). Each function gives a list of faults.

import type { StatusCause } from "@gatehouse/apimachinery/status-error";
import { invalidValue } from "../schema/field-cause.ts";

export const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
export const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const tooLong = (text: string, limit: number): string[] =>
  text.length > limit ? [`must be no more than ${limit} characters`] : [];

/** Faults of a DNS label (RFC 1123). */
export function labelFaults(text: string): string[] {
  return [...tooLong(text, 63), ...(label.test(text) ? [] : [labelRule])];
}

/** Faults of a DNS subdomain (RFC 1123): what most objects are named. */
export function subdomainFaults(text: string): string[] {
  return [...tooLong(text, 253), ...(subdomain.test(text) ? [] : [subdomainRule])];
}

/** Faults of a port's name (an IANA service name, RFC 6335). */
export function portNameFaults(text: string): string[] {
  const faults = tooLong(text, 15);
  if (!/^[-a-z0-9]+$/.test(text)) {
    faults.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(text)) faults.push("must contain at least one letter (a-z)");
  if (text.includes("--")) faults.push("must not contain consecutive hyphens");
  if (text.startsWith("-") || text.endsWith("-")) faults.push("must not begin or end with a hyphen");
  return faults;
}

/** Faults of a key of a ConfigMap or Secret. */
export function dataKeyFaults(text: string): string[] {
  const faults = tooLong(text, 253);
  if (!/^[-._a-zA-Z0-9]+$/.test(text)) {
    faults.push(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    );
  }
  if (text === ".") faults.push("must not be '.'");
  else if (text === "..") faults.push("must not be '..'");
  else if (text.startsWith("..")) faults.push("must not start with '..'");
  return faults;
}

/** True for 1 to 65535. */
export function isPort(port: unknown): boolean {
  return Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65_535;
}

export const portRule = "must be between 1 and 65535, inclusive";

/** One cause for each fault of `value`, which sits at `field`. */
export function nameCauses(field: string, value: string, faults: (value: string) => string[]): StatusCause[] {
  return faults(value).map((fault) => invalidValue(field, value, fault));
}
