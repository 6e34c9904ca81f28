// Kubernetes' URL library: absolute URLs and absolute paths, taken apart as Go's url.ParseRequestURI does.

import { mapOf, listOf, simpleType } from "../types.ts";
import { CelError, List, LiteralMap, Opaque, type Value } from "../values.ts";
import { fn, method, type Overload } from "./overload.ts";

class Url extends Opaque {
  readonly kind = "url";
  readonly text: string;
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;

  constructor(text: string, [scheme, host, path, query]: [string, string, string, string]) {
    super();
    this.text = text;
    this.scheme = scheme;
    this.host = host;
    this.path = path;
    this.query = query;
  }

  equals(other: Opaque): boolean {
    return other instanceof Url && other.text === this.text;
  }
}

const form = /^(?:([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/(?:[^@/?]*@)?([^/?]*))?)?(\/[^?]*)?(?:\?(.*))?$/;
/** ASCII control characters: those of Unicode without the upper ones. */
const control = /[^\P{Cc}\u0080-\u009f]/u;
/** `scheme:rest` where the rest is no path: nothing in it is looked at. */
const opaque = /^([A-Za-z][A-Za-z0-9+.-]*):[^/]/;
const host = /^(?:\[[0-9A-Fa-f:.]+(?:%25[^\]]+)?\]|[^\s:[\]<>"\\^`{|}]*)(?::\d*)?$/;

function readUrl(text: string): Url | undefined {
  const rest = opaque.exec(text);
  if (rest && !control.test(text)) return new Url(text, [(rest[1] ?? "").toLowerCase(), "", "", ""]);
  const parts = form.exec(text.replace(/#[^]*$/, ""));
  if (!parts || text === "" || control.test(text) || /%(?![0-9A-Fa-f]{2})/.test(parts[3] ?? "")) return undefined;
  const [, scheme = "", authority = "", path = "", query = ""] = parts;
  if (!host.test(authority) || (scheme === "" && path === "")) return undefined;
  return new Url(text, [scheme.toLowerCase(), authority, path, query]);
}

function url(text: string): Url {
  const found = readUrl(text);
  if (!found)
    throw new CelError(
      `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
    );
  return found;
}

function escapedPath({ path }: Url): string {
  return path.replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%[\]]/gu, (char) => encodeURIComponent(char));
}

function query({ query: text }: Url): Value {
  const values = new Map<string, string[]>();
  for (const [key, value] of new URLSearchParams(text)) values.set(key, [...(values.get(key) ?? []), value]);
  return new LiteralMap([...values].map(([key, items]) => [key, List.of(items)]));
}

const queryType = mapOf(simpleType("string"), listOf(simpleType("string")));

/** The functions of this file. */
export const urls: Overload[] = [
  fn("url(string)", "url", (text: string) => url(text)),
  fn("isURL(string)", "bool", (text: string) => readUrl(text) !== undefined),
  method("getScheme(url)", "string", ({ scheme }: Url) => scheme),
  method("getHost(url)", "string", (value: Url) => value.host),
  method("getHostname(url)", "string", (value: Url) => value.host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1")),
  method("getPort(url)", "string", (value: Url) => /:(\d*)$/.exec(value.host)?.[1] ?? ""),
  method("getEscapedPath(url)", "string", escapedPath),
  method("getQuery(url)", () => queryType, query),
];
