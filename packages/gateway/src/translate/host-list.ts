// What there is for hosts, one thing for each, the most specific host first: the same list until one of them changes.

import { compareHostnames } from "./hostnames.ts";
import { withChanges } from "./sorted-list.ts";

export class HostList<T extends { hostname: string }> {
  readonly #byName = new Map<string, T>();
  sorted: T[] = [];

  get(hostname: string): T | undefined {
    return this.#byName.get(hostname);
  }

  /** `undefined` for a host of which there is nothing any more. */
  update(all: Iterable<[hostname: string, T | undefined]>): void {
    const changes = new Map([...all].filter(([hostname, item]) => item !== this.#byName.get(hostname)));
    if (changes.size === 0) return;
    for (const [hostname, item] of changes) {
      if (item) this.#byName.set(hostname, item);
      else this.#byName.delete(hostname);
    }
    this.sorted = withChanges(this.sorted, changes, ({ hostname }) => hostname, compareHostnames);
  }
}
