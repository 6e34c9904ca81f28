// The string formats that Kubernetes checks in CRD schemas (apiextensions validation/formats.go); any other name is ignored.

import { isIP, isIPv4, isIPv6 } from "node:net";
import { parseGoDuration } from "@gatehouse/apimachinery/duration";

const label = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?";
const shortName = new RegExp(`^${label}$`);
const longName = new RegExp(`^${label}(?:\\.${label})*$`);
/** Symbols and letters of all scripts; one label alone, or several of which the last is at least two letters. */
const hostnameStart = "[a-zA-Z0-9\\p{S}\\p{L}]";
const hostnameLabel = `${hostnameStart}(?:[-a-zA-Z0-9\\p{S}\\p{L}]{0,61}${hostnameStart})?`;
const hostname = new RegExp(
  `^(?:${hostnameStart}(?:-?${hostnameStart}{0,62})?|(?:${hostnameLabel}\\.)+[a-zA-Z\\p{L}]{2,63})$`,
  "u",
);
const dateTime = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|[+-](\d{2}):(\d{2}))$/;

const matches = (pattern: RegExp) => (text: string) => pattern.test(text);

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function isDateTime(text: string): boolean {
  const parts = dateTime.exec(text);
  if (!parts || !isDate(parts[1] ?? "")) return false;
  const [hour, minute, second, offsetHour, offsetMinute] = parts.slice(2).map((part) => Number(part ?? 0));
  return (
    (hour ?? 0) < 24 && (minute ?? 0) < 60 && (second ?? 0) <= 60 && (offsetHour ?? 0) < 24 && (offsetMinute ?? 0) < 60
  );
}

/** `address/bits`, as Go's net.ParseCIDR reads it. */
function isCIDR(text: string): boolean {
  const parts = /^([^/]+)\/(\d{1,3})$/.exec(text);
  if (!parts) return false;
  const version = isIP(parts[1] ?? "");
  return version !== 0 && Number(parts[2]) <= (version === 4 ? 32 : 128);
}

function isURI(text: string): boolean {
  return /^(?:[A-Za-z][A-Za-z0-9+.-]*:|\/)/.test(text) && !/[\s\p{Cc}]/u.test(text);
}

const uuid = (version: string, variant: string): ((text: string) => boolean) =>
  matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`, "i"));

/** Besides Go's durations, amounts with a unit that is written out somewhere in the text: `3 days`. */
function isDuration(text: string): boolean {
  if (parseGoDuration(text) !== undefined) return true;
  // Digits without a unit match too: looking for one behind each of many digits would take quadratic time.
  const units = [...text.matchAll(/\d+\s*([A-Za-zµ]*)/g)].map(([, unit = ""]) => unit.toLowerCase());
  return units.some((unit) =>
    /^(?:ns|nano.*|us|µs|micro.*|ms|milli.*|s|sec.*|m|min.*|h|hr|hour.*|d|day.*|w|wk|week.*)$/.test(unit),
  );
}

const cardNumber =
  /^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})$/;

const checks: Record<string, (text: string) => boolean> = {
  bsonobjectid: matches(/^[0-9a-fA-F]{24}$/),
  // Line breaks are skipped, as Go's decoder does.
  byte: (text) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text.replace(/[\r\n]/g, "")),
  cidr: isCIDR,
  creditcard: (text) => cardNumber.test(text.replace(/\D/g, "")),
  date: isDate,
  datetime: isDateTime,
  duration: isDuration,
  email: matches(/^(?:[^\s@<>]+@[^\s@<>]+|[^@<>]*<[^\s@<>]+@[^\s@<>]+>)$/),
  hexcolor: matches(/^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  hostname: (text) =>
    text.length <= 255 && text.split(".").every((part) => Buffer.byteLength(part) <= 63) && hostname.test(text),
  ipv4: isIPv4,
  ipv6: (text) => isIPv6(text) && !text.includes("%"),
  isbn: matches(/^(?:97[89][- ]?)?(?:\d[- ]?){9}[\dX]$/),
  isbn10: matches(/^(?:\d[- ]?){9}[\dX]$/),
  isbn13: matches(/^97[89][- ]?(?:\d[- ]?){10}$/),
  k8slongname: (text) => text.length <= 253 && longName.test(text),
  k8sshortname: (text) => text.length <= 63 && shortName.test(text),
  mac: matches(/^(?:[0-9a-f]{2}([:-]))(?:[0-9a-f]{2}\1){4}(?:[0-9a-f]{2})$|^(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}$/i),
  rgbcolor: matches(/^rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)$/),
  ssn: matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/),
  uri: isURI,
  uuid: uuid("[0-9a-f]", "[0-9a-f]"),
  uuid3: uuid("3", "[0-9a-f]"),
  uuid4: uuid("4", "[89ab]"),
  uuid5: uuid("5", "[89ab]"),
};

/** False when `text` breaks a format that is known; unknown formats pass, as in Kubernetes. */
export function matchesFormat(format: string, text: string): boolean {
  const name = format.replaceAll("-", "");
  return Object.hasOwn(checks, name) ? (checks[name]?.(text) ?? true) : true;
}

/** True for the formats that are checked. */
export function isKnownFormat(format: string | undefined): boolean {
  return format !== undefined && Object.hasOwn(checks, format.replaceAll("-", ""));
}
