// From one routing table to the next. What is the same object in both stays as it is, so that a change costs what it changes,
// not what the table holds; requests under way keep the routes they started with.

import { compileListener, streamsOf } from "./compiled-table.ts";
import type { CompiledListener } from "./compiled-table.ts";
import { Matcher } from "./match/matcher.ts";
import type { SessionTokens } from "./policies/session.ts";
import { RouteRegistry } from "./route-registry.ts";
import { StreamRegistry } from "./streams/stream-registry.ts";
import type { Listener, RoutingTable } from "./routing-table.ts";
import type { TrafficCounters } from "./stats.ts";
import type { Upstreams } from "./upstream/upstreams.ts";

export class TableCompiler {
  readonly #upstreams: Upstreams;
  readonly #routes: RouteRegistry;
  readonly streams: StreamRegistry;
  readonly #listeners = new Map<string, CompiledListener>();

  constructor(upstreams: Upstreams, sessions: SessionTokens) {
    this.#upstreams = upstreams;
    this.#routes = new RouteRegistry(upstreams, sessions);
    this.streams = new StreamRegistry(upstreams);
  }

  /** Makes `table` the configuration. Where two listeners have one name, the last counts. */
  update(table: RoutingTable): ReadonlyMap<string, CompiledListener> {
    const changed = this.#upstreams.update(table.services);
    const gone = new Set(this.#listeners.keys());
    for (const listener of table.listeners) {
      gone.delete(listener.name);
      this.#updateListener(listener, changed.length > 0);
    }
    for (const name of gone) {
      this.#listeners.get(name)!.matcher.update([], this.#routes);
      this.#listeners.delete(name);
    }
    this.#routes.settle(changed);
    this.streams.settle([...this.#listeners.values()].flatMap(streamsOf));
    return this.#listeners;
  }

  /** Streams are compiled anew when some service is another than before. */
  #updateListener(listener: Listener, servicesChanged: boolean): void {
    const known = this.#listeners.get(listener.name);
    const streamsChanged = servicesChanged && known !== undefined && streamsOf(known).length > 0;
    if (known?.listener === listener && !streamsChanged) return;
    const matcher = known?.matcher ?? new Matcher();
    matcher.update(listener.servers, this.#routes);
    // Names of servers stand among those of streams.
    const namesMatter = known !== undefined && known.tlsStreams !== null;
    if (known !== undefined && !streamsChanged && !namesMatter && onlyServersDiffer(known.listener, listener))
      known.listener = listener;
    else {
      const compiled = compileListener(listener, matcher, (route, carried) => this.streams.compile(route, carried));
      this.#listeners.set(listener.name, compiled);
    }
  }

  get listeners(): ReadonlyMap<string, CompiledListener> {
    return this.#listeners;
  }

  routeCounters(): Record<string, TrafficCounters> {
    return this.#routes.counters();
  }
}

/** Then what connections know of their clients stays true. */
function onlyServersDiffer(before: Listener, after: Listener): boolean {
  const { servers: _was, addresses: _at, ...rest } = before;
  const { servers: _is, addresses: _now, ...others } = after;
  return JSON.stringify(rest) === JSON.stringify(others);
}
