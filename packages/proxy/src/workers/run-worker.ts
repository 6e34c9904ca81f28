// One worker: a proxy of its own in a process of its own, which shares its addresses with the other workers (SO_REUSEPORT) and is
// given its sockets and told its tables by the process that started it. It ends with that process.

import type { TcpHandle } from "../io/tcp-handles.ts";
import { createProxy } from "../proxy.ts";
import type { Proxy } from "../proxy.ts";
import { LineWriter } from "./line-writer.ts";
import type { LineFormat } from "../line-batch.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { addressKey } from "./shared-sockets.ts";
import { TableDecoder } from "./table-transfer.ts";

/** What a worker's program does: `formatOf` makes the access log's format of what the group was given for it. */
export function runWorker(formatOf: (format: unknown) => LineFormat): void {
  const worker = new Worker(formatOf);
  process.on("message", (message, handle) => void worker.handle(message as ToWorker, handle));
  process.on("disconnect", () => process.exit(0));
  // A terminal's Ctrl-C reaches all processes: the one that started the workers says when they end.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
}

function tell(message: FromWorker, sent: () => void = () => {}): void {
  if (process.connected) process.send?.(message, sent);
}

const log = (line: string): void => tell({ type: "log", line });

class Worker {
  readonly #formatOf: (format: unknown) => LineFormat;
  readonly #decoder = new TableDecoder();
  #proxy: Proxy | null = null;
  #lines: LineWriter | null = null;
  /** Bound, and not listened on yet. */
  readonly #sockets = new Map<string, TcpHandle>();

  constructor(formatOf: (format: unknown) => LineFormat) {
    this.#formatOf = formatOf;
  }

  async handle(message: ToWorker, handle: unknown): Promise<void> {
    if (message.type === "start") this.#start(message);
    else if (message.type === "socket") this.#sockets.set(message.address, handle as TcpHandle);
    else if (message.type === "apply") await this.#apply(message);
    else if (message.type === "names") this.#lines?.learn(message.names);
    else if (message.type === "count") this.#tellStats();
    else await this.#close(message.graceMs);
  }

  #start({ sessionSecret, serverName, limits, accessLog }: Extract<ToWorker, { type: "start" }>): void {
    const lines = accessLog && new LineWriter(this.#formatOf(accessLog.format), accessLog, tell, log);
    this.#lines = lines ?? null;
    this.#proxy = createProxy({
      reusePort: true,
      boundSocket: (host, port) => this.#takeSocket(addressKey({ host, port })),
      sessionSecret,
      log,
      ...(serverName !== undefined && { serverName }),
      ...(limits !== undefined && { limits }),
      ...(lines !== undefined && { onAccess: (record) => lines.write(record) }),
    });
  }

  async #apply({ id, table }: Extract<ToWorker, { type: "apply" }>): Promise<void> {
    const given = [...this.#sockets];
    const opened = this.#proxy!.apply(this.#decoder.decode(table));
    this.#lines?.forget();
    const states = await opened;
    // Nobody has asked for them: an address must not stay taken.
    for (const [address, socket] of given)
      if (this.#sockets.get(address) === socket) this.#takeSocket(address)!.close();
    tell({ type: "applied", id, states });
  }

  #takeSocket(address: string): TcpHandle | undefined {
    const socket = this.#sockets.get(address);
    this.#sockets.delete(address);
    return socket;
  }

  #tellStats(sent?: () => void): void {
    tell({ type: "stats", stats: JSON.stringify(this.#proxy!.stats()) }, sent);
  }

  async #close(graceMs: number): Promise<void> {
    await this.#proxy!.close({ graceMs });
    // The last lines and numbers shall arrive.
    this.#lines?.flush();
    this.#tellStats(() => process.exit(0));
  }
}
