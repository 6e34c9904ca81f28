// The services of the routing table in the translator: those that routes in effect use, each made anew when something behind it
// changes.

import { isDeepStrictEqual } from "node:util";
import type { Service } from "@gatehouse/proxy/routing-table";
import { buildService } from "./backend-services.ts";
import type { Backend } from "./backends.ts";
import type { ObjectIndex } from "./gateway-objects.ts";
import { recording } from "./lookups.ts";
import { withChanges } from "./sorted-list.ts";

export class ServiceEntry {
  backend: Backend;
  users = 1;
  service: Service | undefined;

  constructor(backend: Backend) {
    this.backend = backend;
  }
}

export class ServiceRegistry {
  readonly #entries = new Map<string, ServiceEntry>();
  readonly #dirty = new Set<ServiceEntry>();
  /** Sorted by id; the same list until a service changes. */
  services: readonly Service[] = [];

  acquire(backend: Backend): void {
    const entry = this.#entries.get(backend.id);
    if (!entry) {
      const fresh = new ServiceEntry(backend);
      this.#entries.set(backend.id, fresh);
      this.#dirty.add(fresh);
      return;
    }
    entry.users++;
    if (!isDeepStrictEqual(entry.backend, backend)) this.#dirty.add(entry);
    entry.backend = backend;
  }

  release(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    if (--entry.users === 0) this.#dirty.add(entry);
  }

  invalidate(entry: ServiceEntry): void {
    this.#dirty.add(entry);
  }

  /** Brings `services` up to date; `onBuilt` is told what each one that was built has looked up, nothing for one that is gone. */
  refresh(index: ObjectIndex, onBuilt: (entry: ServiceEntry, lookups: ReadonlySet<string>) => void): void {
    const changed = [...this.#dirty].filter((entry) => this.#build(entry, index, onBuilt));
    this.#dirty.clear();
    if (changed.length === 0) return;
    const changes = new Map(changed.map(({ backend }) => [backend.id, this.#entries.get(backend.id)?.service]));
    this.services = withChanges(this.services, changes, ({ id }) => id, compareIds);
  }

  #build(
    entry: ServiceEntry,
    index: ObjectIndex,
    onBuilt: (entry: ServiceEntry, lookups: ReadonlySet<string>) => void,
  ): boolean {
    const { id } = entry.backend;
    const before = entry.service;
    const lookups = new Set<string>();
    if (entry.users > 0) {
      const fresh = buildService(entry.backend, recording(index, lookups));
      entry.service = before && isDeepStrictEqual(fresh, before) ? before : fresh;
    } else {
      entry.service = undefined;
      if (this.#entries.get(id) === entry) this.#entries.delete(id);
    }
    onBuilt(entry, lookups);
    return entry.service !== before;
  }
}

const compareIds = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
