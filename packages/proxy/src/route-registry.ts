// Every route of the running table, compiled once however many listeners it stands under, with what outlives its replacement: the
// counters of its id and its place in the rotation.

import { compileRoute } from "./compiled-table.ts";
import type { CompiledRoute } from "./compiled-table.ts";
import type { RouteTargets } from "./match/path-index.ts";
import type { SessionTokens } from "./policies/session.ts";
import type { Route } from "./routing-table.ts";
import { newTraffic, snapshotOf } from "./stats.ts";
import type { TrafficCounters } from "./stats.ts";
import type { Upstreams } from "./upstream/upstreams.ts";

interface Use {
  compiled: CompiledRoute;
  places: number;
}

interface Identity {
  counters: TrafficCounters;
  /** The latest of this id. */
  compiled: CompiledRoute | undefined;
  routes: number;
}

export class RouteRegistry implements RouteTargets<CompiledRoute> {
  readonly #upstreams: Upstreams;
  readonly #sessions: SessionTokens;
  readonly #uses = new Map<Route, Use>();
  readonly #identities = new Map<string, Identity>();
  /** Routes by the ids of services they lead to. */
  readonly #byService = new Map<string, Set<Route>>();
  #released: Route[] = [];

  constructor(upstreams: Upstreams, sessions: SessionTokens) {
    this.#upstreams = upstreams;
    this.#sessions = sessions;
  }

  acquire(route: Route): CompiledRoute {
    const use = this.#uses.get(route);
    if (use !== undefined) {
      use.places++;
      return use.compiled;
    }
    const identity = this.#identity(route.id);
    const compiled = this.#compile(route, identity);
    identity.compiled = compiled;
    identity.routes++;
    this.#uses.set(route, { compiled, places: 1 });
    for (const service of servicesOf(route)) {
      const routes = this.#byService.get(service);
      if (routes === undefined) this.#byService.set(service, new Set([route]));
      else routes.add(route);
    }
    return compiled;
  }

  /** Takes effect in `settle`, so that a route that only moved, or is replaced by one of its id, loses nothing. */
  release(route: Route): void {
    this.#released.push(route);
  }

  /** A table has been taken over: what it no longer has goes, and routes to services of another kind than before are
   * compiled again. */
  settle(changedServices: readonly string[]): void {
    for (const route of this.#released) this.#drop(route);
    this.#released = [];
    for (const service of changedServices) {
      for (const route of this.#byService.get(service) ?? []) {
        const { compiled } = this.#uses.get(route)!;
        Object.assign(compiled, this.#compile(route, this.#identity(route.id)));
      }
    }
  }

  #compile(route: Route, { counters, compiled }: Identity): CompiledRoute {
    return compileRoute(route, {
      upstreams: this.#upstreams,
      sessions: this.#sessions,
      counters,
      previous: compiled,
    });
  }

  #identity(id: string): Identity {
    let identity = this.#identities.get(id);
    if (identity === undefined) {
      this.#identities.set(id, (identity = { counters: newTraffic(), compiled: undefined, routes: 0 }));
    }
    return identity;
  }

  #drop(route: Route): void {
    const use = this.#uses.get(route);
    if (use === undefined || --use.places > 0) return;
    this.#uses.delete(route);
    const identity = this.#identity(route.id);
    if (--identity.routes === 0) this.#identities.delete(route.id);
    for (const service of servicesOf(route)) {
      const routes = this.#byService.get(service);
      routes?.delete(route);
      if (routes?.size === 0) this.#byService.delete(service);
    }
  }

  counters(): Record<string, TrafficCounters> {
    return snapshotOf([...this.#identities].map(([id, { counters }]) => [id, counters]));
  }
}

function servicesOf({ action, filters }: Route): Set<string> {
  const backends = action.type === "forward" ? action.backends : [];
  const all = [...filters, ...backends.flatMap((backend) => backend.filters)];
  const ids = all.flatMap((filter) =>
    filter.type === "mirror" || filter.type === "externalAuth" ? filter.service : [],
  );
  return new Set([...ids, ...backends.flatMap(({ service }) => service ?? [])]);
}
