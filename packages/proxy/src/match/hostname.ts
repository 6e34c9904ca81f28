// Virtual hosts of one listener: exact names by hash, wildcards by the longest suffix, then `*`. The cost of a lookup
// depends on the labels of the name asked for, not on how many hosts there are.

/** Lower case, without port and without the root's trailing dot; brackets of an IPv6 literal stay. */
export function bareHost(host: string): string {
  let end = host.length;
  const colon = host.charCodeAt(0) === 91 ? host.indexOf(":", host.indexOf("]")) : host.indexOf(":");
  if (colon >= 0) end = colon;
  if (end > 1 && host.charCodeAt(end - 1) === 46) end--;
  return (end === host.length ? host : host.slice(0, end)).toLowerCase();
}

export class HostIndex<T> {
  readonly #exact = new Map<string, T>();
  /** Keyed by the suffix with its leading dot. */
  readonly #wildcards = new Map<string, T>();
  #any: T | undefined;

  /** Every hostname in canonical form with what belongs to it, for explanations. */
  readonly entries: { hostname: string; value: T }[] = [];

  add(hostname: string, value: T): void {
    const name = bareHost(hostname);
    this.entries.push({ hostname: name, value });
    if (name === "*" || name === "") this.#any = value;
    else if (name.startsWith("*.")) this.#wildcards.set(name.slice(1), value);
    else this.#exact.set(name, value);
  }

  /** What the most specific hostname holds; `host` as from `bareHost`. */
  find(host: string): T | undefined {
    const exact = this.#exact.get(host);
    if (exact !== undefined) return exact;
    if (this.#wildcards.size > 0) {
      // From the second label on: a wildcard stands for at least one label.
      for (let dot = host.indexOf(".", 1); dot >= 0; dot = host.indexOf(".", dot + 1)) {
        const found = this.#wildcards.get(host.slice(dot));
        if (found !== undefined) return found;
      }
    }
    return this.#any;
  }
}
