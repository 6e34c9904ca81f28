// A proxy in a process of its own, for tests of what a process may have: descriptors and memory. Run with a channel to its parent,
// the JSON of `ProxyProcessOptions` as its argument and `--expose-gc`.

import { getHeapStatistics } from "node:v8";
import type { Io } from "../io/network.ts";
import type { Limits } from "../limits.ts";
import { createProxy } from "../proxy.ts";
import { listener, route, service, table } from "./tables.ts";

export interface ProxyProcessOptions {
  io: Io;
  backends: number[];
  limits: Partial<Limits>;
}

/** First the port; then, as often as anything is sent to it, bytes in use after a collection, clients connected,
 * and what was logged. */
export interface Reply {
  port?: number;
  heap?: number;
  open?: number;
  /** Lines so far. */
  log?: string[];
}

const { io, backends, limits } = JSON.parse(process.argv[2]!) as ProxyProcessOptions;
const send = (reply: Reply): void => void process.send!(reply);
const log: string[] = [];
const proxy = createProxy({ io, limits, log: (line) => log.push(line) });
const [state] = await proxy.apply(
  table([listener({ "*": [route("/*", "s", { id: "r" })] })], [service("s", backends)]),
);
process.on("message", () => {
  globalThis.gc!();
  // Not of process.memoryUsage(), which needs a descriptor.
  const { used_heap_size, external_memory } = getHeapStatistics();
  send({ heap: used_heap_size + external_memory, open: proxy.stats().listeners["web"]!.connectionsOpen, log });
});
process.on("disconnect", () => process.exit());
send({ port: state!.port });
