// Every stream route of the running table, with what outlives its replacement: counters by id and the place in the rotation.

import type { StreamRoute } from "../routing-table.ts";
import { CounterSet, newStreamCounters } from "../stats.ts";
import type { StreamCounters } from "../stats.ts";
import { BackendTlsCache } from "../tls/backend-tls.ts";
import type { Upstreams } from "../upstream/upstreams.ts";
import { compileStream } from "./compiled-stream.ts";
import type { Carried, CompiledStream } from "./compiled-stream.ts";

export class StreamRegistry {
  readonly #upstreams: Upstreams;
  readonly #backendTls = new BackendTlsCache();
  readonly #counters = new CounterSet<StreamCounters>(newStreamCounters);
  readonly #serviceCounters = new CounterSet<StreamCounters>(newStreamCounters);
  #byId = new Map<string, CompiledStream>();

  constructor(upstreams: Upstreams) {
    this.#upstreams = upstreams;
  }

  compile(route: StreamRoute, carried: Carried): CompiledStream {
    const context = {
      upstreams: this.#upstreams,
      backendTls: this.#backendTls,
      streamCounters: (id: string) => this.#counters.get(id),
      streamServiceCounters: (id: string) => this.#serviceCounters.get(id),
    };
    const stream = compileStream(route, carried, context, this.#byId.get(route.id));
    this.#byId.set(route.id, stream);
    return stream;
  }

  /** A table has been taken over: only `streams` are left. */
  settle(streams: readonly CompiledStream[]): void {
    this.#byId = new Map(streams.map((stream) => [stream.route.id, stream]));
    this.#backendTls.sweep();
    this.#counters.retain((id) => this.#byId.has(id));
    this.#serviceCounters.retain((id) => this.#upstreams.get(id) !== undefined);
  }

  counters(): Record<string, StreamCounters> {
    return this.#counters.snapshot();
  }

  serviceCounters(): Record<string, StreamCounters> {
    return this.#serviceCounters.snapshot();
  }
}
