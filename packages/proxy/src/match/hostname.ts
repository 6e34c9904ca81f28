// Names of one level (servers of a listener, virtual hosts of a server): exact names by hash, wildcards by the longest suffix,
// then `*`. The cost of a lookup depends on the labels of the name asked for, not on how many hosts there are.

/** Lower case, without port and without the root's trailing dot; brackets of an IPv6 literal stay. */
export function bareHost(host: string): string {
  let end = host.length;
  const colon = host.charCodeAt(0) === 91 ? host.indexOf(":", host.indexOf("]")) : host.indexOf(":");
  if (colon >= 0) end = colon;
  if (end > 1 && host.charCodeAt(end - 1) === 46) end--;
  return (end === host.length ? host : host.slice(0, end)).toLowerCase();
}

/** As names are kept: of an empty one the meaning is every host. */
export function canonical(hostname: string): string {
  return bareHost(hostname) || "*";
}

export interface HostEntry<T> {
  /** In canonical form. */
  hostname: string;
  value: T;
}

export class HostIndex<T> {
  readonly #exact = new Map<string, HostEntry<T>>();
  /** Keyed by the suffix with its leading dot. */
  readonly #wildcards = new Map<string, HostEntry<T>>();
  #any: HostEntry<T> | undefined;

  /** Every hostname with what belongs to it, for explanations. */
  *entries(): Generator<HostEntry<T>> {
    yield* this.#exact.values();
    yield* this.#wildcards.values();
    if (this.#any !== undefined) yield this.#any;
  }

  set(hostname: string, value: T): void {
    const name = canonical(hostname);
    const entry = { hostname: name, value };
    if (name === "*") this.#any = entry;
    else if (name.startsWith("*.")) this.#wildcards.set(name.slice(1), entry);
    else this.#exact.set(name, entry);
  }

  /** What belongs to this very name. */
  get(hostname: string): T | undefined {
    const name = canonical(hostname);
    if (name === "*") return this.#any?.value;
    return (name.startsWith("*.") ? this.#wildcards.get(name.slice(1)) : this.#exact.get(name))?.value;
  }

  delete(hostname: string): void {
    const name = canonical(hostname);
    if (name === "*") this.#any = undefined;
    else if (name.startsWith("*.")) this.#wildcards.delete(name.slice(1));
    else this.#exact.delete(name);
  }

  /** What the most specific hostname holds; `host` as from `bareHost`. */
  find(host: string): HostEntry<T> | undefined {
    const exact = this.#exact.size === 0 ? undefined : this.#exact.get(host);
    return exact ?? this.#wildcardFor(host, 1) ?? this.#any;
  }

  /** The most specific of the others that fit every host `entry` fits. */
  widerThan({ hostname: name }: HostEntry<T>): HostEntry<T> | undefined {
    if (name === "*") return undefined;
    return this.#wildcardFor(name, name.startsWith("*.") ? 2 : 1) ?? this.#any;
  }

  /** From the second label on, as a wildcard stands for at least one label. */
  #wildcardFor(name: string, from: number): HostEntry<T> | undefined {
    if (this.#wildcards.size === 0) return undefined;
    for (let dot = name.indexOf(".", from); dot >= 0; dot = name.indexOf(".", dot + 1)) {
      const found = this.#wildcards.get(name.slice(dot));
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
