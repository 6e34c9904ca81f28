// What the processes of a proxy with several workers say to each other.

import type { AccessRecord } from "../access.ts";
import type { Limits } from "../limits.ts";
import type { ListenerState } from "../server-ports.ts";
import type { ProxyStats } from "../stats.ts";
import type { TableMessage } from "./table-transfer.ts";

export type ToWorker =
  | { type: "start"; sessionSecret: string; serverName?: string; limits?: Partial<Limits>; records: boolean }
  /** Answered by `applied` with the same `id`. */
  | { type: "apply"; id: number; table: TableMessage }
  /** The worker ends by itself within `graceMs`. */
  | { type: "close"; graceMs: number };

export type FromWorker =
  | { type: "applied"; id: number; states: ListenerState[] }
  | { type: "records"; records: AccessRecord[] }
  | { type: "stats"; stats: ProxyStats }
  | { type: "log"; line: string };
