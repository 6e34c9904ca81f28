// Hostnames of listeners and routes: exact, or with `*` for one or more leading labels. Absent means every host.

/** Every host. */
export const anyHost = "*";

/** True when every host that `narrow` matches is also matched by `wide`. */
export function covers(wide: string, narrow: string): boolean {
  if (wide === anyHost || wide === narrow) return true;
  return wide.startsWith("*.") && narrow !== anyHost && narrow.endsWith(wide.slice(1));
}

/** True when some host is matched by both. */
export const overlap = (a: string, b: string): boolean => covers(a, b) || covers(b, a);

/** Exact before wildcard before any; among wildcards the longer suffix first. Negative when `a` is more specific. */
export function compareSpecificity(a: string, b: string): number {
  const weight = (host: string): number => (host === anyHost ? 0 : host.startsWith("*.") ? host.length : 1000);
  return weight(b) - weight(a);
}

/** The order of servers and virtual hosts: the most specific first, then by name. */
export const compareHostnames = (a: string, b: string): number =>
  compareSpecificity(a, b) || (a === b ? 0 : a < b ? -1 : 1);

/**
 * The hosts that both a listener and a route match (HTTPRouteSpec.hostnames): the narrower one of each pair that
 * overlaps. Empty when nothing overlaps. A route without hostnames takes the listener's.
 */
export function intersectHostnames(listener: string | undefined, route: readonly string[] | undefined): string[] {
  const wide = listener ? listener.toLowerCase() : anyHost;
  if (!route || route.length === 0) return [wide];
  const hosts = new Set<string>();
  for (const name of route) {
    const host = name.toLowerCase();
    if (covers(wide, host)) hosts.add(host);
    else if (covers(host, wide)) hosts.add(wide);
  }
  return [...hosts];
}
