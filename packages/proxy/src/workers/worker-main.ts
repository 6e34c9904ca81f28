// One worker: a proxy of its own in a process of its own, which shares its addresses with the other workers (SO_REUSEPORT) and is
// told its tables by the process that started it. It ends with that process.

import type { AccessRecord } from "../access.ts";
import { createProxy } from "../proxy.ts";
import type { Proxy } from "../proxy.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import { TableDecoder } from "./table-transfer.ts";

/** How old statistics are at most, in milliseconds. */
const STATS_INTERVAL = 500;
/** Records go together: by number or after this many milliseconds. */
const RECORDS_INTERVAL = 20;
const MOST_RECORDS = 500;

let proxy: Proxy | null = null;
const decoder = new TableDecoder();

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

/** Gathers records on their way to where the access log is written. */
function recordSender(): (record: AccessRecord) => void {
  let records: AccessRecord[] = [];
  let timer: NodeJS.Timeout | null = null;
  const flush = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    tell({ type: "records", records });
    records = [];
  };
  return (record) => {
    records.push(record);
    if (records.length >= MOST_RECORDS) flush();
    else timer ??= setTimeout(flush, RECORDS_INTERVAL);
  };
}

function start(message: Extract<ToWorker, { type: "start" }>): void {
  const { sessionSecret, serverName, limits, records } = message;
  const created = createProxy({
    reusePort: true,
    sessionSecret,
    log: (line) => tell({ type: "log", line }),
    ...(serverName !== undefined && { serverName }),
    ...(limits !== undefined && { limits }),
    ...(records && { onAccess: recordSender() }),
  });
  proxy = created;
  let sent = "";
  setInterval(() => {
    const stats = created.stats();
    const text = JSON.stringify(stats);
    if (text === sent) return;
    sent = text;
    tell({ type: "stats", stats });
  }, STATS_INTERVAL).unref();
}

async function handle(message: ToWorker): Promise<void> {
  if (message.type === "start") return start(message);
  if (message.type === "apply") {
    const states = await proxy!.apply(decoder.decode(message.table));
    return tell({ type: "applied", id: message.id, states });
  }
  await proxy?.close({ graceMs: message.graceMs });
  // The last records and numbers shall arrive.
  if (proxy !== null) tell({ type: "stats", stats: proxy.stats() });
  setTimeout(() => process.exit(0), RECORDS_INTERVAL * 2);
}

process.on("message", (message) => void handle(message as ToWorker));
process.on("disconnect", () => process.exit(0));
// A terminal's Ctrl-C reaches all processes: the one that started the workers says when they end.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
