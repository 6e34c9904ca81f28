// Objects by what they belong to, each group in a fixed order. Groups are small: they are made anew when one of theirs changes.

export class GroupedObjects<T> {
  readonly #groupsOf: (object: T) => readonly string[];
  readonly #compare: (a: T, b: T) => number;
  readonly #objects = new Map<string, T>();
  readonly #groups = new Map<string, readonly T[]>();

  constructor(groupsOf: (object: T) => readonly string[], compare: (a: T, b: T) => number) {
    this.#groupsOf = groupsOf;
    this.#compare = compare;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  of(group: string): readonly T[] {
    return this.#groups.get(group) ?? [];
  }

  /** Replaces the object of that key, or takes it away; returns the groups that were concerned. */
  put(key: string, current: T | undefined): string[] {
    const old = this.#objects.get(key);
    const before = old === undefined ? [] : this.#groupsOf(old);
    const after = current === undefined ? [] : this.#groupsOf(current);
    for (const group of before)
      this.#set(
        group,
        (this.#groups.get(group) ?? []).filter((each) => each !== old),
      );
    if (current === undefined) this.#objects.delete(key);
    else {
      this.#objects.set(key, current);
      for (const group of after) this.#set(group, [...(this.#groups.get(group) ?? []), current].sort(this.#compare));
    }
    return [...new Set([...before, ...after])];
  }

  #set(group: string, members: readonly T[]): void {
    if (members.length === 0) this.#groups.delete(group);
    else this.#groups.set(group, members);
  }
}
