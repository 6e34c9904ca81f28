// A match in Traefik's rule language, and the priority Traefik would give it: what its users read in its dashboard.

import type { RouteMatch } from "@gatehouse/proxy/routing-table";

/** E.g. Host(`whoami.localhost`) && PathPrefix(`/`). `hostnames` as in the routing table; `*` says nothing. */
export function traefikRule(hostnames: readonly string[], match: RouteMatch): string {
  const parts = [
    hostRule(hostnames),
    pathRule(match.path),
    ...(match.method ? [`Method(${quote(match.method)})`] : []),
    ...match.headers.map((each) => valueRule("Header", each)),
    ...match.query.map((each) => valueRule("Query", each)),
  ];
  return parts.filter((part) => part !== "").join(" && ");
}

/** The higher, the earlier a rule is tried. */
export function traefikPriority(hostnames: readonly string[], match: RouteMatch): number {
  const { type, value } = match.path;
  const path = type === "exact" ? 100_000 : value === "/" ? 1 : 10_000 + value.length * 100;
  const host = Math.max(0, ...hostnames.filter((name) => name !== "*").map((name) => name.length));
  return path + host + (match.method ? 1_000 : 0) + match.headers.length * 100 + match.query.length * 10;
}

/** The rule of a TLSRoute, or of a TCPRoute, which takes every connection. */
export function traefikSniRule(hostnames: readonly string[]): string {
  const rules = hostRules("HostSNI", hostnames);
  return rules.length === 0 ? "HostSNI(`*`)" : rules.join(" || ");
}

/** As `traefikPriority`; below all that name a host is what takes every connection. */
export const traefikSniPriority = (hostnames: readonly string[]): number =>
  hostnames.includes("*") ? -1 : Math.max(-1, ...hostnames.map((host) => host.replace("*", "").length));

function hostRule(hostnames: readonly string[]): string {
  const rules = hostRules("Host", hostnames);
  return rules.length > 1 ? `(${rules.join(" || ")})` : (rules[0] ?? "");
}

function hostRules(matcher: "Host" | "HostSNI", hostnames: readonly string[]): string[] {
  if (hostnames.includes("*")) return [];
  return hostnames.map((host) =>
    host.startsWith("*.")
      ? `${matcher}Regexp(${quote(`^[a-z0-9-\\.]+${host.slice(1).replaceAll(".", "\\.")}$`)})`
      : `${matcher}(${quote(host)})`,
  );
}

function pathRule({ type, value }: RouteMatch["path"]): string {
  if (type === "exact") return `Path(${quote(value)})`;
  if (type === "regex") return `PathRegexp(${quote(value)})`;
  if (value === "/") return "PathPrefix(`/`)";
  const bare = value.replace(/\/$/, "");
  return `(Path(${quote(bare)}) || PathPrefix(${quote(`${bare}/`)}))`;
}

function valueRule(name: string, { type, name: key, value }: RouteMatch["headers"][number]): string {
  return `${name}${type === "regex" ? "Regexp" : ""}(${quote(key)}, ${quote(value)})`;
}

/** Back quotes, as Traefik's documentation writes rules; text that has one itself is written as a Go string. */
const quote = (text: string): string => (text.includes("`") ? JSON.stringify(text) : `\`${text}\``);
