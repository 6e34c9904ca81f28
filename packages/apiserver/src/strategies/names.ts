// Names inside objects: what Kubernetes says of a bad one (apimachinery util/validation). Each function gives a list of faults.

import { isIP, isIPv4, isIPv6 } from "node:net";
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

export const labelValueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const qualifiedNamePattern =
  "and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const qualifiedNameRule = `must consist of alphanumeric characters, '-', '_' or '.', ${qualifiedNamePattern}`;

const dns1035Rule =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/** Faults of a label that begins with a letter: names of Services, kinds in lower case. */
export function dns1035Faults(text: string): string[] {
  return [...tooLong(text, 63), ...(/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(text) ? [] : [dns1035Rule])];
}

/** Faults of a label's value. */
export function labelValueFaults(text: string): string[] {
  if (text.length > 63) return tooLong(text, 63);
  return /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/.test(text) ? [] : [labelValueRule];
}

/** Faults of a name that may have a domain before a slash: keys of labels, finalizers. */
export function qualifiedNameFaults(text: string): string[] {
  const parts = text.split("/");
  if (parts.length > 2) {
    return [
      `a qualified name ${qualifiedNameRule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const prefix = parts.length === 2 ? parts[0] : undefined;
  const own = parts.at(-1) ?? "";
  const faults: string[] = [];
  if (prefix === "") faults.push("prefix part must be non-empty");
  else if (prefix !== undefined) faults.push(...subdomainFaults(prefix).map((fault) => `prefix part ${fault}`));
  if (own === "") faults.push("name part must be non-empty");
  if (own.length > 63) faults.push("name part must be no more than 63 characters");
  else if (!/^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/.test(own)) faults.push(`name part ${qualifiedNameRule}`);
  return faults;
}

/** Faults of what may be any segment of a path: names of roles. */
export function pathSegmentFaults(text: string): string[] {
  if (text === "." || text === "..") return [`may not be '${text}'`];
  return ["/", "%"]
    .filter((character) => text.includes(character))
    .map((character) => `may not contain '${character}'`);
}

/** Faults of an address of any family. */
export function addressFaults(text: string): string[] {
  return isIP(text) === 0 ? ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"] : [];
}

/** Faults of a range of addresses. */
export function rangeFaults(text: string): string[] {
  const [, address = "", bits] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const isRange = (isIPv4(address) && Number(bits) <= 32) || (isIPv6(address) && Number(bits) <= 128);
  return isRange ? [] : ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"];
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
