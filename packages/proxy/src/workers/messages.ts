// What the processes of a proxy with several workers say to each other.

import type { Limits } from "../limits.ts";
import type { ListenerState } from "../server-ports.ts";
import type { TableMessage } from "./table-transfer.ts";

export type ToWorker =
  | {
      type: "start";
      sessionSecret: string;
      serverName?: string;
      limits?: Partial<Limits>;
      accessLog?: AccessLogStart;
    }
  /** Answered by `applied` with the same `id`. */
  | { type: "apply"; id: number; table: TableMessage }
  /** Comes with a bound socket, for the next listener at that address (`addressKey`). */
  | { type: "socket"; address: string }
  | { type: "names"; names: RouteName[] }
  /** Answered by `stats`. */
  | { type: "count" }
  /** Answered by `pong`. */
  | { type: "ping" }
  /** The worker ends by itself within `graceMs`. */
  | { type: "close"; graceMs: number };

export interface AccessLogStart {
  /** For the worker's program. */
  format: unknown;
  /** The worker's requests have the numbers `after` + `step`, `after` + 2 `step`, ... */
  after: number;
  step: number;
}

/** What lines call a route at a listener. */
export interface RouteName {
  listener: string;
  route: string;
  name: string;
}

export type FromWorker =
  | { type: "applied"; id: number; states: ListenerState[] }
  /** Whole lines of the access log, and the highest number of a request in them or before. */
  | { type: "lines"; lines: Uint8Array; last: number }
  /** Answered by `names`. */
  | { type: "nameless"; routes: Omit<RouteName, "name">[] }
  /** JSON of `ProxyStats`, which the channel carries at a fraction of what it takes for so many objects. */
  | { type: "stats"; stats: string }
  | { type: "pong" }
  | { type: "log"; line: string };
